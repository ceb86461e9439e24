//! Messages as fluids: rates that share links fairly.

mod rates;

pub use rates::max_min_rates;
