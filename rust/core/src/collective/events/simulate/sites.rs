//! When the domains of a site are alike: patterns in which every domain of a site sends and receives once, over as
//! many tiers of the fabric as all others there.
//!
//! Then every NIC of the site passes one message of its class, and every bundle of a tier as many as any other, so
//! that links and messages fall into classes of which each sees the others alike. Max-min fair rates are unique and
//! the same for all members of such a class.

use crate::collective::pattern::context::Context;
use crate::collective::pattern::measure::by_site;
use crate::machine::{Machine, tiers_crossed};

/// The messages of one pattern at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SiteClass {
    pub(super) site: usize,
    /// Tiers that they cross.
    pub(super) tiers: usize,
    /// One of them, as (from, to) domains.
    pub(super) example: (u32, u32),
}

/// The classes of messages between domains, one for each site, if all of them are alike there.
pub(super) fn classes(
    context: &Context,
    pairs: impl Iterator<Item = (u32, u32)>,
) -> Option<Vec<SiteClass>> {
    let machine = context.machine;
    let domains = machine.num_domains() as usize;
    let (mut sends, mut receives) = (vec![false; domains], vec![false; domains]);
    let mut found: Vec<Option<SiteClass>> = vec![None; machine.sites().len()];
    for (from, to) in pairs {
        let site = machine.site_of(from);
        let twice = std::mem::replace(&mut sends[from as usize], true)
            || std::mem::replace(&mut receives[to as usize], true);
        if twice || machine.site_of(to) != site {
            return None;
        }
        let first = machine.first_domain(site);
        let tiers = tiers_crossed(&machine.sites()[site].tiers, from - first, to - first);
        let class = found[site].get_or_insert(SiteClass {
            site,
            tiers,
            example: (from, to),
        });
        if class.tiers != tiers {
            return None;
        }
    }
    for class in found.iter().flatten() {
        let site = &machine.sites()[class.site];
        let first = machine.first_domain(class.site) as usize;
        let all = first..first + site.domains as usize;
        let whole = site.tiers[..class.tiers]
            .iter()
            .all(|tier| site.domains % tier.group == 0);
        if !whole
            || !sends[all.clone()]
                .iter()
                .chain(&receives[all])
                .all(|&takes_part| takes_part)
        {
            return None;
        }
    }
    Some(found.into_iter().flatten().collect())
}

/// True when a set of domains holds all domains of its sites, and the bundles of each tier, if there are several, as
/// many domains each.
pub(super) fn is_whole(context: &Context, set: &[u32]) -> bool {
    let machine = context.machine;
    by_site(machine, set).iter().all(|&(site, members, _)| {
        let site = &machine.sites()[site];
        members == f64::from(site.domains)
            && site
                .tiers
                .iter()
                .all(|tier| site.domains % tier.group == 0 || site.domains < tier.group)
    })
}

/// The first link of the class of a fabric or WAN link, where the domains of a site are alike: all bundles of a tier
/// in one direction; a WAN link is its own.
pub(super) fn fabric_class(machine: &Machine, link: u64) -> u64 {
    for (index, site) in machine.sites().iter().enumerate() {
        for tier in 0..site.tiers.len() {
            let first = machine.fabric_link(index, tier, 0, false);
            let beyond = first + 2 * u64::from(site.domains.div_ceil(site.tiers[tier].group));
            if (first..beyond).contains(&link) {
                return first + (link - first) % 2;
            }
        }
    }
    link
}
