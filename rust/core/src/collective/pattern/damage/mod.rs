//! Collectives on a damaged machine: messages go round what is dead, a dead chip's rank moves to a live chip next to
//! it (its substitute, which brings nothing of its own for it), a dead NIC's messages leave by a neighbour's.
//!
//! Domains with the same damage are a class, whose loads are found once; what a NIC's loss puts on other links is
//! found domain by domain. All other domains cost what they cost on a whole machine.

mod class;
mod links;
mod rerouted;
mod unit_cost;

pub(crate) use class::Class;
pub(crate) use unit_cost::{between_domains, inside, inside_all};

use crate::collective::ask::group::Groups;
use crate::machine::{Damage, Machine};
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::{Control, Error, Result};
use rerouted::PairsByLink;
use std::collections::BTreeMap;

/// What to do where the damage does not fit.
const FEWER: &str = "leave damaged UltraServers out of the group";

/// The damaged domains that take part.
pub(crate) struct DomainDamage {
    pub(crate) classes: Vec<Class>,
    /// Class of each damaged domain, ascending by domain.
    class_of: Vec<(u32, u32)>,
    /// By domain of the machine: 1 + the class whose messages take other NICs, or 0.
    redirected: Vec<u32>,
    /// A member domain without damage, if there is one.
    pub(crate) whole: Option<u32>,
    #[expect(dead_code, reason = "held for their drop")]
    taken: [Taken; 2],
}

impl DomainDamage {
    /// The damage of the domains in `members` (ascending); `None` where there is none.
    pub(crate) fn new(
        machine: &Machine,
        routing: &Routing,
        members: &[u32],
        control: &Control,
    ) -> Result<Option<Self>> {
        if let Some(&dead) = members
            .iter()
            .find(|&&domain| machine.is_dead_domain(domain))
        {
            return Err(Error::invalid(
                "group",
                format!("UltraServer {dead}"),
                "all of its chips are dead: leave it out of the group",
            ));
        }
        let (alike, held) = alike(machine, members, control)?;
        if alike.is_empty() {
            return Ok(None);
        }
        let pairs_by_link = PairsByLink::of(machine.domain(), routing, control)?;
        let domain = machine.domain();
        let each = bytes_of::<f64>(domain.links()) + bytes_of::<u32>(u64::from(domain.chips()));
        let what = format_args!(
            "the substitutes and links of {} damaged UltraServers",
            alike.len()
        );
        let bytes = each.saturating_mul(alike.len() as u64);
        let taken = [control.take(bytes, what, FEWER)?, held];
        let mut classes = Vec::with_capacity(alike.len());
        let mut class_of = Vec::new();
        for (damage, domains) in alike.into_values() {
            control.check()?;
            class_of.extend(domains.iter().map(|&domain| (domain, classes.len() as u32)));
            classes.push(Class::new(
                machine,
                routing,
                &pairs_by_link,
                damage,
                domains,
                control,
            )?);
        }
        class_of.sort_unstable();
        let damaged = |domain: &u32| {
            class_of
                .binary_search_by_key(domain, |entry| entry.0)
                .is_ok()
        };
        let whole = members.iter().copied().find(|domain| !damaged(domain));
        let mut redirected = vec![0; machine.num_domains() as usize];
        for (class, number) in classes.iter().zip(1..) {
            if class.redirects.iter().any(|list| !list.is_empty()) {
                let domains = class.domains.iter();
                domains.for_each(|&domain| redirected[domain as usize] = number);
            }
        }
        Ok(Some(Self {
            taken,
            classes,
            class_of,
            redirected,
            whole,
        }))
    }

    /// The class of a domain; `None` for one without damage.
    pub(crate) fn class_of(&self, domain: u32) -> Option<usize> {
        let found = self.class_of.binary_search_by_key(&domain, |entry| entry.0);
        found.ok().map(|at| self.class_of[at].1 as usize)
    }

    /// The class of a domain some of whose messages leave or arrive by other chips' NICs.
    pub(crate) fn redirected(&self, domain: u32) -> Option<&Class> {
        let number = self.redirected[domain as usize].checked_sub(1)?;
        Some(&self.classes[number as usize])
    }

    /// True if some chip plays the rank of a dead one.
    pub(crate) fn moves_ranks(&self) -> bool {
        self.classes
            .iter()
            .any(|class| !class.damage.chips.is_empty())
    }

    /// Dead chips of the domains that take part.
    pub(crate) fn dead_chips(&self) -> usize {
        let of_class = |class: &Class| class.damage.chips.len() * class.domains.len();
        self.classes.iter().map(of_class).sum()
    }

    /// Most ranks that one chip plays.
    pub(crate) fn most_roles(&self) -> u32 {
        let roles = self.classes.iter().map(Class::most_roles);
        roles.max().unwrap_or(1)
    }

    /// What is damaged and how it is dealt with, in words.
    pub(crate) fn note(&self) -> String {
        let sum = |of: &dyn Fn(&Class) -> usize| -> usize {
            let of_class = |class: &Class| of(class) * class.domains.len();
            self.classes.iter().map(of_class).sum()
        };
        let dead = self.dead_chips();
        let others = |class: &Class, direction: usize| {
            let moved = class.redirects[direction].iter();
            moved
                .filter(|moved| class.damage.is_live(moved.chip))
                .count()
        };
        let nics = sum(&|class| others(class, 0).max(others(class, 1)));
        note(self.class_of.len(), dead, nics)
    }

    /// Seconds of latency between two local chips where that is longest.
    pub(crate) fn latency(
        &self,
        machine: &Machine,
        ends: (u32, u32),
        whole: f64,
        control: &Control,
    ) -> Result<f64> {
        let mut longest = if self.whole.is_some() { whole } else { 0.0 };
        for class in &self.classes {
            longest = longest.max(class.latency(machine, ends, whole, control)?);
        }
        Ok(longest)
    }
}

/// How damage is dealt with, in words.
pub(crate) fn note(domains: usize, dead: usize, nics: usize) -> String {
    let mut parts = Vec::new();
    if domains > 0 {
        parts.push(format!("{domains} damaged UltraServers"));
    }
    if dead > 0 {
        parts.push(format!("ranks of {dead} dead chips on chips next to them"));
    }
    if nics > 0 {
        parts.push(format!("{nics} chips without a NIC use a neighbour's"));
    }
    parts.push("messages go round dead links".to_owned());
    parts.join("; ")
}

/// The chip that plays a chip's rank: itself, or where it is dead the nearest live one of its domain.
///
/// # Errors
/// [`Error::Unreachable`] where the whole domain is dead.
pub(crate) fn substitute(machine: &Machine, chip: u32, control: &Control) -> Result<u32> {
    if !machine.is_dead_chip(chip) {
        return Ok(chip);
    }
    let (domain, local) = machine.split(chip);
    let damage = machine.damage_of(domain)?.unwrap_or_default();
    let substitute = match machine.is_dead_domain(domain) {
        true => None,
        false => class::nearest_live(machine.domain(), &damage, local, control)?,
    };
    match substitute {
        Some(substitute) => Ok(domain * machine.domain().chips() + substitute),
        None => Err(Error::Unreachable {
            src: chip,
            dst: chip,
            why: format!("all chips of UltraServer {domain} are dead: leave it out of the group"),
        }),
    }
}

/// The pairs as their substitutes play them; messages that stay on a chip are left out.
pub(crate) fn substituted(
    machine: &Machine,
    pairs: &[(u32, u32)],
    control: &Control,
) -> Result<Vec<(u32, u32)>> {
    let mut out = Vec::with_capacity(pairs.len());
    for &(from, to) in pairs {
        control.check()?;
        let ends = [from, to].map(|chip| substitute(machine, chip, control));
        let [from, to] = ends;
        let (from, to) = (from?, to?);
        if from != to {
            out.push((from, to));
        }
    }
    Ok(out)
}

/// Damaged domains by their damage.
type Alike = BTreeMap<Vec<u64>, (Damage, Vec<u32>)>;

/// The damaged ones of the domains in `members`, and what stands for their lists.
fn alike(machine: &Machine, members: &[u32], control: &Control) -> Result<(Alike, Taken)> {
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

/// Whether a group lies on damaged domains, or on a fabric or WAN with damage; of listed chips it is taken to.
pub(crate) fn has_damage(machine: &Machine, groups: &Groups) -> bool {
    machine.is_damaged()
        && match groups {
            Groups::Scattered(_) => true,
            Groups::Grid { domains, .. } => {
                let damaged = machine.damaged_domains();
                let is_damaged = |domain| damaged.binary_search(domain).is_ok();
                domains.iter().flatten().any(is_damaged)
                    || (domains[0].len() > 1 && has_damage_between(machine))
            }
        }
}

/// Whether bundles of the fabric or WAN links are dead or slower: domains are not alike then, nor sites.
pub(crate) fn has_damage_between(machine: &Machine) -> bool {
    let (faults, first) = (machine.faults(), machine.blocks().fabric[0]);
    let slow = faults.degraded.last().map(|entry| entry.0);
    [faults.links.last().copied(), slow]
        .into_iter()
        .flatten()
        .any(|last| last >= first)
}
