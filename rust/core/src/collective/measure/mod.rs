//! What each kind of pattern puts on the links, and how long its messages take alone.

mod domain;
mod fabric;
mod shift;
#[cfg(test)]
mod tests;

pub(crate) use domain::ports;
pub(crate) use fabric::{by_site, site_bytes, site_flows};

use super::damage;
use super::pattern::Kind;
use super::scene::Scene;
use super::unit::Unit;
use crate::memory::bytes_of;
use crate::{Error, Result};

pub(crate) fn unit(scene: &Scene, kind: &Kind) -> Result<Unit> {
    let mut unit = whole(scene, kind)?;
    let Some(hurt) = &scene.hurt else {
        return Ok(unit);
    };
    match kind {
        Kind::Local(pairs) => damage::inside(scene, hurt, &pairs.list(), &mut unit)?,
        Kind::LocalAll => damage::inside_all(scene, hurt, &mut unit)?,
        Kind::InSwitch { .. } => {
            return Err(Error::unsupported(
                "in_switch in a damaged UltraServer",
                "name another algorithm, or leave the UltraServer out of the group",
            ));
        }
        Kind::Flat(_) => {}
        _ => damage::between_domains(scene, hurt, kind, &mut unit)?,
    }
    Ok(unit)
}

/// The same where all domains are whole; messages between listed chips take the machine as it is.
fn whole(scene: &Scene, kind: &Kind) -> Result<Unit> {
    // NIC loads by domain, for each lane or root where those differ, and those of the fabric; lists of messages.
    let (by_domain, pairs) = match kind {
        Kind::LocalAll | Kind::InSwitch { .. } => (0, 0),
        Kind::Local(pairs) | Kind::Flat(pairs) => (0, pairs.len()),
        Kind::Lanes { lanes, pairs } => (2 + 2 * lanes.len() as u64, pairs.len()),
        Kind::Star { locals, .. } => (2 + locals.len() as u64, 0),
        Kind::Rails(pairs) => (2, pairs.len()),
        // Two kinds of messages between domains at most, each with a list of pairs.
        Kind::Shift {
            locals, domains, ..
        } => {
            let members = |sets: &[Vec<u32>]| sets.iter().map(Vec::len).sum::<usize>();
            (4 + 2 * members(locals) as u64, 2 * members(domains))
        }
        Kind::Exchange { .. } | Kind::Sites { .. } => (2, 0),
    };
    let numbers = by_domain * u64::from(scene.machine.num_domains())
        + u64::from(by_domain > 0) * scene.fabric_bandwidth.len() as u64
        + pairs as u64;
    let what = format_args!("the loads and messages of one step of a collective");
    let instead = "use a smaller group, or another algorithm";
    let _taken = scene
        .control
        .take(bytes_of::<f64>(numbers), what, instead)?;
    match kind {
        Kind::Local(pairs) => domain::local(scene, &pairs.list()),
        Kind::LocalAll => domain::local_all(scene),
        Kind::InSwitch { groups, gather } => domain::in_switch(scene, groups, *gather),
        Kind::Rails(pairs) => fabric::rails(scene, &pairs.list(), None),
        Kind::Lanes { pairs, lanes } => fabric::rails(scene, &pairs.list(), Some(lanes.as_slice())),
        Kind::Star {
            sets,
            locals,
            outward,
        } => fabric::star(scene, sets, locals, *outward),
        Kind::Exchange { sets, spread } => fabric::exchange(scene, sets, *spread),
        Kind::Sites { sets, share } => fabric::sites(scene, sets, *share),
        Kind::Shift {
            locals,
            domains,
            shift,
        } => shift::shift(scene, locals, domains, *shift),
        Kind::Flat(pairs) => domain::flat(scene, &pairs.list()),
    }
}
