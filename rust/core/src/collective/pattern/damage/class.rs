//! Domains with the same damage.

use super::rerouted::{PairsByLink, Rerouted, rerouted, route_cost};
use crate::machine::{Damage, Domain, Machine};
use crate::route::{DimensionOrder, DomainRoutes, Routing, zero_load};
use crate::{Control, Error, Result};

/// Chips, and messages, between two looks at the cancel flag.
const STRETCH: u32 = 1 << 14;

/// Domains with the same damage, and how their messages go.
pub(crate) struct Class {
    pub(crate) damage: Damage,
    /// The domains, ascending.
    pub(crate) domains: Vec<u32>,
    /// Bytes/s of each local link.
    pub(crate) bandwidth: Vec<f64>,
    /// By local chip: the chip that takes its rank, which is itself unless it is dead.
    pub(crate) substitutes: Vec<u32>,
    /// Chips whose messages leave, and arrive, by another chip's NIC.
    pub(crate) redirects: [Vec<Redirect>; 2],
    rerouted: Option<Vec<Rerouted>>,
    routing: Routing,
}

/// The path of one chip's messages to a NIC that is not its own, or from there to it.
pub(crate) struct Redirect {
    /// The local chip whose messages these are.
    pub(crate) chip: u32,
    /// The chip whose NIC they take.
    pub(crate) port: u32,
    /// Local links on the path, and the share of a message on each.
    pub(crate) path: Vec<(u64, f64)>,
    /// Seconds that those add.
    pub(crate) latency: f64,
    /// Seconds per byte of the slowest of them.
    pub(crate) slowness: f64,
}

impl Class {
    pub(super) fn new(
        machine: &Machine,
        routing: &Routing,
        pairs_by_link: &PairsByLink,
        damage: Damage,
        domains: Vec<u32>,
        control: &Control,
    ) -> Result<Self> {
        let domain = machine.domain();
        let mut substitutes: Vec<u32> = (0..domain.chips()).collect();
        for &dead in &damage.chips {
            control.check()?;
            substitutes[dead as usize] =
                nearest_live(domain, &damage, dead, control)?.ok_or_else(|| {
                    let why = "all chips are dead: leave it out of the group";
                    Error::invalid("group", format!("UltraServer {}", domains[0]), why)
                })?;
        }
        let mut bandwidth: Vec<f64> = (0..domain.links())
            .map(|link| machine.local_numbers(link).0)
            .collect();
        for &(link, factor) in &damage.degraded {
            bandwidth[link as usize] *= factor;
        }
        let redirects = [false, true].map(|ingress| {
            if machine.nic().is_none() {
                return Ok(Vec::new());
            }
            redirects(machine, routing, &damage, &substitutes, ingress, control)
        });
        let [egress, ingress] = redirects;
        Ok(Self {
            rerouted: rerouted(
                machine,
                routing,
                pairs_by_link,
                &damage,
                &substitutes,
                control,
            )?,
            redirects: [egress?, ingress?],
            damage,
            domains,
            bandwidth,
            substitutes,
            routing: routing.clone(),
        })
    }

    /// Most ranks that one chip plays.
    pub(super) fn most_roles(&self) -> u32 {
        let mut roles = vec![0; self.substitutes.len()];
        self.substitutes
            .iter()
            .for_each(|&substitute| roles[substitute as usize] += 1);
        roles.into_iter().max().unwrap_or(1)
    }

    /// What local links have more or less than `whole`, their bytes without damage, when each of `pairs` sends one
    /// byte; notes latency and seconds per byte of the messages that go another way, or of all of them with `every`.
    pub(super) fn loads(
        &self,
        machine: &Machine,
        pairs: &Pairs,
        whole: &[f64],
        every: bool,
        note: &mut dyn FnMut(f64, f64),
        control: &Control,
    ) -> Result<Vec<(u32, f64)>> {
        let domain = machine.domain();
        let Some(rerouted) = &self.rerouted else {
            let loads = self.walked(machine, pairs, note, control)?;
            let more = (0u32..).zip(loads.iter().zip(whole));
            let more = more.map(|(link, (now, before))| (link, now - before));
            return Ok(more.filter(|entry| entry.1 != 0.0).collect());
        };
        let mut more = vec![0.0; whole.len()];
        let mut touched: Vec<u32> = Vec::new();
        for message in rerouted {
            let count = f64::from(pairs.count(message.src, message.dst));
            if count == 0.0 {
                continue;
            }
            for &(link, share) in &message.loads {
                more[link as usize] += count * share;
                touched.push(link);
            }
            note(message.latency, message.slowness);
        }
        touched.sort_unstable();
        touched.dedup();
        if every {
            let single = Machine::single(domain)?;
            let same = |pair: &(u32, u32)| {
                let found =
                    rerouted.binary_search_by(|message| (message.src, message.dst).cmp(pair));
                found.is_err()
            };
            for (at, (src, dst)) in pairs.all().filter(same).enumerate() {
                if at % STRETCH as usize == 0 {
                    control.check()?;
                }
                let message = zero_load(&single, &self.routing, src, dst, control)?;
                note(message.latency, 1.0 / message.bandwidth);
            }
        }
        let more = touched.into_iter().map(|link| (link, more[link as usize]));
        Ok(more.filter(|entry| entry.1 != 0.0).collect())
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

    /// Seconds of latency between two local chips, of which `whole` is that without damage.
    pub(super) fn latency(
        &self,
        machine: &Machine,
        (src, dst): (u32, u32),
        whole: f64,
        control: &Control,
    ) -> Result<f64> {
        let Some(rerouted) = &self.rerouted else {
            let routes = DomainRoutes::new(machine.domain(), &self.damage, &self.routing, control)?;
            let (from, to) = (
                self.substitutes[src as usize],
                self.substitutes[dst as usize],
            );
            return Ok(route_cost(machine, &routes, &self.damage, from, to, &mut |_, _| ())?.0);
        };
        let found =
            rerouted.binary_search_by(|message| (message.src, message.dst).cmp(&(src, dst)));
        Ok(found.map_or(whole, |at| rerouted[at].latency))
    }
}

/// Messages between local chips.
pub(crate) enum Pairs<'a> {
    /// These, and how often each (row: from, column: to) on a domain of so many chips; empty where that is large.
    Listed(&'a [(u32, u32)], Vec<u32>, u32),
    /// Each of so many chips to each other.
    All(u32),
}

impl<'a> Pairs<'a> {
    pub(super) fn listed(domain: &Domain, pairs: &'a [(u32, u32)], small: bool) -> Self {
        let chips = domain.chips();
        let mut counts = Vec::new();
        if small {
            counts = vec![0; chips as usize * chips as usize];
            for &(src, dst) in pairs {
                counts[(src * chips + dst) as usize] += 1;
            }
        }
        Self::Listed(pairs, counts, chips)
    }

    fn count(&self, src: u32, dst: u32) -> u32 {
        match self {
            Self::Listed(_, counts, chips) => counts[(src * chips + dst) as usize],
            Self::All(_) => 1,
        }
    }

    pub(super) fn all(&self) -> Box<dyn Iterator<Item = (u32, u32)> + '_> {
        match *self {
            Self::Listed(pairs, ..) => Box::new(pairs.iter().copied()),
            Self::All(chips) => Box::new((0..chips).flat_map(move |src| {
                (0..chips)
                    .filter(move |&dst| dst != src)
                    .map(move |dst| (src, dst))
            })),
        }
    }
}

impl Class {
    /// True where all pairs of chips are known by the links that they pass.
    pub(super) fn is_small(&self) -> bool {
        self.rerouted.is_some()
    }
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

fn redirects(
    machine: &Machine,
    routing: &Routing,
    damage: &Damage,
    substitutes: &[u32],
    ingress: bool,
    control: &Control,
) -> Result<Vec<Redirect>> {
    let routes = DomainRoutes::new(machine.domain(), damage, routing, control)?;
    let mut out = Vec::new();
    for (chip, &substitute) in (0u32..).zip(substitutes) {
        if damage.has_nic(ingress, chip) {
            continue;
        }
        control.check()?;
        let Some(port) = routes.port(ingress, substitute)? else {
            let why = format!(
                "no NIC of its UltraServer that it reaches {}",
                if ingress { "receives" } else { "sends" }
            );
            return Err(Error::Unreachable {
                src: substitute,
                dst: substitute,
                why: format!("{why} (chips counted inside the UltraServer)"),
            });
        };
        let mut path = Vec::new();
        let (from, to) = if ingress {
            (port, substitute)
        } else {
            (substitute, port)
        };
        let mut note = |link: u64, share: f64| path.push((link, share));
        let (latency, slowness) = route_cost(machine, &routes, damage, from, to, &mut note)?;
        out.push(Redirect {
            chip,
            port,
            path,
            latency,
            slowness,
        });
    }
    Ok(out)
}
