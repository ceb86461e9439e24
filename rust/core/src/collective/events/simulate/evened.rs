//! Steps between domains that are as slow as their slowest message: where messages are too many to tell them apart.
//!
//! A step is then one message for each site. It passes the busiest NIC of the site and the busiest bundle of each tier,
//! with all bytes that they have, and takes the longest way of any. Where domains are alike that is what each does.

use super::message::Message;
use super::network::{Network, is_inside, parts};
use crate::Result;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::collective::price::cost::StageCost;
use crate::collective::program::moves::Steps;
use crate::collective::program::schedule::Part;
use crate::machine::Machine;
use crate::sim::Engine;
use std::ops::Range;
use std::sync::Arc;

/// Whether a part's messages between domains may go as one: all of them in the same steps, in one lane.
pub(super) fn may_go_as_one(part: &Part) -> bool {
    let between = matches!(
        part.pattern.kind,
        PatternKind::Rails(_)
            | PatternKind::NicPairs { .. }
            | PatternKind::Star { .. }
            | PatternKind::Exchange { .. }
    );
    between && matches!(&part.moves[..], [moves] if matches!(moves.steps, Steps::Each(_)))
}

impl Network<'_> {
    /// The same with steps between domains that are as slow as their slowest message, where those of `stages` may be.
    pub(super) fn evened(&self, stages: &[Arc<StageCost>]) -> Result<Option<Self>> {
        let mut parts = parts(stages).filter(|part| !is_inside(part));
        let among_sites = |part: &Part| matches!(part.pattern.kind, PatternKind::Sites { .. });
        let may = |part: &Part| among_sites(part) || may_go_as_one(part);
        if self.engine != Engine::Fluid || self.by_site || !parts.clone().all(may) {
            return Ok(None);
        }
        let crossing = parts.try_fold(false, |found, part| {
            Ok(found || !among_sites(part) && is_between_sites(self.context, part)?)
        })?;
        let mut evened = self.anew();
        (evened.by_site, evened.evened, evened.crossing) = (true, true, crossing);
        Ok(Some(evened))
    }

    /// The messages of a step between domains, one for each site; one in all where some go from site to site.
    pub(super) fn as_one(&mut self, part: &Part) -> Result<Vec<Message>> {
        let context = self.context;
        let unit_cost = part.pattern.unit_cost(context)?;
        let fabric = fabric_peaks(context, unit_cost);
        let (first_wan, crosses) = (context.wan_start(), is_between_sites(context, part)?);
        let mut messages: Vec<Message> = Vec::new();
        let mut path: Vec<(u32, f64)> = Vec::new();
        let sites = context.machine.sites().len();
        for site in 0..sites {
            self.busiest_nics(unit_cost, site, &mut path);
            let links = tier_links(context.machine, site);
            let here =
                |link: usize| links.contains(&link) || crosses && site == 0 && link >= first_wan;
            for &(link, weight) in fabric.iter().filter(|peak| here(peak.0)) {
                path.extend(self.fabric(link as u64).map(|resource| (resource, weight)));
            }
            if path.is_empty() || crosses && site + 1 < sites {
                continue;
            }
            let at = if crosses { 0 } else { site as u32 };
            messages.push(Message {
                path: std::mem::take(&mut path).into(),
                latency: unit_cost.latency,
                share: 1.0,
                ends: (at, at),
                moves: 0,
                send: 0,
            });
        }
        Ok(messages)
    }

    /// Bytes of the busiest NIC of a site in each direction: of any member, and of single local chips.
    fn busiest_nics(&mut self, unit_cost: &UnitCost, site: usize, path: &mut Vec<(u32, f64)>) {
        let machine = self.context.machine;
        let first = machine.first_domain(site);
        let end = first + machine.sites()[site].domains;
        let most = |loads: &Loads| most_within(loads, first as usize, end as usize);
        for direction in 0..2 {
            let all = (None, &unit_cost.ledger.nic[direction]);
            let single = unit_cost.ledger.single_nics[direction].iter();
            let single = single.map(|(&chip, loads)| (Some(chip), loads));
            for (chip, loads) in [all].into_iter().chain(single) {
                let weight = most(loads);
                if weight > 0.0 {
                    path.push((self.nic(direction as u64, first, chip), weight));
                }
            }
        }
    }
}

/// Whether messages of a part go from site to site.
pub(super) fn is_between_sites(context: &Context, part: &Part) -> Result<bool> {
    let fabric = fabric_peaks(context, part.pattern.unit_cost(context)?);
    Ok(fabric
        .last()
        .is_some_and(|last| last.0 >= context.wan_start()))
}

/// Of each tier and direction the first bundle, and the bytes that would keep it as busy as the busiest; each WAN link.
fn fabric_peaks(context: &Context, unit_cost: &UnitCost) -> Vec<(usize, f64)> {
    let bandwidth = &context.fabric_bandwidth;
    let seconds = |bytes: f64, bandwidth: f64| bytes / bandwidth;
    let peaks = unit_cost
        .ledger
        .fabric
        .peaks(bandwidth, seconds)
        .into_iter();
    peaks
        .map(|(link, seconds)| (link, seconds * bandwidth.get(link)))
        .collect()
}

/// Links of the tiers of a site, counted from the first fabric link.
fn tier_links(machine: &Machine, site: usize) -> Range<usize> {
    let blocks = machine.blocks();
    let end = blocks.fabric.get(site + 1).unwrap_or(&blocks.wan);
    let [first, end] = [blocks.fabric[site], *end].map(|link| (link - blocks.fabric[0]) as usize);
    first..end
}

/// The most that any place from one on up to another has.
fn most_within(loads: &Loads, from: usize, to: usize) -> f64 {
    let (mut start, mut most) = (0, 0.0);
    for (end, value) in loads.stretches() {
        if start >= to {
            break;
        }
        if end > from {
            most = f64::max(most, value);
        }
        start = end;
    }
    most
}
