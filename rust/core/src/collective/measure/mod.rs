//! What each kind of pattern puts on the links, and how long its messages take alone.

mod domain;
mod fabric;
#[cfg(test)]
mod tests;

pub(crate) use domain::ports;
pub(crate) use fabric::{by_site, site_bytes, site_flows};

use super::context::Context;
use super::damage;
use super::pattern::{Kind, Unit};
use crate::memory::bytes_of;
use crate::{Error, Result};

pub(crate) fn unit(context: &Context, kind: &Kind) -> Result<Unit> {
    let mut unit = whole(context, kind)?;
    let Some(hurt) = &context.hurt else {
        return Ok(unit);
    };
    match kind {
        Kind::Local(pairs) => damage::inside(context, hurt, pairs, &mut unit)?,
        Kind::LocalAll => damage::inside_all(context, hurt, &mut unit)?,
        Kind::InSwitch { .. } => {
            return Err(Error::unsupported(
                "in_switch in a damaged UltraServer",
                "name another algorithm, or leave the UltraServer out of the group",
            ));
        }
        Kind::Flat(_) => {}
        _ => damage::between_domains(context, hurt, kind, &mut unit)?,
    }
    Ok(unit)
}

/// The same where all domains are whole; messages between listed chips take the machine as it is.
fn whole(context: &Context, kind: &Kind) -> Result<Unit> {
    // NIC loads by domain, for each lane or root where those differ, and those of the fabric.
    let by_domain = match kind {
        Kind::Local(_) | Kind::LocalAll | Kind::InSwitch { .. } | Kind::Flat(_) => 0,
        Kind::Lanes { lanes, .. } => 2 + 2 * lanes.len(),
        Kind::Star { locals, .. } => 2 + locals.len(),
        Kind::Rails(_) | Kind::Exchange { .. } | Kind::Sites { .. } => 2,
    } as u64;
    let numbers = by_domain * u64::from(context.machine.num_domains())
        + u64::from(by_domain > 0) * context.fabric_bandwidth.len() as u64;
    let what = format_args!("the loads of one step between UltraServers");
    let instead = "use a smaller group, or another algorithm";
    let _taken = context
        .control
        .take(bytes_of::<f64>(numbers), what, instead)?;
    match kind {
        Kind::Local(pairs) => domain::local(context, pairs),
        Kind::LocalAll => domain::local_all(context),
        Kind::InSwitch { groups, gather } => domain::in_switch(context, groups, *gather),
        Kind::Rails(pairs) => fabric::rails(context, pairs, None),
        Kind::Lanes { pairs, lanes } => fabric::rails(context, pairs, Some(lanes.as_slice())),
        Kind::Star {
            sets,
            locals,
            outward,
        } => fabric::star(context, sets, locals, *outward),
        Kind::Exchange { sets, spread } => fabric::exchange(context, sets, *spread),
        Kind::Sites { sets, share } => fabric::sites(context, sets, *share),
        Kind::Flat(pairs) => domain::flat(context, pairs),
    }
}
