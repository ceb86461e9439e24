//! The hops of flat rings: what their messages take, inside domains and from one to the next.

use super::seconds::Seconds;
use super::{Circle, chains};
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::ledger::Ledger;
use crate::collective::program::schedule::Rings;
use crate::machine::{Machine, tiers_crossed};
use crate::memory::bytes_of;
use crate::route::{walk, zero_load};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// By how much links may hold up a message that is alone on them, for rounding.
const ALONE: f64 = 1.0 + 1e-12;

/// How ranks that go on by themselves get through the steps of one phase.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Chains of messages; at each size one of them takes longest.
    pub(crate) chains: Vec<Seconds>,
    /// The same of messages that never share a link, where a simulation may find that they do not.
    pub(crate) apart: Vec<Seconds>,
    /// No message is slower for the others, whenever they come.
    pub(crate) alone: bool,
}

impl Pace {
    /// Seconds with `scale` of the data.
    pub(crate) fn time(&self, scale: f64) -> f64 {
        longest(&self.chains, scale)
    }

    /// Seconds that no simulation is below, with `scale` of the data.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        longest(&self.apart, scale)
    }

    /// Latency and overhead with no data.
    pub(crate) fn fixed(&self) -> (f64, f64) {
        let longer = |a: Seconds, b: Seconds| if b.fixed() > a.fixed() { b } else { a };
        let fixed = self.chains.iter().copied().reduce(longer);
        fixed.map_or((0.0, 0.0), |chain| (chain.latency, chain.overhead))
    }

    /// With `size` times the data.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        let scaled = |chain: &Seconds| Seconds {
            serial: chain.serial * size,
            ..*chain
        };
        Self {
            chains: self.chains.iter().map(scaled).collect(),
            apart: self.apart.iter().map(scaled).collect(),
            alone: self.alone,
        }
    }
}

fn longest(chains: &[Seconds], scale: f64) -> f64 {
    let chains = chains.iter().map(|chain| chain.at(scale));
    chains.fold(0.0, f64::max)
}

/// The pace of `rings` in each of their rounds, with messages of `bytes` that load links by `step` in each step.
pub(crate) fn pace(
    context: &Context,
    model: Model,
    rings: &Rings,
    step: &Ledger,
    bytes: f64,
) -> Result<Pace> {
    let mut hops = Hops {
        context,
        by_bytes: model.by_phases() == Model::AlphaBeta,
        rings,
        step,
        bytes,
        alone: true,
    };
    let chains = hops.chains()?;
    let mut apart = Vec::new();
    if !hops.alone && model.engine().is_some() {
        hops.by_bytes = true;
        apart = hops.chains()?;
    }
    Ok(Pace {
        chains,
        apart,
        alone: hops.alone,
    })
}

struct Hops<'a> {
    context: &'a Context<'a>,
    /// Links do not matter, only what a message carries itself.
    by_bytes: bool,
    rings: &'a Rings,
    step: &'a Ledger,
    bytes: f64,
    alone: bool,
}

impl Hops<'_> {
    /// The longest chains in each round of the rings.
    fn chains(&mut self) -> Result<Vec<Seconds>> {
        let (rings, control) = (self.rings, self.context.control);
        let mut circles = Vec::new();
        for &backward in &rings.backward {
            let (kinds, rows) = self.onward(backward)?;
            let mut inside: Vec<Vec<Seconds>> = Vec::new();
            for path in &rings.paths {
                let hops = self.inside(path, backward)?;
                if !inside.contains(&hops) {
                    inside.push(hops);
                }
            }
            for inside in &inside {
                for row in &rows {
                    circles.push(Circle::of(inside, &kinds, row, control)?);
                }
            }
        }
        let part = 1.0 / rings.rounds as f64;
        let chains = chains(&circles, rings.rounds, control)?;
        Ok(chains.iter().map(|chain| chain.times(part)).collect())
    }

    /// Seconds of a message on the wire: by itself, or with all others of its step on its links.
    fn serial(&mut self, by_itself: f64, by_links: f64) -> f64 {
        self.alone &= by_links <= by_itself * ALONE;
        if self.by_bytes { by_itself } else { by_links }
    }

    /// The hops along a path, in the order in which a ring passes them.
    fn inside(&mut self, path: &[u32], backward: bool) -> Result<Vec<Seconds>> {
        let context = self.context;
        let machine = &context.domain_machine;
        let mut hops = Vec::with_capacity(path.len() - 1);
        for at in 0..path.len() - 1 {
            context.control.check()?;
            let place = if backward { path.len() - 1 - at } else { at };
            let next = if backward { place - 1 } else { place + 1 };
            let (from, to) = (path[place], path[next]);
            let alone = zero_load(machine, context.routing, from, to, context.control)?;
            let mut by_links = 0.0f64;
            walk(machine, context.routing, from, to, &mut |link, _| {
                let link = link as usize;
                let seconds = self.step.local.get(link) / context.local_bandwidth.get(link);
                by_links = by_links.max(seconds);
            })?;
            hops.push(Seconds {
                latency: alone.latency,
                overhead: self.rings.overhead(context.machine, place),
                serial: self.serial(self.bytes / alone.bandwidth, by_links),
            });
        }
        Ok(hops)
    }

    /// The kinds of hops between domains, and for each ring that is unlike the others which of them leads on from each
    /// domain that it passes.
    fn onward(&mut self, backward: bool) -> Result<(Vec<Seconds>, BTreeSet<Vec<u32>>)> {
        let context = self.context;
        let Some(nic) = context.machine.nic() else {
            return Err(Error::unsupported(
                "rings between UltraServers without NICs",
                "add NICs",
            ));
        };
        let end = if backward {
            0
        } else {
            self.rings.paths[0].len() - 1
        };
        let overhead = self.rings.overhead(context.machine, end);
        let mut kinds = Vec::new();
        let mut known: BTreeMap<[u64; 3], u32> = BTreeMap::new();
        let mut rows = BTreeSet::new();
        let mut near = None;
        let domains: usize = self.rings.sets.iter().map(Vec::len).sum();
        // A number for each domain, and the repeats that are looked for in them.
        let _taken = context.control.take(
            bytes_of::<[u64; 3]>(domains as u64),
            format_args!("the hops of rings through {domains} UltraServers"),
            "use a smaller group, or hierarchical",
        )?;
        for set in self.rings.sets.iter() {
            let mut row = Vec::with_capacity(set.len());
            for at in 0..set.len() {
                context.control.check_at(at)?;
                let place = if backward { set.len() - 1 - at } else { at };
                let next = if backward {
                    place + set.len() - 1
                } else {
                    place + 1
                } % set.len();
                let (from, to) = (set[place], set[next]);
                // By the NICs alone, all are alike.
                let close = beside(context.machine, from, to);
                if let Some(kind) = near.filter(|_| close) {
                    row.push(kind);
                    continue;
                }
                let hop = self.crossing((from, to), nic.bandwidth, overhead);
                let kind = *known.entry(hop.bits()).or_insert_with(|| {
                    kinds.push(hop);
                    kinds.len() as u32 - 1
                });
                if close {
                    near = Some(kind);
                }
                row.push(kind);
            }
            rows.insert(row);
        }
        Ok((kinds, rows))
    }

    /// The hop from one domain to another, between NICs of so many bytes/s.
    fn crossing(&mut self, (from, to): (u32, u32), nic: f64, overhead: f64) -> Seconds {
        let context = self.context;
        // Where each chip is the end of some ring, its NIC has a message of each way.
        let shared = match self.rings.cuts {
            1 => 1,
            _ => self.rings.backward.len(),
        };
        let mut by_links = match context.machine.chips_of_nic() {
            1 => self.bytes * shared as f64 / nic,
            _ => self.step.most_over_a_nic(context) / nic,
        };
        let path = context.path(from, to, |link| {
            let bandwidth = context.fabric_bandwidth.get(link);
            by_links = by_links.max(self.step.fabric.get(link) / bandwidth);
        });
        let by_itself = self.bytes / path.bandwidth;
        if context.machine.has_window() {
            by_links = by_links.max(by_itself);
        }
        Seconds {
            latency: path.latency,
            overhead,
            serial: self.serial(by_itself, by_links),
        }
    }
}

/// Whether messages between two domains pass no tier of a fabric.
fn beside(machine: &Machine, from: u32, to: u32) -> bool {
    let site = machine.site_of(from);
    let first = machine.first_domain(site);
    site == machine.site_of(to)
        && tiers_crossed(&machine.sites()[site].tiers, from - first, to - first) == 0
}
