//! Paths between domains, over the fabric and the WAN.

use super::scene::{PathCost, Scene};
use crate::machine::groups;

/// Most tiers whose groups are told apart by a number.
const MOST_TIERS: usize = 24;

impl Scene<'_> {
    /// The path between the NICs of two domains; `visit` gets each fabric and WAN link on it, counted from the first
    /// fabric link. The same links as [`Machine::between_domains`], from tables.
    pub(crate) fn path(&self, from: u32, to: u32, mut visit: impl FnMut(usize)) -> PathCost {
        let mut cost = self.nics();
        let mut pass = |link: usize| {
            self.pass(&mut cost, link);
            visit(link);
        };
        let machine = self.machine;
        let (site, other) = (machine.site_of(from), machine.site_of(to));
        let [from, to] = [(from, site), (to, other)].map(|(domain, site)| {
            let place = domain - machine.first_domain(site);
            let tiers = machine.sites()[site].tiers.iter().zip(&self.tiers[site]);
            tiers.map(move |(tier, first)| first + 2 * (place / tier.group) as usize)
        });
        if site == other {
            for (up, down) in from.zip(to).take_while(|(up, down)| up != down) {
                pass(up);
                pass(down + 1);
            }
            return cost;
        }
        from.for_each(&mut pass);
        self.wan_path(site, other)
            .iter()
            .for_each(|&link| pass(link));
        to.for_each(|down| pass(down + 1));
        self.windowed(cost)
    }

    /// What [`Scene::path`] costs, which depends on little: the sites, the tiers that it climbs, and which groups are the
    /// last of their tier, which the end of a site may cut short.
    pub(crate) fn path_cost(&self, from: u32, to: u32) -> PathCost {
        let machine = self.machine;
        let most = machine.sites().iter().map(|site| site.tiers.len()).max();
        if self.is_fabric_damaged() || most > Some(MOST_TIERS) {
            return self.path(from, to, |_| ());
        }
        let sites = [from, to].map(|domain| machine.site_of(domain));
        let mut key = [(sites[0] * machine.sites().len() + sites[1]) as u64, 0];
        let last = |domain: u32, site: usize, group: u32| {
            let place = domain - machine.first_domain(site);
            (place / group, (machine.sites()[site].domains - 1) / group)
        };
        for (domain, site) in [(from, sites[0]), (to, sites[1])] {
            for tier in &machine.sites()[site].tiers {
                let (group, last) = last(domain, site, tier.group);
                key[1] = key[1] << 1 | u64::from(group == last);
            }
        }
        if sites[0] == sites[1] {
            let mut tiers = machine.sites()[sites[0]].tiers.iter();
            let apart = |group: u32| last(from, sites[0], group).0 != last(to, sites[0], group).0;
            let same = tiers.position(|tier| !apart(tier.group));
            key[1] = key[1] << 8 | same.map_or(0, |at| at as u64 + 1);
        }
        if let Some(known) = self.paths.borrow().get(key) {
            return known;
        }
        let cost = self.path(from, to, |_| ());
        self.paths.borrow_mut().insert(key, cost);
        cost
    }

    /// The path between two domains of a site that climbs so many tiers, on a fabric without damage. Groups of the tiers
    /// from `cut` on are cut short by the end of the site: where it begins, where it ends.
    pub(crate) fn path_inside(&self, site: usize, climb: usize, cut: (usize, usize)) -> PathCost {
        let mut cost = self.nics();
        for tier in 0..climb {
            self.pass(&mut cost, self.bundle(site, tier, cut.0));
            self.pass(&mut cost, self.bundle(site, tier, cut.1) + 1);
        }
        cost
    }

    /// The same from one site to another.
    pub(crate) fn path_between(&self, from: usize, to: usize, cut: (usize, usize)) -> PathCost {
        let mut cost = self.nics();
        let up = (0..self.tiers[from].len()).map(|tier| self.bundle(from, tier, cut.0));
        let down = (0..self.tiers[to].len()).map(|tier| self.bundle(to, tier, cut.1) + 1);
        let path = self.wan_path(from, to).iter().copied();
        up.chain(path)
            .chain(down)
            .for_each(|link| self.pass(&mut cost, link));
        self.windowed(cost)
    }

    /// A path from one site to another, with no more on the way than its window.
    fn windowed(&self, cost: PathCost) -> PathCost {
        PathCost {
            bandwidth: self.machine.windowed(cost.bandwidth, cost.latency),
            ..cost
        }
    }

    fn nics(&self) -> PathCost {
        let nic = self.machine.nic();
        let nic = nic.expect("several domains have NICs: checked at construction");
        PathCost {
            latency: 2.0 * nic.latency,
            bandwidth: nic.bandwidth,
        }
    }

    fn pass(&self, cost: &mut PathCost, link: usize) {
        cost.latency += self.fabric_latency.get(link);
        cost.bandwidth = cost.bandwidth.min(self.fabric_bandwidth.get(link));
    }

    /// The first uplink of a tier of a site; the last, where groups from that tier on are cut short.
    fn bundle(&self, site: usize, tier: usize, cut: usize) -> usize {
        let definition = &self.machine.sites()[site];
        let last = groups(&definition.tiers[tier], definition.domains) as usize - 1;
        self.tiers[site][tier] + if tier >= cut { 2 * last } else { 0 }
    }
}
