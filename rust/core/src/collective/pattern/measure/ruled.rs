//! What messages between domains by rule put on links: counted by stretches of domains and of bundles that are alike,
//! never domain by domain.

use super::fabric::{self, nic_of};
use super::row::{Row, sum, total};
use crate::Result;
use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::fabric_loads::FabricLoads;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::pairs::Pairs;
use crate::collective::pattern::rule::{Flow, Flows};
use crate::collective::pattern::scene::{PathCost, Scene};
use crate::collective::pattern::unit_cost::UnitCost;
use crate::machine::Machine;

/// Messages between domains, one for each pair of domains and member, or for each pair of NICs.
pub(super) fn rails(scene: &Scene, pairs: &Pairs, nics: Option<&[(u32, u32)]>) -> Result<UnitCost> {
    match pairs.flows() {
        Some(flows) => ruled(scene, flows, nics),
        None => fabric::rails(scene, &pairs.list(), nics),
    }
}

/// One byte on each lane of every flow: on those lanes, or on those of all members.
pub(super) fn ruled(scene: &Scene, flows: &Flows, nics: Option<&[(u32, u32)]>) -> Result<UnitCost> {
    let messages = nics.map_or(scene.members_per_domain(), |nics| nics.len() as f64);
    let row = Row::single(scene.machine.num_domains());
    let receivers: Vec<Comb> = flows.all.iter().map(Flow::receivers).collect();
    let [out, into] = match &flows.even {
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
    let between = Between::of(scene, flows);
    unit_cost.ledger.fabric = between.fabric(messages)?;
    for part in &between.parts {
        between.note(part, &mut unit_cost)?;
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

/// Domains of a site: from the first up to below the last.
fn range(machine: &Machine, site: usize) -> (i64, i64) {
    let first = i64::from(machine.first_domain(site));
    (first, first + i64::from(machine.sites()[site].domains))
}

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
        let first = (machine.blocks().wan - machine.blocks().fabric[0]) as usize;
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
        let [mut up, mut down] = [Loads::default(), Loads::default()];
        for part in here() {
            let by = if part.from == part.to {
                part.flow.by
            } else {
                group
            };
            if part.from == site {
                up.add(
                    &leaving(machine, site, tier, by).count(&part.flow.senders),
                    1.0,
                );
            }
            if part.to == site {
                // Back from where they arrive, the way is the same.
                down.add(
                    &leaving(machine, site, tier, -by).count(&part.flow.receivers()),
                    1.0,
                );
            }
        }
        [up, down]
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

/// Counts, at each group of a tier, the domains that are so near to its end that `by` further on lies outside; below
/// zero, so near to its beginning.
fn leaving(machine: &Machine, site: usize, tier: usize, by: i64) -> Row {
    let group = i64::from(machine.sites()[site].tiers[tier].group);
    let (first, last) = range(machine, site);
    let near = by.abs().min(group);
    let (low, high) = if by > 0 {
        (group - near, group)
    } else {
        (0, near)
    };
    Row {
        first,
        each: group,
        low,
        high,
        places: (last - first + group - 1) / group,
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

/// The domains of a site by the lowest tier at which their group is cut short by the end of the site; the number of
/// tiers where none is.
fn regions(machine: &Machine, site: usize) -> Vec<((i64, i64), usize)> {
    let (first, last) = range(machine, site);
    let tiers = &machine.sites()[site].tiers;
    let mut regions = Vec::new();
    let mut end = last;
    for (tier, shape) in tiers.iter().enumerate() {
        let group = i64::from(shape.group);
        let start = last - (last - first) % group;
        if start < end {
            regions.push(((start, end), tier));
            end = start;
        }
    }
    if first < end {
        regions.push(((first, end), tiers.len()));
    }
    regions
}
