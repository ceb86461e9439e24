//! Patterns: who sends to whom at the same time, one byte a message, written compactly. What a pattern costs
//! per byte is found once (`context.rs`) and scaled; phases of an algorithm share patterns.

use super::crews::Crews;
use super::pairs::Pairs;
use crate::memory::bytes_of;
use crate::weigh::Scale;
use std::sync::Arc;

/// Which messages a pattern has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PatternKind {
    /// Messages between local chips, the same in every member domain.
    Local(Pairs),
    /// Every chip of a domain to every other, in every member domain.
    LocalAll,
    /// In every member domain, every chip of a group to every other of it, through a switch that adds up what is bound
    /// for one chip, or copies what one chip sends.
    InSwitch {
        /// Local chips of each group.
        groups: Vec<Vec<u32>>,
        /// Copies; otherwise adds up.
        gather: bool,
    },
    /// For each pair of domains, one message from each member to the member at the same place.
    Rails(Pairs),
    /// For each pair of domains, one message for each pair of NICs: from that of one local chip to that of another.
    NicPairs {
        /// (from, to) domains.
        pairs: Pairs,
        /// (sending, receiving) local chip of each pair.
        nics: Vec<(u32, u32)>,
    },
    /// In each set of domains, the root of each local group sends to every member of its group in the other
    /// domains, or they send to it.
    Star {
        /// Domains of each set, and the root's.
        sets: Vec<(Vec<u32>, u32)>,
        /// Members of each local group, and the root.
        locals: Vec<(Vec<u32>, u32)>,
        /// From the root, or to it.
        outward: bool,
    },
    /// In each set of domains, every member sends to each other domain of the set. With `spread`, its message goes in
    /// equal parts to all members of its group there instead of to the one at the same place.
    Exchange {
        /// Domains of each set, ascending.
        sets: Arc<[Vec<u32>]>,
        /// To all members there, or to the one at the same place.
        spread: bool,
    },
    /// In each set of domains, the members at one site together send to those at another site, each its even
    /// part, to the members that hold the same part there.
    Sites {
        /// Domains of each set, ascending.
        sets: Arc<[Vec<u32>]>,
        /// Which pairs of sites, and how much.
        share: SiteShare,
    },
    /// Each rank of every group of a grid to the rank so far ahead, cyclically: alike in all member domains.
    Shift {
        /// Local chips of each group.
        locals: Arc<[Vec<u32>]>,
        /// Domains of each set.
        domains: Arc<[Vec<u32>]>,
        /// How far, neither to itself.
        shift: i64,
    },
    /// Messages between chips of the machine.
    Flat(Pairs),
    /// Messages between local chips, the same in each of these domains, which are some of those that have members.
    Within {
        /// Local chips.
        pairs: Pairs,
        /// Where.
        domains: Arc<[u32]>,
    },
    /// Messages between crews, by number: from the owners of the bytes in the one to those of the same in the other.
    Crews {
        /// (from, to) crews.
        pairs: Pairs,
        /// Bytes of each message, where they are not one each.
        weights: Option<Arc<[f64]>>,
        /// Who they are.
        crews: Arc<Crews>,
    },
}

impl PatternKind {
    /// Counts what it takes.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        let listed = |lists: &[Vec<u32>]| -> u64 {
            let each = lists
                .iter()
                .map(|list| bytes_of::<u32>(6 + list.len() as u64));
            each.sum()
        };
        let rooted = |lists: &[(Vec<u32>, u32)]| -> u64 {
            let each = lists
                .iter()
                .map(|list| bytes_of::<u32>(8 + list.0.len() as u64));
            each.sum()
        };
        match self {
            Self::Local(pairs) | Self::Rails(pairs) | Self::Flat(pairs) => pairs.weigh(on),
            Self::LocalAll => {}
            Self::Within { pairs, domains } => {
                pairs.weigh(on);
                on.add(bytes_of::<u32>(domains.len() as u64));
            }
            Self::Crews {
                pairs,
                weights,
                crews,
            } => {
                pairs.weigh(on);
                let weights = weights.as_ref().map_or(0, |weights| weights.len());
                on.add(bytes_of::<f64>(weights as u64));
                crews.weigh(on);
            }
            Self::InSwitch { groups, .. } => on.add(listed(groups)),
            Self::NicPairs { pairs, nics } => {
                pairs.weigh(on);
                on.add(bytes_of::<(u32, u32)>(nics.len() as u64));
            }
            Self::Star { sets, locals, .. } => on.add(rooted(sets) + rooted(locals)),
            Self::Exchange { sets, .. } | Self::Sites { sets, .. } => on.lists(sets),
            Self::Shift {
                locals, domains, ..
            } => {
                on.lists(locals);
                on.lists(domains);
            }
        }
    }

    /// Every member of each set to each other domain of it: sets may name their domains in any order, such as one that
    /// begins with a root.
    pub(crate) fn exchange(sets: &Arc<[Vec<u32>]>, spread: bool) -> Self {
        let ascending = |set: &Vec<u32>| {
            let mut set = set.clone();
            set.sort_unstable();
            set
        };
        let sets = match sets.iter().all(|set| set.is_sorted()) {
            true => Arc::clone(sets),
            false => sets.iter().map(ascending).collect(),
        };
        Self::Exchange { sets, spread }
    }
}

/// How much one site sends to another, in units of the phase's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteShare {
    /// One unit between each two sites.
    Equal,
    /// One unit to the next site only, cyclically.
    Next,
    /// The receiving site's share of the domains.
    Receiver,
    /// The sending site's share of the domains.
    Sender,
}
