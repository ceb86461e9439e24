//! Places that are alike: with one price for all that happens between domains.

use super::digit::{Place, members};
use super::space::Space;
use std::collections::BTreeMap;

/// By place, the number of its family: with the same digits outside of domains and as many chips inside.
pub(super) fn families(space: &Space, places: &[Place]) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    let family = |place: &Place| {
        let pairs = space.dimensions.iter().zip(place);
        let (inside, outside): (Vec<_>, Vec<_>) = pairs.partition(|pair| pair.0.inside);
        let chips: u32 = inside.iter().map(|pair| members(pair.1)).product();
        let outside: Place = outside.into_iter().map(|pair| pair.1.clone()).collect();
        let next = numbers.len();
        *numbers.entry((outside, chips)).or_insert(next)
    };
    places.iter().map(family).collect()
}
