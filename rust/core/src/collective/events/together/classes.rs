//! Links that several plans use, each kind of meeting once.
//!
//! Ledgers hold what is alike once: the links of all domains in which the same plans take part have the same loads, and
//! so have the NICs of all chips of a domain that are members of the same plans. So does this.

use super::Plan;
use super::speeds::{Capacity, Fairness};
use crate::collective::ask::group::Groups;
use crate::collective::pattern::ledger::Ledger;
use crate::machine::Machine;
use crate::{Control, Result};
use std::collections::BTreeMap;

/// Links between two looks at the cancel flag.
const STRETCH: u64 = 1 << 14;

/// An example of where plans meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    Link(u64),
    Chip(u32),
}

/// What one plan does to chips: bytes of HBM each, and the weight of its packets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EngineDemand {
    pub(super) bytes: f64,
    pub(super) packet: f64,
}

/// Capacities that more than one plan uses, and what is busiest of all.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    pub(super) capacities: Vec<Capacity>,
    pub(super) places: Vec<Place>,
    /// Seconds that the busiest link is busy with all plans, the link, and the plans that use it.
    pub(super) busiest: Option<(f64, u64, Vec<usize>)>,
}

/// One plan as its members see it.
struct Member<'a> {
    ledger: &'a Ledger,
    /// Domains of which it uses the links; those of a list of chips use single links alone.
    domains: Vec<bool>,
    /// Local chips that are members.
    locals: Vec<bool>,
    /// One over the seconds that it takes alone.
    rate: f64,
}

impl Member<'_> {
    fn nic(&self, direction: usize, domain: usize, local: u32) -> f64 {
        let mut bytes = 0.0;
        if self.locals[local as usize] {
            bytes += self.ledger.nic[direction].get(domain);
        }
        let nic = self.ledger.single_nics[direction].get(&local);
        bytes + nic.map_or(0.0, |nic| nic.get(domain))
    }

    fn single(&self, link: u64) -> f64 {
        let found = self
            .ledger
            .single
            .binary_search_by_key(&link, |entry| entry.0);
        found.map_or(0.0, |at| self.ledger.single[at].1)
    }

    /// Bytes on a link, whichever part of the ledger holds them.
    fn bytes(&self, machine: &Machine, link: u64) -> f64 {
        let blocks = machine.blocks();
        let single = self.single(link);
        if link < blocks.nic {
            let domain = (link / machine.domain().links()) as usize;
            let local = (link % machine.domain().links()) as usize;
            let bytes = self.ledger.local.get(local);
            return single + if self.domains[domain] { bytes } else { 0.0 };
        }
        if link < blocks.fabric[0] {
            let chips = u64::from(machine.num_chips());
            let direction = usize::from(link - blocks.nic >= chips);
            let (domain, local) = machine.split(((link - blocks.nic) % chips) as u32);
            return single + self.nic(direction, domain as usize, local);
        }
        let at = (link - blocks.fabric[0]) as usize;
        single + self.ledger.fabric.get(at)
    }
}

/// Collects meetings, each set of uses once.
struct Collector<'a> {
    plans: &'a [Member<'a>],
    known: BTreeMap<Vec<u64>, Place>,
    busiest: Option<(f64, u64, Vec<usize>)>,
    /// The uses of the link in question.
    uses: Vec<u64>,
}

impl Collector<'_> {
    /// A link with the bytes of each plan.
    fn link(&mut self, link: u64, bandwidth: f64, bytes: impl Fn(&Member) -> f64) {
        self.uses.clear();
        let (mut users, mut seconds) = (0, 0.0);
        for plan in self.plans {
            let busy = bytes(plan) / bandwidth;
            users += usize::from(busy > 0.0);
            seconds += busy;
            // No link is busy for longer than the plan takes; rounding must not say otherwise.
            self.uses.push((busy * plan.rate).min(1.0).to_bits());
        }
        if seconds > self.busiest.as_ref().map_or(0.0, |known| known.0) {
            let using = |at: &usize| f64::from_bits(self.uses[*at]) > 0.0;
            let users = (0..self.plans.len()).filter(using).collect();
            self.busiest = Some((seconds, link, users));
        }
        if users > 1 && !self.known.contains_key(&self.uses[..]) {
            self.known.insert(self.uses.clone(), Place::Link(link));
        }
    }
}

/// Where plans meet; `seconds` are theirs alone. `demands` says what they do to chips whose HBM and DMA engines pass
/// `chip_rate` bytes a second together, where that counts.
pub(super) fn meetings(
    machine: &Machine,
    plans: &[Plan],
    seconds: &[f64],
    demands: Option<(&[EngineDemand], f64)>,
    control: &Control,
) -> Result<Meetings> {
    let nothing = Ledger::default();
    let members: Vec<Member> = plans
        .iter()
        .zip(seconds)
        .map(|(plan, &time)| member(machine, plan, time, &nothing))
        .collect();
    let mut found = Collector {
        plans: &members,
        known: BTreeMap::new(),
        busiest: None,
        uses: Vec::with_capacity(plans.len()),
    };
    inside(machine, &mut found, control)?;
    if machine.nic().is_some() {
        machine.check_own_nics("collectives together by link loads")?;
        nics(machine, &mut found, control)?;
    }
    for link in machine.blocks().fabric[0]..machine.num_links() {
        let at = (link - machine.blocks().fabric[0]) as usize;
        let bytes = |plan: &Member| plan.ledger.fabric.get(at);
        found.link(link, machine.link_numbers(link).0, bytes);
    }
    singles(machine, &mut found, control)?;
    for &(link, _) in &machine.faults().degraded {
        let bytes = |plan: &Member| plan.bytes(machine, link);
        found.link(link, machine.link_numbers(link).0, bytes);
    }
    let mut out = Meetings {
        busiest: found.busiest,
        ..Meetings::default()
    };
    for (uses, place) in found.known {
        let uses = uses.into_iter().map(f64::from_bits).enumerate();
        out.capacities.push(Capacity {
            uses: uses
                .filter(|entry| entry.1 > 0.0)
                .map(|(plan, part)| (plan, part, 1.0))
                .collect(),
            fairness: Fairness::Speed,
        });
        out.places.push(place);
    }
    if let Some((demands, rate)) = demands {
        chips(machine, plans, seconds, (demands, rate), control, &mut out)?;
    }
    Ok(out)
}

fn member<'a>(machine: &Machine, plan: &Plan<'a>, time: f64, nothing: &'a Ledger) -> Member<'a> {
    let mut member = Member {
        ledger: nothing,
        domains: vec![false; machine.num_domains() as usize],
        locals: vec![false; machine.domain().chips() as usize],
        rate: if time > 0.0 { 1.0 / time } else { 0.0 },
    };
    if let Plan::Collective(outcome) = plan {
        member.ledger = outcome.ledger();
        if let Groups::Grid { locals, domains } = outcome.members() {
            for &domain in domains.iter().flatten() {
                member.domains[domain as usize] = true;
            }
            for &local in locals.iter().flatten() {
                member.locals[local as usize] = true;
            }
        }
    }
    member
}

/// Numbers from 0 for places that `count` and the answers of all plans tell apart, with the first place of each.
fn apart(count: usize, plans: usize, says: impl Fn(usize, usize) -> u32) -> (Vec<u32>, Vec<usize>) {
    let mut classes = vec![0u32; count];
    let mut first = vec![0usize];
    for plan in 0..plans {
        let mut known: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        first.clear();
        for (place, class) in classes.iter_mut().enumerate() {
            let next = known.len() as u32;
            *class = *known.entry((*class, says(plan, place))).or_insert_with(|| {
                first.push(place);
                next
            });
        }
    }
    (classes, first)
}

/// Links inside domains: once for all domains in which the same plans take part.
fn inside(machine: &Machine, found: &mut Collector, control: &Control) -> Result<()> {
    let plans = found.plans;
    let damaged = machine.damaged_domains();
    let takes_part = |plan: usize, domain: usize| {
        let part = plans[plan].domains[domain] && !plans[plan].ledger.local.is_empty();
        // What is damaged is like nothing else: single links say what it has more or less.
        let alone = part && damaged.binary_search(&(domain as u32)).is_ok();
        u32::from(part) + if alone { 1 + domain as u32 } else { 0 }
    };
    let (_, examples) = apart(machine.num_domains() as usize, plans.len(), takes_part);
    for domain in examples {
        if (0..plans.len()).all(|plan| takes_part(plan, domain) == 0) {
            continue;
        }
        for local in 0..machine.domain().links() {
            if local % STRETCH == 0 {
                control.check()?;
            }
            let link = machine.domain_link(domain as u32, local);
            let bytes = |plan: &Member| plan.bytes(machine, link);
            found.link(link, machine.link_numbers(link).0, bytes);
        }
    }
    Ok(())
}

/// NICs: once for all chips of a domain that are members of the same plans.
fn nics(machine: &Machine, found: &mut Collector, control: &Control) -> Result<()> {
    let plans = found.plans;
    let chips = machine.domain().chips();
    let damaged = machine.damaged_domains();
    let everybody: Vec<usize> = (0..chips as usize).collect();
    for direction in 0..2 {
        let role = |plan: usize, local: usize| {
            let nic = plans[plan].ledger.single_nics[direction].contains_key(&(local as u32));
            // A NIC with loads of its own is a class of its own.
            u32::from(plans[plan].locals[local]) + if nic { 2 + local as u32 } else { 0 }
        };
        let (_, examples) = apart(chips as usize, plans.len(), role);
        for domain in 0..machine.num_domains() {
            if u64::from(domain) % STRETCH == 0 {
                control.check()?;
            }
            // Where something is damaged, chips are not alike.
            let is_damaged = damaged.binary_search(&domain).is_ok();
            for &local in if is_damaged { &everybody } else { &examples } {
                let link = machine.nic_link(direction == 1, domain * chips + local as u32);
                let bytes = |plan: &Member| plan.bytes(machine, link);
                found.link(link, machine.link_numbers(link).0, bytes);
            }
        }
    }
    Ok(())
}

/// Links that some plan names one by one, with all that is on them.
fn singles(machine: &Machine, found: &mut Collector, control: &Control) -> Result<()> {
    let plans = found.plans;
    for (at, plan) in plans.iter().enumerate() {
        for (number, &(link, _)) in plan.ledger.single.iter().enumerate() {
            if number as u64 % STRETCH == 0 {
                control.check()?;
            }
            // Once, for the first plan that names it.
            if plans[..at].iter().any(|other| other.single(link) > 0.0) {
                continue;
            }
            let bytes = |plan: &Member| plan.bytes(machine, link);
            found.link(link, machine.link_numbers(link).0, bytes);
        }
    }
    Ok(())
}

/// Chips: once for all that are members of the same plans.
fn chips(
    machine: &Machine,
    plans: &[Plan],
    seconds: &[f64],
    (demands, rate): (&[EngineDemand], f64),
    control: &Control,
    out: &mut Meetings,
) -> Result<()> {
    let chips = machine.num_chips() as usize;
    let mut members = Vec::with_capacity(plans.len());
    for plan in plans {
        control.check()?;
        let groups = match plan {
            Plan::Collective(outcome) => outcome.members(),
            Plan::Compute(compute) => &compute.groups,
        };
        let mut mine = vec![false; chips];
        for group in 0..groups.count() {
            for chip in groups.members(machine, group) {
                mine[chip as usize] = true;
            }
        }
        members.push(mine);
    }
    let (_, examples) = apart(chips, plans.len(), |plan, chip| {
        u32::from(members[plan][chip])
    });
    for chip in examples {
        let uses: Vec<(usize, f64, f64)> = (0..plans.len())
            .filter(|&plan| members[plan][chip] && demands[plan].bytes > 0.0 && seconds[plan] > 0.0)
            .map(|plan| {
                let part = demands[plan].bytes / (rate * seconds[plan]);
                (plan, part.min(1.0), demands[plan].packet)
            })
            .collect();
        if uses.len() > 1 {
            out.capacities.push(Capacity {
                uses,
                fairness: Fairness::Weights,
            });
            out.places.push(Place::Chip(chip as u32));
        }
    }
    Ok(())
}
