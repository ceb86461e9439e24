//! Tiers of switch groups: the scale-out fabric of a site, or a switch of several tiers inside a domain.
//!
//! Leaves (UltraServers of a site, chips of a switch axis) are grouped by each tier in turn; the last tier's
//! groups meet in a core that joins all. Traffic that leaves a group climbs the group's uplink bundle.
//! Packets are sprayed evenly over the equal-cost paths of a bundle, so a bundle is one link whose bandwidth
//! is the sum of its cables.

use crate::error::{Error, Result, not_negative, positive};

/// One tier of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Tier {
    /// Leaves in one group.
    pub group: u32,
    /// Bandwidth of the leaves below a group over the bandwidth of its uplinks; 1 does not block.
    pub oversubscription: f64,
    /// Seconds that one uplink or downlink adds.
    pub latency: f64,
}

/// Checks each tier, and that groups nest.
///
/// # Errors
/// [`Error::Invalid`] naming the tier.
pub(super) fn validate_tiers(tiers: &[Tier]) -> Result<()> {
    let mut below = 1;
    for (index, tier) in tiers.iter().enumerate() {
        let name = |field: &str| format!("{field} of fabric tier {}", index + 1);
        if tier.group < below || tier.group % below != 0 {
            return Err(Error::invalid(
                name("group"),
                tier.group,
                format!("must be a multiple of the tier below ({below})"),
            ));
        }
        positive(name("oversubscription"), tier.oversubscription)?;
        not_negative(name("latency"), tier.latency)?;
        below = tier.group;
    }
    Ok(())
}

/// How many tiers a message between two leaves crosses: 0 when they share the lowest group.
pub fn tiers_crossed(tiers: &[Tier], a: u32, b: u32) -> usize {
    tiers
        .iter()
        .take_while(|tier| a / tier.group != b / tier.group)
        .count()
}

/// Number of uplink bundles of each tier over `leaves` leaves.
pub(crate) fn groups(tier: &Tier, leaves: u32) -> u32 {
    leaves.div_ceil(tier.group)
}

/// Bytes/s of the uplink bundle of `group`, whose leaves bring `leaf_bandwidth` each.
pub(crate) fn bundle_bandwidth(tier: &Tier, leaves: u32, group: u32, leaf_bandwidth: f64) -> f64 {
    let first = group * tier.group;
    let members = tier.group.min(leaves - first);
    f64::from(members) * leaf_bandwidth / tier.oversubscription
}

/// Links (both directions) of all tiers over `leaves` leaves.
pub(crate) fn tier_links(tiers: &[Tier], leaves: u32) -> u64 {
    tiers
        .iter()
        .map(|tier| 2 * u64::from(groups(tier, leaves)))
        .sum()
}
