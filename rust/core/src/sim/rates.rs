//! Max-min fair rates: no flow can go faster unless one that is no faster slows down (Bertsekas and Gallager,
//! Data Networks, 1992, section 6.5.2).

use super::fluid::Shares;
use super::messages::Paths;
use crate::Control;
use crate::error::Result;
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::route::Routing;

/// Bytes/s of each flow when all run at once and share every link fairly; infinite for a chip that sends to itself. A
/// flow that is spread over several links loads each with its share of the rate.
///
/// Sequential and the same to the bit each time. About O(hops log links) for a flow.
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) for chips outside the machine,
/// [`Error::Invalid`](crate::Error::Invalid) for columns of different lengths, those of [`Routing::check`] and
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn max_min_rates(
    machine: &Machine,
    src: IndexColumn,
    dst: IndexColumn,
    routing: &Routing,
    control: &Control,
) -> Result<Vec<f64>> {
    let paths = Paths::of(machine, src, dst, routing, false, control)?;
    let (graph, _, _taken) = paths.into_graph(machine, control)?;
    let flows = graph.flows.len() as u32;
    let mut shares = Shares::of(&graph, control)?;
    shares.start_all(control)?;
    shares.update(control)?;
    Ok((0..flows).map(|flow| shares.rate(flow)).collect())
}
