//! Several collectives at once: what they cost each other.
//!
//! Two answers. By link loads (`progress.rs`), a plan that runs alone for T seconds and puts `bytes` on a link uses
//! `speed x bytes / (T x bandwidth)` of it; speeds are at most 1 and max-min fair under each link's capacity, anew
//! whenever a plan starts or ends. That needs the compact ledgers alone (`classes.rs`), at any scale. By events
//! (`events.rs`), every message of every plan is written out (`write_out.rs`) and all of them run in one fluid graph.
//!
//! Chips count too where something says what it does to them: a [`Compute`], which streams bytes through the DMA
//! engines of its chips, or a collective of Trainium's runtime. What shares the engines of a chip gets shares in the
//! proportion of its packets, because the engines serve their queues in turn, packet by packet.

mod classes;
mod events;
mod pipeline;
mod progress;
mod route_table;
mod speeds;
mod written;

pub use events::{Work, share_messages};
pub use pipeline::Pipeline;
pub use progress::{Dma, share_links};
pub use written::Written;

pub(crate) use route_table::{RouteTable, RoutedSchedule};
pub(crate) use written::{MOST_WRITTEN, or_link_load, too_many};

use crate::collective::answer::outcome::Outcome;
use crate::collective::ask::group::Groups;

/// Chips that stream bytes through their DMA engines while they compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Compute {
    /// Whose chips.
    pub groups: Groups,
    /// Seconds that it takes alone.
    pub time: f64,
    /// Bytes that each chip's HBM reads and writes meanwhile.
    pub hbm_bytes: f64,
    /// Bytes of its DMA packets.
    pub packet: f64,
}

/// What runs beside others.
#[derive(Debug, Clone, Copy)]
pub enum Plan<'a> {
    /// A collective, as it was costed alone by link loads.
    Collective(&'a Outcome),
    /// Computation.
    Compute(&'a Compute),
}

/// Where plans meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    /// Class of the link, or what it is of a chip.
    pub class: String,
    /// One link that is an example of it.
    pub link: Option<u64>,
    /// One chip, where it is a part of chips.
    pub chip: Option<u32>,
    /// The plans that use it, ascending.
    pub plans: Vec<usize>,
}

/// One plan among others. Times are seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// Alone.
    pub alone: f64,
    /// From its start to its end.
    pub time: f64,
    /// When it starts.
    pub start: f64,
    /// When it ends.
    pub finish: f64,
    /// What slows it most, if anything does.
    pub slowed_by: Option<Meeting>,
}

/// All plans, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// The plans.
    pub plans: Vec<Shared>,
    /// When the last one ends.
    pub makespan: f64,
    /// Seconds that the busiest link is busy with the bytes of all plans.
    pub busiest: f64,
    /// That link, if there are bytes.
    pub bottleneck: Option<Meeting>,
    /// Messages that were simulated; 0 by link loads.
    pub messages: usize,
}
