//! Which axes of a mesh belong on which dimensions of a machine.
//!
//! A **layout** cuts each dimension of the machine (an axis of the domain, domains of a fabric group, sites) into
//! factors and gives each factor to an axis of the mesh. The collectives of an axis cost what they cost on the chips
//! that the axis has then, all its groups at once; axes follow each other, so that the time of a layout is a sum over
//! axes, in which each depends only on its own **place** (steps and factors in each dimension). Few places make many
//! layouts: places are bounded by `collective::bound`, and only those are priced that may be among the best.
//!
//! - `dimension` what there is to cut, `cuts` the ways to cut it, `layout` one way to cut all of it, `space` all of them
//! - `tree` the places of one axis, `search` the best layouts by what is known of places, `price` what is known
//! - `rank` asks for the best layouts and for prices until the best are known; `order` numbers the chips of a mesh so

mod cuts;
mod dimension;
mod layout;
mod order;
mod price;
mod rank;
mod search;
mod space;
mod tree;

pub use dimension::{Dimension, dimensions};
pub use layout::{Cut, Layout, Place, groups};
pub use order::Order;
pub use rank::{Part, Ranked, Ranking, rank};
pub use space::Space;

use crate::collective::{Choice, Model, Operation, Request};
use crate::machine::Machine;
use crate::route::Routing;

/// A collective of an axis, and how often it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is done.
    pub operation: Operation,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// How often.
    pub count: u64,
}

/// What is asked: the fastest layouts of a mesh with such traffic.
pub struct Question<'a> {
    /// The machine, undamaged.
    pub machine: &'a Machine,
    /// How messages find their way.
    pub routing: &'a Routing,
    /// The collectives of each axis.
    pub calls: &'a [Vec<Call>],
    /// How many layouts are wanted.
    pub keep: usize,
    /// Which algorithm, for every collective.
    pub algorithm: &'a Choice,
    /// The orders of a bucket, for every collective.
    pub orders: &'a [(Vec<usize>, f64)],
    /// How contention is modelled.
    pub model: Model,
    /// Workers that price places; 0 for one a core.
    pub threads: usize,
}

impl Question<'_> {
    fn request(&self, call: &Call) -> Request {
        Request {
            algorithm: self.algorithm.clone(),
            model: self.model,
            orders: self.orders.to_vec(),
            ..Request::new(call.operation, call.size)
        }
    }
}
