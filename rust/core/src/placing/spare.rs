//! Whole domains that stand in for damaged ones.

use crate::control::Control;
use crate::error::{Error, Result};
use crate::machine::{Machine, Site};
use crate::memory::bytes_of;

/// A group in which whole domains stand in for damaged ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Domains of the group that are damaged or dead, ascending.
    pub damaged: Vec<u32>,
    /// What stands in for each of the first of them: for all, unless no whole domain was left.
    pub spares: Vec<u32>,
    /// The chips of the group then, ascending; none where spares are missing.
    pub chips: Vec<i64>,
    /// Where among them the root is, or its spare.
    pub root: usize,
}

/// Replaces each domain of a group that has any damage by one outside it that has none: one of the same site if there
/// is one, of the lowest number.
///
/// # Errors
/// [`Error::OutOfRange`] for a chip or a root that does not exist, [`Error::Memory`], [`Error::Cancelled`].
pub fn replace_damaged(
    machine: &Machine,
    chips: &[i64],
    root: usize,
    control: &Control,
) -> Result<Replaced> {
    // The chips, and the room to sort them in; domains.
    let bytes = bytes_of::<i64>(3 * chips.len() as u64);
    let instead = "name a smaller group";
    let _taken = control.take(bytes, format_args!("a group with spares"), instead)?;
    if root >= chips.len() {
        return Err(Error::OutOfRange {
            argument: "root".to_owned(),
            value: root as i128,
            low: 0,
            high: chips.len() as i128 - 1,
        });
    }
    let used = domains_of(machine, chips, control)?;
    let hurt = machine.damaged_domains();
    let is_hurt = |domain| hurt.binary_search(&domain).is_ok() || machine.is_dead_domain(domain);
    let damaged: Vec<u32> = used
        .iter()
        .copied()
        .filter(|&domain| is_hurt(domain))
        .collect();
    let is_taken = |domain: u32| used.binary_search(&domain).is_ok() || is_hurt(domain);
    let spares = Spares::new(machine).find(&damaged, is_taken, control)?;
    if spares.len() < damaged.len() {
        return Ok(Replaced {
            damaged,
            spares,
            chips: Vec::new(),
            root: 0,
        });
    }
    let each = i64::from(machine.domain().chips());
    let moved = |chip: i64| {
        let (domain, local) = machine.split(chip as u32);
        let found = damaged.binary_search(&domain);
        found.map_or(chip, |at| i64::from(spares[at]) * each + i64::from(local))
    };
    let at_root = moved(chips[root]);
    let mut chips: Vec<i64> = chips.iter().copied().map(moved).collect();
    // Groups are sorted but for few places.
    chips.sort();
    control.check()?;
    let root = chips.partition_point(|&chip| chip < at_root);
    Ok(Replaced {
        damaged,
        spares,
        chips,
        root,
    })
}

/// The domains of a group, ascending.
fn domains_of(machine: &Machine, chips: &[i64], control: &Control) -> Result<Vec<u32>> {
    let mut used = Vec::new();
    for (rank, &chip) in chips.iter().enumerate() {
        control.check_at(rank)?;
        let chip = machine.check_chip(format_args!("chips[{rank}]"), i128::from(chip))?;
        let (domain, _) = machine.split(chip);
        if used.last() != Some(&domain) {
            used.push(domain);
        }
    }
    used.sort_unstable();
    used.dedup();
    Ok(used)
}

/// The next domain of each site that may be free, and the end of the site: all before are taken.
struct Spares<'a> {
    machine: &'a Machine,
    next: Vec<(u32, u32)>,
}

impl<'a> Spares<'a> {
    fn new(machine: &'a Machine) -> Self {
        let dead = &machine.faults().sites;
        let next = |(at, site): (usize, &Site)| {
            let first = machine.first_domain(at);
            let end = first + site.domains;
            let is_dead = dead.binary_search(&(at as u32)).is_ok();
            (if is_dead { end } else { first }, end)
        };
        Self {
            machine,
            next: machine.sites().iter().enumerate().map(next).collect(),
        }
    }

    /// One for each of the damaged domains, until none is left.
    fn find(
        mut self,
        damaged: &[u32],
        is_taken: impl Fn(u32) -> bool,
        control: &Control,
    ) -> Result<Vec<u32>> {
        let mut found = Vec::with_capacity(damaged.len());
        // Sites before this one have none.
        let mut first = 0;
        for &domain in damaged {
            let here = self.machine.site_of(domain);
            let mut spare = self.of_site(here, &is_taken, control)?;
            while spare.is_none() && first < self.next.len() {
                spare = self.of_site(first, &is_taken, control)?;
                first += usize::from(spare.is_none());
            }
            match spare {
                Some(spare) => found.push(spare),
                None => break,
            }
        }
        Ok(found)
    }

    /// The lowest free domain of a site, which is taken with that.
    fn of_site(
        &mut self,
        site: usize,
        is_taken: &impl Fn(u32) -> bool,
        control: &Control,
    ) -> Result<Option<u32>> {
        let (next, end) = &mut self.next[site];
        while *next < *end {
            control.check_at(*next as usize)?;
            *next += 1;
            if !is_taken(*next - 1) {
                return Ok(Some(*next - 1));
            }
        }
        Ok(None)
    }
}
