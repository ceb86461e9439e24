//! Numbers in a row as what repeats in it: a fabric's tiers come again and again along its UltraServers.

use super::windows::Summary;
use crate::{Control, Result};

/// Numbers that are looked at for repeats, over all of them: of rows without any, the rest stands as it is.
const MOST_LOOKS: usize = 64;

/// Numbers in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    One(u32),
    /// Rows that follow each other, each so many times.
    Many(Vec<(Row, u64)>),
}

impl Row {
    pub(super) fn of(numbers: &[u32], control: &Control) -> Result<Self> {
        let mut looks = MOST_LOOKS.saturating_mul(numbers.len());
        let mut many: Vec<(Self, u64)> = Vec::new();
        let mut rest = numbers;
        while let Some(&number) = rest.first() {
            control.check()?;
            let (period, times) = match looks >= rest.len() {
                true => best_repeat(rest, control)?,
                false => (1, 1),
            };
            looks = looks.saturating_sub(rest.len());
            let unit = match period {
                1 => Self::One(number),
                _ => Self::of(&rest[..period], control)?,
            };
            match many.last_mut().filter(|last| last.0 == unit) {
                Some(last) => last.1 += times as u64,
                None => many.push((unit, times as u64)),
            }
            rest = &rest[period * times..];
        }
        Ok(Self::Many(many))
    }

    /// The sum of all, each number's by `of`.
    pub(super) fn summed(&self, of: &impl Fn(u32) -> Summary) -> Summary {
        match self {
            Self::One(number) => of(*number),
            Self::Many(rows) => rows.iter().fold(Summary::EMPTY, |sum, (row, times)| {
                sum.then(&row.summed(of).repeated(*times))
            }),
        }
    }
}

/// What a row begins with that repeats, and how often: the one that leaves least; (1, 1) where nothing repeats.
fn best_repeat(numbers: &[u32], control: &Control) -> Result<(usize, usize)> {
    let mut best = (1, 1);
    // Of each beginning of the row, the length of the longest other beginning that it ends with (Knuth, Morris, Pratt).
    let mut ends = vec![0usize; numbers.len()];
    for at in 1..numbers.len() {
        control.check_at(at)?;
        let mut same = ends[at - 1];
        while same > 0 && numbers[same] != numbers[at] {
            same = ends[same - 1];
        }
        if numbers[same] == numbers[at] {
            same += 1;
        }
        ends[at] = same;
        let period = at + 1 - same;
        let times = (at + 1) / period;
        if (times - 1) * period > (best.1 - 1) * best.0 {
            best = (period, times);
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(row: &Row, out: &mut Vec<u32>) {
        match row {
            Row::One(number) => out.push(*number),
            Row::Many(rows) => {
                for (row, times) in rows {
                    (0..*times).for_each(|_| numbers(row, out));
                }
            }
        }
    }

    fn size(row: &Row) -> usize {
        match row {
            Row::One(_) => 1,
            Row::Many(rows) => rows.iter().map(|(row, _)| size(row)).sum(),
        }
    }

    proptest! {
        #[test]
        fn what_repeats_is_all_that_was_there(given in prop::collection::vec(0u32..3, 0..40)) {
            let mut back = Vec::new();
            numbers(&Row::of(&given, &Control::default()).unwrap(), &mut back);
            prop_assert_eq!(back, given);
        }
    }

    #[test]
    fn tiers_take_a_few_rows() {
        let tier = |domain: u32| {
            [4, 32, 1024]
                .iter()
                .filter(|&&group| domain % group == 0)
                .count()
        };
        let row: Vec<u32> = (1..16_384).map(|domain| tier(domain) as u32).collect();
        let row = Row::of(&row, &Control::default()).unwrap();
        assert!(size(&row) < 60, "{}", size(&row));
    }
}
