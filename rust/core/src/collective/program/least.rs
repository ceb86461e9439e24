//! What something takes at least, said before it is made.

use std::ops::{Add, Mul};

/// Bounds are lowered by this share, so that none is above a time that is equal but for rounding.
pub(crate) const SLACK: f64 = 1e-9;

/// Seconds that something takes at least, by its size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Least {
    /// Of latency and of starting messages, whatever the size.
    pub(crate) fixed: f64,
    /// Each byte, all steps one after another.
    pub(crate) per_byte: f64,
    /// Each byte, however finely it is cut into pieces that follow each other.
    pub(crate) busy: f64,
}

impl Least {
    /// Nothing is known.
    pub(crate) const NOTHING: Self = Self {
        fixed: 0.0,
        per_byte: 0.0,
        busy: 0.0,
    };

    /// Seconds at a size; no sound time is below.
    pub(crate) fn at(self, size: f64) -> f64 {
        (self.fixed + self.per_byte * size) * (1.0 - SLACK)
    }

    /// One after the other, on links that are not the same: pieces may be on both at once.
    pub(crate) fn then(self, other: Self) -> Self {
        Self {
            busy: self.busy.max(other.busy),
            ..self + other
        }
    }

    /// What is taken at least by whichever of two it is.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.min(other.fixed),
            per_byte: self.per_byte.min(other.per_byte),
            busy: self.busy.min(other.busy),
        }
    }
}

/// One after the other, on the same links.
impl Add for Least {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            fixed: self.fixed + other.fixed,
            per_byte: self.per_byte + other.per_byte,
            busy: self.busy + other.busy,
        }
    }
}

/// The same with so much of the data.
impl Mul<f64> for Least {
    type Output = Self;

    fn mul(self, part: f64) -> Self {
        Self {
            fixed: self.fixed,
            per_byte: self.per_byte * part,
            busy: self.busy * part,
        }
    }
}

impl std::iter::Sum for Least {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::NOTHING, Add::add)
    }
}
