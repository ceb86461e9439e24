//! Rooted operations made of others.

use super::job::{Job, unsupported};
use crate::collective::ask::model::Model;
use crate::collective::price::cost::StageCost;
use crate::collective::program::schedule::Stage;
use crate::operation::Operation;
use crate::{Error, Result};

/// Broadcast as scatter + all-gather, reduce as reduce-scatter + gather (van de Geijn): each half moves each byte
/// about once, by whichever algorithm is the fastest for it.
pub(crate) fn scatter_allgather(job: &Job) -> Result<Vec<Stage>> {
    let halves = match job.operation {
        Operation::Broadcast => [Operation::Scatter, Operation::AllGather],
        Operation::Reduce => [Operation::ReduceScatter, Operation::Gather],
        other => return Err(unsupported("scatter_allgather", other)),
    };
    let mut stages = Vec::new();
    for half in halves {
        stages.extend(fastest(job, half)?);
    }
    Ok(stages)
}

/// A rooted operation as the one in which every rank does what the root does, what others get thrown away, or
/// what they give being nothing: it uses the links of all ranks, where stars and trees use those near the root.
pub(crate) fn symmetric(job: &Job) -> Result<Vec<Stage>> {
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

/// The stages of the fastest algorithm for `operation` over the job's placement.
fn fastest(job: &Job, operation: Operation) -> Result<Vec<Stage>> {
    let rooted = operation.is_rooted();
    let job = Job {
        operation,
        root: if rooted { job.root } else { 0 },
        ..*job
    };
    let mut best: Option<(f64, Vec<Stage>)> = None;
    let mut refusal = None;
    for row in job
        .table
        .iter()
        .filter(|row| !row.composed && row.offered && row.operations.contains(&operation))
    {
        let stages = match (row.build)(&job) {
            Ok(stages) => stages,
            Err(error @ Error::Unsupported { .. }) => {
                refusal = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut time = 0.0;
        for stage in &stages {
            time += StageCost::new(job.context, Model::LinkLoad, stage, String::new())?.time(1.0);
        }
        if best.as_ref().is_none_or(|best| time < best.0) {
            best = Some((time, stages));
        }
    }
    match best {
        Some((_, stages)) => Ok(stages),
        None => Err(refusal.unwrap_or_else(|| unsupported("a composed algorithm", operation))),
    }
}
