//! How often a `stablehlo.while` runs, where its text shows that: a counter that starts at a constant, grows by one, and
//! is compared with one.

/// How a loop's counter is compared, changed and begun, by names and constants.
#[derive(Default)]
pub(super) struct Loop<'a> {
    /// Value of each variable at the beginning, where it is a constant.
    pub(super) starts: Vec<Option<i64>>,
    /// Names of the variables in the condition and in the body.
    pub(super) names: [Vec<&'a [u8]>; 2],
    /// Its name, direction, and both sides with their constants.
    pub(super) compare: Option<(&'a [u8], &'a [u8], [Side<'a>; 2])>,
    /// What the condition returns, and the body.
    pub(super) returned: [Vec<&'a [u8]>; 2],
    /// Sums and differences in the body: name, both sides, sign of the second.
    pub(super) sums: Vec<(&'a [u8], [Side<'a>; 2], i64)>,
}

/// A value by name, and what it is where it is a constant.
pub(super) type Side<'a> = (&'a [u8], Option<i64>);

impl Loop<'_> {
    /// How often the body runs; None where that is not seen.
    pub(super) fn trips(&self) -> Option<u64> {
        let (name, direction, [left, right]) = self.compare.as_ref()?;
        if self.returned[0] != [*name] {
            return None;
        }
        let place = |side: &Side<'_>| self.names[0].iter().position(|one| *one == side.0);
        let (counter, bound, flipped) = match (place(left), right.1, place(right), left.1) {
            (Some(counter), Some(bound), _, _) => (counter, bound, false),
            (_, _, Some(counter), Some(bound)) => (counter, bound, true),
            _ => return None,
        };
        let start = (*self.starts.get(counter)?)?;
        let variable = self.names[1].get(counter)?;
        let next = self.returned[1].get(counter)?;
        let (_, [first, second], sign) = self.sums.iter().rev().find(|sum| sum.0 == *next)?;
        let step = match (first.0 == *variable, second.0 == *variable) {
            (true, false) => second.1?.checked_mul(*sign)?,
            (false, true) if *sign == 1 => first.1?,
            _ => return None,
        };
        runs(direction, flipped, start.into(), bound.into(), step.into())
    }
}

/// Runs of a counter that is compared before each.
fn runs(direction: &[u8], flipped: bool, start: i128, bound: i128, step: i128) -> Option<u64> {
    let (up, more) = match (direction, flipped) {
        (b"LT", false) | (b"GT", true) => (true, 0),
        (b"LE", false) | (b"GE", true) => (true, 1),
        (b"GT", false) | (b"LT", true) => (false, 0),
        (b"GE", false) | (b"LE", true) => (false, 1),
        (b"NE", _) if step != 0 && (bound - start) % step == 0 => {
            return u64::try_from((bound - start) / step).ok();
        }
        _ => return None,
    };
    let (distance, step) = if up {
        (bound - start + more, step)
    } else {
        (start - bound + more, -step)
    };
    if distance <= 0 {
        return Some(0);
    }
    if step <= 0 {
        return None; // ends when its number wraps, if it does
    }
    u64::try_from((distance + step - 1) / step).ok()
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn counters() {
        assert_eq!(runs(b"LT", false, 0, 12, 1), Some(12));
        assert_eq!(runs(b"LE", false, 1, 12, 5), Some(3));
        assert_eq!(runs(b"GT", false, 9, 0, -2), Some(5));
        assert_eq!(runs(b"GT", true, 0, 12, 1), Some(12));
        assert_eq!(runs(b"NE", false, 0, 12, 4), Some(3));
        assert_eq!(runs(b"NE", false, 0, 12, 5), None);
        assert_eq!(runs(b"LT", false, 5, 2, 1), Some(0));
        assert_eq!(runs(b"LT", false, 0, 12, 0), None);
    }
}
