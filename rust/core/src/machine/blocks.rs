//! Where each block of link numbers starts.

use super::{Domain, Site, Wan, tier_links};

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
    pub(super) fn new(domain: &Domain, has_nic: bool, sites: &[Site], wan: Option<&Wan>) -> Self {
        let mut first_domain = vec![0];
        let mut domains = 0;
        for site in sites {
            domains += site.domains;
            first_domain.push(domains);
        }
        let nic = u64::from(domains) * domain.links();
        let chips = u64::from(domains) * u64::from(domain.chips());
        let mut next = nic + if has_nic { 2 * chips } else { 0 };
        let mut fabric = Vec::with_capacity(sites.len());
        for site in sites {
            fabric.push(next);
            if has_nic {
                next += tier_links(&site.tiers, site.domains);
            }
        }
        let end = next + wan.map_or(0, |wan| wan.links(sites.len()));
        Self {
            first_domain,
            nic,
            fabric,
            wan: next,
            end,
        }
    }
}
