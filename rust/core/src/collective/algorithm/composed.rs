//! Rooted operations made of others.

use super::job::{Job, unsupported};
use crate::collective::program::alternatives::Program;
use crate::operation::Operation;
use crate::{Error, Result};

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
    let rooted = operation.is_rooted();
    let job = Job {
        operation,
        root: if rooted { job.root } else { 0 },
        ..*job
    };
    let mut cases = Vec::new();
    let mut refusal = None;
    for row in job.table.iter().filter(|row| row.is_part(operation)) {
        match row.program(&job) {
            Ok(program) => cases.push(program),
            Err(error @ Error::Unsupported { .. }) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    if cases.is_empty() {
        return Err(refusal.unwrap_or_else(|| unsupported("a composed algorithm", operation)));
    }
    Ok(Program::Fastest { cases, gain: 0.0 })
}
