//! Which messages of a domain a damage makes take other links: on small domains all pairs of chips are known by the
//! links that they pass, so that only those are routed anew.

use crate::machine::{Damage, Domain, Machine};
use crate::route::{DomainRoutes, Routing, walk};
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
        let single = Machine::single(domain)?;
        let mut pairs_by_link = vec![Vec::new(); domain.links() as usize];
        for src in 0..chips {
            control.check()?;
            for dst in (0..chips).filter(|&dst| dst != src) {
                walk(&single, routing, src, dst, &mut |link, _| {
                    pairs_by_link[link as usize].push((src, dst));
                })?;
            }
        }
        Ok(Self(Some(pairs_by_link)))
    }
}

/// A message that a damage makes take other links.
pub(super) struct Rerouted {
    pub(super) src: u32,
    pub(super) dst: u32,
    /// What it takes off links of a whole domain (below zero), and puts on those that it passes now.
    pub(super) loads: Vec<(u32, f64)>,
    /// Seconds, and seconds per byte, on an idle machine now.
    pub(super) latency: f64,
    pub(super) slowness: f64,
}

/// All pairs whose messages take other links, ascending; nothing where they are not listed.
pub(super) fn rerouted(
    machine: &Machine,
    routing: &Routing,
    pairs_by_link: &PairsByLink,
    damage: &Damage,
    substitutes: &[u32],
    control: &Control,
) -> Result<Option<Vec<Rerouted>>> {
    let Some(pairs_by_link) = &pairs_by_link.0 else {
        return Ok(None);
    };
    let domain = machine.domain();
    let chips = domain.chips();
    let slow = damage.degraded.iter().map(|entry| entry.0);
    let mut pairs: Vec<(u32, u32)> = (damage.links.iter().copied().chain(slow))
        .flat_map(|link| pairs_by_link[link as usize].iter().copied())
        .collect();
    for &dead in &damage.chips {
        for other in (0..chips).filter(|&other| other != dead) {
            pairs.extend([(dead, other), (other, dead)]);
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let single = Machine::single(domain)?;
    let routes = DomainRoutes::new(domain, damage, routing, control)?;
    let mut out = Vec::with_capacity(pairs.len());
    for (src, dst) in pairs {
        control.check()?;
        let mut loads: Vec<(u32, f64)> = Vec::new();
        walk(&single, routing, src, dst, &mut |link, share| {
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
        out.push(Rerouted {
            src,
            dst,
            loads,
            latency: now.0,
            slowness: now.1,
        });
    }
    Ok(Some(out))
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
