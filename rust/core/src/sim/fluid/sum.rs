//! A sum to which much is added and from which much is taken.

/// A running sum that keeps what rounding loses (Neumaier, Zeitschrift für Angewandte Mathematik und Mechanik, 1974).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    pub(super) fn value(&self) -> f64 {
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
