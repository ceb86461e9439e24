//! What a program costs by link loads, and what no program beats.

pub(super) mod bound;
pub(super) mod cost;
pub(super) mod phase_cost;
pub(super) mod priced;
pub(super) mod ring;
pub(super) mod sheet;
pub(super) mod track;
