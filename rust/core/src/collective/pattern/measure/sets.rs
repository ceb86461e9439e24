//! What sets of domains exchange, counted by stretches of domains and of bundles that are alike, not domain by domain.

use super::fabric::{grid, nic_of, site_bytes};
use super::row::{Row, leaving, range, sum};
use crate::Result;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::fabric_loads::FabricLoads;
use crate::collective::pattern::kind::SiteShare;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::machine::Machine;

/// The domains of a set at one site.
struct Part {
    site: usize,
    combs: Vec<Comb>,
    count: f64,
    first: u32,
    last: u32,
}

/// The domains of a set by site.
fn parts(scene: &Scene, set: &[Comb]) -> Vec<Part> {
    let machine = scene.machine;
    let mut parts = Vec::new();
    for site in 0..machine.sites().len() {
        let (low, high) = range(machine, site);
        let combs: Vec<Comb> = set.iter().flat_map(|comb| comb.within(low, high)).collect();
        let first = combs.iter().map(Comb::first).min();
        let last = combs.iter().map(Comb::end).max();
        if let (Some(first), Some(last)) = (first, last) {
            parts.push(Part {
                site,
                count: combs.iter().map(Comb::len).sum::<i64>() as f64,
                first: first as u32,
                last: last as u32 - 1,
                combs,
            });
        }
    }
    parts
}

/// How many of some domains of a site each group of a tier holds.
pub(crate) fn inside(machine: &Machine, combs: &[Comb], site: usize, tier: usize) -> Loads {
    let group = i64::from(machine.sites()[site].tiers[tier].group);
    let row = leaving(machine, site, tier, group);
    sum(row, combs.iter().map(|comb| (comb, 1.0)))
}

/// Bytes on NICs and on the links between domains.
pub(super) struct Bytes<'a> {
    pub(super) scene: &'a Scene<'a>,
    nic: [Loads; 2],
    /// By block; the WAN's by link.
    pub(super) fabric: Vec<Loads>,
    wan: Vec<f64>,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(scene: &'a Scene<'a>) -> Self {
        Self {
            scene,
            nic: [Loads::default(), Loads::default()],
            fabric: vec![Loads::default(); scene.blocks.len() - 1],
            wan: vec![0.0; scene.fabric_links() - scene.wan_start()],
        }
    }

    /// What NICs of all domains of a part send and receive.
    fn nics(&mut self, part: &Part, bytes: [f64; 2]) {
        let row = Row::single(self.scene.machine.num_domains());
        let members = sum(row, part.combs.iter().map(|comb| (comb, 1.0)));
        for (loads, bytes) in self.nic.iter_mut().zip(bytes) {
            loads.add(&members, bytes);
        }
    }

    /// What goes up and comes down at each bundle of a site, by how many domains of the part it holds.
    fn bundles(&mut self, part: &Part, bytes: impl Fn(f64) -> [f64; 2]) {
        let machine = self.scene.machine;
        for tier in 0..machine.sites()[part.site].tiers.len() {
            let inside = inside(machine, &part.combs, part.site, tier);
            let block = self.scene.block(part.site, tier);
            for direction in 0..2 {
                let bytes = inside.map(|inside| bytes(inside)[direction]);
                self.fabric[block + direction].add(&bytes, 1.0);
            }
        }
    }

    pub(super) fn wan(&mut self, from: usize, to: usize, bytes: f64) {
        let first = self.scene.wan_start();
        for &link in self.scene.wan_path(from, to) {
            self.wan[link - first] += bytes;
        }
    }

    pub(super) fn note(self, unit_cost: &mut UnitCost) {
        let mut fabric = self.fabric;
        fabric.push(self.wan.into());
        unit_cost.ledger.nic = self.nic;
        unit_cost.ledger.fabric = FabricLoads::new(&self.scene.blocks, fabric);
    }
}

/// The same as [`super::fabric::exchange`].
pub(super) fn exchange(scene: &Scene, sets: &[Vec<Comb>], spread: bool) -> Result<UnitCost> {
    let per_domain = scene.members_per_domain();
    let mut bytes = Bytes::new(scene);
    let mut unit_cost = UnitCost::default();
    let receivers = match scene.groups {
        Groups::Grid { locals, .. } if spread => locals[0].len() as f64,
        _ => 1.0,
    };
    for set in sets {
        scene.control.check()?;
        let parts = parts(scene, set);
        let members: f64 = parts.iter().map(|part| part.count).sum();
        if members < 2.0 {
            continue;
        }
        let mut note = |from: u32, to: u32| {
            let path = scene.path(from, to, |_| ());
            unit_cost.note_zero_load(path.latency, 1.0 / receivers / path.bandwidth);
        };
        for part in &parts {
            bytes.nics(part, [members - 1.0; 2]);
            bytes.bundles(part, |inside| [inside * (members - inside) * per_domain; 2]);
            // Groups of a tier are contiguous, so inside a site the two ends are as far apart as any.
            if part.count > 1.0 {
                note(part.first, part.last);
            }
            for other in parts.iter().filter(|other| other.site != part.site) {
                let crossing = part.count * other.count * per_domain;
                bytes.wan(part.site, other.site, crossing);
                note(part.first, other.first);
            }
        }
        let messages = (members - 1.0) * receivers;
        unit_cost.overhead = unit_cost.overhead.max(messages * nic_of(scene).overhead);
        unit_cost.sent = unit_cost.sent.max(members - 1.0);
    }
    bytes.note(&mut unit_cost);
    Ok(unit_cost)
}

/// The same as [`super::fabric::sites`].
pub(super) fn sites(scene: &Scene, sets: &[Vec<Comb>], share: SiteShare) -> Result<UnitCost> {
    let (local_groups, in_group) = grid(scene)?;
    let mut bytes = Bytes::new(scene);
    let mut unit_cost = UnitCost::default();
    for set in sets {
        scene.control.check()?;
        let parts = parts(scene, set);
        let seats: Vec<(usize, f64, u32)> = parts
            .iter()
            .map(|part| (part.site, part.count, part.first))
            .collect();
        let mut flow = vec![[0.0; 2]; parts.len()];
        for (a, part) in parts.iter().enumerate() {
            let mut messages = 0.0;
            for (b, other) in parts.iter().enumerate() {
                let passed = site_bytes(&seats, share, a, b);
                if passed == 0.0 {
                    continue;
                }
                flow[a][0] += passed;
                flow[b][1] += passed;
                bytes.wan(part.site, other.site, local_groups * passed);
                let path = scene.path(part.first, other.first, |_| ());
                let each = passed / (in_group * part.count.max(other.count));
                unit_cost.note_zero_load(path.latency, each / path.bandwidth);
                messages += (other.count / part.count).ceil();
            }
            unit_cost.overhead = unit_cost.overhead.max(messages * nic_of(scene).overhead);
            unit_cost.sent = unit_cost.sent.max(flow[a][0] / (in_group * part.count));
        }
        for (part, flow) in parts.iter().zip(&flow) {
            bytes.nics(part, flow.map(|flow| flow / (in_group * part.count)));
            bytes.bundles(part, |inside| {
                let share = local_groups * inside / part.count;
                flow.map(|flow| share * flow)
            });
        }
    }
    bytes.note(&mut unit_cost);
    Ok(unit_cost)
}
