//! How an algorithm is asked for.

/// Which algorithm is to be used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The fastest of all that apply.
    Auto,
    /// The one of this name.
    Named(String),
    /// Hierarchical with one name per tier: inside domains, inside sites, between sites.
    Tiers(Vec<String>),
}

impl Choice {
    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match self {
            Self::Auto => (None, &[][..]),
            Self::Named(name) => (Some(name), &[][..]),
            Self::Tiers(names) => (None, &names[..]),
        };
        one.into_iter().chain(several).map(String::as_str)
    }
}
