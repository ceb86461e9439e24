//! Patterns: who sends to whom at the same time, on which machine and damage, and what that puts on links per byte.
//!
//! What a pattern costs is found once and scaled by bytes (`context.rs`); loads are kept as compactly as the pattern
//! that caused them (`ledger.rs`).

pub(super) mod alone;
pub(super) mod changes;
pub(super) mod comb;
pub(super) mod context;
pub(super) mod crews;
pub(super) mod damage;
pub(super) mod digits;
pub(super) mod fabric_loads;
pub(super) mod fold;
pub(super) mod halves;
pub(super) mod kind;
pub(super) mod ledger;
pub(super) mod lines;
pub(super) mod loads;
pub(super) mod measure;
pub(super) mod memo;
pub(super) mod pairs;
pub(super) mod path;
pub(super) mod rule;
pub(super) mod scene;
pub(super) mod shelf;
pub(super) mod spacing;
pub(super) mod symmetry;
pub(super) mod tiles;
pub(super) mod unit_cost;
