//! Butterfly reduce-scatter (Traff 2005), as Open MPI has it: for operations that must keep the order of ranks too, and for
//! any number of ranks.
//!
//! Ranks beyond a power of two hand their buffers to a neighbour. The others have seats 0, 1, ... and exchange halves of what
//! is left, nearest seats first, so that seat v ends with the block whose number is v with its bits mirrored; one more step
//! brings blocks to their owners. A seat that stands for two ranks has a block of two shares.

use super::grid::listed;
use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::collections::BTreeMap;

pub(crate) fn butterfly(job: &Job) -> Result<Vec<Stage>> {
    if job.operation != Operation::ReduceScatter {
        return Err(unsupported("butterfly", job.operation));
    }
    let seats = Seats::of(job.placement.ranks() as u32);
    let mut phases = Vec::new();
    if seats.doubled > 0 {
        let sends = Sends::spaced(seats.ranks, [0, 2, seats.doubled], 1);
        let pattern = job.placement.pattern(job.context, &sends)?;
        let all = seats.ranks;
        let moves = Moves::new(job.placement, sends, move |_, _, _| (0..all).collect());
        let part = Part::new(&pattern, job.size, moves.reducing(true));
        phases.push(Phase::steps("fold in", vec![part], 1));
    }
    for step in 0..seats.steps {
        phases.push(exchange(job, seats, step)?);
    }
    let owners: Vec<(u32, u32)> = (0..seats.count())
        .flat_map(|seat| seats.owners(seat))
        .collect();
    if !owners.is_empty() {
        let sends = Sends::from(owners);
        let pattern = job.placement.pattern(job.context, &sends)?;
        let moves = Moves::new(job.placement, sends, |_, _, to| vec![to]);
        let part = Part::new(&pattern, job.size / f64::from(seats.ranks), moves);
        phases.push(Phase::steps("blocks to their owners", vec![part], 1));
    }
    let space = Space::new(1, seats.ranks);
    Ok(vec![Stage::of(job.tier, space, phases)])
}

/// Seats that differ in bit `step` exchange what the other is to keep; messages of as many shares are one part.
fn exchange(job: &Job, seats: Seats, step: u32) -> Result<Phase> {
    let mut by_shares: BTreeMap<usize, Vec<(u32, u32)>> = BTreeMap::new();
    for seat in 0..seats.count() {
        let peer = seat ^ (1 << step);
        let shares = seats.kept(peer, step + 1).count();
        let send = (seats.rank(seat), seats.rank(peer));
        by_shares.entry(shares).or_default().push(send);
    }
    let mut parts = Vec::new();
    for (shares, list) in by_shares {
        let sends = Sends::from(list);
        let pattern = job.placement.pattern(job.context, &sends)?;
        let carry = move |_: u64, _: u32, to: u32| seats.kept(seats.seat(to), step + 1).collect();
        let moves = Moves::new(job.placement, sends, carry).reducing(true);
        let bytes = job.size / f64::from(seats.ranks) * shares as f64;
        parts.push(Part::new(&pattern, bytes, moves));
    }
    let what = format!("halve over {} seats", 1 << step);
    Ok(Phase::steps(what, parts, 1).of_parts_apart(true))
}

/// Ranks that go on after the fold.
#[derive(Debug, Clone, Copy)]
struct Seats {
    ranks: u32,
    /// Exchanges: their number is the power of two's.
    steps: u32,
    /// Seats that stand for two ranks, which come first: that of the odd one of them.
    doubled: u32,
}

impl Seats {
    fn of(ranks: u32) -> Self {
        let steps = ranks.ilog2();
        Self {
            ranks,
            steps,
            doubled: ranks - (1 << steps),
        }
    }

    fn count(self) -> u32 {
        1 << self.steps
    }

    fn rank(self, seat: u32) -> u32 {
        seat + (seat + 1).min(self.doubled)
    }

    fn seat(self, rank: u32) -> u32 {
        if rank < 2 * self.doubled {
            rank / 2
        } else {
            rank - self.doubled
        }
    }

    /// Shares that a seat still reduces after so many exchanges: those of the blocks whose highest bits are its lowest.
    fn kept(self, seat: u32, exchanges: u32) -> std::ops::Range<u32> {
        let left = self.steps - exchanges;
        let low = seat & ((1 << exchanges) - 1);
        let first = low.reverse_bits().checked_shr(32 - exchanges).unwrap_or(0) << left;
        self.first_share(first)..self.first_share(first + (1 << left))
    }

    /// The first share of a block.
    fn first_share(self, block: u32) -> u32 {
        block + block.min(self.doubled)
    }

    /// From a seat to the ranks whose shares it has in the end.
    fn owners(self, seat: u32) -> impl Iterator<Item = (u32, u32)> {
        let from = self.rank(seat);
        let shares = self.kept(seat, self.steps);
        shares
            .map(move |to| (from, to))
            .filter(|(from, to)| from != to)
    }
}

/// The same over all chips of several domains, which are listed.
pub(super) fn across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, butterfly)
}
