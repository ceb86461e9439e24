//! Max-min fair rates: no flow can go faster unless one that is no faster slows down (Bertsekas and Gallager,
//! Data Networks, 1992, section 6.5.2).

use super::all_rates::AllRates;
use super::lines::Lines;
use super::pieces::Pieces;
use crate::Control;
use crate::error::Result;
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::route::{Overlay, Routes, Routing};

/// Links of used lines, for each link that a flow passes, above which those that flows pass are numbered one by one.
const SPARSE: u64 = 4;
/// Links that are never too many.
const FEW_LINKS: u64 = 1 << 12;

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
    machine.refuse_window()?;
    let overlay = Overlay::of(machine, control)?;
    let routes = Routes::new(machine, routing, &overlay)?;
    let mut lines = Lines::new(machine, src.len(), control)?;
    let mut pieces = Pieces::of(&routes, [src, dst], true, &mut lines, control)?;
    if lines.links > FEW_LINKS.max(SPARSE * pieces.steps) {
        // Flows pass little of long lines: link by link there are fewer to number.
        drop(pieces);
        lines = Lines::new(machine, src.len(), control)?;
        pieces = Pieces::of(&routes, [src, dst], false, &mut lines, control)?;
    }
    let (capacity, _taken) = lines.capacity(machine, control)?;
    AllRates::of(&capacity, &pieces, control)?.fill(control)
}
