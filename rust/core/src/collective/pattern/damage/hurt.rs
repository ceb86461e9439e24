//! What one damage does to a domain: who plays whose rank, and how messages go.

use super::change::{Change, KnownChanges};

use super::pairs::Pairs;
use super::redirect::{Redirect, redirects};
use super::rerouted::{Message, PairsByLink, Rerouting, route_cost};
use super::spots::{Peaks, Spots};
use crate::collective::pattern::alone::note;
use crate::machine::{Damage, Domain, Machine};
use crate::memory::bytes_of;
use crate::route::{DimensionOrder, DomainRoutes, Routing, zero_load};
use crate::{Control, Error, Result};
use std::sync::{Arc, OnceLock};

/// Chips, and messages, between two looks at the cancel flag.
const STRETCH: u32 = 1 << 14;

/// A damage of one domain, and how messages go there.
pub(crate) struct Hurt {
    pub(crate) damage: Damage,
    /// Bytes/s of each local link.
    pub(crate) bandwidth: Arc<[f64]>,
    /// By local chip: the chip that takes its rank, which is itself unless it is dead.
    pub(crate) substitutes: Vec<u32>,
    /// Most ranks that one chip plays.
    pub(super) most_roles: u32,
    /// Chips whose messages leave, and arrive, by another chip's NIC.
    pub(crate) redirects: [Vec<Redirect>; 2],
    /// Pairs of chips whose messages take other links; nothing where pairs are not listed.
    concerned: Option<Vec<(u32, u32)>>,
    /// Their messages, of a damage that is not kept for other calls.
    messages: Vec<OnceLock<Message>>,
    routing: Routing,
    /// What it makes of patterns that were asked for before.
    pub(super) changes: KnownChanges,
    /// The busiest links of what the loss of NICs moves, by what each NIC carries.
    pub(super) spots: Spots,
    /// The busiest links inside, by the number of how loads there are made.
    pub(super) peaks: Peaks,
}

impl Hurt {
    /// `place` is a domain that has it, in words of errors. One that is kept for other calls (`lasting`) keeps no messages:
    /// what patterns make of them is kept instead.
    pub(super) fn new(
        machine: &Machine,
        routing: &Routing,
        pairs_by_link: &PairsByLink,
        damage: Damage,
        (place, lasting): (u32, bool),
        control: &Control,
    ) -> Result<Self> {
        let domain = machine.domain();
        let mut substitutes: Vec<u32> = (0..domain.chips()).collect();
        for &dead in &damage.chips {
            control.check()?;
            substitutes[dead as usize] =
                nearest_live(domain, &damage, dead, control)?.ok_or_else(|| {
                    let why = "all chips are dead: leave it out of the group";
                    Error::invalid("group", format!("UltraServer {place}"), why)
                })?;
        }
        let bandwidth = bandwidths(machine, &damage);
        let redirects = [false, true].map(|ingress| {
            if machine.nic().is_none() {
                return Ok(Vec::new());
            }
            redirects(machine, routing, &damage, &substitutes, ingress, control)
        });
        let [egress, ingress] = redirects;
        let listed = pairs_by_link.listed();
        let concerned = listed.map(|listed| listed.concerned(domain, &damage));
        if let (Some(concerned), Some(listed)) = (&concerned, listed) {
            // These go any way that there is.
            let any_way = matches!(routing, Routing::DimensionOrder(_) | Routing::Shortest);
            if !any_way || !listed.is_connected(&damage, domain.chips()) {
                let rerouting = Rerouting {
                    machine,
                    routing,
                    damage: &damage,
                    substitutes: &substitutes,
                    concerned,
                    kept: &[],
                    control,
                };
                rerouting.check()?;
            }
        }
        let messages = match (&concerned, lasting) {
            (Some(concerned), false) => concerned.iter().map(|_| OnceLock::new()).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            concerned,
            messages,
            redirects: [egress?, ingress?],
            damage,
            bandwidth,
            most_roles: most_roles(&substitutes),
            substitutes,
            routing: routing.clone(),
            changes: KnownChanges::default(),
            spots: Spots::default(),
            peaks: Peaks::default(),
        })
    }

    /// True where all pairs of chips are known by the links that they pass.
    pub(super) fn is_small(&self) -> bool {
        self.concerned.is_some()
    }

    /// Bytes that it takes, with all that may be kept of the loss of NICs.
    pub(super) fn bytes(&self) -> u64 {
        let paths = self.redirects.iter().flatten();
        let paths: usize = paths.map(|redirect| redirect.path.len() + 3).sum();
        self.damage.bytes()
            + bytes_of::<(u64, f64)>((self.bandwidth.len() + paths) as u64)
            + bytes_of::<u32>(self.substitutes.len() as u64)
            + bytes_of::<(u32, u32)>(self.concerned.as_ref().map_or(0, Vec::len) as u64)
            + Spots::MOST_BYTES
            + Peaks::MOST_BYTES
    }

    /// What it makes of a pattern whose messages put `whole` on local links where nothing is broken: all of it with
    /// `every`, where no whole domain takes part.
    pub(super) fn change(
        &self,
        machine: &Machine,
        pairs: &Pairs,
        whole: &[f64],
        every: bool,
        control: &Control,
    ) -> Result<Change> {
        let mut change = Change::default();
        let mut note = |latency: f64, slowness: f64| note(&mut change.notes, latency, slowness);
        let loads: Vec<(u32, f64)> = match &self.concerned {
            Some(concerned) => {
                let rerouting = Rerouting {
                    machine,
                    routing: &self.routing,
                    damage: &self.damage,
                    substitutes: &self.substitutes,
                    concerned,
                    kept: &self.messages,
                    control,
                };
                let loads = rerouting.loads(pairs, &mut note)?;
                if every {
                    self.note_others(machine, concerned, pairs, &mut note, control)?;
                }
                loads
            }
            None => {
                let loads = self.walked(machine, pairs, &mut note, control)?;
                let more = (0u32..).zip(loads.iter().zip(whole));
                let more = more.map(|(link, (now, before))| (link, now - before));
                more.filter(|entry| entry.1 != 0.0).collect()
            }
        };
        change.loads = Arc::new(loads.into());
        if every || !self.damage.chips.is_empty() {
            change.sent = self.most_sent(pairs);
        }
        Ok(change)
    }

    /// Notes the messages that go as they go in a whole domain.
    fn note_others(
        &self,
        machine: &Machine,
        concerned: &[(u32, u32)],
        pairs: &Pairs,
        note: &mut dyn FnMut(f64, f64),
        control: &Control,
    ) -> Result<()> {
        let single = Machine::single(machine.domain())?;
        let same = |pair: &(u32, u32)| concerned.binary_search(pair).is_err();
        for (at, (src, dst)) in pairs.all().filter(same).enumerate() {
            if at % STRETCH as usize == 0 {
                control.check()?;
            }
            let message = zero_load(&single, &self.routing, src, dst, control)?;
            note(message.latency, 1.0 / message.bandwidth);
        }
        Ok(())
    }

    /// Bytes on each local link, message by message.
    fn walked(
        &self,
        machine: &Machine,
        pairs: &Pairs,
        note: &mut dyn FnMut(f64, f64),
        control: &Control,
    ) -> Result<Vec<f64>> {
        let domain = machine.domain();
        let routes = DomainRoutes::new(domain, &self.damage, &self.routing, control)?;
        let mut loads = vec![0.0; domain.links() as usize];
        for (src, dst) in pairs.all() {
            control.check()?;
            let (from, to) = (
                self.substitutes[src as usize],
                self.substitutes[dst as usize],
            );
            let mut add = |link: u64, share: f64| loads[link as usize] += share;
            let (latency, slowness) =
                route_cost(machine, &routes, &self.damage, from, to, &mut add)?;
            if from != to {
                note(latency, slowness);
            }
        }
        Ok(loads)
    }

    /// Largest number of messages that one chip sends, for all ranks that it plays.
    fn most_sent(&self, pairs: &Pairs) -> f64 {
        let mut sent = vec![0u32; self.substitutes.len()];
        for (src, dst) in pairs.all() {
            let (from, to) = (
                self.substitutes[src as usize],
                self.substitutes[dst as usize],
            );
            sent[from as usize] += u32::from(from != to);
        }
        f64::from(sent.into_iter().max().unwrap_or(0))
    }

    /// Seconds of latency between two local chips, of which `whole` is that without damage.
    pub(super) fn latency(
        &self,
        machine: &Machine,
        (src, dst): (u32, u32),
        whole: f64,
        control: &Control,
    ) -> Result<f64> {
        let goes_as_before = |concerned: &Vec<_>| concerned.binary_search(&(src, dst)).is_err();
        if self.concerned.as_ref().is_some_and(goes_as_before) {
            return Ok(whole);
        }
        let routes = DomainRoutes::new(machine.domain(), &self.damage, &self.routing, control)?;
        let (from, to) = (
            self.substitutes[src as usize],
            self.substitutes[dst as usize],
        );
        Ok(route_cost(machine, &routes, &self.damage, from, to, &mut |_, _| ())?.0)
    }
}

fn bandwidths(machine: &Machine, damage: &Damage) -> Arc<[f64]> {
    let links = 0..machine.domain().links();
    let mut bandwidth: Vec<f64> = links.map(|link| machine.local_numbers(link).0).collect();
    for &(link, factor) in &damage.degraded {
        bandwidth[link as usize] *= factor;
    }
    bandwidth.into()
}

fn most_roles(substitutes: &[u32]) -> u32 {
    let mut roles = vec![0; substitutes.len()];
    substitutes
        .iter()
        .for_each(|&substitute| roles[substitute as usize] += 1);
    roles.into_iter().max().unwrap_or(1)
}

/// The live chip that is nearest to a dead one on a whole domain, the lowest of those that are equally near.
pub(super) fn nearest_live(
    domain: &Domain,
    damage: &Damage,
    dead: u32,
    control: &Control,
) -> Result<Option<u32>> {
    let single = Machine::single(domain)?;
    let order = Routing::DimensionOrder(DimensionOrder::default());
    let mut nearest: Option<(u32, u32)> = None;
    for chip in (0..domain.chips()).filter(|&chip| damage.is_live(chip)) {
        if chip % STRETCH == 0 {
            control.check()?;
        }
        let here = (zero_load(&single, &order, dead, chip, control)?.hops, chip);
        if nearest.is_none_or(|nearest| here < nearest) {
            nearest = Some(here);
        }
    }
    Ok(nearest.map(|(_, chip)| chip))
}
