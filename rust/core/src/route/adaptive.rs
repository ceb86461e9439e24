//! Minimal-adaptive routing: a message spread equally over all minimal paths.
//!
//! With r_i hops left along axis i, the number of minimal paths is the multinomial of the r_i, and the part
//! of them whose next hop is along axis i is r_i / sum(r). So shares follow by passing mass from node to node
//! through the box of remaining hops. A ring at half its size counts both ways: 2^t directions for t such axes.

use super::walk::{cable_from, least_hops, steps_ahead};
use crate::error::{Error, Result};
use crate::machine::{AxisKind, Domain, MAX_AXES};
use crate::memory::bytes_of;
use std::cell::Cell;

/// Most nodes of the box between two chips.
const MOST_NODES: u64 = 1 << 24;

/// Buffers that live from message to message.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Share of the message that passes each node.
    mass: Vec<f64>,
    /// Hops left after none, one, ...
    left: Vec<f64>,
    /// Shares of the links of one row.
    row: Vec<f64>,
}

impl Scratch {
    /// Makes them those of a message at the first node of its box.
    fn fit(&mut self, path_box: &PathBox) {
        let [nodes, hops, width] = path_box.extent();
        self.mass.clear();
        self.mass.reserve_exact(nodes);
        self.mass.resize(nodes, 0.0);
        self.mass[0] = 0.5f64.powi(path_box.ties as i32);
        self.left.clear();
        self.left.reserve_exact(hops + 1);
        self.left.extend((0..=hops as u32).rev().map(f64::from));
        self.row.clear();
        self.row.reserve_exact(width);
        self.row.resize(width, 0.0);
    }
}

/// One axis that the message still has to correct.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) axis: usize,
    pub(crate) from: u32,
    pub(crate) hops: u32,
    pub(crate) backward: bool,
    tie: bool,
    /// Nodes of the box between neighbours along this axis.
    step: usize,
}

impl Span {
    /// Coordinate after so many hops.
    pub(crate) fn at(&self, domain: &Domain, hops: u32) -> u32 {
        let size = u64::from(domain.axes()[self.axis].size);
        let ahead = if self.backward {
            size - u64::from(hops)
        } else {
            u64::from(hops)
        };
        let at = u64::from(self.from) + ahead;
        (if at >= size { at - size } else { at }) as u32
    }
}

/// The box of minimal paths between two chips of a domain of rings and lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathBox {
    spans: [Span; MAX_AXES],
    active: usize,
    /// Chips in the box.
    pub(crate) nodes: usize,
    ties: u32,
}

impl PathBox {
    /// # Errors
    /// [`Error::Unsupported`] for more than 2^24 nodes.
    pub(crate) fn between(domain: &Domain, src: u32, dst: u32) -> Result<Self> {
        let mut spans = [Span::default(); MAX_AXES];
        let (mut active, mut nodes, mut ties) = (0, 1u64, 0);
        for (index, axis) in domain.axes().iter().enumerate() {
            let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
            if from == to {
                continue;
            }
            let hops = least_hops(axis, from, to);
            let ring = matches!(axis.kind, AxisKind::Ring);
            let ahead = steps_ahead(axis.size, from, to);
            spans[active] = Span {
                axis: index,
                from,
                hops,
                backward: if ring { ahead > hops } else { to < from },
                tie: ring && 2 * u64::from(ahead) == u64::from(axis.size),
                step: nodes as usize,
            };
            ties += u32::from(spans[active].tie);
            active += 1;
            nodes *= u64::from(hops) + 1;
            if nodes > MOST_NODES {
                return Err(Error::unsupported(
                    format!(
                        "minimal adaptive routing over more than {MOST_NODES} chips between two ends"
                    ),
                    "use dimension order (\"dor\")",
                ));
            }
        }
        Ok(Self {
            spans,
            active,
            nodes: nodes as usize,
            ties,
        })
    }

    /// The axes to correct, lowest first.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans[..self.active]
    }

    /// Links of the box that run along one of its axes.
    pub(crate) fn links(&self, span: &Span) -> usize {
        self.nodes / (span.hops as usize + 1) * span.hops as usize
    }

    /// Nodes, hops from end to end, and nodes of a row along the first span.
    fn extent(&self) -> [usize; 3] {
        let hops = |span: &Span| span.hops as usize;
        let width = self.spans().first().map_or(0, hops) + 1;
        [self.nodes, self.spans().iter().map(hops).sum(), width]
    }

    /// Bytes of the buffers at most, both copies where one moves.
    pub(crate) fn scratch_bytes(&self) -> u64 {
        let numbers: usize = self.extent().iter().sum();
        bytes_of::<f64>(2 * (numbers as u64 + 1))
    }

    /// Combinations of directions that share the message equally.
    pub(crate) fn combinations(&self) -> u32 {
        1 << self.ties
    }

    /// Takes the directions of one combination.
    pub(crate) fn take_directions(&mut self, combination: u32) {
        let mut left = combination;
        for span in self.spans[..self.active].iter_mut().filter(|span| span.tie) {
            span.backward = left & 1 == 1;
            left >>= 1;
        }
    }

    /// Passes the mass of each node of the box to the next ones, that of one combination of directions, by rows along
    /// the first span. `visit` gets the place of the span that some links run along and their shares, one for each
    /// node of a row that has such a link, in the order of the box; `turned` the hops done along a span before and
    /// after each change between two rows.
    ///
    /// # Errors
    /// The first of `visit`.
    pub(crate) fn pass_on(
        &self,
        scratch: &mut Scratch,
        mut visit: impl FnMut(usize, &[f64]) -> Result<()>,
        mut turned: impl FnMut(&Span, u32, u32),
    ) -> Result<()> {
        let Some((first, others)) = self.spans().split_first() else {
            return Ok(());
        };
        let width = first.hops as usize + 1;
        scratch.fit(self);
        let Scratch { mass, left, row } = scratch;
        let mut done = [0u32; MAX_AXES];
        // In the order of the box every node comes after those that feed it.
        for start in (0..self.nodes).step_by(width) {
            let (here, later) = mass[start..].split_at_mut(width);
            let gone: u32 = done[..others.len()].iter().sum();
            let left = &left[gone as usize..][..width];
            let mut passing = here[0];
            for node in 0..width - 1 {
                row[node] = passing * (f64::from(first.hops - node as u32) / left[node]);
                passing = here[node + 1] + row[node];
                here[node + 1] = passing;
            }
            visit(0, &row[..width - 1])?;
            for (place, (span, &done)) in others.iter().zip(&done).enumerate() {
                if done < span.hops {
                    let ahead = f64::from(span.hops - done);
                    let next = &mut later[span.step - width..][..width];
                    for (((share, next), &mass), left) in
                        row.iter_mut().zip(next).zip(&*here).zip(left)
                    {
                        *share = mass * (ahead / left);
                        *next += *share;
                    }
                    visit(place + 1, row)?;
                }
            }
            // The odometer of rows: the lowest axis turns fastest.
            for (span, done) in others.iter().zip(&mut done) {
                let was = *done;
                *done = if was == span.hops { 0 } else { was + 1 };
                turned(span, was, *done);
                if *done > 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Calls `visit` with local links of a domain of rings and lines and the share each carries, possibly several
/// times for a link. Stops at the first error of `visit`.
///
/// # Errors
/// [`Error::Unsupported`] for more than 2^24 nodes between the two chips, and those of `visit`.
pub(crate) fn spread(
    domain: &Domain,
    src: u32,
    dst: u32,
    scratch: &mut Scratch,
    mut visit: impl FnMut(u64, f64) -> Result<()>,
) -> Result<()> {
    let mut path_box = PathBox::between(domain, src, dst)?;
    for combination in 0..path_box.combinations() {
        path_box.take_directions(combination);
        let here = Cell::new(src);
        path_box.pass_on(
            scratch,
            |place, shares| {
                let (first, span) = (&path_box.spans()[0], &path_box.spans()[place]);
                let stride = domain.plans()[first.axis].stride;
                let start = here.get() - first.from * stride;
                shares.iter().zip(0..).try_for_each(|(&share, hops)| {
                    let chip = start + first.at(domain, hops) * stride;
                    visit(cable_from(domain, span.axis, span.backward, chip), share)
                })
            },
            |span, was, done| {
                let stride = domain.plans()[span.axis].stride;
                let moved = here.get() - span.at(domain, was) * stride;
                here.set(moved + span.at(domain, done) * stride);
            },
        )?;
    }
    Ok(())
}
