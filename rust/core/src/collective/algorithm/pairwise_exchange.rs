//! Schedules of exchanges: several side by side, each with its slice of the data, and the fold that brings ranks
//! beyond a power of two in and out of an all-reduce.

use super::exchange::Exchange;
use super::job::{Job, unsupported};
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

/// What an exchange passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Shares, in a reduce-scatter and an all-gather: the fewest bytes.
    Bandwidth,
    /// Whole buffers: the fewest steps.
    Latency,
}

/// One exchange with its slice of the data.
pub(crate) struct Slice {
    pub(crate) exchange: Arc<Exchange>,
    /// Part of the data that it carries.
    pub(crate) part: f64,
}

impl Slice {
    pub(crate) fn whole(exchange: Arc<Exchange>) -> Self {
        Self {
            exchange,
            part: 1.0,
        }
    }
}

/// The stage of slices that run side by side, all with the same number of ranks and steps, over `placement`: the job's
/// ranks in the order that the exchanges count them. Only the first ranks take part where there are more.
pub(crate) fn pairwise_exchange(
    job: &Job,
    name: &str,
    placement: &Placement,
    slices: &[Slice],
    form: Form,
) -> Result<Vec<Stage>> {
    let taking_part = slices[0].exchange.ranks();
    let folded = placement.ranks() as u32 - taking_part;
    if folded > 0 && job.operation != Operation::AllReduce {
        return Err(Error::unsupported(
            format!(
                "{name} {} over {} ranks",
                job.operation.name(),
                placement.ranks()
            ),
            format!(
                "it needs {taking_part} or another number that its steps divide evenly; use ring, bruck or direct"
            ),
        ));
    }
    if form == Form::Latency && job.operation != Operation::AllReduce {
        return Err(unsupported(name, job.operation));
    }
    let exchange = PairwiseExchange {
        job,
        placement,
        slices,
        form,
    };
    let steps = slices[0].exchange.len();
    let mut phases = match (form, job.operation) {
        (Form::Latency, _) => exchange.phases(0..steps, "exchange", true)?,
        (_, Operation::ReduceScatter) => exchange.phases(0..steps, "halve", true)?,
        (_, Operation::AllGather) => exchange.phases((0..steps).rev(), "double", false)?,
        (_, Operation::AllReduce) => {
            let mut phases = exchange.phases(0..steps, "halve", true)?;
            phases.extend(exchange.phases((0..steps).rev(), "double", false)?);
            phases
        }
        (_, other) => return Err(unsupported(name, other)),
    };
    if folded > 0 {
        exchange.fold(&mut phases)?;
    }
    Ok(vec![Stage::of(job.tier, exchange.space(), phases)])
}

struct PairwiseExchange<'a> {
    job: &'a Job<'a>,
    placement: &'a Placement,
    slices: &'a [Slice],
    form: Form,
}

impl PairwiseExchange<'_> {
    fn space(&self) -> Space {
        let shares = match self.form {
            Form::Bandwidth => self.slices[0].exchange.ranks(),
            Form::Latency => 1,
        };
        Space::new(self.slices.len() as u32, shares)
    }

    fn phases(
        &self,
        steps: impl Iterator<Item = usize>,
        what: &str,
        reduce: bool,
    ) -> Result<Vec<Phase>> {
        steps.map(|at| self.phase(at, what, reduce)).collect()
    }

    fn phase(&self, at: usize, what: &str, reduce: bool) -> Result<Phase> {
        let shares = self.space().shares;
        let mut parts = Vec::new();
        for (index, slice) in self.slices.iter().enumerate() {
            let sends = slice.exchange.sends(at);
            let pattern = self.placement.pattern(self.job.context, sends)?;
            let first = index as u32 * shares;
            let (carry, bytes) = match self.form {
                Form::Latency => (
                    Arc::new(move |_, _, _| vec![first])
                        as crate::collective::program::moves::Carry,
                    1.0,
                ),
                Form::Bandwidth => {
                    let carry = if reduce {
                        slice.exchange.scattered(at, first)
                    } else {
                        slice.exchange.gathered(at, first)
                    };
                    (carry, slice.exchange.fraction(at))
                }
            };
            let moves = Moves {
                carry,
                ..Moves::new(self.placement, sends.clone(), |_, _, _| Vec::new())
            };
            let moves = moves.in_lane(index as u32).reducing(reduce);
            let size = self.job.size * slice.part * bytes;
            parts.push(Part::new(&pattern, size, moves));
        }
        Ok(Phase::steps(format!("{what}, step {}", at + 1), parts, 1))
    }

    /// Wraps an all-reduce over the first ranks in the steps that bring the others in and out.
    fn fold(&self, phases: &mut Vec<Phase>) -> Result<()> {
        let taking_part = self.slices[0].exchange.ranks();
        let ranks = self.placement.ranks() as u32;
        let folded = move |rank: u32| [(rank, rank % taking_part)];
        let into = Sends::of_ranks(taking_part..ranks, folded);
        let into = into.ruled(Rule::fold(taking_part, ranks));
        let back = Sends::of_ranks(taking_part..ranks, move |rank| [(rank % taking_part, rank)]);
        let back = back.ruled(Rule::fold(taking_part, ranks).back());
        let step = |what: &str, sends: Sends, reduce: bool| -> Result<Phase> {
            let pattern = self.placement.pattern(self.job.context, &sends)?;
            let shares = self.space().shares;
            let mut parts = Vec::new();
            for (index, slice) in self.slices.iter().enumerate() {
                let first = index as u32 * shares;
                let carry = move |_, _, _| (first..first + shares).collect();
                let moves = Moves::new(self.placement, sends.clone(), carry)
                    .in_lane(index as u32)
                    .reducing(reduce);
                parts.push(Part::new(&pattern, self.job.size * slice.part, moves));
            }
            Ok(Phase::steps(what, parts, 1))
        };
        phases.insert(0, step("fold in", into, true)?);
        phases.push(step("fold out", back, false)?);
        Ok(())
    }
}
