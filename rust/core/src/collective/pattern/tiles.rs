//! Numbers of places in a row that repeat: the links of one direction of an axis, which have one value for each position
//! on a line, over all lines.

use crate::memory::bytes_of;

/// Places up to `end` whose values follow each other in turn, `each` places of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tile {
    /// The place after the last.
    pub(crate) end: usize,
    /// Places in a row that have the same value.
    pub(crate) each: usize,
    pub(crate) values: Vec<f64>,
}

/// Tiles, one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tiles(Vec<Tile>);

impl Tile {
    /// The value `at` places after the first.
    fn value(&self, at: usize) -> f64 {
        self.values[at / self.each % self.values.len()]
    }
}

impl Tiles {
    /// Adds `count` places.
    pub(crate) fn push(&mut self, count: usize, each: usize, values: Vec<f64>) {
        if count == 0 {
            return;
        }
        let alike = values
            .iter()
            .all(|value| value.to_bits() == values[0].to_bits());
        let (each, values) = match alike {
            true => (count, vec![values[0]]),
            false => (each, values),
        };
        let end = self.places() + count;
        self.0.push(Tile { end, each, values });
    }

    /// Runs of equal values as tiles of one value each.
    pub(crate) fn of_runs(runs: &[(usize, f64)]) -> Self {
        let mut tiles = Self::default();
        for &(end, value) in runs {
            let count = end - tiles.places();
            tiles.push(count, count, vec![value]);
        }
        tiles
    }

    /// Each is of one value all over.
    pub(crate) fn are_runs(&self) -> bool {
        self.0.iter().all(|tile| tile.values.len() == 1)
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.0.last().map_or(0, |tile| tile.end)
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let values = self
            .0
            .iter()
            .map(|tile| bytes_of::<f64>(tile.values.len() as u64));
        values.sum::<u64>() + bytes_of::<Tile>(self.0.len() as u64)
    }

    /// The value at a place; 0 beyond the last.
    pub(crate) fn get(&self, at: usize) -> f64 {
        let tile = self.0.partition_point(|tile| tile.end <= at);
        let first = tile.checked_sub(1).map_or(0, |before| self.0[before].end);
        self.0.get(tile).map_or(0.0, |tile| tile.value(at - first))
    }

    /// Runs of equal values: place after the last, value.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let mut first = 0;
        self.0.iter().flat_map(move |tile| {
            let start = std::mem::replace(&mut first, tile.end);
            let count = (tile.end - start).div_ceil(tile.each);
            (0..count).map(move |at| {
                let end = (start + (at + 1) * tile.each).min(tile.end);
                (end, tile.values[at % tile.values.len()])
            })
        })
    }

    /// What `value` makes of each.
    pub(crate) fn map(&self, value: impl Fn(f64) -> f64) -> Self {
        let tile = |tile: &Tile| Tile {
            values: tile.values.iter().map(|&own| value(own)).collect(),
            ..*tile
        };
        Self(self.0.iter().map(tile).collect())
    }

    /// What `value` makes of these and others beside them; `None` where tiles do not lie on each other.
    pub(crate) fn with(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let mut made = Self::default();
        self.beside(other, |first, end, each, a, b| {
            let longest = a.len().max(b.len());
            let at = |values: &[f64], at: usize| values[at % values.len()];
            let values = (0..longest).map(|place| value(at(a, place), at(b, place)));
            made.push(end - first, each, values.collect());
        })?;
        Some(made)
    }

    /// The largest of what `value` makes of these and others beside them, and the first place that has it; `None` where
    /// tiles do not lie on each other.
    pub(crate) fn peak(
        &self,
        other: &Self,
        value: impl Fn(f64, f64) -> f64,
    ) -> Option<(usize, f64)> {
        let mut found = (0, 0.0);
        self.beside(other, |first, _, each, a, b| {
            for place in 0..a.len().max(b.len()) {
                let here = value(a[place % a.len()], b[place % b.len()]);
                if here > found.1 {
                    found = (first + place * each, here);
                }
            }
        })?;
        Some(found)
    }

    /// Calls `visit` with stretches in which both are one tile: first place, place after the last, places of one value,
    /// both values in turn. Beyond its end one has 0.
    fn beside(
        &self,
        other: &Self,
        mut visit: impl FnMut(usize, usize, usize, &[f64], &[f64]),
    ) -> Option<()> {
        let all = self.places().max(other.places());
        let (mut mine, mut theirs, mut first) = (0, 0, 0);
        let begin = |tiles: &[Tile], at: usize| at.checked_sub(1).map_or(0, |at| tiles[at].end);
        while first < all {
            let [a, b] = [self.0.get(mine), other.0.get(theirs)];
            let ends = [a, b].map(|tile| tile.map_or(all, |tile| tile.end));
            let end = ends[0].min(ends[1]);
            // One that is cut has to be the same all over.
            let whole = |tile: Option<&Tile>, start: usize| {
                tile.is_none_or(|tile| {
                    tile.values.len() == 1 || (start == first && tile.end == end)
                })
            };
            let lies = whole(a, begin(&self.0, mine)) && whole(b, begin(&other.0, theirs));
            let (x, y) = (values(a), values(b));
            let each = match (x.len(), y.len()) {
                (1, 1) => Some(end - first),
                (_, 1) => a.map(|tile| tile.each),
                (1, _) => b.map(|tile| tile.each),
                (one, two) if one == two => {
                    let own = a.map(|tile| tile.each);
                    own.filter(|own| b.is_some_and(|tile| tile.each == *own))
                }
                _ => None,
            };
            visit(first, end, each.filter(|_| lies)?, x, y);
            mine += usize::from(ends[0] == end);
            theirs += usize::from(ends[1] == end);
            first = end;
        }
        Some(())
    }
}

fn values(tile: Option<&Tile>) -> &[f64] {
    tile.map_or(&[0.0], |tile| &tile.values)
}

#[cfg(test)]
mod tests {
    use super::Tiles;
    use proptest::prelude::*;

    /// Blocks of `lines` times as many places as values, some of them of one value.
    fn tiles(seed: &[(u8, bool)], lines: usize) -> Tiles {
        let mut tiles = Tiles::default();
        for (block, &(value, alike)) in seed.iter().enumerate() {
            let period = 2 + block % 3;
            let each = 1 + block % 2;
            let number =
                |at: usize| f64::from(value) + if alike { 0.0 } else { (at % period) as f64 };
            tiles.push(
                lines * period * each,
                each,
                (0..period).map(number).collect(),
            );
        }
        tiles
    }

    proptest! {
        #[test]
        fn they_are_what_lists_are(
            one in proptest::collection::vec((0u8..4, any::<bool>()), 0..5),
            two in proptest::collection::vec((0u8..4, any::<bool>()), 0..5),
            lines in 1usize..4,
        ) {
            let (a, b) = (tiles(&one, lines), tiles(&two, lines));
            let all = a.places().max(b.places());
            let sum = a.with(&b, |a, b| a + 0.5 * b).expect("blocks lie on each other");
            prop_assert_eq!(sum.places(), all);
            let mut most = (0, 0.0);
            for at in 0..all {
                let each = a.get(at) + 0.5 * b.get(at);
                prop_assert_eq!(sum.get(at), each);
                if each > most.1 {
                    most = (at, each);
                }
            }
            prop_assert_eq!(a.peak(&b, |a, b| a + 0.5 * b), Some(most));
            let listed: Vec<f64> = (0..a.places()).map(|at| a.get(at)).collect();
            let mut from = 0;
            for (end, value) in a.runs() {
                prop_assert!(listed[from..end].iter().all(|own| *own == value));
                from = end;
            }
            prop_assert_eq!(from, listed.len());
            // Blocks that are not cut alike do not lie on each other.
            let odd = Tiles::of_runs(&[(1, 1.0), (1 + all, 2.0)]);
            if a.with(&odd, |a, b| a + b).is_some() {
                prop_assert!(a.get(0) == a.get(1) || a.places() < 2);
            }
        }
    }
}
