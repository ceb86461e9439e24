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
use crate::{Error, Result};

pub(crate) fn unit(context: &Context, kind: &Kind) -> Result<Unit> {
    let mut unit = whole(context, kind)?;
    let Some(hurt) = &context.hurt else {
        return Ok(unit);
    };
    match kind {
        Kind::Local(pairs) => damage::inside(context, hurt, &pairs.list(), &mut unit)?,
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
    match kind {
        Kind::Local(pairs) => domain::local(context, &pairs.list()),
        Kind::LocalAll => domain::local_all(context),
        Kind::InSwitch { groups, gather } => domain::in_switch(context, groups, *gather),
        Kind::Rails(pairs) => fabric::rails(context, &pairs.list(), None),
        Kind::Lanes { pairs, lanes } => {
            fabric::rails(context, &pairs.list(), Some(lanes.as_slice()))
        }
        Kind::Star {
            sets,
            locals,
            outward,
        } => fabric::star(context, sets, locals, *outward),
        Kind::Exchange { sets, spread } => fabric::exchange(context, sets, *spread),
        Kind::Sites { sets, share } => fabric::sites(context, sets, *share),
        Kind::Flat(pairs) => domain::flat(context, &pairs.list()),
    }
}
