//! Bandwidth and latency of a link by its number, without the words of [`Machine::link`].

use super::fabric::{bundle_bandwidth, tier_links};
use super::{AxisKind, Machine, Tier};

impl Machine {
    /// Bandwidth (bytes/s; less where the link is degraded) and latency (seconds) of link `id`. A dead link has that
    /// of a live one: nothing passes it.
    ///
    /// # Panics
    /// If `id` is not below [`Machine::num_links`].
    pub fn link_numbers(&self, id: u64) -> (f64, f64) {
        let (bandwidth, latency) = self.whole_numbers(id);
        (bandwidth * self.faults.factor(id), latency)
    }

    fn whole_numbers(&self, id: u64) -> (f64, f64) {
        let blocks = self.blocks();
        assert!(
            id < blocks.end,
            "link {id} of a machine of {} links",
            blocks.end
        );
        if id < blocks.nic {
            return self.local_numbers(id % self.domain.links());
        }
        if id < blocks.fabric[0] {
            let nic = self
                .nic
                .as_ref()
                .expect("ids of NIC links exist with NICs only");
            return (nic.bandwidth, nic.latency);
        }
        if id < blocks.wan {
            // Sites without tiers share a start with the next; the last of them owns the link.
            let site = blocks.fabric.partition_point(|&first| first <= id) - 1;
            let leaves = self.sites[site].domains;
            let (tiers, leaf) = (&self.sites[site].tiers, self.domain_nic_bandwidth());
            return bundle_numbers(tiers, leaves, leaf, id - blocks.fabric[site]);
        }
        let wan = self
            .wan
            .as_ref()
            .expect("ids of WAN links exist with a WAN only");
        let (bandwidth, latency, _, _) = wan.link(self.sites.len(), id - blocks.wan);
        (bandwidth, latency)
    }

    /// Bandwidth and latency of a local link of a whole domain.
    pub(crate) fn local_numbers(&self, local: u64) -> (f64, f64) {
        let plans = self.domain.plans();
        let index = plans
            .iter()
            .rposition(|plan| plan.first_link <= local && plan.links > 0)
            .expect("local links lie in an axis");
        let axis = &self.domain.axes()[index];
        let at = local - plans[index].first_link;
        let ports = 2 * u64::from(self.domain.chips());
        match &axis.kind {
            AxisKind::Switch { tiers, .. } if at >= ports => {
                let (_, _, leaves) = self.domain.switch_leaf(index, 0);
                let in_instance = (at - ports) % tier_links(tiers, leaves);
                bundle_numbers(tiers, leaves, axis.bandwidth, in_instance)
            }
            _ => (axis.bandwidth, axis.latency),
        }
    }
}

/// Numbers of bundle `index`, counted from the first bundle of its fabric.
fn bundle_numbers(tiers: &[Tier], leaves: u32, leaf: f64, mut index: u64) -> (f64, f64) {
    let mut tier = 0;
    while index >= tier_links(&tiers[tier..=tier], leaves) {
        index -= tier_links(&tiers[tier..=tier], leaves);
        tier += 1;
    }
    let bandwidth = bundle_bandwidth(&tiers[tier], leaves, (index / 2) as u32, leaf);
    (bandwidth, tiers[tier].latency)
}
