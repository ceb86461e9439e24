//! All layouts of a mesh over a machine, those that a symmetry makes equal counted once.

use super::cuts::{Counts, Cuts, count};
use super::dimension::{Dimension, dimensions};
use super::layout::{Layout, Place};
use crate::machine::Machine;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// The layouts of axes of some sizes over a machine.
///
/// A layout stands for all that are as good: in dimensions without an order axes come in one order, and of dimensions
/// that may change places the one with the smaller cut comes first.
pub struct Space {
    /// The dimensions of the machine, the fastest first.
    pub dimensions: Vec<Dimension>,
    /// Size of each axis of the mesh.
    pub sizes: Vec<u32>,
    /// By dimension, as `Dimension::alike`, where the order of ranks means nothing.
    pairs: Vec<Option<usize>>,
    /// Which of `cuts` each dimension has.
    pub(super) kinds: Vec<usize>,
    pub(super) cuts: Vec<Cuts>,
}

impl Space {
    /// The layouts of axes of `sizes`, whose product is the number of chips. Where the order of ranks counts, such as
    /// for trees and sends, no dimensions change places: that would turn the order round.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another product, [`Error::Unsupported`] where a dimension has too many ways to be cut.
    pub fn new(
        machine: &Machine,
        sizes: &[u32],
        ranks_count: bool,
        control: &Control,
    ) -> Result<Self> {
        let product = sizes
            .iter()
            .try_fold(1_u64, |all, &size| all.checked_mul(u64::from(size)));
        if product != Some(u64::from(machine.num_chips())) {
            let allowed = format!(
                "the product of the sizes must be {} chips",
                machine.num_chips()
            );
            return Err(Error::invalid("axes", format!("{sizes:?}"), allowed));
        }
        let mut dimensions = dimensions(machine);
        let pairs = dimensions.iter().map(|dimension| dimension.alike).collect();
        if ranks_count {
            dimensions
                .iter_mut()
                .for_each(|dimension| dimension.alike = None);
        }
        let mut shapes: Vec<(u32, bool)> = Vec::new();
        let (mut kinds, mut cuts) = (Vec::new(), Vec::new());
        for dimension in &dimensions {
            let shape = (dimension.size, dimension.ordered);
            let known = shapes.iter().position(|other| *other == shape);
            kinds.push(match known {
                Some(kind) => kind,
                None => {
                    cuts.push(Cuts::list(
                        dimension.size,
                        sizes,
                        dimension.ordered,
                        control,
                    )?);
                    shapes.push(shape);
                    shapes.len() - 1
                }
            });
        }
        Ok(Self {
            dimensions,
            sizes: sizes.to_vec(),
            pairs,
            kinds,
            cuts,
        })
    }

    /// The dimension before this one that may change places with it.
    pub(super) fn alike_before(&self, at: usize) -> Option<usize> {
        before(at, |other| self.dimensions[other].alike)
    }

    /// The dimension after this one that may change places with it.
    pub(super) fn alike_after(&self, at: usize) -> Option<usize> {
        (at + 1..self.dimensions.len()).find(|&other| self.alike_before(other) == Some(at))
    }

    /// How many layouts there are.
    ///
    /// Dimensions that may change places hold a multiset of cuts: complete homogeneous symmetric polynomials of the
    /// cuts, by Newton's identities (Macdonald 1995, I.2.11), whose variables say what each axis gets.
    ///
    /// # Errors
    /// [`Error::Unsupported`] as [`Space::new`].
    pub fn count(&self) -> Result<u128> {
        let mut total = Counts::from([(vec![1; self.sizes.len()], 1)]);
        for (at, dimension) in self.dimensions.iter().enumerate() {
            if self.alike_before(at).is_some() {
                continue;
            }
            let alike = |other: &&Dimension| other.alike == dimension.alike;
            let members = match dimension.alike {
                Some(_) => self.dimensions.iter().filter(alike).count(),
                None => 1,
            };
            let one = count(dimension.size, &self.sizes, dimension.ordered)?;
            total = self.product(&total, &multisets(self, &one, members));
        }
        Ok(total.get(&self.sizes).copied().unwrap_or(0))
    }

    /// Products of two polynomials, without terms in which an axis gets more than it has.
    fn product(&self, a: &Counts, b: &Counts) -> Counts {
        let mut found = Counts::new();
        for (left, many) in a {
            for (right, times) in b {
                let both: Vec<u32> = left
                    .iter()
                    .zip(right)
                    .map(|(a, b)| a.saturating_mul(*b))
                    .collect();
                if both
                    .iter()
                    .zip(&self.sizes)
                    .all(|(got, size)| size % got == 0)
                {
                    let ways = found.entry(both).or_insert(0_u128);
                    *ways = ways.saturating_add(many.saturating_mul(*times));
                }
            }
        }
        found
    }

    /// A place as all have it that fare the same: what alike dimensions hold comes in ascending order.
    pub(super) fn standard(&self, place: Place) -> Place {
        ascending(place, |at| self.alike_before(at))
    }

    /// A place as all have it that fare the same where the order of ranks means nothing.
    pub(super) fn twin(&self, place: Place) -> Place {
        ascending(place, |at| before(at, |other| self.pairs[other]))
    }

    /// The layout that stands for this one.
    pub fn stands_for(&self, layout: &Layout) -> Layout {
        let mut cuts = layout.0.clone();
        for (cut, dimension) in cuts.iter_mut().zip(&self.dimensions) {
            if !dimension.ordered {
                cut.sort_unstable();
            }
        }
        Layout(self.standard(cuts))
    }

    /// The layouts that meshes without one of their own have: by the layout that stands for each, the order of the
    /// axes, the slowest first, and its own layout.
    pub fn plain(&self) -> BTreeMap<Layout, (Vec<usize>, Layout)> {
        let mut found = BTreeMap::new();
        let mut order: Vec<usize> = (0..self.sizes.len()).collect();
        loop {
            if let Some(own) = Layout::plain(&self.dimensions, &self.sizes, &order) {
                found
                    .entry(self.stands_for(&own))
                    .or_insert((order.clone(), own));
            }
            if self.sizes.len() > MOST_PERMUTED || !next_permutation(&mut order) {
                return found;
            }
        }
    }
}

/// The member before this one of the set that `alike` numbers.
fn before(at: usize, alike: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    let set = alike(at)?;
    (0..at).rev().find(|&other| alike(other) == Some(set))
}

/// With the members of each set, which `before` goes through backwards, in ascending order.
fn ascending<T: Ord>(mut all: Vec<T>, before: impl Fn(usize) -> Option<usize>) -> Vec<T> {
    for at in 0..all.len() {
        let mut here = at;
        while let Some(other) = before(here).filter(|&other| all[other] > all[here]) {
            all.swap(other, here);
            here = other;
        }
    }
    all
}

/// Most axes whose orders are all looked at.
const MOST_PERMUTED: usize = 7;

/// Multisets of `members` cuts, by what each axis gets of all of them.
fn multisets(space: &Space, one: &Counts, members: usize) -> Counts {
    let mut found = vec![Counts::from([(vec![1; space.sizes.len()], 1)])];
    for m in 1..=members {
        let mut sum = Counts::new();
        for power in 1..=m {
            let raised = one.iter().map(|(products, ways)| {
                let products = products.iter().map(|got| got.saturating_pow(power as u32));
                (products.collect::<Vec<u32>>(), *ways)
            });
            for (products, ways) in space.product(&found[m - power], &raised.collect()) {
                let all = sum.entry(products).or_insert(0_u128);
                *all = all.saturating_add(ways);
            }
        }
        found.push(
            sum.into_iter()
                .map(|(got, ways)| (got, ways / m as u128))
                .collect(),
        );
    }
    found.pop().expect("the empty multiset at least")
}

/// The next order in ascending sequence; false after the last.
fn next_permutation(order: &mut [usize]) -> bool {
    let Some(at) = order.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let other = order.iter().rposition(|&number| number > order[at]);
    order.swap(at, other.expect("the next one is larger"));
    order[at + 1..].reverse();
    true
}
