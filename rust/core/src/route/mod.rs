//! Which links one message takes, and which share of it each of them carries.

mod adaptive;
mod damaged;
mod message;
mod order;
mod routing;
mod valiant;
mod walk;
mod zero_load;

pub use damaged::{Lengths, RoutingReport, report_pairs, routing_reports};
pub use message::{Route, route, route_until, walk};
pub use order::{DimensionOrder, TieRule};
pub use routing::Routing;
pub use zero_load::{ZeroLoad, zero_load};

pub(crate) use adaptive::{PathBox, Scratch, Span, spread};
pub(crate) use damaged::{DomainRoutes, Overlay, Routes};
pub(crate) use order::AxisOrder;
pub(crate) use valiant::axis_segment;
pub(crate) use walk::{Run, cable_from, least_hops, outside, ring_shares, spans_below};
