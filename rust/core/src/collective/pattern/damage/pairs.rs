//! Messages between local chips, as damage looks at them: how often each pair of chips is among them.

use crate::collective::pattern::kind::PatternKind;
use crate::machine::Domain;
use std::borrow::Cow;

/// Messages between local chips.
pub(super) enum Pairs<'a> {
    /// These, and how often each (row: from, column: to) on a domain of so many chips; empty where that is large.
    Listed(Cow<'a, [(u32, u32)]>, Vec<u32>, u32),
    /// Each of so many chips to each other.
    All(u32),
}

impl<'a> Pairs<'a> {
    /// Those of a pattern inside domains.
    pub(super) fn of(domain: &Domain, kind: &'a PatternKind, small: bool) -> Self {
        let chips = domain.chips();
        let PatternKind::Local(pairs) = kind else {
            return Self::All(chips);
        };
        let pairs = pairs.list();
        let mut counts = Vec::new();
        if small {
            counts = vec![0; chips as usize * chips as usize];
            for &(src, dst) in pairs.iter() {
                counts[(src * chips + dst) as usize] += 1;
            }
        }
        Self::Listed(pairs, counts, chips)
    }

    pub(super) fn count(&self, src: u32, dst: u32) -> u32 {
        match self {
            Self::Listed(_, counts, chips) => counts[(src * chips + dst) as usize],
            Self::All(_) => 1,
        }
    }

    pub(super) fn all(&self) -> Box<dyn Iterator<Item = (u32, u32)> + '_> {
        match self {
            Self::Listed(pairs, ..) => Box::new(pairs.iter().copied()),
            &Self::All(chips) => Box::new((0..chips).flat_map(move |src| {
                (0..chips)
                    .filter(move |&dst| dst != src)
                    .map(move |dst| (src, dst))
            })),
        }
    }
}
