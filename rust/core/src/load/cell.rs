//! The integers that loads are counted in.

/// A counter. Sums wrap: every true load fits its cell (the grid sees to that), and sums modulo 2^bits of
/// numbers that fit are right whatever happens in between.
pub(super) trait Cell: Copy + Default + Send + Sync {
    /// The sum.
    fn plus(self, other: Self) -> Self;
    /// The difference.
    fn minus(self, other: Self) -> Self;
    /// The product with a small number.
    fn times(self, factor: i32) -> Self;
    /// `mantissa` x 2^`shift`, to the nearest integer, halves up.
    fn scaled(mantissa: u64, shift: i32) -> Self;
    /// The nearest float.
    fn float(self) -> f64;
}

macro_rules! cell {
    ($($type:ty),*) => {$(
        impl Cell for $type {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn times(self, factor: i32) -> Self {
                self.wrapping_mul(Self::from(factor))
            }

            #[inline]
            fn scaled(mantissa: u64, shift: i32) -> Self {
                match shift {
                    0.. => (mantissa as Self).wrapping_shl(shift as u32),
                    -63..0 => ((mantissa >> (-shift - 1)).wrapping_add(1) >> 1) as Self,
                    _ => 0,
                }
            }

            #[inline]
            fn float(self) -> f64 {
                self as f64
            }
        }
    )*};
}

cell!(i32, i64, i128);
