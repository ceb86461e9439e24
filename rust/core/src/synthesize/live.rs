//! The links of one domain that work, as ranks see them.

use super::network::{Network, Wire};
use crate::machine::{AxisKind, Domain, Machine};
use crate::memory::{self, bytes_of};
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// The live links between `chips`, which are of one domain: rank r is the r-th of them. Dead links are left out, slower
/// ones are as slow as they are.
///
/// # Errors
/// [`Error::Unsupported`] for a domain with a switch and for dead chips; [`Error::Memory`]; [`Error::Cancelled`].
pub fn live_graph(machine: &Machine, chips: &[u32], control: &Control) -> Result<Network> {
    let domain = machine.domain();
    let mut ranks: BTreeMap<u32, u32> = BTreeMap::new();
    for (rank, &chip) in chips.iter().enumerate() {
        ranks.insert(chip, rank as u32);
    }
    if let Some(dead) = chips.iter().find(|&&chip| machine.is_dead_chip(chip)) {
        return Err(Error::unsupported(
            format!("synthesized over chip {dead}, which is dead"),
            "leave dead chips out of the group",
        ));
    }
    let first = chips.first().map(|&chip| machine.split(chip).0);
    let damage = first.map(|domain| machine.damage_of(domain)).transpose()?;
    let damage = damage.flatten().unwrap_or_default();
    // Each link as it is, turned, by both of its ends, and in a plan.
    let degree = domain.axes().iter().map(|axis| match axis.kind {
        AxisKind::Ring | AxisKind::Line => 2,
        _ => u64::from(axis.size - 1),
    });
    let most = degree.sum::<u64>().saturating_mul(chips.len() as u64);
    let what = format_args!("synthesized over {most} links");
    memory::check(bytes_of::<[Wire; 4]>(most), what, "name a smaller group")?;
    let mut links = Vec::new();
    for (rank, &chip) in chips.iter().enumerate() {
        control.check()?;
        let (number, local) = machine.split(chip);
        for index in 0..domain.axes().len() {
            let (here, stride) = (
                domain.coordinate(local, index),
                domain.plans()[index].stride,
            );
            neighbours(domain, index, local, |there, link| {
                let other = chip - here * stride + there * stride;
                if let Some(&to) = ranks.get(&other).filter(|_| !damage.is_dead(link)) {
                    let id = machine.domain_link(number, link);
                    let (bandwidth, latency) = machine.link_numbers(id);
                    links.push(Wire {
                        from: rank as u32,
                        to,
                        bandwidth,
                        latency,
                        id,
                    });
                }
            })?;
        }
    }
    Ok(Network {
        chips: chips.to_vec(),
        links,
        overhead: machine.overhead(),
        backwards: false,
    })
}

/// Calls `join` with the position on an axis of each neighbour of a local chip, and the link there.
fn neighbours(
    domain: &Domain,
    index: usize,
    local: u32,
    mut join: impl FnMut(u32, u64),
) -> Result<()> {
    let axis = &domain.axes()[index];
    let here = domain.coordinate(local, index);
    match axis.kind {
        AxisKind::Ring | AxisKind::Line => {
            // Cable c joins positions c and c + 1, around a ring.
            let (size, cables) = (axis.size, axis.cables());
            if here < cables {
                let link = domain.cable_link(index, false, local, here);
                join((here + 1) % size, link);
            }
            let before = (here + size - 1) % size;
            if before < cables {
                let link = domain.cable_link(index, true, local, before);
                join(before, link);
            }
        }
        AxisKind::FullMesh => {
            for there in (0..axis.size).filter(|&there| there != here) {
                join(there, domain.mesh_link(index, local, here, there));
            }
        }
        AxisKind::Switch { .. } if axis.size > 1 => {
            return Err(Error::unsupported(
                format!("synthesized over the switch of axis {}", axis.name),
                "it matches links between two chips with chunks; name ring, direct or halving_doubling",
            ));
        }
        AxisKind::Switch { .. } => {}
    }
    Ok(())
}
