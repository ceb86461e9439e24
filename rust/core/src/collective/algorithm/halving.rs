//! Recursive halving and doubling (Rabenseifner 2004; Thakur, Rabenseifner and Gropp 2005).
//!
//! Ranks that differ in one bit exchange: in halving half of what is left, nearest ranks first; in doubling the
//! same backwards. Ranks beyond a power of two fold onto the others before and after an all-reduce.

use super::{Job, unsupported};
use crate::collective::operation::Operation;
use crate::collective::schedule::{Part, Phase, Stage};
use crate::{Error, Result};

pub(crate) fn halving_doubling(job: &Job) -> Result<Vec<Stage>> {
    let cube = job.placement.in_cube_order(job.context.machine);
    let ranks = cube.ranks() as u32;
    let bits = ranks.ilog2();
    let folded = ranks - (1 << bits);
    if folded > 0 && job.operation != Operation::AllReduce {
        return Err(Error::unsupported(
            format!(
                "halving_doubling {} over {ranks} ranks",
                job.operation.name()
            ),
            "it needs a power of two; use ring or direct",
        ));
    }
    let exchange = |bit: u32| {
        let sends: Vec<(u32, u32)> = (0..1 << bits)
            .map(|rank| (rank, rank ^ (1 << bit)))
            .collect();
        cube.pattern(job.context, &sends)
    };
    let patterns: Vec<_> = (0..bits).map(exchange).collect::<Result<_>>()?;
    let phase = |what: &str, bit: usize| {
        let bytes = job.size / f64::from(2u32 << bit);
        Phase::steps(
            format!("{what} over bit {bit}"),
            vec![Part::new(&patterns[bit], bytes)],
            1,
        )
    };
    let halving = (0..patterns.len()).map(|bit| phase("halve", bit));
    let doubling = (0..patterns.len()).rev().map(|bit| phase("double", bit));
    let mut phases: Vec<Phase> = match job.operation {
        Operation::ReduceScatter => halving.collect(),
        Operation::AllGather => doubling.collect(),
        Operation::AllReduce => halving.chain(doubling).collect(),
        other => return Err(unsupported("halving_doubling", other)),
    };
    fold(job, &cube, &mut phases)?;
    Ok(vec![Stage::of(job.tier, phases)])
}

/// All-reduce in log2(p) exchanges of the whole buffer: the fewest steps, the most bytes.
pub(crate) fn recursive_doubling(job: &Job) -> Result<Vec<Stage>> {
    if job.operation != Operation::AllReduce {
        return Err(unsupported("recursive_doubling", job.operation));
    }
    let cube = job.placement.in_cube_order(job.context.machine);
    let bits = (cube.ranks() as u32).ilog2();
    let mut phases = Vec::new();
    for bit in 0..bits {
        let sends: Vec<(u32, u32)> = (0..1 << bits)
            .map(|rank| (rank, rank ^ (1 << bit)))
            .collect();
        let part = Part::new(&cube.pattern(job.context, &sends)?, job.size);
        phases.push(Phase::steps(
            format!("exchange over bit {bit}"),
            vec![part],
            1,
        ));
    }
    fold(job, &cube, &mut phases)?;
    Ok(vec![Stage::of(job.tier, phases)])
}

/// Wraps an all-reduce over the largest power of two in the steps that bring the other ranks in and out.
fn fold(
    job: &Job,
    cube: &crate::collective::placement::Placement,
    phases: &mut Vec<Phase>,
) -> Result<()> {
    let ranks = cube.ranks() as u32;
    let power = 1 << ranks.ilog2();
    if ranks == power {
        return Ok(());
    }
    let into: Vec<(u32, u32)> = (power..ranks).map(|rank| (rank, rank - power)).collect();
    let back: Vec<(u32, u32)> = into.iter().map(|&(from, to)| (to, from)).collect();
    let step = |what: &str, sends: &[(u32, u32)]| -> Result<Phase> {
        Ok(Phase::steps(
            what,
            vec![Part::new(&cube.pattern(job.context, sends)?, job.size)],
            1,
        ))
    };
    phases.insert(0, step("fold in", &into)?);
    phases.push(step("fold out", &back)?);
    Ok(())
}
