//! Sets of numbers as a rule instead of a list: the numbers whose digits stay below given counts.
//!
//! Ranks that send in a step of an algorithm, domains of a site, sets of a mesh axis: all of them are evenly spaced, at
//! a few levels. How many of them lie below a number is found digit by digit, whatever their number.

/// All sums of `first` and digit x weight over the digits, each digit below its count. Weights ascend, and each is at
/// least what the digits below it span, so that numbers ascend as their digits do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Comb {
    first: i64,
    /// (weight, count), every count at least 2.
    digits: Vec<(i64, i64)>,
}

impl Comb {
    /// The numbers with these (weight, count) digits, in any order; `None` where digits would overlap, or there is no
    /// number.
    pub(crate) fn new(first: i64, digits: &[(i64, i64)]) -> Option<Self> {
        let mut sorted: Vec<(i64, i64)> = Vec::with_capacity(digits.len());
        sorted.extend(digits.iter().filter(|digit| digit.1 != 1));
        sorted.sort_unstable();
        let mut comb = Self {
            first,
            digits: Vec::with_capacity(sorted.len()),
        };
        let mut span = 1;
        for (weight, count) in sorted {
            if weight < span || count < 1 {
                return None;
            }
            span += weight * (count - 1);
            // A digit that begins where the one below it ends is more of the same.
            match comb.digits.last_mut() {
                Some(last) if last.0 * last.1 == weight => last.1 *= count,
                _ => comb.digits.push((weight, count)),
            }
        }
        Some(comb)
    }

    /// `count` numbers from `first`, `step` apart.
    pub(crate) fn every(first: i64, step: i64, count: i64) -> Option<Self> {
        Self::new(first, &[(step, count)])
    }

    /// Ascending numbers as few combs.
    pub(crate) fn of_list(numbers: impl Iterator<Item = i64>) -> Vec<Self> {
        // Stretches of even steps: (first, step, count).
        let mut even: Vec<(i64, i64, i64)> = Vec::new();
        for number in numbers {
            match even.last_mut() {
                Some((first, step, count)) if *count == 1 => (*step, *count) = (number - *first, 2),
                Some((first, step, count)) if *first + *step * *count == number => *count += 1,
                _ => even.push((number, 1, 1)),
            }
        }
        let alike = |a: &(i64, i64, i64), b: &(i64, i64, i64)| (a.1, a.2) == (b.1, b.2);
        let apart = |row: &[(i64, i64, i64)]| row.windows(2).map(|two| two[1].0 - two[0].0).min();
        let mut combs = Vec::new();
        for row in even.chunk_by(alike) {
            let (first, step, count) = row[0];
            let by = apart(row).unwrap_or(step * count);
            let regular = (0..).zip(row).all(|(at, one)| one.0 == first + at * by);
            let whole = regular.then(|| Self::new(first, &[(step, count), (by, row.len() as i64)]));
            match whole.flatten() {
                Some(comb) => combs.push(comb),
                None => combs.extend(
                    row.iter()
                        .filter_map(|one| Self::every(one.0, one.1, one.2)),
                ),
            }
        }
        combs
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> i64 {
        self.digits.iter().map(|digit| digit.1).product()
    }

    /// The lowest.
    pub(crate) fn first(&self) -> i64 {
        self.first
    }

    /// One past the highest.
    pub(crate) fn end(&self) -> i64 {
        let reach = self
            .digits
            .iter()
            .map(|&(weight, count)| weight * (count - 1));
        self.first + reach.sum::<i64>() + 1
    }

    /// (weight, count) of the digits, ascending.
    pub(crate) fn digits(&self) -> &[(i64, i64)] {
        &self.digits
    }

    /// Each number and `by`.
    pub(crate) fn moved(&self, by: i64) -> Self {
        Self {
            first: self.first + by,
            digits: self.digits.clone(),
        }
    }

    /// How many of the numbers lie below `bound`.
    pub(crate) fn below(&self, bound: i64) -> i64 {
        let mut rest = bound - self.first;
        if rest <= 0 {
            return 0;
        }
        let (mut below, mut each) = (0, self.len());
        for &(weight, count) in self.digits.iter().rev() {
            each /= count;
            let digit = rest / weight;
            if digit >= count {
                return below + each * count;
            }
            below += digit * each;
            rest -= digit * weight;
            if rest == 0 {
                return below;
            }
        }
        below + 1
    }

    /// Whether a number is one of them.
    pub(crate) fn contains(&self, number: i64) -> bool {
        let mut rest = number - self.first;
        for &(weight, count) in self.digits.iter().rev() {
            let digit = rest.div_euclid(weight);
            if digit < 0 || digit >= count {
                return false;
            }
            rest -= digit * weight;
        }
        rest == 0
    }

    /// What from `low` up to below `high` looks like: where two such stretches of equal length give the same, the numbers
    /// in them lie alike. How many digits differ in them, and where the first lies among the numbers of those.
    pub(crate) fn seen(&self, low: i64, high: i64) -> (usize, i64) {
        let (mut from, span) = (low - self.first, high - low);
        let mut digits = self.digits.len();
        while let Some(&(weight, count)) = self.digits[..digits].last() {
            let (first, last) = (
                from.div_euclid(weight),
                (from + span - 1).div_euclid(weight),
            );
            if first < 0 || last >= count {
                break;
            }
            from -= first * weight;
            if first < last {
                break;
            }
            digits -= 1;
        }
        (digits, from)
    }

    /// Those of the numbers that lie from `low` up to below `high`.
    pub(crate) fn within(&self, low: i64, high: i64) -> Vec<Self> {
        let mut out = Vec::new();
        self.cut(self.digits.len(), self.first, (low, high), &mut out);
        out
    }

    /// The numbers of the lowest `digits` digits counted from `first`, cut.
    fn cut(&self, digits: usize, first: i64, (low, high): (i64, i64), out: &mut Vec<Self>) {
        let own = Self {
            first,
            digits: self.digits[..digits].to_vec(),
        };
        if own.end() <= low || first >= high {
            return;
        }
        if first >= low && own.end() <= high {
            return out.push(own);
        }
        let (weight, count) = self.digits[digits - 1];
        let span = own.end() - first - weight * (count - 1);
        // Digits of which all numbers lie inside.
        let from = (low - first).max(0);
        let from = ((from + weight - 1) / weight).min(count);
        let to = ((high - first - span).div_euclid(weight) + 1).clamp(from, count);
        if from > 0 {
            self.cut(digits - 1, first + (from - 1) * weight, (low, high), out);
        }
        if to > from {
            let mut whole = own.digits[..digits - 1].to_vec();
            whole.push((weight, to - from));
            out.extend(Self::new(first + from * weight, &whole));
        }
        if to < count {
            self.cut(digits - 1, first + to * weight, (low, high), out);
        }
    }

    /// The numbers, ascending.
    pub(crate) fn list(&self) -> Vec<i64> {
        let mut numbers = vec![self.first];
        for &(weight, count) in &self.digits {
            let all = (0..count).flat_map(|digit| numbers.iter().map(move |n| n + digit * weight));
            numbers = all.collect();
        }
        numbers
    }
}

/// The (step, count) of the digits by which ascending numbers are counted from the first, the fastest first; `None`
/// where they are not, and for none.
pub(crate) fn digits(numbers: &[i64]) -> Option<Vec<(i64, i64)>> {
    let (first, count) = (*numbers.first()?, numbers.len());
    let (mut digits, mut block) = (Vec::new(), 1);
    while block < count {
        let step = numbers[block] - first;
        let even = |&at: &usize| numbers[at * block] == first + at as i64 * step;
        let digit = 1 + (1..count.div_ceil(block)).take_while(even).count();
        digits.push((step, digit as i64));
        block *= digit;
        if step <= 0 || count % block != 0 {
            return None;
        }
    }
    let listed = Comb::new(first, &digits)?.list();
    (listed == numbers).then_some(digits)
}

/// Ascending numbers as one comb, or else as few.
pub(crate) fn combs(numbers: &[i64]) -> Vec<Comb> {
    let whole = digits(numbers).and_then(|digits| Comb::new(numbers[0], &digits));
    match whole {
        Some(whole) => vec![whole],
        None => Comb::of_list(numbers.iter().copied()),
    }
}

/// Most sets that are looked at as combs, and most combs of each.
const MOST_COMBS: usize = 64;

/// Sets of ascending numbers as few combs each; `None` where that is no gain.
pub(crate) fn combs_of(sets: &[&[u32]]) -> Option<Vec<Vec<Comb>>> {
    let of = |set: &&[u32]| {
        let step = if set.len() > 1 { set[1] - set[0] } else { 1 };
        // Most are spaced by one step, which is seen without another list.
        if set.windows(2).all(|two| two[1] - two[0] == step) {
            let count = set.len() as i64;
            let even = set
                .first()
                .and_then(|&first| Comb::every(i64::from(first), i64::from(step), count));
            return Some(even.into_iter().collect());
        }
        let numbers: Vec<i64> = set.iter().map(|&number| i64::from(number)).collect();
        let combs = combs(&numbers);
        (combs.len() <= MOST_COMBS).then_some(combs)
    };
    let few = (sets.len() <= MOST_COMBS).then(|| sets.iter().map(of).collect());
    few.flatten()
}

#[cfg(test)]
mod tests {
    use super::Comb;
    use proptest::prelude::*;

    fn combs() -> impl Strategy<Value = Comb> {
        let digits = proptest::collection::vec((0i64..5, 1i64..6), 0..4);
        (-20i64..20, digits).prop_map(|(first, gaps)| {
            let (mut span, mut digits) = (1, Vec::new());
            for (gap, count) in gaps {
                let weight = span + gap;
                digits.push((weight, count));
                span += weight * (count - 1);
            }
            Comb::new(first, &digits).expect("digits that do not overlap")
        })
    }

    proptest! {
        #[test]
        fn counts_and_cuts_are_those_of_the_list(comb in combs(), low in -40i64..200, size in 0i64..200) {
            let list = comb.list();
            prop_assert!(list.is_sorted());
            prop_assert_eq!(comb.len(), list.len() as i64);
            prop_assert_eq!((comb.first(), comb.end()), (list[0], list[list.len() - 1] + 1));
            let below = list.iter().filter(|&&number| number < low).count();
            prop_assert_eq!(comb.below(low), below as i64);
            prop_assert_eq!(comb.contains(low), list.contains(&low));
            let high = low + size;
            let inside: Vec<i64> = list.iter().copied().filter(|n| (low..high).contains(n)).collect();
            let mut cut: Vec<i64> = comb.within(low, high).iter().flat_map(Comb::list).collect();
            cut.sort_unstable();
            prop_assert_eq!(cut, inside);
        }

        #[test]
        fn a_list_is_its_combs(numbers in proptest::collection::btree_set(-50i64..50, 0..40), comb in combs()) {
            let numbers: Vec<i64> = numbers.into_iter().collect();
            for list in [numbers, comb.list()] {
                let mut all: Vec<i64> = Comb::of_list(list.iter().copied()).iter().flat_map(Comb::list).collect();
                all.sort_unstable();
                prop_assert_eq!(all, list);
            }
        }
    }

    #[test]
    fn digits_that_overlap_are_none() {
        assert_eq!(Comb::new(0, &[(2, 3), (3, 2)]), None);
        assert_eq!(Comb::new(5, &[(1, 4), (4, 2)]), Comb::every(5, 1, 8));
        assert_eq!(Comb::of_list([0, 1, 4, 5, 8, 9].into_iter()).len(), 1);
    }
}
