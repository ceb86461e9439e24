//! Chips of a domain that a pattern cannot tell apart: moving all messages along an axis by a period gives the same
//! messages again.

use super::symmetry::Places;
use crate::machine::{AxisKind, Domain};
use crate::memory::bytes_of;
use crate::{Control, Result};

/// Most messages of each chip of a pattern that is looked at.
const MOST_EACH: usize = 8;

/// Messages between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// The period of a pattern along each axis of a domain that looks the same from each chip. One chip stands for all that
/// lie whole periods away, and one link for theirs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fold(Vec<u32>);

impl Fold {
    /// The shortest periods; `None` where chips send unlike numbers of messages, or many.
    pub(crate) fn of(
        domain: &Domain,
        pairs: impl ExactSizeIterator<Item = (u32, u32)>,
        control: &Control,
    ) -> Result<Option<Self>> {
        let chips = domain.chips() as usize;
        let each = pairs.len() / chips;
        if each == 0 || pairs.len() % chips != 0 || each > MOST_EACH {
            return Ok(None);
        }
        let numbers = (pairs.len() + chips * (1 + domain.axes().len())) as u64;
        let what = format_args!("the distances of the messages of {chips} chips");
        let _taken = control.take(bytes_of::<u32>(numbers), what, "use smaller UltraServers")?;
        let places = Places::of(domain);
        let (mut sent, mut counts) = (vec![0; pairs.len()], vec![0; chips]);
        for (at, (from, to)) in pairs.enumerate() {
            if at % STRETCH == 0 {
                control.check()?;
            }
            let count: &mut usize = &mut counts[from as usize];
            if *count == each {
                return Ok(None);
            }
            sent[from as usize * each + *count] = places.distance(from, to);
            *count += 1;
        }
        sent.chunks_mut(each).for_each(<[u32]>::sort_unstable);
        let mut periods = Vec::with_capacity(domain.axes().len());
        for axis in 0..domain.axes().len() {
            control.check()?;
            periods.push(period(domain, axis, &sent, each));
        }
        Ok(Some(Self(periods)))
    }

    /// The shortest periods of two patterns together.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let both = self.0.iter().zip(&other.0);
        Self(both.map(|(&a, &b)| a / common(a, b) * b).collect())
    }

    /// How many chips are told apart.
    pub(crate) fn classes(&self) -> u32 {
        self.0.iter().product()
    }

    /// The chip that stands for a chip.
    pub(crate) fn chip(&self, domain: &Domain, chip: u32) -> u32 {
        let axes = self.0.iter().zip(domain.plans()).enumerate();
        let places =
            axes.map(|(axis, (period, plan))| domain.coordinate(chip, axis) % period * plan.stride);
        places.sum()
    }

    /// The link that stands for a local link.
    pub(crate) fn link(&self, domain: &Domain, link: u64) -> u64 {
        // Axes of size 1 have no links and share their first number with the next axis.
        let beyond = domain
            .plans()
            .partition_point(|plan| plan.first_link <= link);
        let axis = beyond.saturating_sub(1);
        let (plan, size) = (&domain.plans()[axis], domain.axes()[axis].size);
        let at = link - plan.first_link;
        if let AxisKind::FullMesh = domain.axes()[axis].kind {
            let (row, slot) = (at / u64::from(size - 1), (at % u64::from(size - 1)) as u32);
            let (line, from) = (
                (row / u64::from(size)) as u32,
                (row % u64::from(size)) as u32,
            );
            let ahead = (slot + u32::from(slot >= from) + size - from) % size;
            let block = line / plan.stride * plan.stride * size;
            let chip = self.chip(domain, block + from * plan.stride + line % plan.stride);
            let from = domain.coordinate(chip, axis);
            return domain.mesh_link(axis, chip, from, (from + ahead) % size);
        }
        // Both directions are in the order of the chips that they begin at.
        let chips = u64::from(domain.chips());
        plan.first_link + at / chips * chips + u64::from(self.chip(domain, (at % chips) as u32))
    }
}

/// The least period along an axis of what each chip sends.
fn period(domain: &Domain, axis: usize, sent: &[u32], each: usize) -> u32 {
    let (size, stride) = (domain.axes()[axis].size, domain.plans()[axis].stride);
    let of = |chip: u32| &sent[chip as usize * each..][..each];
    let repeats = |period: u32| {
        (0..domain.chips()).all(|chip| {
            let place = domain.coordinate(chip, axis);
            let moved = chip - place * stride + (place + period) % size * stride;
            of(chip) == of(moved)
        })
    };
    let mut divisors = (1..size).filter(|period| size % period == 0);
    divisors.find(|&period| repeats(period)).unwrap_or(size)
}

/// The greatest common divisor.
fn common(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::Fold;
    use crate::Control;
    use crate::collective::pattern::symmetry::is_homogeneous;
    use crate::machine::{Axis, AxisKind, Domain, Machine, Site};
    use crate::route::{Routing, route};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn alone(sizes: &[u32], kinds: &[u8]) -> Machine {
        let axis = |(size, kind): (&u32, &u8)| Axis {
            name: format!("{size} {kind}"),
            size: *size,
            kind: match kind {
                0 => AxisKind::Ring,
                1 => AxisKind::FullMesh,
                _ => AxisKind::Switch {
                    spans_below: false,
                    tiers: Vec::new(),
                },
            },
            bandwidth: 1e9,
            latency: 0.0,
        };
        let domain = Domain::new(sizes.iter().zip(kinds).map(axis).collect()).expect("sound");
        let site = Site {
            name: String::new(),
            domains: 1,
            tiers: Vec::new(),
        };
        Machine::new(domain, 0.0, None, vec![site], None).expect("sound")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_one_stands_for_has_as_much_as_it(
            sizes in proptest::collection::vec(1u32..7, 1..4),
            kinds in proptest::collection::vec(0u8..3, 3),
            (by, other, period) in (0u32..200, 0u32..200, 1u32..7),
        ) {
            let machine = alone(&sizes, &kinds);
            let (domain, routing) = (machine.domain(), Routing::default());
            let chips = domain.chips();
            prop_assert!(is_homogeneous(domain, &routing));
            // Chips of one residue go one way along the axes, all others another.
            let moved = |chip: u32, by: u32| {
                let mut by = by;
                let axes = 0..domain.axes().len();
                axes.map(|axis| {
                    let (size, stride) = (domain.axes()[axis].size, domain.plans()[axis].stride);
                    let place = (domain.coordinate(chip, axis) + by) % size * stride;
                    by /= size;
                    place
                }).sum::<u32>()
            };
            let to = |chip: u32| moved(chip, if chip % period == 0 { by } else { other });
            let pairs: Vec<(u32, u32)> = (0..chips).map(|chip| (chip, to(chip))).collect();
            let fold = Fold::of(domain, pairs.iter().copied(), &Control::default());
            let fold = fold.expect("in time").expect("one message each");
            // Messages of all chips on links, and those of the chips that stand for others, times how many.
            let (mut loads, mut folded) = (BTreeMap::new(), BTreeMap::new());
            for &(from, to) in pairs.iter().filter(|pair| pair.0 != pair.1) {
                let found = route(&machine, &routing, from, to).expect("a way");
                for (&link, share) in found.links.iter().zip(&found.shares) {
                    *loads.entry(link).or_insert(0.0) += share;
                    if fold.chip(domain, from) == from {
                        *folded.entry(fold.link(domain, link)).or_insert(0.0) += share;
                    }
                }
            }
            for link in 0..domain.links() {
                let stands = fold.link(domain, link);
                prop_assert_eq!(fold.link(domain, stands), stands);
                let [own, seen] = [loads.get(&link), folded.get(&stands)].map(|load| *load.unwrap_or(&0.0));
                prop_assert!((own - seen).abs() < 1e-9, "link {} has {} and not {}", link, own, seen);
            }
        }
    }
}
