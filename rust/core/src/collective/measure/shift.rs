//! What a send_recv of all groups of a grid costs: its messages are alike in all domains.

use super::{domain, fabric};
use crate::Result;
use crate::collective::scene::Scene;
use crate::collective::unit::Unit;
use std::ops::Range;

/// Every rank to the one `shift` ahead. Ranks count through a domain before they go on to the next, so that those whose
/// target is in the same place of the count go equally many domains on, and the others one more.
pub(super) fn shift(
    scene: &Scene,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
    shift: i64,
) -> Result<Unit> {
    let (in_domain, across) = (locals[0].len(), domains[0].len());
    let ahead = shift.rem_euclid((in_domain * across) as i64) as usize;
    let (hop, turn) = (ahead / in_domain, ahead % in_domain);
    let lanes = |ranks: Range<usize>| -> Vec<(u32, u32)> {
        let of_group = |group: &Vec<u32>| -> Vec<(u32, u32)> {
            let lane = |rank: usize| (group[rank], group[(rank + turn) % in_domain]);
            ranks.clone().map(lane).collect()
        };
        locals.iter().flat_map(of_group).collect()
    };
    let mut unit = Unit::default();
    let ends = in_domain - turn;
    for (ranks, hop) in [(0..ends, hop), (ends..in_domain, (hop + 1) % across)] {
        if ranks.is_empty() {
            continue;
        }
        let lanes = lanes(ranks);
        if hop == 0 {
            join(&mut unit, &domain::local(scene, &lanes)?);
            continue;
        }
        let on = |set: &Vec<u32>| -> Vec<(u32, u32)> {
            let pair = |at: usize| (set[at], set[(at + hop) % across]);
            (0..across).map(pair).collect()
        };
        let pairs: Vec<(u32, u32)> = domains.iter().flat_map(on).collect();
        let lanes = (turn > 0).then_some(lanes.as_slice());
        join(&mut unit, &fabric::rails(scene, &pairs, lanes)?);
    }
    Ok(unit)
}

/// Adds messages of other chips: no chip sends more than before.
fn join(unit: &mut Unit, other: &Unit) {
    unit.ledger.add(&other.ledger, 1.0);
    unit.overhead = unit.overhead.max(other.overhead);
    unit.sent = unit.sent.max(other.sent);
    for &(latency, seconds_per_byte) in &other.alone {
        unit.note_alone(latency, seconds_per_byte);
    }
}
