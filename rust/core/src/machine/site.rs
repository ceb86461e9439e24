//! A site of domains, and the NICs that its fabric joins.

use super::Tier;

/// A NIC, of one chip or of several neighbours.
#[derive(Debug, Clone, PartialEq)]
pub struct Nic {
    /// Bytes/s, each direction.
    pub bandwidth: f64,
    /// Seconds that egress adds, and ingress again.
    pub latency: f64,
    /// Seconds that the sender spends on each message it starts.
    pub overhead: f64,
    /// Chips that share it: neighbours by number, in every domain as many.
    pub chips: u32,
}

/// One site: how many domains, and the fabric that joins their NICs.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Name as the user sees it.
    pub name: String,
    /// Number of domains (UltraServers).
    pub domains: u32,
    /// Fabric tiers, lowest first; leaves are domains. Empty: one switch joins the site.
    pub tiers: Vec<Tier>,
}
