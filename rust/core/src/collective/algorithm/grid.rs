//! Algorithms that treat the chips of many UltraServers as one flat group, written by domain.

use super::job::{Job, unsupported};
use crate::Result;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::moves::{Carry, Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::rank_map::{RankKind, RankMap};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::sync::Arc;

/// Messages between all ranks, or between all and the root.
pub(super) fn direct(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    match job.operation {
        Operation::AllReduce
        | Operation::ReduceScatter
        | Operation::AllGather
        | Operation::AllToAll => between_all(job, domains),
        Operation::SendRecv => shift(job),
        _ => star(job, locals, domains),
    }
}

/// Whole buffers between all ranks.
pub(super) fn mesh(job: &Job, _: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let parts = everyone(job, domains, job.size, true, |_, _, _| vec![0])?;
    let phase = Phase::steps("exchange whole buffers", parts, 1);
    Ok(vec![Stage::of("machine", Space::WHOLE, vec![phase])])
}

/// What an algorithm writes for the chips of groups over several domains, listed.
pub(super) fn listed(job: &Job, build: fn(&Job) -> Result<Vec<Stage>>) -> Result<Vec<Stage>> {
    let (context, groups) = (job.context, job.context.groups);
    let members = (0..groups.count()).map(|group| groups.members(context.machine, group));
    let placement = Placement::Flat(members.collect());
    build(&Job {
        placement: &placement,
        tier: "machine",
        ..*job
    })
}

/// Ranks of the group as they are.
pub(super) fn by_rank() -> Arc<RankMap> {
    Arc::new(RankMap {
        kind: RankKind::Ranks,
        groups: Arc::new([]),
    })
}

/// Parts that send `bytes` from every rank to every other of its group: those inside the domain, those beyond.
fn everyone(
    job: &Job,
    domains: &[Vec<u32>],
    bytes: f64,
    reduce: bool,
    carry: impl Fn(u64, u32, u32) -> Vec<u32> + Clone + Send + Sync + 'static,
) -> Result<Vec<Part>> {
    let in_domain = job.placement.ranks() as u32;
    let local = job.placement.all_pairs(job.context)?;
    let sets: Arc<[Vec<u32>]> = domains.into();
    let across = job.context.pattern(PatternKind::exchange(&sets, true));
    let inside = move |from: u32, to: u32| from / in_domain == to / in_domain;
    let (near, far) = (carry.clone(), carry);
    // Both parts name every pair; each carries something for its own pairs only.
    let moves = |carry: Carry| {
        let moves = Moves::between(by_rank(), Sends::All, |_, _, _| Vec::new());
        Moves { carry, ..moves }.reducing(reduce)
    };
    let near = moves(Arc::new(move |step, from, to| match inside(from, to) {
        true => near(step, from, to),
        false => Vec::new(),
    }));
    let far = moves(Arc::new(move |step, from, to| match inside(from, to) {
        true => Vec::new(),
        false => far(step, from, to),
    }));
    Ok(vec![
        Part::new(&local, bytes, near),
        // To a domain goes one message for all of its members, each of whom gets an equal part.
        Part::new(
            &across,
            bytes * f64::from(in_domain),
            far.sized(move |_| 1.0 / f64::from(in_domain)),
        ),
    ])
}

fn between_all(job: &Job, domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let ranks = job.context.groups.ranks() as u32;
    let bytes = job.size / f64::from(ranks);
    let scatter = || {
        everyone(job, domains, bytes, true, |_, _, to| vec![to])
            .map(|parts| Phase::steps("reduce-scatter", parts, 1))
    };
    let gather = || {
        everyone(job, domains, bytes, false, |_, from, _| vec![from])
            .map(|parts| Phase::steps("all-gather", parts, 1))
    };
    let phases = match job.operation {
        Operation::AllReduce => vec![scatter()?, gather()?],
        Operation::ReduceScatter => vec![scatter()?],
        Operation::AllGather => vec![gather()?],
        _ => {
            let carry = move |_: u64, from: u32, to: u32| vec![from * ranks + to];
            let parts = everyone(job, domains, bytes, false, carry)?;
            let space = Space::new(1, ranks.saturating_mul(ranks));
            let phase = Phase::steps("all-to-all", parts, 1);
            return Ok(vec![Stage::of("machine", space, vec![phase])]);
        }
    };
    Ok(vec![Stage::of("machine", Space::new(1, ranks), phases)])
}

/// Each rank to the one so far ahead, in all groups of a grid without damage.
pub(super) fn shift(job: &Job) -> Result<Vec<Stage>> {
    let Groups::Grid { locals, domains } = job.context.groups else {
        return Err(unsupported("direct over unlike domains", job.operation));
    };
    let pattern = job.context.pattern(PatternKind::Shift {
        locals: locals.clone().into(),
        domains: domains.clone().into(),
        shift: job.shift,
    });
    let (ranks, shift) = (job.context.groups.ranks() as u32, job.shift);
    let to = move |rank: u32| (i64::from(rank) + shift).rem_euclid(i64::from(ranks)) as u32;
    let sends = Sends::of_each(ranks, move |rank| [(rank, to(rank))]);
    let moves = Moves::between(by_rank(), sends, |_, from, _| vec![from]);
    let phase = Phase::steps("send", vec![Part::new(&pattern, job.size, moves)], 1);
    Ok(vec![Stage::of(
        "machine",
        Space::new(1, ranks),
        vec![phase],
    )])
}

/// A message of a root and a leaf.
fn directed(outward: bool, (root, leaf): (u32, u32)) -> (u32, u32) {
    if outward { (root, leaf) } else { (leaf, root) }
}

/// What the messages between the root and the ranks of its domain carry, or those between it and all others.
fn star_moves(job: &Job, in_domain: u32, near: bool, outward: bool) -> Moves {
    let ranks = job.context.groups.ranks() as u32;
    let (root, operation) = (job.root as u32, job.operation);
    let own = root / in_domain * in_domain..(root / in_domain + 1) * in_domain;
    let count = if near {
        in_domain - 1
    } else {
        ranks - in_domain
    };
    let make = move || {
        let others = (0..ranks).filter(|&rank| rank != root && own.contains(&rank) == near);
        others.map(|rank| directed(outward, (root, rank))).collect()
    };
    let sends = Sends::Lazy {
        count: count as usize,
        make: Arc::new(make),
        rule: None,
    };
    let carry = move |_: u64, from: u32, to: u32| match operation {
        Operation::Scatter => vec![to],
        Operation::Gather => vec![from],
        _ => vec![0],
    };
    Moves::between(by_rank(), sends, carry).reducing(operation == Operation::Reduce)
}

/// From the root to all or from all to the root, inside its domain and beyond.
fn star(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let in_domain = locals[0].len();
    let (root_domain, root_local) = (job.root / in_domain, job.root % in_domain);
    let outward = matches!(job.operation, Operation::Broadcast | Operation::Scatter);
    let chips = job.context.machine.domain().chips();
    let mut near = Vec::new();
    for first in domains.iter().map(|set| set[root_domain] * chips) {
        for group in locals {
            let root = group[root_local];
            let others = group.iter().filter(|&&local| local != root);
            near.extend(others.map(|&local| directed(outward, (first + root, first + local))));
        }
    }
    let far = PatternKind::Star {
        sets: domains
            .iter()
            .map(|set| (set.clone(), set[root_domain]))
            .collect(),
        locals: locals
            .iter()
            .map(|group| (group.clone(), group[root_local]))
            .collect(),
        outward,
    };
    let bytes = match job.operation {
        Operation::Broadcast | Operation::Reduce => job.size,
        _ => job.size / job.context.groups.ranks() as f64,
    };
    let parts = [(PatternKind::Flat(near.into()), true), (far, false)].map(|(kind, near)| {
        let moves = star_moves(job, in_domain as u32, near, outward);
        Part::new(&job.context.pattern(kind), bytes, moves)
    });
    let ranks = job.context.groups.ranks() as u32;
    let space = match job.operation {
        Operation::Scatter | Operation::Gather => Space::new(1, ranks),
        _ => Space::WHOLE,
    };
    let what = ["all to root", "root to all"][usize::from(outward)];
    // To the root, those of its domain and all others send one message each.
    let phase = Phase::steps(what, parts.to_vec(), 1).of_parts_apart(!outward);
    Ok(vec![Stage::of("machine", space, vec![phase])])
}
