//! Messages by rule: a step in which ranks that are evenly spaced each send to the rank a fixed distance away, and the
//! same between domains, where those of the groups are evenly spaced too.

use super::comb::{Comb, combs};
use super::digits::Digits;
use std::collections::BTreeMap;

/// Most flows of one step that are worth more than a list.
const MOST_FLOWS: usize = 1024;

/// Most groups that are looked at one by one.
const MOST_GROUPS: i64 = 64;

/// Each of some numbers sends to the one `by` further on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) senders: Comb,
    pub(crate) by: i64,
}

impl Flow {
    /// The same the other way.
    pub(crate) fn back(&self) -> Self {
        Self {
            senders: self.receivers(),
            by: -self.by,
        }
    }

    /// Flows among `ranks` ranks, all of which move on by `turn`, the first following the last.
    pub(crate) fn turned(flows: &[Self], ranks: i64, turn: i64) -> Vec<Self> {
        // Ranks below the turn's end go up by the turn, the others back to the start.
        let end = ranks - turn;
        let (low, high) = ((0, end, turn), (end, ranks, turn - ranks));
        let mut out = Vec::with_capacity(flows.len());
        for flow in flows {
            for (from, to) in [(low, low), (low, high), (high, low), (high, high)] {
                let cut = flow.within((from.0, from.1), (to.0, to.1)).into_iter();
                out.extend(cut.map(|part| Self {
                    senders: part.senders.moved(from.2),
                    by: part.by + to.2 - from.2,
                }));
            }
        }
        out
    }

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
    /// Along chains or down trees, as those are walked.
    Hops,
}

/// A root that sends to all other members of its set, or they to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Star {
    /// All members, the root among them.
    pub(crate) members: Vec<Comb>,
    pub(crate) root: i64,
    /// From the root, or to it.
    pub(crate) outward: bool,
}

impl Star {
    /// The other members in a range.
    pub(crate) fn leaves(&self, (low, high): (i64, i64)) -> Vec<Comb> {
        let beside = [(low, high.min(self.root)), (low.max(self.root + 1), high)];
        let cut = |comb: &Comb| beside.map(|(low, high)| comb.within(low, high)).concat();
        self.members.iter().flat_map(cut).collect()
    }

    /// What is of the root and what is of another, as sender and receiver.
    pub(crate) fn directed<T>(&self, root: T, other: T) -> (T, T) {
        if self.outward {
            (root, other)
        } else {
            (other, root)
        }
    }
}

/// Who sends to whom among `ranks` ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) ranks: i64,
    pub(crate) flows: Vec<Flow>,
    /// How many messages every rank sends, and receives, where that is the same for all.
    pub(crate) each: Option<u32>,
    /// A root that sends to all others, or they to it.
    star: Option<(u32, bool)>,
    order: Order,
}

impl Rule {
    /// The root to every other rank, or they to it.
    pub(crate) fn star(ranks: u32, root: u32, outward: bool) -> Self {
        Self {
            star: Some((root, outward)),
            ..Self::of(i64::from(ranks), Vec::new(), None, Order::Senders)
        }
    }

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

    /// Every rank to the next, so many from the first on, and every rank to the one before, so many from the first back.
    pub(crate) fn chain(ranks: u32, ahead: u32, back: u32) -> Self {
        let part = |first: u32, count: u32, by: i64| -> Option<Flow> {
            let senders = Comb::every(i64::from(first), 1, i64::from(count));
            senders
                .filter(|_| count > 0)
                .map(|senders| Flow { senders, by })
        };
        let over = part(0, back.min(1), i64::from(ranks) - 1);
        let on = part(ranks + 1 - back.max(1), back.max(1) - 1, -1);
        let flows = [part(0, ahead, 1), over, on].into_iter().flatten();
        Self::of(i64::from(ranks), flows.collect(), None, Order::Hops)
    }

    /// Messages between ranks, whatever they are; listed along what they follow.
    pub(crate) fn hops(ranks: u32, flows: Vec<Flow>) -> Self {
        Self::of(i64::from(ranks), flows, None, Order::Hops)
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
        let order = match self.order {
            Order::Senders => Order::Receivers,
            Order::Receivers => Order::Senders,
            Order::Hops => Order::Hops,
        };
        let flows = self.flows.iter().map(Flow::back).collect();
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
            star: None,
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
            let combs = combs(&starts).into_iter();
            alike.extend(combs.map(|comb| (comb, turn as i64)));
        }
        (alike.len() <= MOST_FLOWS).then_some(Self {
            ranks: first.len() as i64,
            digits,
            groups: alike,
        })
    }

    /// How far the domains of two ranks lie apart that follow each other, where that is the same for all.
    pub(crate) fn step(&self) -> Option<i64> {
        match self.digits.steps() {
            [] => Some(1),
            &[(step, _)] => Some(step),
            _ => None,
        }
    }

    /// The domain of a rank of the first group.
    pub(crate) fn domain(&self, rank: i64) -> u32 {
        let (starts, turn) = &self.groups[0];
        (starts.first() + self.digits.place((rank + turn) % self.ranks)) as u32
    }

    /// The spacing of each group alone, where they are few.
    pub(crate) fn apart(&self) -> Option<Vec<Self>> {
        let groups: i64 = self.groups.iter().map(|group| group.0.len()).sum();
        let of = |(starts, turn): &(Comb, i64)| -> Vec<Self> {
            let starts = starts.list().into_iter();
            let alone = starts.filter_map(|start| Comb::every(start, 1, 1));
            let alone = alone.map(|start| Self {
                groups: vec![(start, *turn)],
                digits: self.digits.clone(),
                ranks: self.ranks,
            });
            alone.collect()
        };
        (groups <= MOST_GROUPS).then(|| self.groups.iter().flat_map(of).collect())
    }

    /// Flows between ranks as flows between the domains of each group.
    fn flows(&self, rule: &[Flow]) -> Option<Vec<Flow>> {
        let mut out = Vec::new();
        for (starts, turn) in &self.groups {
            for part in Flow::turned(rule, self.ranks, *turn) {
                for (first, others, by) in self.digits.parts(&part.senders, part.by)? {
                    let all = [starts.digits(), &others[..]].concat();
                    let senders = Comb::new(starts.first() + first, &all)?;
                    out.push(Flow { senders, by });
                }
                if out.len() > MOST_FLOWS {
                    return None;
                }
            }
        }
        Some(out)
    }

    /// The star of each group.
    fn stars(&self, root: i64, outward: bool) -> Option<Vec<Star>> {
        let groups: i64 = self.groups.iter().map(|group| group.0.len()).sum();
        if groups > MOST_GROUPS {
            return None;
        }
        let mut stars = Vec::new();
        for (starts, turn) in &self.groups {
            stars.extend(starts.list().into_iter().map(|start| Star {
                members: Comb::new(start, self.digits.steps()).into_iter().collect(),
                root: start + self.digits.place((root + turn) % self.ranks),
                outward,
            }));
        }
        Some(stars)
    }
}

/// What a rule makes of groups that are evenly spaced: all messages of a step between domains.
#[derive(Debug, PartialEq)]
pub(crate) struct Flows {
    pub(crate) all: Vec<Flow>,
    /// Where every member sends and receives equally many messages: the members, and how many.
    pub(crate) even: Option<(Vec<Comb>, u32)>,
    pub(crate) stars: Vec<Star>,
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
            stars: match rule.star {
                Some((root, outward)) => spacing.stars(i64::from(root), outward)?,
                None => Vec::new(),
            },
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
