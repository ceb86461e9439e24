//! The fixed-point grid that bytes are put on, and the way back.
//!
//! Ties are split in halves, so the unit of the grid is half of the least bit that any flow uses. When the
//! bits from there up to the total fit an i64 or an i128 every load is exact before its one rounding to f64.
//! Wider spreads (a total over 2^122 times the least bit) round each flow below 2^-124 of the total.

use super::cell::Cell;

/// Bits that an i64 may hold without its sign and a guard.
const NARROW_BITS: i32 = 62;
/// The same for an i128.
const WIDE_BITS: i32 = 126;

/// What one pass over the bytes found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Survey {
    /// Least power of two that some flow needs; `i32::MAX` if all are zero.
    pub(super) least: i32,
    /// Sum in bytes.
    pub(super) total: f64,
}

impl Survey {
    pub(super) fn new() -> Self {
        Self {
            least: i32::MAX,
            total: 0.0,
        }
    }

    /// Takes in the bytes of one flow, finite and not negative.
    #[inline]
    pub(super) fn add(&mut self, bytes: f64) {
        let (mantissa, exponent) = parts(bytes);
        let least = exponent + mantissa.trailing_zeros() as i32;
        if mantissa != 0 && least < self.least {
            self.least = least;
        }
        self.total += bytes;
    }

    /// An exponent that the sum of any of the flows stays below, its rounding in this survey included.
    fn ceiling(&self) -> i32 {
        parts(self.total).1 + 54
    }

    /// The grid of these flows, and whether i64 holds it.
    pub(super) fn grid(&self) -> (Grid, bool) {
        if self.least == i32::MAX {
            return (Grid { exponent: 0 }, true);
        }
        let (least, ceiling) = (self.least - 1, self.ceiling());
        if ceiling - least <= NARROW_BITS {
            return (Grid { exponent: least }, true);
        }
        let exponent = least.max(ceiling - WIDE_BITS);
        (Grid { exponent }, false)
    }

    /// The grid for shares of flows, which have bits of their own: 2^-119 of the total.
    pub(super) fn share_grid(&self) -> Grid {
        Grid {
            exponent: self.ceiling() - 120,
        }
    }
}

/// A fixed-point grid whose unit is 2^exponent bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    exponent: i32,
}

impl Grid {
    /// Bytes in units, to the nearest.
    #[inline]
    pub(super) fn units<T: Cell>(self, bytes: f64) -> T {
        let (mantissa, exponent) = parts(bytes);
        T::scaled(mantissa, exponent - self.exponent)
    }

    /// Half of the bytes in units.
    #[inline]
    pub(super) fn half_units<T: Cell>(self, bytes: f64) -> T {
        let (mantissa, exponent) = parts(bytes);
        T::scaled(mantissa, exponent - 1 - self.exponent)
    }

    /// The way back to bytes.
    pub(super) fn scale(self) -> Scale {
        // In two factors: one alone may be below the smallest float while the product is not.
        let half = self.exponent / 2;
        Scale(power(half), power(self.exponent - half))
    }
}

/// Two factors that turn a count into bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale(pub(super) f64, pub(super) f64);

impl Scale {
    #[inline]
    pub(super) fn bytes<T: Cell>(self, count: T) -> f64 {
        count.float() * self.0 * self.1
    }
}

/// 2^exponent for exponents of normal floats.
fn power(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Mantissa and exponent: the value is mantissa x 2^exponent.
#[inline]
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52 & 0x7ff) as i32 {
        0 => (fraction, -1074),
        biased => (fraction | 1 << 52, biased - 1075),
    }
}
