//! How an algorithm is asked for.

/// Which algorithm is to be used.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// The fastest of all that apply.
    Auto,
    /// The one of this name.
    Named(String),
    /// Hierarchical with one name per tier: inside domains, inside sites, between sites.
    Tiers(Vec<String>),
}
