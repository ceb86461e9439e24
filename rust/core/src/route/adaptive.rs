//! Minimal-adaptive routing: a message spread equally over all minimal paths.
//!
//! With r_i hops left along axis i, the number of minimal paths is the multinomial of the r_i, and the part
//! of them whose next hop is along axis i is r_i / sum(r). So shares follow by passing mass from node to node
//! through the box of remaining hops. A ring at half its size counts both ways: 2^t directions for t such axes.

use super::walk::{cable_from, least_hops, steps_ahead};
use crate::error::{Error, Result};
use crate::machine::{AxisKind, Domain, MAX_AXES};

/// Most nodes of the box between two chips.
const MOST_NODES: u64 = 1 << 24;

/// Buffers that live from message to message.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    mass: Vec<f64>,
}

/// One axis that the message still has to correct.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    axis: usize,
    from: u32,
    hops: u32,
    backward: bool,
    tie: bool,
    /// Nodes of the box between neighbours along this axis.
    step: usize,
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
    let mut all = [Span::default(); MAX_AXES];
    let mut active = 0;
    let mut nodes: u64 = 1;
    let mut ties = 0;
    for (index, axis) in domain.axes().iter().enumerate() {
        let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
        if from == to {
            continue;
        }
        let hops = least_hops(axis, from, to);
        let ring = matches!(axis.kind, AxisKind::Ring);
        let ahead = steps_ahead(axis.size, from, to);
        all[active] = Span {
            axis: index,
            from,
            hops,
            backward: if ring { ahead > hops } else { to < from },
            tie: ring && 2 * u64::from(ahead) == u64::from(axis.size),
            step: nodes as usize,
        };
        ties += u32::from(all[active].tie);
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
    let spans = &mut all[..active];
    let share = 0.5f64.powi(ties as i32);
    for combination in 0..1u32 << ties {
        let mut left = combination;
        for span in spans.iter_mut().filter(|span| span.tie) {
            span.backward = left & 1 == 1;
            left >>= 1;
        }
        scratch.mass.clear();
        scratch.mass.resize(nodes as usize, 0.0);
        scratch.mass[0] = share;
        pass_on(domain, src, spans, &mut scratch.mass, &mut visit)?;
    }
    Ok(())
}

/// Passes the mass of each node of the box to the next ones. In the order of the box every node comes after
/// those that feed it.
fn pass_on(
    domain: &Domain,
    src: u32,
    spans: &[Span],
    mass: &mut [f64],
    visit: &mut impl FnMut(u64, f64) -> Result<()>,
) -> Result<()> {
    let mut done = [0u32; MAX_AXES];
    let mut left: u64 = spans.iter().map(|span| u64::from(span.hops)).sum();
    let mut here = src;
    for node in 0..mass.len() {
        for (span, &done) in spans.iter().zip(&done) {
            if done < span.hops {
                let share = mass[node] * (f64::from(span.hops - done) / left as f64);
                mass[node + span.step] += share;
                visit(cable_from(domain, span.axis, span.backward, here), share)?;
            }
        }
        // The odometer: axis 0 of the box turns fastest.
        for (span, done) in spans.iter().zip(&mut done) {
            let was = *done;
            *done = if was == span.hops { 0 } else { was + 1 };
            left = left + u64::from(was) - u64::from(*done);
            here = moved(domain, span, here, was, *done);
            if *done > 0 {
                break;
            }
        }
    }
    Ok(())
}

/// The chip at `done` hops along `span` instead of `was`.
fn moved(domain: &Domain, span: &Span, here: u32, was: u32, done: u32) -> u32 {
    let size = u64::from(domain.axes()[span.axis].size);
    let stride = domain.plans()[span.axis].stride;
    let at = |hops: u32| {
        let ahead = if span.backward {
            size - u64::from(hops)
        } else {
            u64::from(hops)
        };
        let at = u64::from(span.from) + ahead;
        (if at >= size { at - size } else { at }) as u32
    };
    here - at(was) * stride + at(done) * stride
}
