//! All layouts of a mesh over a machine: axes have no order in dimensions whose members have none.

use super::cuts::{Counts, Cuts, Kind, count};
use super::dimension::{Dimension, dimensions};
use super::layout::Layout;
use crate::machine::Machine;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// The layouts of axes of some sizes over a machine.
///
/// A layout stands for all that are as good: in dimensions without an order axes come in one order. Equal rings do not
/// change places: ranks are counted along the first of them, and algorithms take them in turn.
pub struct Space {
    /// The dimensions of the machine, the fastest first.
    pub dimensions: Vec<Dimension>,
    /// Size of each axis of the mesh.
    pub sizes: Vec<u32>,
    /// Which of `cuts` each dimension has.
    pub(super) kinds: Vec<usize>,
    pub(super) cuts: Vec<Cuts>,
}

impl Space {
    /// The layouts of axes of `sizes`, whose product is the number of chips.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another product, [`Error::Unsupported`] where a dimension has too many ways to be cut.
    pub fn new(machine: &Machine, sizes: &[u32], control: &Control) -> Result<Self> {
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
        let dimensions = dimensions(machine);
        let mut shapes: Vec<Kind> = Vec::new();
        let (mut kinds, mut cuts) = (Vec::new(), Vec::new());
        for dimension in &dimensions {
            let shape = Kind::of(dimension);
            let known = shapes.iter().position(|other| *other == shape);
            kinds.push(match known {
                Some(kind) => kind,
                None => {
                    cuts.push(Cuts::list(shape, sizes, control)?);
                    shapes.push(shape);
                    shapes.len() - 1
                }
            });
        }
        Ok(Self {
            dimensions,
            sizes: sizes.to_vec(),
            kinds,
            cuts,
        })
    }

    /// How many layouts there are.
    ///
    /// # Errors
    /// [`Error::Unsupported`] as [`Space::new`].
    pub fn count(&self) -> Result<u128> {
        let mut total = Counts::from([(vec![1; self.sizes.len()], 1)]);
        for dimension in &self.dimensions {
            let one = count(Kind::of(dimension), &self.sizes)?;
            total = self.product(&total, &one);
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

    /// The layout that stands for this one.
    pub fn stands_for(&self, layout: &Layout) -> Layout {
        let mut cuts = layout.0.clone();
        for (cut, dimension) in cuts.iter_mut().zip(&self.dimensions) {
            if !dimension.ordered {
                cut.sort_unstable();
            }
        }
        Layout(cuts)
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

/// Most axes whose orders are all looked at.
const MOST_PERMUTED: usize = 7;

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
