//! Bounds for schedules whose blocks are not alike: what ranks and domains must send and receive, block by block.

use super::domain::most_ports;
use super::input::{Bound, LowerBounds};
use super::latency::latency;
use super::{MANY, damage, named};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::operation::Operation;
use crate::schedule::{Block, Schedule};
use std::collections::BTreeMap;

/// Where a share comes from and goes to, and its bytes: from one rank or from all, to one or to all.
type Share = (Option<u32>, Option<u32>, f64);

/// Bytes that must leave and enter some ranks.
#[derive(Clone, Copy, Default)]
struct Need {
    out: f64,
    into: f64,
}

/// The bounds of a schedule of such blocks; `None` where all shares are alike, or where they are no shares of ranks.
pub(crate) fn bounds_of_blocks(
    context: &Context,
    request: &Request,
    schedule: &Schedule,
) -> Result<Option<Vec<Bound>>> {
    let ranks = schedule.chips.len();
    let Some(shares) = shares(schedule) else {
        return Ok(None);
    };
    let mut found = LowerBounds(Vec::new());
    // Without bytes a rank may be left out, and be the furthest.
    if shares.iter().all(|&(.., bytes)| bytes > 0.0)
        && full(schedule.operation, shares.len(), ranks)
    {
        found.note("latency", latency(context, request, MANY)?);
    }
    if request.model != Model::AlphaBeta && !damage::moves_ranks(context) {
        let machine = context.machine;
        let mut domains: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
        let mut home = Vec::with_capacity(ranks);
        for &chip in &schedule.chips {
            let count = domains.len();
            let domain = domains.entry(machine.split(chip).0).or_insert((count, 0.0));
            domain.1 += 1.0;
            home.push(domain.0);
        }
        let of_rank = needs(ranks, &shares, |rank| rank as usize);
        let of_domain = needs(domains.len(), &shares, |rank| home[rank as usize]);
        context.control.check()?;
        let most = most_ports(context);
        for need in of_rank {
            found.note("injection", f64::max(need.out, need.into) / most);
        }
        if let Some(nic) = machine.nic() {
            for (number, members) in domains.into_values() {
                let need = of_domain[number];
                let nics = members * nic.bandwidth;
                found.note(
                    "NICs of an UltraServer",
                    f64::max(need.out, need.into) / nics,
                );
            }
        }
    }
    Ok(Some(named(found)))
}

/// What each of so many sets of ranks must send and receive; `set` says which one a rank is in.
fn needs(count: usize, shares: &[Share], set: impl Fn(u32) -> usize) -> Vec<Need> {
    let mut needs = vec![Need::default(); count];
    if count == 1 {
        return needs;
    }
    // Of what goes to all, each set has its own; of what comes from all, likewise.
    let (mut to_all, mut from_all) = (0.0, 0.0);
    for &(from, to, bytes) in shares {
        match (from.map(&set), to.map(&set)) {
            (Some(from), Some(to)) if from != to => {
                needs[from].out += bytes;
                needs[to].into += bytes;
            }
            (Some(from), None) => {
                to_all += bytes;
                needs[from].out += bytes;
                needs[from].into -= bytes;
            }
            (None, Some(to)) => {
                from_all += bytes;
                needs[to].into += bytes;
                needs[to].out -= bytes;
            }
            _ => {}
        }
    }
    for need in &mut needs {
        need.into += to_all;
        need.out += from_all;
    }
    needs
}

/// Whether every rank, or every pair, has a share.
fn full(operation: Operation, shares: usize, ranks: usize) -> bool {
    match operation {
        Operation::AllToAll => shares >= ranks * (ranks - 1),
        _ => shares == ranks,
    }
}

/// Where each share comes from and goes to, and its bytes; `None` where they are alike.
fn shares(schedule: &Schedule) -> Option<Vec<Share>> {
    let vector = matches!(
        schedule.operation,
        Operation::AllGather | Operation::ReduceScatter | Operation::AllToAll
    );
    if !vector {
        return None;
    }
    let mut shares: BTreeMap<(Option<u32>, Option<u32>), f64> = BTreeMap::new();
    for &Block { from, to, bytes } in &schedule.blocks {
        let stays = from.is_some() && from == to;
        *shares.entry((from, to)).or_default() += if stays { 0.0 } else { bytes };
    }
    shares.retain(|(from, to), _| from.is_none() || from != to);
    let ranks = schedule.chips.len();
    let first = shares.values().next().copied().unwrap_or(0.0);
    let alike = shares
        .values()
        .all(|bytes| (bytes - first).abs() <= 1e-9 * first);
    if alike && full(schedule.operation, shares.len(), ranks) {
        return None;
    }
    Some(
        shares
            .into_iter()
            .map(|((from, to), bytes)| (from, to, bytes))
            .collect(),
    )
}
