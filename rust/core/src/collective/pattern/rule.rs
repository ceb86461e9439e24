//! Messages by rule: a step in which ranks that are evenly spaced each send to the rank a fixed distance away, and the
//! same between domains, where those of the groups are evenly spaced too.

use super::comb::Comb;
use super::lines::Along;

/// Each of some numbers sends to the one `by` further on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) senders: Comb,
    pub(crate) by: i64,
}

impl Flow {
    /// Bytes of one, about: the digits of a comb are few.
    pub(crate) const BYTES: u64 = 128;

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
    pub(crate) star: Option<(u32, bool)>,
    pub(crate) order: Order,
    /// The same along the sides of a box, where ranks are counted so.
    pub(crate) along: Option<Along>,
}

impl Rule {
    /// The same, of ranks that are counted along the sides of a box.
    pub(crate) fn in_box(self, along: Along) -> Self {
        Self {
            along: Some(along),
            ..self
        }
    }

    /// Messages along a side of a box, which mean nothing elsewhere.
    pub(crate) fn along(ranks: u32, along: Along) -> Self {
        Self::of(i64::from(ranks), Vec::new(), None, Order::Senders).in_box(along)
    }

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
            along: None,
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
