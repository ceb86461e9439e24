//! Seconds of a chain of messages, part by part, and which of several chains is the longest.

use std::ops::{Add, Sub};

/// Seconds of one message, or of messages that wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Seconds {
    /// On the way, while the sender goes on.
    pub(crate) latency: f64,
    /// In which the sender starts it.
    pub(crate) overhead: f64,
    /// On the wire with all of the data.
    pub(crate) serial: f64,
}

impl Seconds {
    /// With `scale` of the data.
    pub(crate) fn at(&self, scale: f64) -> f64 {
        self.fixed() + scale * self.serial
    }

    /// With no data.
    pub(crate) fn fixed(&self) -> f64 {
        self.latency + self.overhead
    }

    /// Until the sender may go on.
    pub(crate) fn stay(&self) -> Self {
        Self {
            latency: 0.0,
            ..*self
        }
    }

    pub(crate) fn times(&self, count: f64) -> Self {
        Self {
            latency: self.latency * count,
            overhead: self.overhead * count,
            serial: self.serial * count,
        }
    }

    /// The numbers as they are told apart.
    pub(super) fn bits(&self) -> [u64; 3] {
        [self.latency, self.overhead, self.serial].map(f64::to_bits)
    }
}

impl Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            latency: self.latency + other.latency,
            overhead: self.overhead + other.overhead,
            serial: self.serial + other.serial,
        }
    }
}

impl Sub for Seconds {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + other.times(-1.0)
    }
}

/// A size as the weights of seconds without data and of those of all the data; any size is between (1, 0) and (0, 1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    pub(super) fixed: f64,
    pub(super) serial: f64,
}

impl Weights {
    pub(super) fn of(self, seconds: &Seconds) -> f64 {
        self.fixed * seconds.fixed() + self.serial * seconds.serial
    }

    /// The longest of some chains.
    pub(super) fn longer(self, chains: impl IntoIterator<Item = Seconds>) -> Seconds {
        let longer = |a: Seconds, b: Seconds| if self.of(&b) > self.of(&a) { b } else { a };
        chains.into_iter().reduce(longer).unwrap_or_default()
    }
}

/// By how much a chain must be longer than others to be another: what rounding can do.
pub(super) const ROUNDING: f64 = 1e-14;

/// All chains that are the longest at some size. `longest` finds one for any weights.
///
/// # Errors
/// Those of `longest`.
pub(super) fn envelope<E>(
    mut longest: impl FnMut(Weights) -> Result<Seconds, E>,
) -> Result<Vec<Seconds>, E> {
    let weights = |fixed, serial| Weights { fixed, serial };
    let first = longest(weights(1.0, 0.0))?;
    let last = longest(weights(0.0, 1.0))?;
    let mut found = vec![first, last];
    let mut between = vec![(first, last)];
    while let Some((low, high)) = between.pop() {
        let (less, more) = (low.fixed() - high.fixed(), high.serial - low.serial);
        if less <= 0.0 || more <= 0.0 {
            continue;
        }
        // Where both take as long.
        let meet = weights(more / (less + more), less / (less + more));
        let other = longest(meet)?;
        let known = f64::max(meet.of(&low), meet.of(&high));
        if meet.of(&other) > known * (1.0 + ROUNDING) {
            found.push(other);
            between.extend([(low, other), (other, high)]);
        }
    }
    let beaten = |one: &Seconds, by: &Seconds| {
        by.fixed() >= one.fixed() && by.serial >= one.serial && by.bits() != one.bits()
    };
    let mut chains: Vec<Seconds> = Vec::new();
    for chain in &found {
        let known = chains.iter().any(|known| known.bits() == chain.bits());
        if !known && !found.iter().any(|by| beaten(chain, by)) {
            chains.push(*chain);
        }
    }
    // Of chains that beat each other in nothing, all would have gone.
    Ok(if chains.is_empty() {
        vec![first]
    } else {
        chains
    })
}
