//! Which messages of a domain a damage makes take other links: on small domains all pairs of chips are known by the
//! links that they pass, so that only those are routed anew.

use super::pairs::Pairs;
use crate::machine::{Damage, Domain, Machine};
use crate::memory::bytes_of;
use crate::route::{DomainRoutes, Overlay, Routes, Routing};
use crate::{Control, Error, Result};

/// Most chips of a domain whose pairs are all listed.
const MOST_LISTED: u32 = 512;

/// The pairs of chips whose messages pass each local link of a whole domain; nothing for a large domain, and for
/// up*/down* routing: there a dead link may turn others about, so that messages that do not pass it change too.
pub(super) struct PairsByLink(Option<Vec<Vec<(u32, u32)>>>);

impl PairsByLink {
    pub(super) fn of(domain: &Domain, routing: &Routing, control: &Control) -> Result<Self> {
        let chips = domain.chips();
        if chips > MOST_LISTED || *routing == Routing::UpDown {
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
        Ok(Self(Some(pairs_by_link)))
    }
}

/// A message that a damage makes take other links.
struct Message {
    src: u32,
    dst: u32,
    /// Where its loads end.
    end: u32,
    /// Seconds, and seconds per byte, on an idle machine now.
    latency: f64,
    slowness: f64,
}

/// All pairs whose messages take other links, ascending.
pub(super) struct Rerouted {
    messages: Vec<Message>,
    /// What each takes off links of a whole domain (below zero), and puts on those that it passes now.
    loads: Vec<(u32, f64)>,
}

impl Rerouted {
    /// Nothing where pairs are not listed.
    pub(super) fn new(
        machine: &Machine,
        routing: &Routing,
        pairs_by_link: &PairsByLink,
        damage: &Damage,
        substitutes: &[u32],
        control: &Control,
    ) -> Result<Option<Self>> {
        let Some(pairs_by_link) = &pairs_by_link.0 else {
            return Ok(None);
        };
        let domain = machine.domain();
        let pairs = concerned(domain, pairs_by_link, damage);
        let (single, overlay) = (Machine::single(domain)?, Overlay::default());
        let whole = Routes::new(&single, routing, &overlay)?;
        let routes = DomainRoutes::new(domain, damage, routing, control)?;
        let mut messages = Vec::with_capacity(pairs.len());
        let mut loads: Vec<(u32, f64)> = Vec::new();
        for (src, dst) in pairs {
            whole.walk(src, dst, control, &mut |link, share| {
                loads.push((link as u32, -share));
            })?;
            let now = route_cost(
                machine,
                &routes,
                damage,
                substitutes[src as usize],
                substitutes[dst as usize],
                &mut |link, share| {
                    loads.push((link as u32, share));
                },
            )?;
            messages.push(Message {
                src,
                dst,
                end: loads.len() as u32,
                latency: now.0,
                slowness: now.1,
            });
        }
        loads.shrink_to_fit();
        Ok(Some(Self { messages, loads }))
    }

    pub(super) fn bytes(&self) -> u64 {
        bytes_of::<Message>(self.messages.len() as u64)
            + bytes_of::<(u32, f64)>(self.loads.len() as u64)
    }

    fn find(&self, src: u32, dst: u32) -> Option<usize> {
        let messages = &self.messages;
        let found =
            messages.binary_search_by(|message| (message.src, message.dst).cmp(&(src, dst)));
        found.ok()
    }

    /// Seconds of latency between two chips; nothing where their messages go as they went.
    pub(super) fn latency(&self, src: u32, dst: u32) -> Option<f64> {
        self.find(src, dst).map(|at| self.messages[at].latency)
    }

    /// What local links have more or less when each of `pairs` sends one byte; notes those that go another way.
    pub(super) fn loads(
        &self,
        pairs: &Pairs,
        links: usize,
        note: &mut dyn FnMut(f64, f64),
    ) -> Vec<(u32, f64)> {
        let mut more = vec![0.0; links];
        let mut touched: Vec<u32> = Vec::new();
        let mut start = 0;
        for message in &self.messages {
            let loads = start..message.end as usize;
            start = loads.end;
            let count = f64::from(pairs.count(message.src, message.dst));
            if count == 0.0 {
                continue;
            }
            for &(link, share) in &self.loads[loads] {
                more[link as usize] += count * share;
                touched.push(link);
            }
            note(message.latency, message.slowness);
        }
        touched.sort_unstable();
        touched.dedup();
        let more = touched.into_iter().map(|link| (link, more[link as usize]));
        more.filter(|entry| entry.1 != 0.0).collect()
    }
}

/// The pairs that pass a dead or slower link, or begin or end at a dead chip, ascending.
fn concerned(
    domain: &Domain,
    pairs_by_link: &[Vec<(u32, u32)>],
    damage: &Damage,
) -> Vec<(u32, u32)> {
    let slow = damage.degraded.iter().map(|entry| entry.0);
    let mut pairs: Vec<(u32, u32)> = (damage.links.iter().copied().chain(slow))
        .flat_map(|link| pairs_by_link[link as usize].iter().copied())
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
