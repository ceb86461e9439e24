//! Exact division of 32-bit numbers by a fixed divisor with one multiplication. Coordinates of millions of
//! chips are taken apart by it; a hardware division costs several times as much.

/// A divisor prepared for many divisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divisor {
    divisor: u32,
    /// ceil(2^64 / divisor); for divisor 1 it would overflow, and 0 marks that case.
    magic: u64,
}

impl Divisor {
    /// Prepares `divisor`, which is at least 1.
    pub fn new(divisor: u32) -> Self {
        assert!(divisor > 0, "divisors are axis sizes, checked to be >= 1");
        let magic = if divisor == 1 {
            0
        } else {
            (u64::MAX / u64::from(divisor)) + 1
        };
        Self { divisor, magic }
    }

    /// The bits to shift by instead, if the divisor is a power of two: vectors can, and cannot multiply so far.
    #[inline]
    pub fn shift(self) -> Option<u32> {
        self.divisor
            .is_power_of_two()
            .then(|| self.divisor.trailing_zeros())
    }

    /// Quotient and remainder. Exact for every u32: the error of the reciprocal is below 2^-32 of a unit.
    #[inline(always)]
    pub fn div_rem(self, value: u32) -> (u32, u32) {
        let quotient = if self.magic == 0 {
            value
        } else {
            ((u128::from(self.magic) * u128::from(value)) >> 64) as u32
        };
        // The exact quotient makes both results right without a check.
        let below = quotient.wrapping_mul(self.divisor);
        (quotient, value.wrapping_sub(below))
    }
}

#[cfg(test)]
mod tests {
    use super::Divisor;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_operators(divisor in 1..=u32::MAX, value: u32, near in 0u32..3) {
            let multiple = (value / divisor) * divisor;
            for value in [value, multiple.saturating_add(near), multiple.saturating_sub(near), u32::MAX] {
                prop_assert_eq!(Divisor::new(divisor).div_rem(value), (value / divisor, value % divisor));
            }
        }

        #[test]
        fn powers_of_two_shift(shift in 0u32..32, other in 1..=u32::MAX) {
            prop_assert_eq!(Divisor::new(1 << shift).shift(), Some(shift));
            prop_assert_eq!(Divisor::new(other).shift().is_some(), other.count_ones() == 1);
        }
    }
}
