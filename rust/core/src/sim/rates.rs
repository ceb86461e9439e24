//! Max-min fair rates: no flow can go faster unless one that is no faster slows down (Bertsekas and Gallager,
//! Data Networks, 1992, section 6.5.2).

use super::all_rates::AllRates;
use super::ways::Ways;
use crate::Control;
use crate::error::Result;
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::route::{Overlay, Routing};

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
    let overlay = Overlay::of(machine, control)?;
    let ways = Ways::of(machine, src, dst, routing, &overlay, control)?;
    AllRates::of(machine, &ways, control)?.fill(&ways, control)
}
