//! What passes run on.

use super::pace::Pace;
use crate::workload::{Efficiency, Prices};

/// What a service runs on.
pub struct Runs<'a> {
    /// How fast ranks compute.
    pub efficiency: &'a Efficiency,
    /// How fast the stack goes beside that.
    pub pace: Pace,
    /// What collectives take.
    pub prices: &'a dyn Prices,
    /// Ranks of a chip whose collectives among each other have no price, so that what a layer takes has them; 1 for
    /// none.
    pub unpriced: u32,
}
