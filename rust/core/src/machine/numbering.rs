//! Numbers of links. Every link has one integer; this file decides which, inside the blocks of `blocks.rs`.

use super::{Machine, tier_links};

impl Machine {
    /// Link number of a local link of a domain.
    #[inline(always)]
    pub(crate) fn domain_link(&self, domain: u32, local: u64) -> u64 {
        u64::from(domain) * self.domain.links() + local
    }

    /// Link number of a chip's NIC, egress or ingress, which others may share.
    #[inline(always)]
    pub(crate) fn nic_link(&self, ingress: bool, chip: u32) -> u64 {
        // Where each chip has its own, which is nearly always, nothing is divided.
        let nic = match self.chips_of_nic() {
            1 => chip,
            chips => chip / chips,
        };
        self.blocks.nic + u64::from(ingress) * u64::from(self.num_nics()) + u64::from(nic)
    }

    /// Link number of the uplink or downlink bundle of a tier's group in a site.
    pub(crate) fn fabric_link(&self, site: usize, tier: usize, group: u32, down: bool) -> u64 {
        let site_def = &self.sites[site];
        self.blocks.fabric[site]
            + tier_links(&site_def.tiers[..tier], site_def.domains)
            + 2 * u64::from(group)
            + u64::from(down)
    }

    /// Calls `visit` with each fabric and WAN link between the NICs of two domains, in travel order.
    pub(crate) fn between_domains(&self, from: u32, to: u32, mut visit: impl FnMut(u64)) {
        let (a, b) = (self.site_of(from), self.site_of(to));
        let (ups, downs) = if a == b {
            let crossed = self.tiers_crossed_between(a, from, to);
            (crossed, crossed)
        } else {
            (self.sites[a].tiers.len(), self.sites[b].tiers.len())
        };
        for tier in 0..ups {
            let group = (from - self.first_domain(a)) / self.sites[a].tiers[tier].group;
            visit(self.fabric_link(a, tier, group, false));
        }
        if a != b {
            let wan = self
                .wan
                .as_ref()
                .expect("several sites have a WAN: checked at construction");
            let (links, count) = wan.path(self.sites.len(), a, b);
            links[..count]
                .iter()
                .for_each(|link| visit(self.blocks.wan + link));
        }
        for tier in (0..downs).rev() {
            let group = (to - self.first_domain(b)) / self.sites[b].tiers[tier].group;
            visit(self.fabric_link(b, tier, group, true));
        }
    }
}
