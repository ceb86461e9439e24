//! What is asked: the operation and its numbers, who takes part, by which cost model, and which algorithms to take.

pub(super) mod choice;
pub(super) mod group;
pub(super) mod model;
pub(super) mod request;
