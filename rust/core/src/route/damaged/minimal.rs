//! Shortest paths that are as short as without damage, found without a search of the whole domain.

use super::DomainRoutes;
use crate::Result;
use crate::machine::AxisKind;
use crate::memory::bytes_of;
use crate::route::walk::{cable_from, steps_ahead};
use std::collections::BTreeSet;

/// Chips between two looks at the cancel flag and at memory.
const STRETCH: usize = 1 << 10;

/// Words that a set takes for each number in it.
const SEEN_WORDS: usize = 3;

/// One chip of a path, and which of the moves from there comes next: two an axis, `+` then `-`.
struct Visit {
    chip: u32,
    next: usize,
}

impl DomainRoutes<'_> {
    /// Appends the first path, lowest axis and `+` first, all whose links live and lead nearer; nothing, and false, if
    /// there is none. Domains of rings and lines only.
    ///
    /// Depth first, and no chip twice: a chip from which no such path leads is not tried again. So it takes a step for
    /// each hop where little is broken, and no more than the box between the two ends where much is.
    pub(super) fn minimal(&self, src: u32, dst: u32, steps: &mut Vec<(u64, f64)>) -> Result<bool> {
        let start = steps.len();
        let mut seen = BTreeSet::new();
        let what = format_args!("a search of a shortest way round damage");
        let mut taken = self.control.take(0, what, "use a smaller UltraServer")?;
        let mut trail = vec![Visit { chip: src, next: 0 }];
        while let Some(visit) = trail.last_mut() {
            let here = visit.chip;
            if here == dst {
                return Ok(true);
            }
            if seen.len() % STRETCH == 0 {
                self.control.check()?;
                let bytes = bytes_of::<[u32; SEEN_WORDS]>(seen.len() as u64);
                taken.grow_to(bytes, what, "use a smaller UltraServer")?;
            }
            let (axis, backward) = (visit.next / 2, visit.next % 2 == 1);
            if axis == self.domain.axes().len() {
                trail.pop();
                // The link there, but for the source.
                steps.truncate(start + trail.len().saturating_sub(1));
                continue;
            }
            visit.next += 1;
            if !self.leads_nearer(axis, backward, here, dst) {
                continue;
            }
            let link = cable_from(self.domain, axis, backward, here);
            let there = self.neighbor(axis, backward, here);
            if !self.damage.is_dead(link) && seen.insert(there) {
                steps.push((link, 1.0));
                trail.push(Visit {
                    chip: there,
                    next: 0,
                });
            }
        }
        Ok(false)
    }

    fn leads_nearer(&self, index: usize, backward: bool, here: u32, dst: u32) -> bool {
        let axis = &self.domain.axes()[index];
        let (from, to) = (
            self.domain.coordinate(here, index),
            self.domain.coordinate(dst, index),
        );
        if from == to {
            return false;
        }
        if axis.kind == AxisKind::Ring {
            let ahead = steps_ahead(axis.size, from, to);
            let hops = if backward { axis.size - ahead } else { ahead };
            2 * u64::from(hops) <= u64::from(axis.size)
        } else {
            backward == (to < from)
        }
    }
}
