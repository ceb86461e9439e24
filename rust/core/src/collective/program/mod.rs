//! What algorithms write: stages of phases of patterns, where their ranks sit, and what their messages carry.

pub(super) mod alternatives;
pub(super) mod layout;
pub(super) mod least;
pub(super) mod moves;
pub(super) mod placement;
pub(super) mod rank_map;
pub(super) mod schedule;
