//! Which axes of a mesh belong on which dimensions of a machine.
//!
//! A **layout** cuts each dimension of the machine (an axis of the domain, domains of a fabric group, sites) into
//! factors and gives each factor to an axis of the mesh. The collectives of an axis cost what they cost on the chips
//! that the axis has then, all its groups at once; axes follow each other, so that the time of a layout is a sum over
//! axes, in which each depends only on its own **place** (steps and factors in each dimension). Few places make many
//! layouts: places are bounded by `collective::bound`, and only those are priced that may be among the best.
//!
//! - `dimension` what there is to cut, `digit` what a cut is made of, `cuts` the ways to cut it, `layout` one way to cut
//!   all of it, `space` all of them
//! - `tree` the places of one axis, `search` the best layouts by what is known of places, `price` what is known,
//!   on `parts` of the machine that are as good as the whole, for places that are `alike` together
//! - `question` what is asked, `rank` asks for the best layouts and for prices until the best are known; `order`
//!   numbers the chips of a mesh as a layout, or an order of one's own, has them

mod alike;
mod cuts;
mod digit;
mod dimension;
mod layout;
mod order;
mod parts;
mod price;
mod question;
mod rank;
mod search;
mod space;
#[cfg(test)]
mod tests;
mod tree;

/// What to do where layouts do not fit.
const FEWER: &str = "keep fewer layouts, name fewer axes, or larger ones that are split afterwards";

pub use digit::{Cut, Digit, Place, Step};
pub use dimension::{Dimension, dimensions};
pub use layout::{Layout, groups};
pub use order::Order;
pub use price::Part;
pub use question::{Call, Question};
pub use rank::{Ranked, Ranking, rank};
pub use space::Space;
