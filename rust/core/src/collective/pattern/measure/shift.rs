//! What a send_recv of all groups of a grid costs: its messages are alike in all domains.

use super::domain;
use super::ruled::rails;
use crate::Result;
use crate::collective::pattern::pairs::{Pairs, Sends};
use crate::collective::pattern::rule::Order;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::spacing::Spacing;
use crate::collective::pattern::unit_cost::UnitCost;
use std::ops::Range;
use std::sync::Arc;

/// Every rank to the one `shift` ahead. Ranks count through a domain before they go on to the next, so that those whose
/// target is in the same place of the count go equally many domains on, and the others one more.
pub(super) fn shift(
    scene: &Scene,
    locals: &[Vec<u32>],
    domains: &Arc<[Vec<u32>]>,
    shift: i64,
) -> Result<UnitCost> {
    let (in_domain, across) = (locals[0].len(), domains[0].len());
    let ahead = shift.rem_euclid((in_domain * across) as i64) as usize;
    let (hop, turn) = (ahead / in_domain, ahead % in_domain);
    let nics = |ranks: Range<usize>| -> Vec<(u32, u32)> {
        let of_group = |group: &Vec<u32>| -> Vec<(u32, u32)> {
            let nic = |rank: usize| (group[rank], group[(rank + turn) % in_domain]);
            ranks.clone().map(nic).collect()
        };
        locals.iter().flat_map(of_group).collect()
    };
    let spacing = Spacing::of(domains);
    let mut unit_cost = UnitCost::default();
    let ends = in_domain - turn;
    for (ranks, hop) in [(0..ends, hop), (ends..in_domain, (hop + 1) % across)] {
        if ranks.is_empty() {
            continue;
        }
        let nics = nics(ranks);
        if hop == 0 {
            join(&mut unit_cost, &domain::local(scene, &nics)?);
            continue;
        }
        let sends = Sends::turn(across as u32, hop as i64, Order::Senders);
        let pairs = Pairs::of(domains, &sends, spacing.as_ref());
        let nics = (turn > 0).then_some(nics.as_slice());
        join(&mut unit_cost, &rails(scene, &pairs, nics)?);
    }
    Ok(unit_cost)
}

/// Adds messages of other chips: no chip sends more than before.
fn join(unit_cost: &mut UnitCost, other: &UnitCost) {
    unit_cost.ledger.add(&other.ledger, 1.0);
    unit_cost.overhead = unit_cost.overhead.max(other.overhead);
    unit_cost.sent = unit_cost.sent.max(other.sent);
    for &(latency, seconds_per_byte) in &other.zero_load {
        unit_cost.note_zero_load(latency, seconds_per_byte);
    }
}
