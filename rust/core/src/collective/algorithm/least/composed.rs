//! The least of rooted operations that are made of others.

use super::Rows;
use crate::collective::algorithm::composed::{halves, symmetric_to};
use crate::collective::algorithm::extent::Extent;
use crate::collective::program::least::Least;
use crate::operation::Operation;

pub(crate) fn scatter_allgather(extent: &Extent, operation: Operation, rows: Rows) -> Least {
    let halves = halves(operation).into_iter().flatten();
    let each = halves.map(|half| fastest(extent, half, rows));
    each.reduce(Least::then).unwrap_or(Least::NOTHING)
}

pub(crate) fn symmetric(extent: &Extent, operation: Operation, rows: Rows) -> Least {
    symmetric_to(operation).map_or(Least::NOTHING, |whole| fastest(extent, whole, rows))
}

/// Of whichever algorithm it is.
fn fastest(extent: &Extent, operation: Operation, rows: Rows) -> Least {
    let parts = rows.iter().filter(|row| row.is_part(operation));
    let each = parts.map(|row| (row.least)(extent, operation, rows));
    each.reduce(Least::or).unwrap_or(Least::NOTHING)
}
