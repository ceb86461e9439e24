//! A candidate for the answer of a request.

use crate::collective::ask::choice::Choice;
use crate::collective::price::cost::{Cost, StageCost};
use std::sync::Arc;

/// A choice of algorithms that can run, with its stages and cost.
pub(super) struct PricedCandidate {
    /// Its name, of a hierarchical one with the algorithm of each stage.
    pub(super) name: String,
    /// How to ask for it by name.
    pub(super) choice: Choice,
    /// The costs of its stages for one byte, and how many there are.
    pub(super) costs: Vec<Arc<StageCost>>,
    pub(super) scale: f64,
    /// Of all bytes.
    pub(super) cost: Cost,
}

impl PricedCandidate {
    /// Its stages with all bytes.
    pub(super) fn stages(&self) -> Vec<Arc<StageCost>> {
        let costs = self.costs.iter();
        costs
            .map(|cost| Arc::new(cost.scaled(self.scale)))
            .collect()
    }
}
