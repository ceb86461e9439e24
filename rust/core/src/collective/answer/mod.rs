//! Answers: the outcome of a request, with its values and tables.

pub(super) mod outcome;
pub(super) mod outcome_tables;
pub(super) mod rows;
pub(super) mod told;
