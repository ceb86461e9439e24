//! What messages between domains by rule put on links: counted by stretches of domains and of bundles that are alike,
//! never domain by domain.

use super::fabric::{self, nic_of};
use super::row::{Row, added, leaving, range, regions, sum, total};
use super::star;
use crate::Result;
use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::fabric_loads::FabricLoads;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::pairs::Pairs;
use crate::collective::pattern::rule::{Flow, Rule};
use crate::collective::pattern::scene::{PathCost, Scene};
use crate::collective::pattern::spacing::{Flows, Spacing};
use crate::collective::pattern::unit_cost::UnitCost;
use crate::machine::Machine;

/// Messages of a list that are looked at in the time of one flow of a rule.
const LISTED: usize = 64;

/// Messages between domains, one for each pair of domains and member, or for each pair of NICs.
pub(super) fn rails(scene: &Scene, pairs: &Pairs, nics: Option<&[(u32, u32)]>) -> Result<UnitCost> {
    let listed = pairs.len().max(scene.machine.num_domains() as usize);
    match pairs.flows() {
        Some(flows) if listed > LISTED * flows.all.len() => ruled(scene, flows, nics),
        _ => fabric::rails(scene, &pairs.list(), nics),
    }
}

/// One byte on each lane of every flow: on those lanes, or on those of all members.
pub(super) fn ruled(scene: &Scene, flows: &Flows, nics: Option<&[(u32, u32)]>) -> Result<UnitCost> {
    let messages = nics.map_or(scene.members_per_domain(), |nics| nics.len() as f64);
    let row = Row::single(scene.machine.num_domains());
    let receivers: Vec<Comb> = flows.all.iter().map(Flow::receivers).collect();
    let [out, into] = match &flows.even {
        _ if !flows.stars.is_empty() => {
            let [roots, leaves] = star::ends(scene, &flows.stars);
            flows.stars[0].directed(roots, leaves).into()
        }
        Some((members, each)) => {
            let all = sum(row, members.iter().map(|comb| (comb, f64::from(*each))));
            [all.clone(), all]
        }
        None => [
            sum(row, flows.all.iter().map(|flow| (&flow.senders, 1.0))),
            sum(row, receivers.iter().map(|comb| (comb, 1.0))),
        ],
    };
    let mut unit_cost = UnitCost {
        sent: out.peak(&Loads::default(), |value, _| value).1,
        ..UnitCost::default()
    };
    unit_cost.overhead = unit_cost.sent * nic_of(scene).overhead;
    if flows.stars.is_empty() {
        let between = Between::of(scene, flows);
        unit_cost.ledger.fabric = between.fabric(messages)?;
        for part in &between.parts {
            between.note(part, &mut unit_cost)?;
        }
    } else {
        star::fabric(scene, &flows.stars, messages, &mut unit_cost)?;
    }
    match nics {
        None => unit_cost.ledger.nic = [out, into],
        Some(nics) => {
            for &(from, to) in nics {
                unit_cost.ledger.single_nics[0].insert(from, out.clone());
                unit_cost.ledger.single_nics[1].insert(to, into.clone());
            }
        }
    }
    Ok(unit_cost)
}

/// Seconds of latency of all messages of a rule in one group of domains, one after another; `None` where the group is
/// not that simple.
pub(crate) fn total_latency(scene: &Scene, rule: &Rule, spacing: &Spacing) -> Option<f64> {
    let flows = Flows::new(rule, spacing)?;
    let mut total = 0.0;
    for part in Between::of(scene, &flows).parts {
        let count = part.flow.senders.len();
        if part.from != part.to {
            total += count as f64 * scene.path_between(part.from, part.to, NONE_CUT).latency;
            continue;
        }
        let mut left = count;
        for climb in 0..=scene.machine.sites()[part.from].tiers.len() {
            let on = crossing(scene.machine, &part.flow, part.from, climb);
            let latency = scene.path_inside(part.from, climb, NONE_CUT).latency;
            total += (left - on) as f64 * latency;
            left = on;
        }
    }
    Some(total)
}

/// As far as latency goes, groups are alike that are cut short and that are not.
const NONE_CUT: (usize, usize) = (usize::MAX, usize::MAX);

/// Messages between domains, each of one byte a lane.
struct Between<'a> {
    scene: &'a Scene<'a>,
    flows: &'a Flows,
    parts: Vec<Part>,
}

/// A flow from one site to another, or within one.
struct Part {
    from: usize,
    to: usize,
    flow: Flow,
}

impl<'a> Between<'a> {
    fn of(scene: &'a Scene, flows: &'a Flows) -> Self {
        let machine = scene.machine;
        let site = |domain: i64| machine.site_of(domain as u32);
        let mut parts = Vec::new();
        for flow in &flows.all {
            let (first, last) = (flow.senders.first(), flow.senders.end() - 1);
            for from in site(first)..=site(last) {
                for to in site(first + flow.by)..=site(last + flow.by) {
                    let cut = flow.within(range(machine, from), range(machine, to));
                    parts.extend(cut.into_iter().map(|flow| Part { from, to, flow }));
                }
            }
        }
        Self {
            scene,
            flows,
            parts,
        }
    }

    /// Bytes on fabric and WAN links, with so many messages between two domains.
    fn fabric(&self, messages: f64) -> Result<FabricLoads> {
        let (scene, machine) = (self.scene, self.scene.machine);
        let mut blocks = Vec::with_capacity(scene.blocks.len());
        for (site, definition) in machine.sites().iter().enumerate() {
            scene.control.check()?;
            for tier in 0..definition.tiers.len() {
                for loads in self.tier(site, tier) {
                    let mut bytes = Loads::default();
                    bytes.add(&loads, messages);
                    blocks.push(bytes);
                }
            }
        }
        let first = scene.wan_start();
        let mut wan = vec![0.0; scene.fabric_links() - first];
        for part in self.parts.iter().filter(|part| part.from != part.to) {
            for &link in scene.wan_path(part.from, part.to) {
                wan[link - first] += messages * part.flow.senders.len() as f64;
            }
        }
        blocks.push(wan.into());
        Ok(FabricLoads::new(&scene.blocks, blocks))
    }

    /// How many messages go up and come down at each bundle of a tier.
    fn tier(&self, site: usize, tier: usize) -> [Loads; 2] {
        let machine = self.scene.machine;
        let group = i64::from(machine.sites()[site].tiers[tier].group);
        let (first, last) = range(machine, site);
        let here = || {
            self.parts
                .iter()
                .filter(|part| part.from == site || part.to == site)
        };
        let leave = |part: &Part| part.from != part.to || part.flow.by.abs() >= group;
        if let (Some((members, each)), true) = (&self.flows.even, here().all(leave)) {
            let own: Vec<Comb> = members
                .iter()
                .flat_map(|comb| comb.within(first, last))
                .collect();
            let whole = leaving(machine, site, tier, group);
            let all = sum(whole, own.iter().map(|comb| (comb, f64::from(*each))));
            return [all.clone(), all];
        }
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for part in here() {
            let by = if part.from == part.to {
                part.flow.by
            } else {
                group
            };
            if part.from == site {
                up.push(leaving(machine, site, tier, by).count(&part.flow.senders));
            }
            if part.to == site {
                // Back from where they arrive, the path is the same.
                down.push(leaving(machine, site, tier, -by).count(&part.flow.receivers()));
            }
        }
        [added(up), added(down)]
    }

    /// Notes how long the messages of a part take alone: alike are those that climb as many tiers, from and to groups
    /// that are whole or cut short alike.
    fn note(&self, part: &Part, unit_cost: &mut UnitCost) -> Result<()> {
        let (scene, machine) = (self.scene, self.scene.machine);
        let mut note =
            |cost: PathCost| unit_cost.note_zero_load(cost.latency, 1.0 / cost.bandwidth);
        if scene.is_fabric_damaged() {
            for from in part.flow.senders.list() {
                scene.control.check()?;
                note(scene.path(from as u32, (from + part.flow.by) as u32, |_| ()));
            }
            return Ok(());
        }
        let (starts, ends) = (regions(machine, part.from), regions(machine, part.to));
        for &(from, cut) in &starts {
            for &(to, other_cut) in &ends {
                for flow in part.flow.within(from, to) {
                    let cut = (cut, other_cut);
                    if part.from != part.to {
                        note(scene.path_between(part.from, part.to, cut));
                        continue;
                    }
                    let mut left = flow.senders.len();
                    for climb in 0..=machine.sites()[part.from].tiers.len() {
                        let on = crossing(machine, &flow, part.from, climb);
                        if left > on {
                            note(scene.path_inside(part.from, climb, cut));
                        }
                        left = on;
                    }
                }
            }
        }
        Ok(())
    }
}

/// How many messages of a flow inside a site leave their groups of a tier; none leaves the site.
fn crossing(machine: &Machine, flow: &Flow, site: usize, tier: usize) -> i64 {
    let Some(shape) = machine.sites()[site].tiers.get(tier) else {
        return 0;
    };
    if flow.by.abs() >= i64::from(shape.group) {
        return flow.senders.len();
    }
    total(&leaving(machine, site, tier, flow.by).count(&flow.senders)) as i64
}
