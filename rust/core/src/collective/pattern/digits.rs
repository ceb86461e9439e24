//! How the ranks of a group lie in numbers: each digit of a rank, in a mixed radix, has a step of its own.

use super::comb::{Comb, digits};

/// Rank r is the sum of step x digit over the digits of r, each of which goes up to below its count; the lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits(Vec<(i64, i64)>);

impl Digits {
    /// The digits of ascending numbers, seen from the first; `None` where they have none.
    pub(crate) fn of(numbers: &[i64]) -> Option<Self> {
        digits(numbers).map(Self)
    }

    /// The one digit of so many numbers that are `step` apart.
    pub(crate) fn even(step: i64, count: i64) -> Self {
        Self(
            [(step, count)]
                .into_iter()
                .filter(|digit| digit.1 > 1)
                .collect(),
        )
    }

    /// (step, count) of the digits, the lowest first.
    pub(crate) fn steps(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Where a rank lies.
    pub(crate) fn place(&self, mut rank: i64) -> i64 {
        let mut place = 0;
        for &(step, count) in &self.0 {
            place += step * (rank % count);
            rank /= count;
        }
        place
    }

    /// The places of ranks, in parts from each of whose ranks the one `by` further on, which exists, is equally far away:
    /// first place, (weight, count) of the others, and how far. `None` where ranks and digits are cut in different ways.
    pub(crate) fn parts(&self, ranks: &Comb, by: i64) -> Option<Vec<Part>> {
        split(&self.0, ranks, by)
    }
}

/// First place, (weight, count) of the others, and how far away their receivers are.
pub(crate) type Part = (i64, Vec<(i64, i64)>, i64);

fn split(digits: &[(i64, i64)], ranks: &Comb, by: i64) -> Option<Vec<Part>> {
    let Some((&(step, _), lower)) = digits.split_last() else {
        return Some(vec![(0, Vec::new(), 0)]);
    };
    let block: i64 = lower.iter().map(|digit| digit.1).product();
    let (over, ahead) = (by.div_euclid(block), by.rem_euclid(block));
    let mut parts = Vec::new();
    for (first, high, low) in blocks(ranks, block)? {
        // Those that stay in the block that many further on, and those that go on to the next.
        let ends = [
            ((0, block - ahead), ahead, over),
            ((block - ahead, block), ahead - block, over + 1),
        ];
        for ((from, to), ahead, over) in ends {
            for low in low.within(from, to) {
                for (place, mut others, far) in split(lower, &low, ahead)? {
                    others.extend(high.iter().map(|&(weight, count)| (weight * step, count)));
                    parts.push((first * step + place, others, far + over * step));
                }
            }
        }
    }
    Some(parts)
}

/// The block where numbers begin, (blocks, count) to the others, and the numbers in a block.
type Blocks = (i64, Vec<(i64, i64)>, Comb);

/// Numbers as the same ones in each of some blocks; `None` where they are not.
fn blocks(numbers: &Comb, block: i64) -> Option<Vec<Blocks>> {
    if let Some(whole) = in_blocks(numbers, block) {
        return Some(vec![whole]);
    }
    // What is in the first block and the last one may be cut short.
    let (first, end) = (numbers.first(), numbers.end());
    let (up, down) = ((first + block - 1) / block * block, end / block * block);
    let ends = if up < down {
        vec![first, up, down, end]
    } else {
        vec![first, up.min(end), end]
    };
    let cut = ends
        .windows(2)
        .flat_map(|two| numbers.within(two[0], two[1]));
    cut.map(|part| in_blocks(&part, block)).collect()
}

fn in_blocks(numbers: &Comb, block: i64) -> Option<Blocks> {
    let (first, mut high, mut low) = (numbers.first(), Vec::new(), Vec::new());
    for &(weight, count) in numbers.digits() {
        if weight % block == 0 {
            high.push((weight / block, count));
        } else if block % weight == 0 && weight * count > block && count % (block / weight) == 0 {
            low.push((weight, block / weight));
            high.push((1, count / (block / weight)));
        } else {
            low.push((weight, count));
        }
    }
    let low = Comb::new(first % block, &low)?;
    (low.end() <= block).then(|| (first / block, high, low))
}

#[cfg(test)]
mod tests {
    use super::Digits;
    use crate::collective::pattern::comb::Comb;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_the_ranks_and_those_further_on(
            shape in proptest::collection::vec((0i64..4, 1i64..5), 1..4),
            (step, count, gap, more) in (1i64..4, 1i64..6, 0i64..5, 1i64..8),
            by in -60i64..60,
        ) {
            let (mut span, mut strides) = (1, Vec::new());
            for (gap, count) in shape {
                strides.push((span + gap, count));
                span += (span + gap) * (count - 1);
            }
            let all = Comb::new(7, &strides).expect("digits that do not overlap").list();
            let digits = Digits::of(&all).expect("a product of digits");
            let (ranks, by) = (all.len() as i64, by % all.len() as i64);
            let senders = Comb::new(0, &[(step, count), (step * count + gap, more)]).expect("no overlap");
            for senders in senders.within((-by).max(0), ranks - by.max(0)) {
                let Some(parts) = digits.parts(&senders, by) else { continue };
                let mut found = Vec::new();
                for (first, others, far) in parts {
                    let places = Comb::new(first, &others).expect("apart as ranks are").list();
                    found.extend(places.into_iter().map(|place| (place, place + far)));
                }
                found.sort_unstable();
                let place = |rank: i64| all[rank as usize] - 7;
                let wanted: Vec<(i64, i64)> =
                    senders.list().iter().map(|&rank| (place(rank), place(rank + by))).collect();
                prop_assert_eq!(found, wanted);
            }
        }

        #[test]
        fn powers_of_two_are_always_cut_alike(
            (low, high, bits) in (0u32..4, 0u32..4, 0u32..8), by in 0i64..256, gap in 0u32..3,
        ) {
            // A group of low digits, a gap and high digits: ring steps, exchanges and swings are rules there.
            let strides = [(1, 1 << low), (1 << (low + gap), 1 << high)];
            let all = Comb::new(0, &strides).expect("no overlap").list();
            let (ranks, digits) = (all.len() as i64, Digits::of(&all).expect("digits"));
            let (by, bit) = (by % ranks, 1 << (bits % (low + high).max(1)));
            let ring = Comb::every(0, 1, ranks).expect("some").within(0, ranks - by);
            let exchange = Comb::new(0, &[(1, bit), (2 * bit, ranks / (2 * bit))]);
            let swing = Comb::every(0, 2, ranks / 2).map_or_else(Vec::new, |even| even.within(0, ranks - by));
            for (senders, by) in [(ring, by), (exchange.into_iter().collect(), bit), (swing, by)] {
                for senders in senders {
                    prop_assert!(digits.parts(&senders, by).is_some(), "{senders:?} {by}");
                }
            }
        }
    }
}
