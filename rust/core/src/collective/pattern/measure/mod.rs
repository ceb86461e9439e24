//! What each kind of pattern puts on the links, and how long its messages take alone.

mod crews;
mod domain;
mod fabric;
mod lines;
mod row;
mod ruled;
#[cfg(test)]
mod ruled_tests;
mod sets;
mod shift;
mod star;
#[cfg(test)]
mod tests;

pub(crate) use domain::ports;
pub(crate) use fabric::{by_site, parts, site_bytes, site_flows};
pub(crate) use ruled::total_latency;
pub(crate) use sets::inside;

use super::kind::PatternKind;
use super::scene::Scene;
use super::unit_cost::UnitCost;
use crate::Result;
use crate::memory::bytes_of;

/// What a pattern costs where all domains are whole; messages between listed chips take the machine as it is.
pub(crate) fn whole(scene: &Scene, kind: &PatternKind) -> Result<UnitCost> {
    if let PatternKind::Local(pairs) = kind {
        if let Some(lines) = pairs.lines() {
            if let Some(unit_cost) = lines::lines(scene, lines)? {
                return Ok(unit_cost);
            }
        }
    }
    // NIC loads by domain, for each single NIC or root where those differ, and those of the fabric; lists of messages.
    let (by_domain, pairs) = match kind {
        PatternKind::Rails(pairs) | PatternKind::NicPairs { pairs, .. }
            if pairs.flows().is_some() =>
        {
            (0, 0)
        }
        PatternKind::LocalAll | PatternKind::InSwitch { .. } => (0, 0),
        PatternKind::Local(pairs) | PatternKind::Flat(pairs) => (0, pairs.len()),
        PatternKind::Within { pairs, .. } => (0, pairs.len()),
        PatternKind::Crews { pairs, .. } => (2, pairs.len()),
        PatternKind::NicPairs { nics, pairs } => (2 + 2 * nics.len() as u64, pairs.len()),
        PatternKind::Star { locals, .. } => (2 + locals.len() as u64, 0),
        PatternKind::Rails(pairs) => (2, pairs.len()),
        // Two kinds of messages between domains at most, each with a list of pairs.
        PatternKind::Shift {
            locals, domains, ..
        } => {
            let members = |sets: &[Vec<u32>]| sets.iter().map(Vec::len).sum::<usize>();
            (4 + 2 * members(locals) as u64, 2 * members(domains))
        }
        PatternKind::Exchange { .. } | PatternKind::Sites { .. } => (2, 0),
    };
    let numbers = by_domain * u64::from(scene.machine.num_domains())
        + u64::from(by_domain > 0) * scene.fabric_links() as u64
        + pairs as u64;
    let what = format_args!("the loads and messages of one step of a collective");
    let instead = "use a smaller group, or another algorithm";
    let _taken = scene
        .control
        .take(bytes_of::<f64>(numbers), what, instead)?;
    match kind {
        PatternKind::Local(pairs) => domain::local(scene, &pairs.list()),
        PatternKind::LocalAll => domain::local_all(scene),
        PatternKind::InSwitch { groups, gather } => domain::in_switch(scene, groups, *gather),
        PatternKind::Rails(pairs) => ruled::rails(scene, pairs, None),
        PatternKind::NicPairs { pairs, nics } => ruled::rails(scene, pairs, Some(nics.as_slice())),
        PatternKind::Star {
            sets,
            locals,
            outward,
        } => match star::stars(sets, *outward) {
            Some(stars) => star::star(scene, &stars, locals),
            None => fabric::star(scene, sets, locals, *outward),
        },
        PatternKind::Exchange { sets, spread } => match scene.combs(sets) {
            Some(combs) => sets::exchange(scene, &combs, *spread),
            None => fabric::exchange(scene, sets, *spread),
        },
        PatternKind::Sites { sets, share } => match scene.combs(sets) {
            Some(combs) => sets::sites(scene, &combs, *share),
            None => fabric::sites(scene, sets, *share),
        },
        PatternKind::Shift {
            locals,
            domains,
            shift,
        } => shift::shift(scene, locals, domains, *shift),
        PatternKind::Flat(pairs) => domain::flat(scene, &pairs.list(), None),
        PatternKind::Within { pairs, domains } => domain::within(scene, &pairs.list(), domains),
        PatternKind::Crews {
            pairs,
            weights,
            crews,
        } => crews::crews(scene, &pairs.list(), weights.as_deref(), crews),
    }
}
