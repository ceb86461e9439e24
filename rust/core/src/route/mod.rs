//! Which links one message takes, and which share of it each of them carries.

mod adaptive;
mod alone;
mod damaged;
mod message;
mod order;
mod routing;
mod valiant;
mod walk;

pub use alone::{Alone, alone};
pub use damaged::{Lengths, RoutingReport, report_pairs, routing_reports};
pub use message::{Route, route, route_until, walk};
pub use order::{DimensionOrder, TieRule};
pub use routing::Routing;

pub(crate) use adaptive::{Scratch, spread};
pub(crate) use damaged::{DomainRoutes, Overlay, Routes};
pub(crate) use order::AxisOrder;
pub(crate) use valiant::leg;
pub(crate) use walk::{cable_from, outside, ring_shares, spans_below};
