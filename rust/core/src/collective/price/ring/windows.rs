//! The longest chain of messages around a ring on which every rank goes on by itself.
//!
//! A rank starts a step when what it sent in the step before has left and what it received there has arrived. So when
//! the last of n steps has ended is the longest walk of n steps over the ranks: each step of it stays at a rank, which
//! costs the overhead and the wire of its hop, or goes on with the hop, which costs its latency too. A walk that goes over
//! a stretch of hops spends the steps that are left at the one of them that holds its sender up longest:
//!
//! T(n) = max over stretches W of the ring of  sum over W of (stay + latency) + (n - |W|) x max over W of stay.
//!
//! For each kind of stay v, hops count (stay + latency) - v, and the best stretch with a hop of that kind is sought. A
//! stretch of less than one round is what the rest of the ring leaves of a round; one of more than a round, what a stretch
//! of two hops or more leaves of two. Both follow from sums over parts of the ring ([`Summary`]), which join: a part that
//! comes again and again is summed up once.

use super::seconds::{Seconds, Weights};

/// A sum over a stretch of hops.
#[derive(Debug, Clone, Copy)]
struct Sum {
    /// By which sums are compared.
    value: f64,
    hops: f64,
    seconds: Seconds,
}

const NOTHING: Sum = Sum {
    value: 0.0,
    hops: 0.0,
    seconds: Seconds {
        latency: 0.0,
        overhead: 0.0,
        serial: 0.0,
    },
};
const NO_MOST: Sum = Sum {
    value: f64::NEG_INFINITY,
    ..NOTHING
};
const NO_LEAST: Sum = Sum {
    value: f64::INFINITY,
    ..NOTHING
};

impl Sum {
    #[inline]
    fn and(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            hops: self.hops + other.hops,
            seconds: self.seconds + other.seconds,
        }
    }

    #[inline]
    fn without(self, other: Self) -> Self {
        Self {
            value: self.value - other.value,
            hops: self.hops - other.hops,
            seconds: self.seconds - other.seconds,
        }
    }

    /// The larger of two.
    #[inline]
    fn or_more(self, other: Self) -> Self {
        if other.value > self.value {
            other
        } else {
            self
        }
    }

    /// The smaller of two.
    #[inline]
    fn or_less(self, other: Self) -> Self {
        if other.value < self.value {
            other
        } else {
            self
        }
    }
}

/// Of a pair, the first has any hops; of the second, sought are a stretch with a hop of the kind, or a gap with such a hop
/// outside.
type Pair = [Sum; 2];

/// What is known of hops that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    all: Sum,
    /// There is a hop of the kind.
    has: bool,
    /// The largest sum of the first hops, of the last ones, and of any that follow each other; of none too.
    head: Pair,
    tail: Pair,
    inner: Pair,
    /// The smallest sums of one hop or more.
    low_head: Pair,
    low_tail: Pair,
    gap: Pair,
    /// Of two hops or more.
    wide_gap: Sum,
}

impl Summary {
    /// No hops.
    pub(super) const EMPTY: Self = Self {
        all: NOTHING,
        has: false,
        head: [NOTHING, NO_MOST],
        tail: [NOTHING, NO_MOST],
        inner: [NOTHING, NO_MOST],
        low_head: [NO_LEAST; 2],
        low_tail: [NO_LEAST; 2],
        gap: [NO_LEAST; 2],
        wide_gap: NO_LEAST,
    };

    /// One hop, where walks stay at hops like `stay`.
    pub(super) fn hop(hop: Seconds, stay: Seconds, weights: Weights) -> Self {
        let one = Sum {
            value: weights.of(&hop) - weights.of(&stay),
            hops: 1.0,
            seconds: hop,
        };
        let has = hop.stay().bits() == stay.bits();
        let most = [NOTHING.or_more(one), if has { one } else { NO_MOST }];
        let least = [one, NO_LEAST];
        Self {
            all: one,
            has,
            head: most,
            tail: most,
            inner: most,
            low_head: least,
            low_tail: least,
            gap: least,
            wide_gap: NO_LEAST,
        }
    }

    /// These hops and then those.
    pub(super) fn then(&self, next: &Self) -> Self {
        let beyond = |sum: Sum| self.all.and(sum);
        let before = |sum: Sum| sum.and(next.all);
        let (here, there) = (usize::from(self.has), usize::from(next.has));
        let outside_left = |pair: Pair| pair[1 - there];
        let outside_right = |pair: Pair| pair[1 - here];
        let between = self.low_tail[0].and(next.low_head[0]);
        Self {
            all: self.all.and(next.all),
            has: self.has || next.has,
            head: [
                self.head[0].or_more(beyond(next.head[0])),
                self.head[1].or_more(beyond(next.head[1 - here])),
            ],
            tail: [
                next.tail[0].or_more(before(self.tail[0])),
                next.tail[1].or_more(before(self.tail[1 - there])),
            ],
            inner: [
                (self.inner[0].or_more(next.inner[0])).or_more(self.tail[0].and(next.head[0])),
                (self.inner[1].or_more(next.inner[1]))
                    .or_more(self.tail[1].and(next.head[0]))
                    .or_more(self.tail[0].and(next.head[1])),
            ],
            low_head: [
                self.low_head[0].or_less(beyond(next.low_head[0])),
                outside_left(self.low_head).or_less(beyond(next.low_head[1])),
            ],
            low_tail: [
                next.low_tail[0].or_less(before(self.low_tail[0])),
                outside_right(next.low_tail).or_less(before(self.low_tail[1])),
            ],
            gap: [
                self.gap[0].or_less(next.gap[0]).or_less(between),
                (outside_left(self.gap).or_less(outside_right(next.gap)))
                    .or_less(self.low_tail[1].and(next.low_head[0]))
                    .or_less(self.low_tail[0].and(next.low_head[1])),
            ],
            wide_gap: self.wide_gap.or_less(next.wide_gap).or_less(between),
        }
    }

    /// These hops so many times.
    pub(super) fn repeated(&self, mut times: u64) -> Self {
        let (mut all, mut power) = (Self::EMPTY, *self);
        while times > 0 {
            if times % 2 == 1 {
                all = all.then(&power);
            }
            power = power.then(&power);
            times /= 2;
        }
        all
    }
}

/// The longest walk around a ring that spends what it can at hops like `stay`, of which the ring has one: of so many
/// rounds, each a step short of the ring. The ring is a hop, hops that follow it, and the hop back.
pub(super) fn longest(
    [first, between, last]: [&Summary; 3],
    rounds: u64,
    stay: Seconds,
) -> Seconds {
    let ring = first.then(between).then(last);
    let steps = rounds as f64 * (ring.all.hops - 1.0);
    // What is left by a gap that holds neither end or one, and what leaves a gap with both.
    let mut walk = ring.all.without(ring.gap[1]).or_more(between.inner[1]);
    if rounds > 1 {
        let rest = ring.all.without(ring.wide_gap).or_more(between.inner[0]);
        walk = walk.or_more(ring.all.and(rest));
    }
    walk.seconds + stay.times(steps - walk.hops)
}
