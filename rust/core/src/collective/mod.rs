//! Collectives: who takes part, which schedules an algorithm makes, what they cost, what nothing can beat.
//!
//! # Words
//!
//! - **rank**: number of a member in its group, or of whoever an algorithm counts: a `RankMap` says who has which.
//! - **group**: who runs one collective (a communicator); groups of one request are disjoint and equally large.
//! - **domain**: chips joined by the links of one scale-up network, an UltraServer; a **local chip** is one by its
//!   number inside.
//! - **substitute**: the live chip that takes the rank of a dead one.
//! - **pattern**: who sends to whom at the same time, one byte a message; its **unit cost** is scaled by bytes.
//! - **rail**: the members at one place of every domain, joined by their NICs; a **NIC pair** is one sender and one
//!   receiver of it.
//! - **crew**: the ranks of one group in one domain, of groups that have other chips in one than in another.
//! - **stage**: what runs on one tier of the machine; stages follow each other.
//! - **track**: a chain of phases; tracks of a stage run side by side, each on a part of the data.
//! - **phase**: **parts** that run at the same time, each a pattern with its bytes: so many **steps** that wait for
//!   each other, or a **wave**, a pipeline all of which is busy at once.
//! - **moves**: what the messages of a part carry, for schedules that are written out or simulated.
//! - **slice**: a part of the data that takes links of its own, such as one direction of a ring; of each slice a rank
//!   has a **share**; a slice's share is a **block**.
//! - **lane**: messages that wait for each other from step to step, rank by rank; lanes do not.
//! - **chunk**: a cut of all data, which follows the one before through the stages; a **piece** is one of a track's
//!   data, through its phases.
//! - **placement**: over what an algorithm runs: chips of a domain, domains on all rails or on single NICs, listed
//!   chips.
//! - **class**: domains with the same damage, or links with the same load, looked at once.
//! - **ledger**: bytes on links, by domain, NIC, fabric link; **loads** are kept as **runs**, stretches of equal
//!   values.
//! - **zero load**: what a message takes on an idle machine: latency, and seconds per byte of its narrowest link.
//! - **scene**: the machine, groups, routing and damage of one call, which all that price it look at.
//! - **candidate**: one choice of algorithms with its stages and cost; the fastest is the answer.
//! - **solver**: what answers a request: the search among algorithms, or a model of its own.

mod algorithm;
mod answer;
mod ask;
mod events;
mod keeper;
mod monte_carlo;
mod pattern;
mod prepared;
mod price;
mod program;
mod question;
mod run;
mod solve;
mod store;
mod tables;
mod vector;
mod write_out;

pub use crate::operation::Operation;
pub use algorithm::{ALGORITHMS, Algorithm};
pub use answer::outcome::{Bottleneck, Candidate, Outcome};
pub use answer::outcome_tables::Tables;
pub use answer::rows::Row;
pub use ask::choice::Choice;
pub use ask::group::{Groups, MOST_DOMAIN_CHIPS};
pub use ask::model::Model;
pub use ask::request::{MOST_BYTES, Request};
pub use events::run_schedule::{message_times, run_schedule};
pub use events::together;
pub use keeper::Keeper;
pub use monte_carlo::{Draw, Trial};
pub(crate) use pattern::context::Shelf;
pub use prepared::{Prepared, Times};
pub use price::bound::Bound;
pub use run::{candidates, run, schedule};
pub(crate) use run::{least_time, time as seconds, unbounded};
pub(crate) use solve::is_bounded;
pub use solve::{SOLVERS, Solver, algorithms};
pub use store::kept;
pub use tables::{Column, Fact, Facts, Table};
pub use vector::{Vector, vector};
pub use write_out::write_out;
