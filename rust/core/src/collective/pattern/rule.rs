//! Messages by rule: a step in which ranks that are evenly spaced each send to the rank a fixed distance away, and the
//! same between domains, where those of the groups are evenly spaced too.

use super::comb::Comb;
use super::digits::Digits;
use std::collections::BTreeMap;

/// Most flows of one step that are worth more than a list.
const MOST_FLOWS: usize = 256;

/// Each of some numbers sends to the one `by` further on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) senders: Comb,
    pub(crate) by: i64,
}

impl Flow {
    /// The part of it whose senders and receivers lie in these ranges.
    pub(crate) fn within(&self, from: (i64, i64), to: (i64, i64)) -> Vec<Self> {
        let low = from.0.max(to.0 - self.by);
        let high = from.1.min(to.1 - self.by);
        let cut = self.senders.within(low, high).into_iter();
        let by = self.by;
        cut.map(|senders| Self { senders, by }).collect()
    }

    pub(crate) fn receivers(&self) -> Comb {
        self.senders.moved(self.by)
    }
}

/// In which order the messages of a rule are listed, where it is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Senders,
    Receivers,
}

/// Who sends to whom among `ranks` ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) ranks: i64,
    pub(crate) flows: Vec<Flow>,
    /// How many messages every rank sends, and receives, where that is the same for all.
    pub(crate) each: Option<u32>,
    order: Order,
}

impl Rule {
    /// Every rank to the one `by` further on, the first following the last.
    pub(crate) fn turn(ranks: u32, by: i64, order: Order) -> Self {
        let ranks = i64::from(ranks);
        let by = by.rem_euclid(ranks);
        let all = Comb::every(0, 1, ranks);
        let turned = all.iter().flat_map(|all| wrapped(all, by, ranks));
        Self::of(ranks, turned.collect(), Some(1), order)
    }

    /// Every rank to the one that differs in one bit.
    pub(crate) fn bit(bits: u32, bit: u32) -> Self {
        let (ranks, reach) = (1i64 << bits, 1i64 << bit);
        let digits = [(1, reach), (2 * reach, ranks / (2 * reach))];
        let flow =
            |first: i64, by: i64| Comb::new(first, &digits).map(|senders| Flow { senders, by });
        let both = [flow(0, reach), flow(reach, -reach)];
        Self::of(
            ranks,
            both.into_iter().flatten().collect(),
            Some(1),
            Order::Senders,
        )
    }

    /// Every even rank to the one `by` further on, every odd one as far the other way.
    pub(crate) fn swing(ranks: u32, by: i64) -> Self {
        let ranks = i64::from(ranks);
        let half = |first: i64, by: i64| {
            let senders = Comb::every(first, 2, ranks / 2);
            let flows = senders.map(|senders| wrapped(&senders, by.rem_euclid(ranks), ranks));
            flows.unwrap_or_default()
        };
        let flows = [half(0, by), half(1, -by)].concat();
        Self::of(ranks, flows, Some(1), Order::Senders)
    }

    /// `count` ranks, `step` apart from the first, each to the one `by` further on.
    pub(crate) fn spaced(ranks: u32, numbers: [u32; 3], by: i64) -> Self {
        let [first, step, count] = numbers.map(i64::from);
        let senders = Comb::every(first, step, count);
        let flow = senders.map(|senders| Flow { senders, by });
        let flows = flow.into_iter().collect();
        Self::of(i64::from(ranks), flows, None, Order::Senders)
    }

    /// Every rank from `first` on to the one below it that differs by a multiple of `first`.
    pub(crate) fn fold(first: u32, ranks: u32) -> Self {
        let (first, ranks) = (i64::from(first), i64::from(ranks));
        let block = |at: i64| {
            let senders = Comb::every(at * first, 1, first.min(ranks - at * first));
            senders.map(|senders| Flow {
                senders,
                by: -at * first,
            })
        };
        let blocks = (1..(ranks + first - 1) / first).filter_map(block);
        Self::of(ranks, blocks.collect(), None, Order::Senders)
    }

    /// The same messages back.
    pub(crate) fn back(self) -> Self {
        let back = |flow: &Flow| Flow {
            senders: flow.receivers(),
            by: -flow.by,
        };
        let order = match self.order {
            Order::Senders => Order::Receivers,
            Order::Receivers => Order::Senders,
        };
        let flows = self.flows.iter().map(back).collect();
        Self::of(self.ranks, flows, self.each, order)
    }

    /// Both rules at once, over the same ranks.
    pub(crate) fn and(self, other: Self) -> Self {
        let each = self.each.zip(other.each).map(|(a, b)| a + b);
        let flows = [self.flows, other.flows].concat();
        Self::of(self.ranks, flows, each, self.order)
    }

    fn of(ranks: i64, mut flows: Vec<Flow>, each: Option<u32>, order: Order) -> Self {
        flows.sort_unstable();
        Self {
            ranks,
            flows,
            each,
            order,
        }
    }
}

/// Flows of `senders` that go 0 <= `by` < `ranks` further on, the first rank following the last.
fn wrapped(senders: &Comb, by: i64, ranks: i64) -> Vec<Flow> {
    let part = |(low, high), by: i64| {
        let cut = senders.within(low, high).into_iter();
        cut.map(move |senders| Flow { senders, by })
    };
    let ahead = part((0, ranks - by), by);
    ahead.chain(part((ranks - by, ranks), by - ranks)).collect()
}

/// Domains of groups that are evenly spaced, all in the same way: rank r of a group that starts at s is domain
/// s + the place of (r + turn) mod ranks.
#[derive(Debug)]
pub(crate) struct Spacing {
    ranks: i64,
    digits: Digits,
    /// Starts of groups, and their turn.
    groups: Vec<(Comb, i64)>,
}

impl Spacing {
    /// The spacing of groups of equal size; `None` where they have no such one.
    pub(crate) fn of(groups: &[Vec<u32>]) -> Option<Self> {
        let (first, _) = ascending(groups.first()?);
        let digits = Digits::of(&first)?;
        let mut starts: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        for group in groups {
            let (group, turn) = ascending(group);
            let start = *group.first()?;
            let alike = group.len() == first.len()
                && group
                    .iter()
                    .zip(&first)
                    .all(|(a, b)| a - start == b - first[0]);
            if !alike {
                return None;
            }
            starts.entry(turn).or_default().push(start);
        }
        let mut alike = Vec::new();
        for (turn, mut starts) in starts {
            starts.sort_unstable();
            let combs = Comb::of_list(&starts).into_iter();
            alike.extend(combs.map(|comb| (comb, turn as i64)));
        }
        (alike.len() <= MOST_FLOWS).then_some(Self {
            ranks: first.len() as i64,
            digits,
            groups: alike,
        })
    }

    /// Flows between ranks as flows between the domains of each group.
    fn flows(&self, rule: &[Flow]) -> Option<Vec<Flow>> {
        let mut out = Vec::new();
        for (starts, turn) in &self.groups {
            // Ranks below the turn's end go up by the turn, the others back to the start.
            let end = self.ranks - turn;
            let (low, high) = ((0, end, *turn), (end, self.ranks, turn - self.ranks));
            for (flow, (from, to)) in rule.iter().flat_map(|flow| {
                let both = [(low, low), (low, high), (high, low), (high, high)];
                both.map(|ends| (flow, ends))
            }) {
                for part in flow.within((from.0, from.1), (to.0, to.1)) {
                    let senders = part.senders.moved(from.2);
                    for (first, others, by) in
                        self.digits.parts(&senders, part.by + to.2 - from.2)?
                    {
                        let all = [starts.digits(), &others[..]].concat();
                        let senders = Comb::new(starts.first() + first, &all)?;
                        out.push(Flow { senders, by });
                    }
                }
                if out.len() > MOST_FLOWS {
                    return None;
                }
            }
        }
        Some(out)
    }
}

/// What a rule makes of groups that are evenly spaced: all messages of a step between domains.
#[derive(Debug, PartialEq)]
pub(crate) struct Flows {
    pub(crate) all: Vec<Flow>,
    /// Where every member sends and receives equally many messages: the members, and how many.
    pub(crate) even: Option<(Vec<Comb>, u32)>,
    order: Order,
}

impl Flows {
    /// `None` where domains of different groups are interleaved in no simple way.
    pub(crate) fn new(rule: &Rule, spacing: &Spacing) -> Option<Self> {
        let mut all = spacing.flows(&rule.flows)?;
        all.sort_unstable();
        let members = Comb::every(0, 1, rule.ranks).map(|senders| Flow { senders, by: 0 });
        let members = spacing.flows(members.as_slice())?.into_iter();
        let members = members.map(|member| member.senders).collect();
        Some(Self {
            all,
            even: rule.each.map(|each| (members, each)),
            order: rule.order,
        })
    }
}

/// A group in ascending order, and how many ranks follow its first before the lowest.
fn ascending(group: &[u32]) -> (Vec<i64>, usize) {
    let drop = group.windows(2).position(|two| two[1] < two[0]);
    let turn = drop.map_or(0, |at| group.len() - 1 - at);
    let mut group: Vec<i64> = group.iter().map(|&domain| i64::from(domain)).collect();
    group.rotate_right(turn);
    (group, turn)
}
