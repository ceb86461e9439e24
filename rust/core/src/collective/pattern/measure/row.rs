//! How many of some evenly spaced numbers lie at each of many places in a row, by stretches of places that hold as
//! many.

use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::halves::{Planter, height};
use crate::collective::pattern::loads::{Loads, Runs};
use crate::collective::pattern::memo::Memo;
use crate::machine::Machine;

/// Most blocks of a comb whose ends are looked at one by one.
const MOST_BLOCKS: i64 = 4;

/// Most different blocks of a tree of halves, beyond which places are counted one by one.
const MOST_KNOWN: usize = 1 << 12;

/// Places in a row, each of which counts the numbers from `first` + `each` x place + `low` up to below `high` more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) first: i64,
    pub(super) each: i64,
    /// 0 <= low <= high <= each.
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) places: i64,
}

impl Row {
    /// A place for each of so many numbers.
    pub(super) fn single(numbers: u32) -> Self {
        Self {
            first: 0,
            each: 1,
            low: 0,
            high: 1,
            places: i64::from(numbers),
        }
    }

    fn at(&self, comb: &Comb, place: i64) -> f64 {
        let start = self.first + self.each * place;
        (comb.below(start + self.high) - comb.below(start + self.low)) as f64
    }

    /// How many of the numbers each place counts.
    pub(super) fn count(&self, comb: &Comb) -> Loads {
        let mut ends = Vec::with_capacity(16);
        if !self.breaks(comb, &mut ends) {
            return self.halves(comb).unwrap_or_else(|| {
                let each = (0..self.places).map(|place| self.at(comb, place));
                each.collect()
            });
        }
        ends.push(self.places);
        ends.sort_unstable();
        let mut runs = Runs::default();
        let mut from = 0;
        for end in ends.into_iter().take_while(|&end| end <= self.places) {
            if end <= from {
                continue;
            }
            runs.push((end - from) as usize, self.at(comb, from));
            from = end;
        }
        runs.into()
    }

    /// The counts as a tree of halves, where numbers repeat by powers of two.
    fn halves(&self, comb: &Comb) -> Option<Loads> {
        let mut known = Memo::default();
        let mut planter = Planter::default();
        let places = self.places as usize;
        let root = self.plant(comb, 0, height(places), &mut planter, &mut known)?;
        planter.grown(root, places).map(Loads::from)
    }

    /// The 2^height places from one on.
    fn plant(
        &self,
        comb: &Comb,
        place: i64,
        height: u32,
        planter: &mut Planter,
        known: &mut Memo<u32>,
    ) -> Option<u32> {
        if place >= self.places {
            return Some(planter.even(0.0));
        }
        let last = place + (1 << height) - 1;
        let start = self.first + self.each * place + self.low;
        let end = self.first + self.each * last + self.high;
        if comb.below(end) == comb.below(start) && last < self.places {
            return Some(planter.even(0.0));
        }
        if height == 0 {
            return Some(planter.even(self.at(comb, place)));
        }
        let (digits, rest) = comb.seen(start, end);
        let key = [(digits as u64) << 32 | u64::from(height), rest as u64];
        if last < self.places {
            if let Some(id) = known.get(key) {
                return Some(id);
            }
        }
        if known.len() > MOST_KNOWN {
            return None;
        }
        let low = self.plant(comb, place, height - 1, planter, known)?;
        let high = self.plant(
            comb,
            place + (1 << (height - 1)),
            height - 1,
            planter,
            known,
        )?;
        let id = planter.join(low, high);
        if last < self.places {
            known.insert(key, id);
        }
        Some(id)
    }

    /// Notes the places at which counts may change; false where those are too many.
    ///
    /// Where a place holds whole periods of the numbers, each between the first and the last holds as many.
    fn breaks(&self, comb: &Comb, ends: &mut Vec<i64>) -> bool {
        let (weight, count) = comb.digits().last().copied().unwrap_or((1, 1));
        if self.each % weight != 0 {
            let block = |digit: i64| {
                let low = comb.first() + digit * weight;
                comb.within(low, low + weight)
            };
            let mut blocks = (0..count.min(MOST_BLOCKS + 1)).flat_map(block);
            return count <= MOST_BLOCKS
                && blocks.all(|block| self.breaks(&block, ends))
                && ends.len() as i64 <= 8 * MOST_BLOCKS;
        }
        for edge in [comb.first(), comb.first() + weight * count] {
            for bound in [self.low, self.high] {
                let place = (edge - self.first - bound).div_euclid(self.each);
                ends.extend([place, place + 1]);
            }
        }
        true
    }
}

/// The sum of what a row counts of each of some combs, so many times each.
pub(super) fn sum<'a>(row: Row, combs: impl Iterator<Item = (&'a Comb, f64)>) -> Loads {
    let count = |(comb, times): (&Comb, f64)| {
        let count = row.count(comb);
        if times == 1.0 {
            count
        } else {
            count.map(|value| times * value)
        }
    };
    added(combs.map(count).collect())
}

/// The sum of whole numbers: of two next to each other first, and of those, since what is small is quickly added.
pub(super) fn added(mut all: Vec<Loads>) -> Loads {
    while all.len() > 1 {
        for at in 0..all.len() / 2 {
            let other = std::mem::take(&mut all[2 * at + 1]);
            let mut sum = std::mem::take(&mut all[2 * at]);
            sum.add(&other, 1.0);
            all[at] = sum;
        }
        if all.len() % 2 == 1 {
            let last = all.len() - 1;
            all.swap(last / 2, last);
        }
        all.truncate(all.len().div_ceil(2));
    }
    match all.pop().unwrap_or_default() {
        Loads::Listed(values) => values.into(),
        other => other,
    }
}

/// The total of all places.
pub(super) fn total(loads: &Loads) -> f64 {
    let mut from = 0;
    let each = loads.stretches().map(|(end, value)| {
        let places = end - std::mem::replace(&mut from, end);
        places as f64 * value
    });
    each.sum()
}

/// Domains of a site: from the first up to below the last.
pub(super) fn range(machine: &Machine, site: usize) -> (i64, i64) {
    let first = i64::from(machine.first_domain(site));
    (first, first + i64::from(machine.sites()[site].domains))
}

/// Counts, at each group of a tier, the domains that are so near to its end that `by` further on lies outside; below
/// zero, so near to its beginning.
pub(super) fn leaving(machine: &Machine, site: usize, tier: usize, by: i64) -> Row {
    let group = i64::from(machine.sites()[site].tiers[tier].group);
    let (first, last) = range(machine, site);
    let near = by.abs().min(group);
    let (low, high) = if by > 0 {
        (group - near, group)
    } else {
        (0, near)
    };
    Row {
        first,
        each: group,
        low,
        high,
        places: (last - first + group - 1) / group,
    }
}

/// The domains of a site by the lowest tier at which their group is cut short by the end of the site; the number of
/// tiers where none is.
pub(super) fn regions(machine: &Machine, site: usize) -> Vec<((i64, i64), usize)> {
    let (first, last) = range(machine, site);
    let tiers = &machine.sites()[site].tiers;
    let mut regions = Vec::new();
    let mut end = last;
    for (tier, shape) in tiers.iter().enumerate() {
        let group = i64::from(shape.group);
        let start = last - (last - first) % group;
        if start < end {
            regions.push(((start, end), tier));
            end = start;
        }
    }
    if first < end {
        regions.push(((first, end), tiers.len()));
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_are_those_of_the_list(
            (first, start) in (-20i64..20, -20i64..40),
            gaps in proptest::collection::vec((0i64..6, 1i64..8), 0..4),
            (each, places) in (1i64..12, 0i64..40),
            (low, size) in (0i64..12, 0i64..12),
        ) {
            let (mut span, mut digits) = (1, Vec::new());
            for (gap, count) in gaps {
                digits.push((span + gap, count));
                span += (span + gap) * (count - 1);
            }
            let comb = Comb::new(start, &digits).expect("digits that do not overlap");
            let low = low % each;
            let high = low + size % (each - low + 1);
            let row = Row { first, each, low, high, places };
            let list = comb.list();
            let count = |place: i64| {
                let from = first + each * place;
                let here = from + low..from + high;
                list.iter().filter(|number| here.contains(number)).count() as f64
            };
            let counts: Vec<f64> = (0..places).map(count).collect();
            let found = row.count(&comb);
            prop_assert_eq!(total(&found), counts.iter().sum::<f64>());
            prop_assert_eq!(found.values().collect::<Vec<_>>(), counts);
        }
    }
}
