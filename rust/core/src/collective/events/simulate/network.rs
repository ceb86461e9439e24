//! What the simulations of one call share: which messages are alike, and the resources that they pass.

use super::alike::{Alike, Distances, alike, folds, sites_are_alike, together};
use super::message::{Message, same};
use super::sites::fabric_class;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::fold::Fold;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::price::cost::StageCost;
use crate::collective::program::schedule::{Part, Phase};
use crate::fluid::Graph;
use crate::machine::{Machine, groups};
use crate::route::{DimensionOrder, Routing, TieRule};
use crate::sim::Engine;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Resources come in kinds; a key is the kind and a number.
const LOCAL: u64 = 0;
const CLASS: u64 = 1 << 60;
const NIC: u64 = 2 << 60;
const FABRIC: u64 = 3 << 60;
const SINGLE: u64 = 4 << 60;

/// The routings of a message, which it takes in equal parts: first come, first served, one that splits at a tie goes
/// as two.
pub(crate) fn routings(routing: &Routing, engine: Engine) -> Result<Vec<Routing>> {
    match (engine, routing) {
        (Engine::Fluid, _) => Ok(vec![routing.clone()]),
        (Engine::Fifo, Routing::DimensionOrder(order)) if order.tie == TieRule::Split => {
            let by = |tie| {
                Routing::DimensionOrder(DimensionOrder {
                    tie,
                    order: order.order.clone(),
                })
            };
            Ok(vec![by(TieRule::Positive), by(TieRule::Negative)])
        }
        (Engine::Fifo, Routing::DimensionOrder(_) | Routing::Shortest) => Ok(vec![routing.clone()]),
        (Engine::Fifo, Routing::UpDown | Routing::Balanced) => Ok(vec![routing.clone()]),
        (Engine::Fifo, _) => Err(Error::unsupported(
            "model \"fifo\" with messages that are spread over many paths",
            "use dimension order (\"dor\"), \"shortest\", \"up_down\" or \"balanced\", or model \"fluid\"",
        )),
    }
}

/// Who is told apart at the ends of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Nobody: everybody waits for everybody.
    Nobody,
    /// Local chips, the same in every domain.
    Local,
    /// Domains, the same on every member.
    Domains,
    /// Chips of the machine.
    Chips,
}

/// What all simulations of one call share: the resources met so far and the messages of each pattern.
#[derive(Clone)]
pub(super) struct Network<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) engine: Engine,
    /// The routings of a message, which it takes in equal parts.
    pub(super) routings: Vec<Routing>,
    /// Chips of a domain are all alike in every pattern.
    pub(super) symmetric: bool,
    /// The distances of the messages of each part inside domains, by its moves, where chips are alike.
    alike: Alike,
    /// How the messages of each part inside domains repeat along the axes, where chips differ in no other way.
    folds: Vec<(Part, Fold)>,
    /// How all of them repeat, where that is a gain.
    pub(super) fold: Option<Fold>,
    /// Domains of a site are all alike in every pattern, or taken to be.
    pub(super) by_site: bool,
    /// Steps between domains are as slow as their slowest message.
    pub(super) evened: bool,
    /// Some of those go from site to site: no site is ahead of another.
    pub(super) crossing: bool,
    /// Links of fabric tiers that are never busier than the NICs below them.
    unblocking: Vec<Range<u64>>,
    /// Patterns inside domains and lists of chips meet in one schedule: what is listed stands for all domains.
    pub(super) mixed: bool,
    resources: BTreeMap<u64, u32>,
    capacity: Vec<f64>,
    latency: Vec<f64>,
    known: Vec<(Part, Arc<[Message]>)>,
}

/// Whether messages stay in domains.
pub(super) fn is_inside(part: &&Part) -> bool {
    matches!(
        part.pattern.kind,
        PatternKind::Local(_) | PatternKind::LocalAll | PatternKind::InSwitch { .. }
    )
}

/// All parts of some stages.
pub(super) fn parts(stages: &[Arc<StageCost>]) -> impl Iterator<Item = &Part> + Clone {
    let tracks = stages.iter().flat_map(|cost| &cost.stage.tracks);
    let phases = tracks.flat_map(|track| &track.phases);
    phases.flat_map(|phase| &phase.parts)
}

/// Whether all that a part's messages put on a fabric tier comes from NICs that every message of the schedule shares.
fn shares_nics(part: &Part) -> bool {
    !matches!(
        part.pattern.kind,
        PatternKind::NicPairs { .. } | PatternKind::Flat(_) | PatternKind::Shift { .. }
    )
}

/// The links of tiers whose bundles pass all that the NICs below them can: fair rates are the same without them.
fn unblocking(context: &Context) -> Vec<Range<u64>> {
    let machine = context.machine;
    let mut ranges = Vec::new();
    if context.is_fabric_damaged() {
        return ranges;
    }
    for (index, site) in machine.sites().iter().enumerate() {
        for (tier, shape) in site.tiers.iter().enumerate() {
            if shape.oversubscription <= 1.0 {
                let first = machine.fabric_link(index, tier, 0, false);
                ranges.push(first..first + 2 * u64::from(groups(shape, site.domains)));
            }
        }
    }
    ranges
}

impl<'a> Network<'a> {
    /// The distances of a part's messages inside a domain, by its moves.
    pub(super) fn distances(&self, part: &Part) -> Vec<Distances> {
        let known = self.alike.iter().find(|(other, _)| same(other, part));
        known.map_or_else(Vec::new, |(_, found)| found.clone())
    }

    /// How the messages of a phase repeat in domains, where that is known.
    pub(super) fn fold_of(&self, phase: &Phase) -> Option<Fold> {
        let of = |part: &Part| {
            let known = self.folds.iter().find(|(other, _)| same(other, part));
            known.map(|(_, fold)| fold.clone())
        };
        let folds: Option<Vec<Fold>> = phase.parts.iter().map(of).collect();
        folds?.into_iter().reduce(|all, fold| all.and(&fold))
    }

    pub(super) fn new(
        context: &'a Context<'a>,
        engine: Engine,
        stages: &[Arc<StageCost>],
    ) -> Result<Self> {
        let routings = routings(context.routing, engine)?;
        let parts = || parts(stages);
        let in_switch = |part: &Part| matches!(part.pattern.kind, PatternKind::InSwitch { .. });
        let listed = |part: &Part| matches!(part.pattern.kind, PatternKind::Flat(_));
        let mixed = parts().any(|part| is_inside(&part)) && parts().any(listed);
        // First come, first served tells messages apart that arrive at once, by their numbers.
        let fluid = engine == Engine::Fluid;
        let alike = match fluid && !mixed && context.homogeneous && !parts().any(in_switch) {
            true => alike(context, parts().filter(is_inside))?,
            false => None,
        };
        let folds = match fluid && !mixed && context.homogeneous && alike.is_none() {
            true => folds(context, parts().filter(is_inside))?,
            false => Vec::new(),
        };
        let by_site = fluid && sites_are_alike(context, parts().filter(|part| !is_inside(part)));
        Ok(Self {
            context,
            engine,
            routings,
            symmetric: alike.is_some(),
            alike: alike.unwrap_or_default(),
            fold: together(&folds).filter(|fold| fold.classes() < context.machine.domain().chips()),
            folds,
            by_site,
            evened: false,
            crossing: false,
            unblocking: match fluid && parts().all(shares_nics) {
                true => unblocking(context),
                false => Vec::new(),
            },
            mixed,
            resources: BTreeMap::new(),
            capacity: Vec::new(),
            latency: Vec::new(),
            known: Vec::new(),
        })
    }

    /// The same, of which no message is known yet.
    pub(super) fn anew(&self) -> Self {
        Self {
            resources: BTreeMap::new(),
            capacity: Vec::new(),
            latency: Vec::new(),
            known: Vec::new(),
            ..self.clone()
        }
    }

    /// A graph with the resources met so far.
    pub(super) fn graph(&self) -> Graph {
        Graph {
            capacity: self.capacity.clone(),
            latency: self.latency.clone(),
            ..Graph::default()
        }
    }

    /// Runs a graph made by [`Network::graph`].
    pub(super) fn run(&self, graph: &Graph) -> Result<crate::fluid::Times> {
        self.context.control.check()?;
        self.engine.simulate(graph, self.context.control)
    }

    /// Whom the messages of a part tell apart.
    pub(super) fn ends(&self, part: &Part) -> Ends {
        match &part.pattern.kind {
            PatternKind::Local(_) | PatternKind::LocalAll if self.symmetric => Ends::Nobody,
            PatternKind::Local(_) | PatternKind::LocalAll => Ends::Local,
            PatternKind::Rails(_) | PatternKind::NicPairs { .. } if self.crossing => Ends::Nobody,
            PatternKind::Rails(_) | PatternKind::NicPairs { .. } => Ends::Domains,
            PatternKind::Flat(_) | PatternKind::Shift { .. } => Ends::Chips,
            PatternKind::Within { .. } | PatternKind::Crews { .. } => Ends::Chips,
            PatternKind::InSwitch { .. }
            | PatternKind::Star { .. }
            | PatternKind::Exchange { .. }
            | PatternKind::Sites { .. } => Ends::Nobody,
        }
    }

    /// The messages of a part.
    pub(super) fn messages(&mut self, part: &Part) -> Result<Arc<[Message]>> {
        if let Some((_, messages)) = self.known.iter().find(|(other, _)| same(other, part)) {
            return Ok(Arc::clone(messages));
        }
        let messages: Arc<[Message]> = self.found(part)?.into();
        self.known.push((part.clone(), Arc::clone(&messages)));
        Ok(messages)
    }

    /// How many messages a part has; those between domains are not made for it.
    pub(super) fn count(&mut self, part: &Part) -> Result<u64> {
        let all_pairs = |set: &Vec<u32>| (set.len() as u64).saturating_mul(set.len() as u64 - 1);
        Ok(match &part.pattern.kind {
            PatternKind::Local(pairs) if !self.symmetric => match &self.fold {
                Some(fold) => {
                    let chips = u64::from(self.context.machine.domain().chips());
                    pairs.len() as u64 / chips * u64::from(fold.classes())
                }
                None => pairs.len() as u64,
            },
            _ if self.by_site => self.messages(part)?.len() as u64,
            PatternKind::Rails(pairs) | PatternKind::NicPairs { pairs, .. } => pairs.len() as u64,
            PatternKind::Star { sets, .. } => sets.iter().map(|set| set.0.len() as u64 - 1).sum(),
            PatternKind::Exchange { sets, spread } => {
                let pairs: u64 = sets.iter().map(all_pairs).sum();
                pairs.saturating_mul(self.receivers(*spread) as u64)
            }
            _ => self.messages(part)?.len() as u64,
        })
    }

    /// To how many members of a domain each member of another sends in an exchange.
    pub(super) fn receivers(&self, spread: bool) -> usize {
        match self.context.groups {
            Groups::Grid { locals, .. } if spread => locals[0].len(),
            _ => 1,
        }
    }

    pub(super) fn link(&mut self, machine: &Machine, listed: bool, link: u64) -> u32 {
        let numbers = machine.link_numbers(link);
        let local = machine.domain().links();
        let key = match (listed, self.mixed) {
            (false, _) => LOCAL | link,
            (true, true) if link < machine.blocks().nic => LOCAL | (link % local),
            (true, _) => SINGLE | link,
        };
        self.resource(key, || numbers)
    }

    /// The NIC of a local chip of a domain, or of any of its members where they are alike.
    pub(super) fn nic(&mut self, direction: u64, domain: u32, local: Option<u32>) -> u32 {
        let nic = self.context.machine.nic();
        let numbers = nic.map_or((f64::INFINITY, 0.0), |nic| (nic.bandwidth, nic.latency));
        let place = match self.by_site {
            true => self.context.machine.site_of(domain) as u64,
            false => u64::from(domain),
        };
        let chip = local.map_or(0, |local| u64::from(local) + 1) << 33;
        self.resource(NIC | chip | direction << 32 | place, || numbers)
    }

    /// A fabric or WAN link, counted from the first fabric link, where it can hold messages up.
    pub(super) fn fabric(&mut self, link: u64) -> Option<u32> {
        let machine = self.context.machine;
        let link = machine.blocks().fabric[0] + link;
        if self.unblocking.iter().any(|links| links.contains(&link)) {
            return None;
        }
        let numbers = machine.link_numbers(link);
        let stands_for = match self.by_site {
            true => fabric_class(machine, link),
            false => link,
        };
        Some(self.resource(FABRIC | stands_for, || numbers))
    }

    /// A class of links inside a domain.
    pub(super) fn class(&mut self, class: u64, numbers: (f64, f64)) -> u32 {
        self.resource(CLASS | class, || numbers)
    }

    fn resource(&mut self, key: u64, numbers: impl FnOnce() -> (f64, f64)) -> u32 {
        if let Some(&known) = self.resources.get(&key) {
            return known;
        }
        let (capacity, latency) = numbers();
        let number = self.capacity.len() as u32;
        self.capacity.push(capacity);
        self.latency.push(latency);
        self.resources.insert(key, number);
        number
    }
}
