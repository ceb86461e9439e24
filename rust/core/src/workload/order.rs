//! Which ranks are next to each other.

use crate::error::{Error, Result};

/// The dense axes by how fast they are, the fastest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order(pub [Dense; 4]);

/// A dense axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dense {
    /// Tensor.
    Tp,
    /// Context.
    Cp,
    /// Data.
    Dp,
    /// Pipeline.
    Pp,
}

impl Default for Order {
    fn default() -> Self {
        Self([Dense::Tp, Dense::Cp, Dense::Dp, Dense::Pp])
    }
}

impl Order {
    /// The order of names that are all four, the fastest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for others.
    pub fn named(names: &[String]) -> Result<Self> {
        let of = |name: &str| match name {
            "tp" => Some(Dense::Tp),
            "cp" => Some(Dense::Cp),
            "dp" => Some(Dense::Dp),
            "pp" => Some(Dense::Pp),
            _ => None,
        };
        let found: Vec<Dense> = names.iter().filter_map(|name| of(name)).collect();
        let distinct = (0..found.len()).all(|at| !found[..at].contains(&found[at]));
        <[Dense; 4]>::try_from(found)
            .ok()
            .filter(|_| distinct && names.len() == 4)
            .map(Self)
            .ok_or_else(|| {
                let allowed = "must name tp, cp, dp and pp once each, the fastest first";
                Error::invalid("order", format!("{names:?}"), allowed)
            })
    }
}
