//! The ways to cut one dimension among the axes of a mesh: counted without listing, and listed.

use super::FEWER;
use super::digit::{Cut, Digit, Step, members, steps};
use super::dimension::{Dimension, gcd};
use crate::memory::{Taken, bytes_of};
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// Most ways to cut one dimension that are listed.
const MOST_CUTS: u128 = 1 << 18;

/// How many ways of cutting give each axis such a product, by products.
pub(super) type Counts = BTreeMap<Vec<u32>, u128>;

/// What the ways to cut a dimension depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    size: u32,
    ordered: bool,
    /// Whether parts may be reflected.
    ring: bool,
}

impl Kind {
    pub(super) fn of(dimension: &Dimension) -> Self {
        Self {
            size: dimension.size,
            ordered: dimension.ordered,
            ring: dimension.ring,
        }
    }

    /// Whether a digit of so many values may be reflected above others: an even number of them ends where it began, so
    /// that the ring closes.
    fn may_reflect(self, factor: u32, above: bool) -> bool {
        self.ring && above && factor % 2 == 0
    }
}

/// How many ways to cut a dimension there are, by what each axis gets of it.
///
/// # Errors
/// [`Error::Unsupported`] for so many that even counting them takes long.
pub(super) fn count(kind: Kind, sizes: &[u32]) -> Result<Counts> {
    let size = kind.size;
    let products = splits(size, sizes)?;
    let mut known = BTreeMap::new();
    let mut counts = Counts::new();
    for product in products {
        let ways = if kind.ordered {
            let states = product
                .iter()
                .map(|&factor| divisors(factor).count() as u128);
            if states.fold(1, u128::saturating_mul) > MOST_CUTS {
                return Err(too_many(size));
            }
            orders(kind, &product, None, &mut known)
        } else {
            1
        };
        counts.insert(product, ways);
    }
    Ok(counts)
}

fn too_many(size: u32) -> Error {
    Error::unsupported(
        format!("axes: more than {MOST_CUTS} ways to cut a dimension of {size} among them"),
        "name fewer axes, or larger ones that are split afterwards",
    )
}

/// Ways to write `size` as a product of a divisor of each of `sizes`.
fn splits(size: u32, sizes: &[u32]) -> Result<Vec<Vec<u32>>> {
    // (What is left, what the axes so far got of it.)
    let mut partial = vec![(size, Vec::new())];
    for (at, &axis) in sizes.iter().enumerate() {
        let after = sizes[at + 1..]
            .iter()
            .fold(1_u64, |all, &size| all.saturating_mul(u64::from(size)));
        let mut next = Vec::new();
        for (left, done) in &partial {
            for factor in divisors(gcd(*left, axis)) {
                let rest = left / factor;
                // A number divides a product of the others' sizes only if they can take it, prime by prime.
                if after % u64::from(rest) == 0 || after == u64::MAX {
                    let mut done = done.clone();
                    done.push(factor);
                    next.push((rest, done));
                }
            }
        }
        if next.len() as u128 > MOST_CUTS {
            return Err(too_many(size));
        }
        partial = next;
    }
    let whole = partial.into_iter().filter(|(left, _)| *left == 1);
    Ok(whole.map(|(_, products)| products).collect())
}

/// Sequences of digits that give each axis its factor of `left`, no two digits of one axis side by side.
fn orders(
    kind: Kind,
    left: &[u32],
    last: Option<usize>,
    known: &mut BTreeMap<(Vec<u32>, Option<usize>), u128>,
) -> u128 {
    if left.iter().all(|&factor| factor == 1) {
        return 1;
    }
    let key = (left.to_vec(), last);
    if let Some(&ways) = known.get(&key) {
        return ways;
    }
    let mut ways = 0_u128;
    for axis in (0..left.len()).filter(|&axis| Some(axis) != last) {
        for factor in divisors(left[axis]).filter(|&factor| factor > 1) {
            let mut rest = left.to_vec();
            rest[axis] /= factor;
            let below = orders(kind, &rest, Some(axis), known);
            let both = u128::from(kind.may_reflect(factor, last.is_some()));
            ways = ways.saturating_add(below.saturating_mul(1 + both));
        }
    }
    known.insert(key, ways);
    ways
}

pub(super) fn divisors(number: u32) -> impl Iterator<Item = u32> {
    let low = (1..).take_while(move |low| u64::from(*low) * u64::from(*low) <= u64::from(number));
    let mut found: Vec<u32> = low.filter(|low| number % low == 0).collect();
    let high = found.iter().rev().map(|low| number / low);
    let high: Vec<u32> = high.collect();
    found.extend(high);
    found.dedup();
    found.into_iter()
}

/// One way to cut a dimension, as the search sees it.
pub(super) struct Way {
    pub(super) cut: Cut,
    /// What each axis gets.
    pub(super) products: Vec<u32>,
    /// By axis, the number of its digits in `Cuts::digits`.
    pub(super) digits: Vec<u32>,
}

/// All ways to cut dimensions of one size, in the order of layouts.
pub(super) struct Cuts {
    pub(super) ways: Vec<Way>,
    /// What one axis may have of such a dimension; of one without order, a factor only.
    pub(super) digits: Vec<Vec<Step>>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
}

impl Cuts {
    /// Lists them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for too many.
    pub(super) fn list(kind: Kind, sizes: &[u32], control: &Control) -> Result<Self> {
        let Kind { size, ordered, .. } = kind;
        let counts = count(kind, sizes)?;
        let all = counts.values().copied().fold(0, u128::saturating_add);
        if all > MOST_CUTS {
            return Err(too_many(size));
        }
        control.check()?;
        // The cut, and what each axis has of it, twice while they are sorted.
        let each = bytes_of::<Way>(1)
            + bytes_of::<Step>(u64::from(size.ilog2()))
            + bytes_of::<[u64; 8]>(sizes.len() as u64);
        let what = format_args!("{all} ways to cut a dimension of {size} among axes");
        let taken = control.take(2 * each * all as u64, what, FEWER)?;
        let mut cuts = Vec::new();
        go(kind, size, &mut sizes.to_vec(), &mut Vec::new(), &mut cuts);
        cuts.sort_unstable_by(|a, b| reflections(a).cmp(&reflections(b)).then(a.cmp(b)));
        let mine = |cut: &Cut, axis: usize| {
            let mine = steps(cut, axis as u32);
            match (ordered, &mine[..]) {
                (true, _) | (_, []) => mine,
                (false, some) => vec![Step {
                    step: 1,
                    factor: members(some),
                    reflected: false,
                    own: true,
                }],
            }
        };
        let mut all: Vec<Vec<Step>> = Vec::new();
        for cut in &cuts {
            all.extend((0..sizes.len()).map(|axis| mine(cut, axis)));
        }
        all.sort_unstable();
        all.dedup();
        let option = |cut: Cut| {
            let digits = (0..sizes.len()).map(|axis| mine(&cut, axis));
            let number = |mine| all.binary_search(&mine).expect("listed above") as u32;
            let digits: Vec<u32> = digits.map(number).collect();
            let product = |&digits: &u32| members(&all[digits as usize]);
            let products = digits.iter().map(product).collect();
            Way {
                cut,
                products,
                digits,
            }
        };
        let ways = cuts.into_iter().map(option).collect();
        Ok(Self {
            ways,
            digits: all,
            taken,
        })
    }

    /// The factor that digits of this number have.
    pub(super) fn factor(&self, digits: u32) -> u32 {
        members(&self.digits[digits as usize])
    }
}

/// How many digits of a cut are reflected: those of none come first.
pub(super) fn reflections(cut: &Cut) -> usize {
    cut.iter().filter(|digit| digit.reflected).count()
}

fn go(kind: Kind, size: u32, left: &mut [u32], done: &mut Cut, found: &mut Vec<Cut>) {
    if size == 1 {
        found.push(done.clone());
        return;
    }
    let last = done.last().map(|digit| digit.axis);
    for axis in 0..left.len() {
        let number = axis as u32;
        if last.is_some_and(|last| number == last || (!kind.ordered && number < last)) {
            continue;
        }
        for factor in divisors(gcd(size, left[axis])).filter(|&factor| factor > 1) {
            left[axis] /= factor;
            done.push(Digit::plain(number, factor));
            go(kind, size / factor, left, done, found);
            done.pop();
            if kind.may_reflect(factor, last.is_some()) {
                let reflected = true;
                done.push(Digit {
                    reflected,
                    ..Digit::plain(number, factor)
                });
                go(kind, size / factor, left, done, found);
                done.pop();
            }
            left[axis] *= factor;
        }
    }
}
