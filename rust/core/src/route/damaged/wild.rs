//! Wild-first routing, as TPU v4 goes round broken optical switches: a non-minimal hop first, then dimension order.
//!
//! Zu et al., "Resiliency at Scale: Managing Google's TPUv4 Machine Learning Supercomputer", NSDI 2024.

use super::DomainRoutes;
use crate::Result;
use crate::machine::AxisKind;
use crate::memory::bytes_of;
use crate::route::walk::{cable_from, crossing};

/// A chip that wild hops reach.
struct Reached {
    chip: u32,
    /// Place in the list of the chip before.
    before: usize,
    links: Vec<u64>,
    /// Links from the source on.
    length: usize,
}

/// Appends the links that lead to what was reached at a place.
fn retrace(reached: &[Reached], at: usize, steps: &mut Vec<(u64, f64)>) {
    let mut trail = vec![at];
    while reached[trail[trail.len() - 1]].length > 0 {
        trail.push(reached[trail[trail.len() - 1]].before);
    }
    for &at in trail.iter().rev() {
        steps.extend(reached[at].links.iter().map(|&link| (link, 1.0)));
    }
}

impl DomainRoutes<'_> {
    /// Appends the path with the fewest wild hops, of those the shortest, of those the one whose wild hops take the
    /// lowest axis, `+` before `-`. Returns how many hops are wild; `None`, with nothing appended, if there is no path.
    pub(super) fn wild_first(
        &self,
        src: u32,
        dst: u32,
        steps: &mut Vec<(u64, f64)>,
    ) -> Result<Option<usize>> {
        let chips = u64::from(self.domain.chips());
        let what = format_args!("wild hops in an UltraServer of {chips} chips");
        let instead = "use a smaller UltraServer, or other routing";
        let mut taken = self.control.take(chips, what, instead)?;
        let mut reached = vec![Reached {
            chip: src,
            before: 0,
            links: Vec::new(),
            length: 0,
        }];
        let mut seen = vec![false; self.domain.chips() as usize];
        seen[src as usize] = true;
        let (mut level, mut hops) = (0..1, 0);
        let start = steps.len();
        while !level.is_empty() {
            let mut best: Option<(usize, usize)> = None;
            for at in level.clone() {
                let chip = reached[at].chip;
                self.control.check()?;
                if self.in_order(self.to_correct(chip, dst).list(), chip, dst, steps) {
                    let ordered: f64 = steps[start..].iter().map(|step| step.1).sum();
                    let length = reached[at].length + ordered as usize;
                    if best.is_none_or(|best| length < best.0) {
                        best = Some((length, at));
                    }
                    steps.truncate(start);
                }
            }
            if let Some((_, at)) = best {
                retrace(&reached, at, steps);
                let chip = reached[at].chip;
                self.in_order(self.to_correct(chip, dst).list(), chip, dst, steps);
                return Ok(Some(hops));
            }
            let next = level.end;
            for before in level {
                self.control.check()?;
                let lists = bytes_of::<[Reached; 2]>(2 * reached.len() as u64);
                taken.grow_to(chips + lists, what, instead)?;
                let (here, length) = (reached[before].chip, reached[before].length);
                self.hops_from(here, |chip, links| {
                    if !std::mem::replace(&mut seen[chip as usize], true) {
                        reached.push(Reached {
                            chip,
                            before,
                            length: length + links.len(),
                            links,
                        });
                    }
                });
            }
            level = next..reached.len();
            hops += 1;
        }
        Ok(None)
    }

    /// Calls `visit` with each chip one live hop away, and the links there: cables, or one crossing of a switch.
    fn hops_from(&self, here: u32, mut visit: impl FnMut(u32, Vec<u64>)) {
        let domain = self.domain;
        let mut offer = |chip: u32, links: Vec<u64>| {
            if links.iter().all(|&link| !self.damage.is_dead(link)) {
                visit(chip, links);
            }
        };
        for (index, axis) in domain.axes().iter().enumerate() {
            let at = domain.coordinate(here, index);
            let (stride, size) = (domain.plans()[index].stride, axis.size);
            match &axis.kind {
                _ if size == 1 && !crate::route::spans_below(axis) => {}
                AxisKind::Ring | AxisKind::Line => {
                    for backward in [false, true] {
                        let end = if backward { 0 } else { size - 1 };
                        if axis.kind == AxisKind::Ring || at != end {
                            let link = cable_from(domain, index, backward, here);
                            offer(self.neighbor(index, backward, here), vec![link]);
                        }
                    }
                }
                AxisKind::FullMesh => {
                    for to in (0..size).filter(|&to| to != at) {
                        let link = domain.mesh_link(index, here, at, to);
                        offer(here - at * stride + to * stride, vec![link]);
                    }
                }
                AxisKind::Switch { spans_below, tiers } => {
                    let block = stride * size;
                    let (base, step, count) = if *spans_below {
                        (here / block * block, 1, block)
                    } else {
                        (here - at * stride, stride, size)
                    };
                    for chip in (0..count).map(|to| base + to * step) {
                        if chip != here {
                            let mut links = Vec::new();
                            crossing(domain, index, tiers, here, chip, |link| links.push(link));
                            offer(chip, links);
                        }
                    }
                }
            }
        }
    }
}
