//! Places that are alike: as good as each other, or with one price for all that happens between domains.

use super::layout::Place;
use super::space::Space;
use super::tree::Places;
use std::collections::BTreeMap;

/// Which places are alike, by their numbers.
pub(super) struct Alike {
    /// By place, the number of its twins.
    stands_for: Vec<usize>,
    /// Places that are as good as each other where the order of ranks means nothing.
    twins: Vec<Vec<u32>>,
    /// By place, the number of its family: with the same digits outside of domains and as many chips inside.
    families: Vec<usize>,
}

impl Alike {
    pub(super) fn of(space: &Space, places: &Places) -> Self {
        let mut numbers: BTreeMap<(Place, u32), usize> = BTreeMap::new();
        let mut standing: BTreeMap<Place, usize> = BTreeMap::new();
        let mut alike = Self {
            stands_for: Vec::with_capacity(places.all.len()),
            twins: Vec::new(),
            families: Vec::with_capacity(places.all.len()),
        };
        for (number, place) in (0..).zip(&places.all) {
            let next = alike.twins.len();
            let twins = *standing.entry(space.twin(place.clone())).or_insert(next);
            if twins == next {
                alike.twins.push(Vec::new());
            }
            alike.twins[twins].push(number);
            alike.stands_for.push(twins);
            let pairs = space.dimensions.iter().zip(place);
            let (inside, outside): (Vec<_>, Vec<_>) = pairs.partition(|pair| pair.0.inside);
            let digits = inside.iter().flat_map(|pair| pair.1);
            let chips = digits.map(|digit| digit.1).product();
            let outside = outside.into_iter().map(|pair| pair.1.clone()).collect();
            let next = numbers.len();
            let family = *numbers.entry((outside, chips)).or_insert(next);
            alike.families.push(family);
        }
        alike
    }

    pub(super) fn family(&self, place: u32) -> usize {
        self.families[place as usize]
    }

    /// The places that are as good as this one where the order of ranks means nothing, itself among them.
    pub(super) fn twins(&self, place: u32) -> &[u32] {
        &self.twins[self.stands_for[place as usize]]
    }
}
