//! Rooted operations made of others.

use super::extent::Extent;
use super::job::{Algorithm, Job, OwnedJob, unsupported};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::program::alternatives::{Cheapest, Program};
use crate::collective::program::least::Least;
use crate::operation::Operation;
use std::sync::Arc;

/// Broadcast as scatter + all-gather, reduce as reduce-scatter + gather (van de Geijn): each half moves each byte
/// about once, by whichever algorithm is the fastest for it.
pub(crate) fn scatter_allgather(job: &Job) -> Result<Program> {
    let programs = halves(job.operation)?
        .into_iter()
        .map(|half| fastest(job, half));
    Ok(Program::Sequence(programs.collect::<Result<_>>()?))
}

/// The two operations that a rooted one is made of.
pub(super) fn halves(operation: Operation) -> Result<[Operation; 2]> {
    match operation {
        Operation::Broadcast => Ok([Operation::Scatter, Operation::AllGather]),
        Operation::Reduce => Ok([Operation::ReduceScatter, Operation::Gather]),
        other => Err(unsupported("scatter_allgather", other)),
    }
}

/// A rooted operation as the one in which every rank does what the root does, what others get thrown away, or
/// what they give being nothing: it uses the links of all ranks, where stars and trees use those near the root.
pub(crate) fn symmetric(job: &Job) -> Result<Program> {
    fastest(job, symmetric_to(job.operation)?)
}

/// The operation in which every rank does what the root of `operation` does.
pub(crate) fn symmetric_to(operation: Operation) -> Result<Operation> {
    match operation {
        Operation::Broadcast | Operation::Reduce => Ok(Operation::AllReduce),
        Operation::Gather => Ok(Operation::AllGather),
        Operation::Scatter => Ok(Operation::ReduceScatter),
        other => Err(unsupported("symmetric", other)),
    }
}

/// The fastest algorithm for `operation` over the job's placement.
fn fastest(job: &Job, operation: Operation) -> Result<Program> {
    let root = if operation.is_rooted() { job.root } else { 0 };
    let rows: Vec<_> = job
        .table
        .iter()
        .filter(|row| row.is_part(operation))
        .collect();
    if rows.is_empty() {
        return Err(unsupported("a composed algorithm", operation));
    }
    let extent = Extent::new(job.context, Model::LinkLoad, job.placement, root);
    let least = |row: &&Algorithm| {
        let extent = extent.as_ref();
        let least = extent.map(|extent| (row.least)(extent, operation, job.table));
        least.unwrap_or(Least::NOTHING) * job.size
    };
    let leasts = rows.iter().map(least).collect();
    let owned = OwnedJob::of(job);
    let make = move |context: &Context, which: usize| {
        rows[which].program(&Job {
            operation,
            root,
            ..owned.job(context)
        })
    };
    Ok(Program::Cheapest(Cheapest {
        leasts,
        make: Arc::new(make),
    }))
}
