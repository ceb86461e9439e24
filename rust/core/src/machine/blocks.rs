//! Where each block of link numbers starts.

use super::{Domain, Nic, Site, Wan, tier_links};

/// First link number of each block, and first domain of each site.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blocks {
    pub(crate) first_domain: Vec<u32>,
    /// First NIC egress link; domain links lie below. Ingress links follow egress links.
    pub(crate) nic: u64,
    /// First link of each site's fabric tiers.
    pub(crate) fabric: Vec<u64>,
    /// First WAN link.
    pub(crate) wan: u64,
    /// One past the last link.
    pub(crate) end: u64,
}

impl Blocks {
    pub(super) fn new(
        domain: &Domain,
        nic: Option<&Nic>,
        sites: &[Site],
        wan: Option<&Wan>,
    ) -> Self {
        let mut first_domain = vec![0];
        let mut domains = 0;
        for site in sites {
            domains += site.domains;
            first_domain.push(domains);
        }
        let first_nic = u64::from(domains) * domain.links();
        let nics = nic.map_or(0, |nic| domain.chips() / nic.chips);
        let mut next = first_nic + 2 * u64::from(domains) * u64::from(nics);
        let mut fabric = Vec::with_capacity(sites.len());
        for site in sites {
            fabric.push(next);
            if nic.is_some() {
                next += tier_links(&site.tiers, site.domains);
            }
        }
        let end = next + wan.map_or(0, |wan| wan.links(sites.len()));
        Self {
            first_domain,
            nic: first_nic,
            fabric,
            wan: next,
            end,
        }
    }
}
