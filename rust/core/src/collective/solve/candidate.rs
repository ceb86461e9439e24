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
    pub(super) stages: Vec<Arc<StageCost>>,
    pub(super) cost: Cost,
}
