//! Algorithms over the chips of many UltraServers that go by the digits of a rank: those of one UltraServer inside
//! each, and the same between them.

use super::job::Job;
use super::{halving, tree};
use crate::Result;
use crate::collective::program::moves::Scope;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::Stage;
use crate::operation::Operation;

/// A binomial tree over domains, on the NICs of the root, and one inside every domain.
pub(super) fn binomial(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let in_domain = locals[0].len();
    let root_local = job.root % in_domain;
    let nics = locals.iter().map(|group| group[root_local]).collect();
    let placement = Placement::Nics(domains.into(), nics);
    let build = tree::binomial;
    let across = |operation| {
        build(&Job {
            placement: &placement,
            operation,
            root: job.root / in_domain,
            tier: "machine",
            ..*job
        })
    };
    // A share of the whole is what one rank owns; inside a domain the tree divides that domain's part.
    let part = match job.operation {
        Operation::Gather | Operation::Scatter => job.size / domains[0].len() as f64,
        _ => job.size,
    };
    let inside = |operation| -> Result<Vec<Stage>> {
        let stages = build(&Job {
            operation,
            size: part,
            root: root_local,
            ..*job
        })?;
        let own = |stage: Stage| stage.scoped(Scope::Own);
        Ok(match operation {
            Operation::Gather | Operation::Scatter => stages.into_iter().map(own).collect(),
            _ => stages,
        })
    };
    let order: &[(bool, Operation)] = match job.operation {
        Operation::AllReduce => &[
            (true, Operation::Reduce),
            (false, Operation::Reduce),
            (false, Operation::Broadcast),
            (true, Operation::Broadcast),
        ],
        Operation::Broadcast => &[(false, Operation::Broadcast), (true, Operation::Broadcast)],
        Operation::Scatter => &[(false, Operation::Scatter), (true, Operation::Scatter)],
        Operation::Reduce => &[(true, Operation::Reduce), (false, Operation::Reduce)],
        _ => &[(true, Operation::Gather), (false, Operation::Gather)],
    };
    let mut stages = Vec::new();
    for &(local, operation) in order {
        stages.extend(if local {
            inside(operation)?
        } else {
            across(operation)?
        });
    }
    Ok(stages)
}

/// Halving and doubling over all bits of the rank: the low bits inside domains, the high bits between them.
pub(super) fn halving_doubling(
    job: &Job,
    _: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Stage>> {
    let rails = Placement::Rails(domains.into());
    let part = job.size / job.placement.ranks() as f64;
    let inside = |operation| halving::halving_doubling(&Job { operation, ..*job });
    let across = |operation| halving::halving_doubling(&across(job, &rails, operation, part));
    let mut stages = Vec::new();
    if job.operation != Operation::AllGather {
        stages.extend(inside(Operation::ReduceScatter)?);
    }
    stages.extend(across(job.operation)?);
    if job.operation != Operation::ReduceScatter {
        stages.extend(inside(Operation::AllGather)?);
    }
    Ok(stages)
}

/// The same with whole buffers.
pub(super) fn recursive_doubling(
    job: &Job,
    _: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Stage>> {
    let rails = Placement::Rails(domains.into());
    let mut stages = halving::recursive_doubling(job)?;
    let whole = halving::recursive_doubling(&across(job, &rails, Operation::AllReduce, job.size))?;
    stages.extend(whole.into_iter().map(|stage| stage.scoped(Scope::All)));
    Ok(stages)
}

/// The part of a job that is between domains.
fn across<'a>(job: &Job<'a>, placement: &'a Placement, operation: Operation, size: f64) -> Job<'a> {
    Job {
        placement,
        operation,
        size,
        tier: "machine",
        ..*job
    }
}
