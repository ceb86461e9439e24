//! A sum to which much is added and from which much is taken.

/// A running sum that keeps what rounding loses (two-sum: Knuth, The Art of Computer Programming 2, section 4.2.2).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let next = self.sum + value;
        let added = next - self.sum;
        self.lost += (self.sum - (next - added)) + (value - added);
        self.sum = next;
    }

    #[inline]
    pub(crate) fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn what_was_added_and_taken_again_leaves_nothing() {
        let mut sum = Sum::default();
        let values: Vec<f64> = (1..2000).map(|at| 1e9 / f64::from(at)).collect();
        values.iter().for_each(|value| sum.add(*value));
        sum.add(1e-9);
        values.iter().for_each(|value| sum.add(-value));
        assert!((sum.value() - 1e-9).abs() < 1e-15, "{}", sum.value());
    }
}
