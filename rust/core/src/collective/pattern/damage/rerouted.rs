//! Which messages of a domain a damage makes take other links: on small domains all pairs of chips are known by the
//! links that they pass, so that only those are routed anew, where a pattern asks for them.

use super::pairs::Pairs;
use crate::machine::{Damage, Domain, End, Machine};
use crate::route::{DomainRoutes, Overlay, Routes, Routing};
use crate::{Control, Error, Result};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Most chips of a domain whose pairs are all listed.
const MOST_LISTED: u32 = 512;

/// The pairs of chips whose messages pass each local link of a whole domain; nothing for a large domain, and for
/// routes that hang on those of all pairs: there messages that do not pass a dead link change too.
pub(super) struct PairsByLink(Option<Listed>);

pub(super) struct Listed {
    pairs_by_link: Vec<Vec<(u32, u32)>>,
    /// Both ends of each local link: chips, and after those switches.
    ends: Vec<[usize; 2]>,
    vertices: usize,
}

impl PairsByLink {
    pub(super) fn of(domain: &Domain, routing: &Routing, control: &Control) -> Result<Self> {
        let chips = domain.chips();
        if chips > MOST_LISTED || routing.is_counted() {
            return Ok(Self(None));
        }
        let (single, overlay) = (Machine::single(domain)?, Overlay::default());
        let whole = Routes::new(&single, routing, &overlay)?;
        let mut pairs_by_link = vec![Vec::new(); domain.links() as usize];
        for src in 0..chips {
            for dst in (0..chips).filter(|&dst| dst != src) {
                whole.walk(src, dst, control, &mut |link, _| {
                    pairs_by_link[link as usize].push((src, dst));
                })?;
            }
        }
        let mut switches = BTreeMap::new();
        let mut ends = Vec::with_capacity(pairs_by_link.len());
        for link in 0..domain.links() {
            let link = single.link(link)?;
            ends.push([link.from, link.to].map(|end| match end {
                End::Chip(chip) => chip as usize,
                End::Switch(switch) => {
                    let number = chips as usize + switches.len();
                    *switches.entry(switch).or_insert(number)
                }
            }));
        }
        Ok(Self(Some(Listed {
            pairs_by_link,
            vertices: chips as usize + switches.len(),
            ends,
        })))
    }

    pub(super) fn listed(&self) -> Option<&Listed> {
        self.0.as_ref()
    }
}

impl Listed {
    /// The pairs that pass a dead or slower link, or begin or end at a dead chip, ascending.
    pub(super) fn concerned(&self, domain: &Domain, damage: &Damage) -> Vec<(u32, u32)> {
        let slow = damage.degraded.iter().map(|entry| entry.0);
        let mut pairs: Vec<(u32, u32)> = (damage.links.iter().copied().chain(slow))
            .flat_map(|link| self.pairs_by_link[link as usize].iter().copied())
            .collect();
        for &dead in &damage.chips {
            for other in (0..domain.chips()).filter(|&other| other != dead) {
                pairs.extend([(dead, other), (other, dead)]);
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Whether live links lead from each live chip to each other.
    pub(super) fn is_connected(&self, damage: &Damage, chips: u32) -> bool {
        let live: Vec<usize> = (0..chips)
            .filter(|&chip| damage.is_live(chip))
            .map(|chip| chip as usize)
            .collect();
        let links = (0..).zip(&self.ends);
        let links: Vec<[usize; 2]> = links
            .filter(|(link, _)| !damage.is_dead(*link))
            .map(|(_, &ends)| ends)
            .collect();
        let reached_all = |start: usize, [from, to]: [usize; 2]| {
            let mut reached = vec![false; self.vertices];
            reached[start] = true;
            let mut grows = true;
            while grows {
                grows = false;
                for ends in &links {
                    if reached[ends[from]] && !reached[ends[to]] {
                        reached[ends[to]] = true;
                        grows = true;
                    }
                }
            }
            live.iter().all(|&chip| reached[chip])
        };
        let both = |&first: &usize| reached_all(first, [0, 1]) && reached_all(first, [1, 0]);
        live.first().is_none_or(both)
    }
}

/// A message that a damage makes take other links.
pub(super) struct Message {
    /// What it takes off links of a whole domain (below zero), and puts on those that it passes now.
    loads: Vec<(u32, f64)>,
    /// Seconds, and seconds per byte, on an idle machine now.
    latency: f64,
    slowness: f64,
}

/// Messages that a damage makes take other links.
pub(super) struct Rerouting<'a> {
    pub(super) machine: &'a Machine,
    pub(super) routing: &'a Routing,
    pub(super) damage: &'a Damage,
    pub(super) substitutes: &'a [u32],
    /// Ends of all such messages.
    pub(super) concerned: &'a [(u32, u32)],
    /// The messages that were asked for before, where they are kept.
    pub(super) kept: &'a [OnceLock<Message>],
    pub(super) control: &'a Control,
}

impl Rerouting<'_> {
    /// Refuses pairs that have no way, in words of the first.
    pub(super) fn check(&self) -> Result<()> {
        self.routes()?;
        let all = Pairs::All(self.machine.domain().chips());
        self.loads(&all, &mut |_, _| ()).map(drop)
    }

    fn routes(&self) -> Result<DomainRoutes<'_>> {
        DomainRoutes::new(
            self.machine.domain(),
            self.damage,
            self.routing,
            self.control,
        )
    }

    /// What local links have more or less when each of `pairs` sends one byte; notes latency and seconds per byte of
    /// those that go another way.
    pub(super) fn loads(
        &self,
        pairs: &Pairs,
        note: &mut dyn FnMut(f64, f64),
    ) -> Result<Vec<(u32, f64)>> {
        let domain = self.machine.domain();
        let (single, overlay) = (OnceCell::new(), Overlay::default());
        // Made for messages that are not known yet.
        let mut routes: Option<(Routes, DomainRoutes)> = None;
        let mut more = vec![0.0; domain.links() as usize];
        let mut touched: Vec<u32> = Vec::new();
        for (at, &(src, dst)) in self.concerned.iter().enumerate() {
            let count = f64::from(pairs.count(src, dst));
            if count == 0.0 {
                continue;
            }
            self.control.check()?;
            let kept = self.kept.get(at);
            let made;
            let message = match kept.and_then(OnceLock::get) {
                Some(message) => message,
                None => {
                    if routes.is_none() {
                        let single = single.get_or_init(|| Machine::single(domain));
                        let single = single.as_ref().map_err(Clone::clone)?;
                        let whole = Routes::new(single, self.routing, &overlay)?;
                        routes = Some((whole, self.routes()?));
                    }
                    let (whole, around) = routes.as_ref().expect("made above");
                    let message = self.message(whole, around, (src, dst))?;
                    match kept {
                        Some(kept) => kept.get_or_init(|| message),
                        None => {
                            made = message;
                            &made
                        }
                    }
                }
            };
            for &(link, share) in &message.loads {
                more[link as usize] += count * share;
                touched.push(link);
            }
            note(message.latency, message.slowness);
        }
        touched.sort_unstable();
        touched.dedup();
        let more = touched.into_iter().map(|link| (link, more[link as usize]));
        Ok(more.filter(|entry| entry.1 != 0.0).collect())
    }

    fn message(
        &self,
        whole: &Routes,
        routes: &DomainRoutes,
        (src, dst): (u32, u32),
    ) -> Result<Message> {
        let mut loads = Vec::new();
        let mut off = |link: u64, share: f64| loads.push((link as u32, -share));
        whole.walk(src, dst, self.control, &mut off)?;
        let [from, to] = [src, dst].map(|chip| self.substitutes[chip as usize]);
        let mut put = |link: u64, share: f64| loads.push((link as u32, share));
        let (machine, damage) = (self.machine, self.damage);
        let (latency, slowness) = route_cost(machine, routes, damage, from, to, &mut put)?;
        Ok(Message {
            loads,
            latency,
            slowness,
        })
    }
}

/// Latency and seconds per byte of the route between two live local chips; visits its links.
pub(super) fn route_cost(
    machine: &Machine,
    routes: &DomainRoutes,
    damage: &Damage,
    src: u32,
    dst: u32,
    visit: &mut impl FnMut(u64, f64),
) -> Result<(f64, f64)> {
    let (mut latency, mut slowness) = (0.0, 0.0f64);
    if src == dst {
        return Ok((latency, slowness));
    }
    let found = routes.walk(src, dst, &mut |link, share| {
        let (bandwidth, seconds) = machine.local_numbers(link);
        latency += share * seconds;
        slowness = slowness.max(share / (bandwidth * damage.factor(link)));
        visit(link, share);
    });
    found.map_err(|error| match error {
        Error::Unreachable { src, dst, why } => Error::Unreachable {
            src,
            dst,
            why: format!("{why} (chips counted inside the UltraServer)"),
        },
        other => other,
    })?;
    Ok((latency, slowness))
}
