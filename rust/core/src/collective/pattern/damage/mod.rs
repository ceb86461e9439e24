//! Collectives on a damaged machine: messages go round what is dead, a dead chip's rank moves to a live chip next to
//! it (its substitute, which brings nothing of its own for it), a dead NIC's messages leave by a neighbour's.
//!
//! Domains with the same damage are a class, whose loads are found once; what a NIC's loss puts on other links is
//! found domain by domain. All other domains cost what they cost on a whole machine.

mod alike;
mod change;
mod class;
mod hurt;
mod known;
mod links;
mod offers;
mod pairs;
mod redirect;
mod rerouted;
mod spots;
#[cfg(test)]
mod tests;
mod unit_cost;

pub(crate) use class::Class;
pub(crate) use hurt::Hurt;
pub(crate) use known::KnownDamage;
use spots::{Moved, Place};
pub(crate) use unit_cost::{between_domains, inside};

use crate::collective::ask::group::Groups;
use crate::collective::pattern::pairs::Pairs;
use crate::collective::pattern::spacing::Flows;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::{Control, Error, Result};
use alike::{Alike, FEWER, alike};
use rerouted::PairsByLink;
use std::cell::OnceCell;
use std::sync::Arc;

/// The damaged domains that take part.
pub(crate) struct DomainDamage {
    pub(crate) classes: Vec<Class>,
    /// Class of each damaged domain, ascending by domain.
    class_of: Vec<(u32, u32)>,
    /// Domains some of whose messages take other chips' NICs, ascending.
    redirected: Vec<u32>,
    /// By domain of the machine: 1 + the class of such a domain, or 0.
    redirected_class: Vec<u32>,
    most_roles: u32,
    moved: OnceCell<Vec<Moved>>,
    /// A member domain without damage, if there is one.
    pub(crate) whole: Option<u32>,
    /// Damage that calls before have met.
    known: Option<KnownDamage>,
    #[expect(dead_code, reason = "held for their drop")]
    taken: [Taken; 2],
}

impl DomainDamage {
    /// The damage of the domains in `members` (ascending); `None` where there is none.
    pub(crate) fn new(
        machine: &Machine,
        routing: &Routing,
        members: &[u32],
        known: Option<&KnownDamage>,
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
        let domain = machine.domain();
        let each = bytes_of::<f64>(domain.links()) + bytes_of::<u32>(u64::from(domain.chips()));
        let what = format_args!(
            "the substitutes and links of {} damaged UltraServers",
            alike.len()
        );
        let bytes = each.saturating_mul(alike.len() as u64);
        let taken = [control.take(bytes, what, FEWER)?, held];
        let classes = classes(machine, routing, alike, known, control)?;
        let mut class_of = Vec::new();
        for (class, number) in classes.iter().zip(0..) {
            class_of.extend(class.domains.iter().map(|&domain| (domain, number)));
        }
        class_of.sort_unstable();
        let damaged = |domain: &u32| {
            class_of
                .binary_search_by_key(domain, |entry| entry.0)
                .is_ok()
        };
        let whole = members.iter().copied().find(|domain| !damaged(domain));
        let mut redirected = Vec::new();
        let mut redirected_class = vec![0; machine.num_domains() as usize];
        for &(domain, class) in &class_of {
            let mut lists = classes[class as usize].redirects.iter();
            if lists.any(|list| !list.is_empty()) {
                redirected.push(domain);
                redirected_class[domain as usize] = class + 1;
            }
        }
        Ok(Some(Self {
            redirected,
            redirected_class,
            most_roles: classes
                .iter()
                .map(|class| class.most_roles)
                .max()
                .unwrap_or(1),
            moved: OnceCell::new(),
            known: known.cloned(),
            taken,
            classes,
            class_of,
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
        let number = self.redirected_class[domain as usize].checked_sub(1)?;
        Some(&self.classes[number as usize])
    }

    /// Calls `visit` with each of some pairs of domains of which one is such a domain.
    fn concerned(&self, pairs: &Pairs, mut visit: impl FnMut(u32, u32)) {
        let looks = |flows: &&Flows| 2 * flows.all.len() * self.redirected.len();
        let flows = pairs.flows().filter(|flows| flows.stars.is_empty());
        let Some(flows) = flows.filter(|flows| looks(flows) < pairs.len()) else {
            let concerned = |domain: u32| self.redirected(domain).is_some();
            let all = pairs.list();
            let all = all
                .iter()
                .filter(|&&(from, to)| concerned(from) || concerned(to));
            return all.for_each(|&(from, to)| visit(from, to));
        };
        for &domain in &self.redirected {
            for flow in &flows.all {
                let (to, from) = (i64::from(domain) + flow.by, i64::from(domain) - flow.by);
                if flow.senders.contains(i64::from(domain)) {
                    visit(domain, to as u32);
                }
                // Where both are such domains, the sender has it.
                if flow.senders.contains(from) && self.redirected(from as u32).is_none() {
                    visit(from as u32, domain);
                }
            }
        }
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
        self.most_roles
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

/// Alike domains, how messages go there being found out where it is not known.
fn classes(
    machine: &Machine,
    routing: &Routing,
    alike: Alike,
    known: Option<&KnownDamage>,
    control: &Control,
) -> Result<Vec<Class>> {
    let mut pairs_by_link = None;
    let mut classes = Vec::with_capacity(alike.len());
    for (key, (damage, domains)) in alike {
        control.check()?;
        if let Some(hurt) = known.and_then(|known| known.find(&key)) {
            classes.push(Class::new(hurt, domains, true));
            continue;
        }
        let by_link = match &pairs_by_link {
            Some(by_link) => Arc::clone(by_link),
            None => match known {
                Some(known) => known.pairs_by_link(machine, routing, control)?,
                None => Arc::new(PairsByLink::of(machine.domain(), routing, control)?),
            },
        };
        let place = (domains[0], known.is_some());
        let hurt = Hurt::new(machine, routing, &by_link, damage, place, control)?;
        pairs_by_link = Some(by_link);
        let hurt = Arc::new(hurt);
        let kept = known.is_some_and(|known| known.keep(key, &hurt));
        classes.push(Class::new(hurt, domains, kept));
    }
    Ok(classes)
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
        false => hurt::nearest_live(machine.domain(), &damage, local, control)?,
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

/// (from, to) chips of messages, and their sizes, where they have some.
type WithSizes = (Vec<(u32, u32)>, Vec<f64>);

/// The pairs as their substitutes play them; messages that stay on a chip are left out.
/// With their sizes, where they have some.
pub(crate) fn substituted(
    machine: &Machine,
    pairs: &[(u32, u32)],
    sizes: Option<&[f64]>,
    control: &Control,
) -> Result<WithSizes> {
    let (mut out, mut kept) = (Vec::with_capacity(pairs.len()), Vec::new());
    for (at, &(from, to)) in pairs.iter().enumerate() {
        control.check()?;
        let ends = [from, to].map(|chip| substitute(machine, chip, control));
        let [from, to] = ends;
        let (from, to) = (from?, to?);
        if from != to {
            out.push((from, to));
            kept.extend(sizes.map(|sizes| sizes[at]));
        }
    }
    Ok((out, kept))
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
