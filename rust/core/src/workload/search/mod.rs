//! The best of all layouts: every one that divides, memory first, then a bound that is proven, and the exact time of
//! those alone that may be among the best or on the front of time and memory.
//!
//! - `options` what there is to choose, `space` all layouts in an order of their own, by number
//! - `table` prices of collectives, by axis and bytes, `known` those that were asked for
//! - `stages` which stages of a layout are alike; `least` the memory and the least seconds of a layout
//! - `weigh` both for all layouts; `rank` the best of them

mod known;
mod least;
mod options;
mod rank;
mod space;
mod stages;
mod table;
mod weigh;

pub use options::{Member, Options};
pub use rank::{Found, Ranking, rank};
pub use space::Space;
pub use weigh::{Candidate, Counts, Pool, Question, Weighed, weigh};
