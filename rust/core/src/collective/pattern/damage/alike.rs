//! Domains by their damage.

use crate::machine::{Damage, Machine};
use crate::memory::Taken;
use crate::{Control, Result};
use std::collections::BTreeMap;

/// What to do where the damage does not fit.
pub(super) const FEWER: &str = "leave damaged UltraServers out of the group";

/// Damaged domains by their damage.
pub(super) type Alike = BTreeMap<Vec<u64>, (Damage, Vec<u32>)>;

/// The damaged ones of the domains in `members`, and what stands for their lists.
pub(super) fn alike(
    machine: &Machine,
    members: &[u32],
    control: &Control,
) -> Result<(Alike, Taken)> {
    let mut alike = Alike::new();
    let listed = format_args!("the dead links of damaged UltraServers");
    let mut taken = control.take(0, listed, FEWER)?;
    let mut held = 0;
    for domain in machine.damaged_domains() {
        control.check()?;
        if members.binary_search(&domain).is_err() {
            continue;
        }
        if let Some(damage) = machine.damage_of(domain)? {
            // With its key.
            let bytes = 2 * damage.bytes();
            taken.grow_to(held + bytes, listed, FEWER)?;
            let entry = alike.entry(key(&damage)).or_insert((damage, Vec::new()));
            entry.1.push(domain);
            // Of alike ones one is kept.
            held += if entry.1.len() == 1 { bytes } else { 0 };
        }
    }
    taken.shrink_to(held);
    Ok((alike, taken))
}

/// Numbers that are the same for the same damage only.
fn key(damage: &Damage) -> Vec<u64> {
    let mut key = Vec::new();
    let mut list = |values: Vec<u64>| {
        key.push(values.len() as u64);
        key.extend(values);
    };
    list(damage.links.clone());
    list(damage.chips.iter().copied().map(u64::from).collect());
    for direction in 0..2 {
        list(
            damage.nics[direction]
                .iter()
                .copied()
                .map(u64::from)
                .collect(),
        );
        let slow = damage.slow_nics[direction].iter();
        list(
            slow.flat_map(|&(chip, factor)| [u64::from(chip), factor.to_bits()])
                .collect(),
        );
    }
    let slow = damage.degraded.iter();
    list(
        slow.flat_map(|&(link, factor)| [link, factor.to_bits()])
            .collect(),
    );
    key
}
