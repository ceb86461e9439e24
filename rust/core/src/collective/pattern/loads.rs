//! A number for each of many places in a row (links of a domain, of the fabric; NICs by domain), kept as compactly as
//! it can be without losing a bit.
//!
//! Where symmetry makes places alike, they are stretches of equal values: a torus of a million links has six. The
//! bytes that one pattern puts on links are small multiples of a power of two: a byte a place. Where what is unlike repeats,
//! they are a tree of halves. Sums of unlike patterns are listed.

use super::halves::Halves;
use super::tiles::Tiles;
use crate::memory::bytes_of;
use std::borrow::Cow;

/// Values by place; empty where there is nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Loads {
    /// Runs of equal values: (place after its last, value), ascending.
    Runs(Vec<(usize, f64)>),
    /// So many times a power of two.
    Multiples {
        /// The power of two.
        unit: f64,
        /// How often it is at each place.
        counts: Vec<u8>,
    },
    /// In turn, on the links of each direction of an axis.
    Tiled(Tiles),
    /// A tree of halves, equal ones once.
    Halved(Halves),
    /// Each by itself.
    Listed(Vec<f64>),
}

/// Runs of equal values, one after another; those that are equal are joined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Vec<(usize, f64)>);

impl Runs {
    pub(crate) fn push(&mut self, count: usize, value: f64) {
        let end = self.0.last().map_or(0, |last| last.0) + count;
        match self.0.last_mut() {
            Some(last) if last.1.to_bits() == value.to_bits() => last.0 = end,
            _ if count > 0 => self.0.push((end, value)),
            _ => {}
        }
    }
}

impl From<Runs> for Loads {
    fn from(stretches: Runs) -> Self {
        Self::stretched(stretches.0)
    }
}

/// Most runs that become a tree of halves to be added to one.
const MOST_RUNS: usize = 256;

/// Most runs of a tree of halves that is no tree any more.
const FEW_RUNS: usize = 16;

/// A run takes as much memory as so many counts.
const RUN: usize = size_of::<(usize, f64)>();

impl Default for Loads {
    fn default() -> Self {
        Self::Runs(Vec::new())
    }
}

impl FromIterator<f64> for Loads {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self::from(values.into_iter().collect::<Vec<f64>>())
    }
}

impl From<Vec<f64>> for Loads {
    fn from(values: Vec<f64>) -> Self {
        let alike = |a: &f64, b: &f64| a.to_bits() == b.to_bits();
        let runs = values.chunk_by(alike);
        if runs.clone().count() * RUN <= values.len().max(RUN) {
            let mut end = 0;
            let run = |alike: &[f64]| {
                end += alike.len();
                (end, alike[0])
            };
            return Self::Runs(runs.map(run).collect());
        }
        match common_unit(&values) {
            Some(unit) => Self::Multiples {
                unit,
                counts: values.iter().map(|value| (value / unit) as u8).collect(),
            },
            None => Self::Listed(values),
        }
    }
}

impl From<Tiles> for Loads {
    fn from(tiles: Tiles) -> Self {
        match tiles.are_runs() {
            true => {
                let (mut runs, mut from) = (Runs::default(), 0);
                for (end, value) in tiles.runs() {
                    runs.push(end - from, value);
                    from = end;
                }
                Self::Runs(runs.0)
            }
            false => Self::Tiled(tiles),
        }
    }
}

impl From<Halves> for Loads {
    fn from(halves: Halves) -> Self {
        let few = halves.few_runs(FEW_RUNS);
        few.map_or(Self::Halved(halves), Self::Runs)
    }
}

/// The largest power of two of which all values are multiples, by at most a byte.
fn common_unit(values: &[f64]) -> Option<f64> {
    let mut least = i32::MAX;
    let mut most = 0.0f64;
    for &value in values.iter().filter(|&&value| value != 0.0) {
        if !value.is_normal() || value < 0.0 {
            return None;
        }
        let (bits, exponent) = (value.to_bits(), ((value.to_bits() >> 52) & 0x7ff) as i32);
        // The lowest bit of the mantissa that is set, or the hidden one.
        let lowest = bits.trailing_zeros().min(52) as i32;
        least = least.min(exponent - 1023 - 52 + lowest);
        most = most.max(value);
    }
    let unit = f64::powi(2.0, least);
    (unit.is_normal() && most / unit <= f64::from(u8::MAX)).then_some(unit)
}

impl Loads {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Runs(runs) => bytes_of::<(usize, f64)>(runs.len() as u64),
            Self::Multiples { counts, .. } => counts.len() as u64,
            Self::Tiled(tiles) => tiles.bytes(),
            Self::Halved(halves) => halves.bytes(),
            Self::Listed(values) => bytes_of::<f64>(values.len() as u64),
        }
    }

    /// Runs of equal values, each by the place after its last.
    pub(crate) fn stretched(stretches: Vec<(usize, f64)>) -> Self {
        let places = stretches.last().map_or(0, |last| last.0);
        match stretches.len() * RUN <= places.max(RUN) {
            true => Self::Runs(stretches),
            false => Self::Runs(stretches).values().collect(),
        }
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Runs(runs) => runs.last().map_or(0, |run| run.0),
            Self::Multiples { counts, .. } => counts.len(),
            Self::Tiled(tiles) => tiles.places(),
            Self::Halved(halves) => halves.places(),
            Self::Listed(values) => values.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a place; 0 beyond the last.
    pub(crate) fn get(&self, at: usize) -> f64 {
        match self {
            Self::Runs(runs) => {
                let run = runs.partition_point(|run| run.0 <= at);
                runs.get(run).map_or(0.0, |run| run.1)
            }
            Self::Multiples { unit, counts } => {
                counts.get(at).map_or(0.0, |&count| unit * f64::from(count))
            }
            Self::Tiled(tiles) => tiles.get(at),
            Self::Halved(halves) => halves.get(at),
            Self::Listed(values) => values.get(at).copied().unwrap_or(0.0),
        }
    }

    /// Runs of equal values in order: place after the last, value. Values that are kept one by one are stretches
    /// of their own.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let (runs, unit, counts, values) = match self {
            Self::Runs(runs) => (Cow::Borrowed(&runs[..]), 1.0, &[][..], &[][..]),
            Self::Multiples { unit, counts } => (Cow::default(), *unit, &counts[..], &[][..]),
            Self::Tiled(_) => (Cow::default(), 1.0, &[][..], &[][..]),
            Self::Halved(halves) => (Cow::Owned(halves.runs()), 1.0, &[][..], &[][..]),
            Self::Listed(values) => (Cow::default(), 1.0, &[][..], &values[..]),
        };
        let runs = (0..runs.len()).map(move |at| runs[at]);
        let counted = counts.iter().map(move |&count| unit * f64::from(count));
        let each = counted.chain(values.iter().copied());
        let tiles = match self {
            Self::Tiled(tiles) => Some(tiles),
            _ => None,
        };
        let tiled = tiles.into_iter().flat_map(Tiles::runs);
        runs.chain((1..).zip(each)).chain(tiled)
    }

    /// The values one by one.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let mut from = 0;
        self.stretches().flat_map(move |(end, value)| {
            let count = end - std::mem::replace(&mut from, end);
            std::iter::repeat_n(value, count)
        })
    }

    /// Calls `visit` with stretches of places at which both have one value each, in order: the first place, the place
    /// after the last, both values. Beyond its end a list has 0.
    pub(crate) fn beside(&self, other: &Self, mut visit: impl FnMut(usize, usize, f64, f64)) {
        let all = self.len().max(other.len());
        let (mut ours, mut theirs) = (self.stretches(), other.stretches());
        let beyond = (all, 0.0);
        let (mut a, mut b) = (
            ours.next().unwrap_or(beyond),
            theirs.next().unwrap_or(beyond),
        );
        let mut at = 0;
        while at < all {
            let end = a.0.min(b.0);
            visit(at, end, a.1, b.1);
            if a.0 == end {
                a = ours.next().unwrap_or(beyond);
            }
            if b.0 == end {
                b = theirs.next().unwrap_or(beyond);
            }
            at = end;
        }
    }

    /// Adds `scale` times other values.
    pub(crate) fn add(&mut self, other: &Self, scale: f64) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() && !matches!(other, Self::Multiples { .. }) {
            *self = match other {
                Self::Halved(halves) => Self::Halved(halves.map(|value| scale * value)),
                other => other.map(|value| scale * value),
            };
            return;
        }
        if let (Self::Runs(_), Self::Runs(_)) = (&*self, other) {
            let mut sums = Runs::default();
            self.beside(other, |from, end, a, b| {
                sums.push(end - from, a + scale * b)
            });
            let runs = sums.0;
            let compact = runs.len() * RUN <= other.len().max(1) * size_of::<f64>();
            *self = Self::Runs(runs);
            if !compact {
                self.list(other.len());
            }
            return;
        }
        if let Some(sum) = self
            .tiled(other)
            .and_then(|(own, more)| own.with(&more, |a, b| a + scale * b))
        {
            *self = sum.into();
            return;
        }
        if let Some((own, more)) = self.halves().zip(other.halves()) {
            if let Some(sum) = own.with(&more, |a, b| a + scale * b) {
                *self = sum.into();
                return;
            }
        }
        let values = self.list(other.len());
        if let Self::Listed(more) = other {
            let each = values.iter_mut().zip(more);
            each.for_each(|(value, more)| *value += scale * more);
            return;
        }
        let mut from = 0;
        for (end, more) in other.stretches() {
            let alike = &mut values[std::mem::replace(&mut from, end)..end];
            alike.iter_mut().for_each(|value| *value += scale * more);
        }
    }

    /// Both as tiles, where one of them is and the other may be.
    fn tiled<'a>(&'a self, other: &'a Self) -> Option<(Cow<'a, Tiles>, Cow<'a, Tiles>)> {
        let tiles = |loads: &'a Self| match loads {
            Self::Tiled(tiles) => Some(Cow::Borrowed(tiles)),
            Self::Runs(runs) => Some(Cow::Owned(Tiles::of_runs(runs))),
            _ => None,
        };
        let some = matches!((self, other), (Self::Tiled(_), _) | (_, Self::Tiled(_)));
        some.then(|| tiles(self).zip(tiles(other))).flatten()
    }

    /// The values as a tree of halves, where they are one or few runs.
    fn halves(&self) -> Option<Cow<'_, Halves>> {
        match self {
            Self::Halved(halves) => Some(Cow::Borrowed(halves)),
            Self::Runs(runs) if runs.len() <= MOST_RUNS => Halves::of_runs(runs).map(Cow::Owned),
            _ => None,
        }
    }

    /// What `value` makes of each of the values; of zero it makes zero.
    pub(crate) fn map(&self, value: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Halved(halves) => return halves.map(value).into(),
            Self::Tiled(tiles) => return tiles.map(value).into(),
            _ => {}
        }
        let mut runs = Runs::default();
        self.beside(&Self::default(), |from, end, own, _| {
            runs.push(end - from, value(own));
        });
        runs.into()
    }

    /// Lists the values, as many as asked for or more.
    fn list(&mut self, count: usize) -> &mut Vec<f64> {
        if !matches!(self, Self::Listed(_)) {
            *self = Self::Listed(self.values().collect());
        }
        let Self::Listed(values) = self else {
            unreachable!("they are listed by now")
        };
        if values.len() < count {
            values.resize(count, 0.0);
        }
        values
    }

    /// The largest of what `value` makes of these values and others beside them, and the first place that has it.
    pub(crate) fn peak(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> (usize, f64) {
        let mut found = (0, 0.0);
        if self.is_empty() {
            return found;
        }
        let tiled = self.tiled(other);
        if let Some(peak) = tiled.and_then(|(own, others)| own.peak(&others, &value)) {
            return peak;
        }
        if matches!((self, other), (Self::Halved(_), _) | (_, Self::Halved(_))) {
            if let Some((own, others)) = self.halves().zip(other.halves()) {
                return own.peak(&others, value);
            }
        }
        self.beside(other, |at, _, a, b| {
            let here = value(a, b);
            if here > found.1 {
                found = (at, here);
            }
        });
        found
    }
}

#[cfg(test)]
#[path = "loads_tests.rs"]
mod tests;
