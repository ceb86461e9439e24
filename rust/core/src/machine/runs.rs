//! All links in order of their numbers, as runs of equal ones: a machine has millions of links and few kinds.

use super::fabric::{bundle_bandwidth, groups};
use super::{AxisKind, LinkClass, Machine};
use crate::error::Result;
use crate::memory::{self, bytes_of};

impl Machine {
    /// Bytes/s of every link, by number.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) for more than fit into memory.
    pub fn link_bandwidths(&self) -> Result<Vec<f64>> {
        let links = self.num_links();
        let what = format_args!("the bandwidths of {links} links");
        memory::check(bytes_of::<f64>(links), what, "use a smaller machine")?;
        let mut out = Vec::with_capacity(self.num_links() as usize);
        self.for_each_link_run(|run, _, bandwidth, _| {
            out.resize(out.len() + run as usize, bandwidth)
        });
        for &(link, factor) in &self.faults.degraded {
            out[link as usize] *= factor;
        }
        Ok(out)
    }

    /// Visits links as [`Machine::for_each_link_run`] does, each slower link as a run of its own.
    pub fn for_each_rated_run(&self, mut visit: impl FnMut(u64, &LinkClass, f64, f64)) {
        let mut slower = self.faults.degraded.iter().peekable();
        let mut first: u64 = 0;
        self.for_each_link_run(|count, class, bandwidth, latency| {
            let end = first + count;
            while let Some(&(link, factor)) = slower.next_if(|entry| entry.0 < end) {
                if link > first {
                    visit(link - first, class, bandwidth, latency);
                }
                visit(1, class, bandwidth * factor, latency);
                first = link + 1;
            }
            if end > first {
                visit(end - first, class, bandwidth, latency);
            }
            first = end;
        });
    }

    /// Visits links, as if whole, in order of their numbers as runs (count, class, bandwidth, latency) of equal links.
    pub fn for_each_link_run(&self, mut visit: impl FnMut(u64, &LinkClass, f64, f64)) {
        let local = self.local_runs();
        for _ in 0..self.num_domains() {
            for (count, class, bandwidth, latency) in &local {
                visit(*count, class, *bandwidth, *latency);
            }
        }
        let Some(nic) = &self.nic else { return };
        let nics = u64::from(self.num_nics());
        visit(nics, &LinkClass::NicEgress, nic.bandwidth, nic.latency);
        visit(nics, &LinkClass::NicIngress, nic.bandwidth, nic.latency);
        for site in &self.sites {
            for (index, tier) in site.tiers.iter().enumerate() {
                for group in 0..groups(tier, site.domains) {
                    let bandwidth =
                        bundle_bandwidth(tier, site.domains, group, self.domain_nic_bandwidth());
                    visit(1, &LinkClass::FabricUp(index), bandwidth, tier.latency);
                    visit(1, &LinkClass::FabricDown(index), bandwidth, tier.latency);
                }
            }
        }
        if let Some(wan) = &self.wan {
            for index in 0..wan.links(self.sites.len()) {
                let (bandwidth, latency, _, _) = wan.link(self.sites.len(), index);
                visit(1, &LinkClass::Wan, bandwidth, latency);
            }
        }
    }

    /// Runs of equal links of one domain, in order of their local numbers.
    pub(crate) fn local_runs(&self) -> Vec<(u64, LinkClass, f64, f64)> {
        let mut runs: Vec<(u64, LinkClass, f64, f64)> = Vec::new();
        for (index, (axis, plan)) in self
            .domain
            .axes()
            .iter()
            .zip(self.domain.plans())
            .enumerate()
        {
            if let AxisKind::Switch { tiers, .. } = &axis.kind {
                let ports = 2 * u64::from(self.domain.chips());
                runs.push((ports, LinkClass::Port(index), axis.bandwidth, axis.latency));
                let (_, _, leaves) = self.domain.switch_leaf(index, 0);
                let instances = self.domain.chips() / leaves;
                for _ in 0..instances {
                    for (at, tier) in tiers.iter().enumerate() {
                        for group in 0..groups(tier, leaves) {
                            let bandwidth = bundle_bandwidth(tier, leaves, group, axis.bandwidth);
                            let class = LinkClass::SwitchTier(index, at);
                            match runs.last_mut() {
                                Some(last) if last.1 == class && last.2 == bandwidth => last.0 += 2,
                                _ => runs.push((2, class, bandwidth, tier.latency)),
                            }
                        }
                    }
                }
            } else if plan.links > 0 {
                runs.push((
                    plan.links,
                    LinkClass::Cable(index),
                    axis.bandwidth,
                    axis.latency,
                ));
            }
        }
        runs
    }
}
