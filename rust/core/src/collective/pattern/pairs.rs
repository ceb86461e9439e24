//! Who sends to whom, without a list of it where one can be made when it is asked for.

use super::lines::{BoxOrder, Lines};
use super::rule::{Flow, Order, Rule};
use super::spacing::{Flows, Spacing};
use crate::memory::bytes_of;
use crate::weigh::Scale;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::OnceLock;

/// Bytes of what makes a list, about.
const MAKER: u64 = 128;

/// (from, to) ranks of messages.
#[derive(Clone)]
pub(crate) enum Sends {
    /// These.
    List(Arc<[(u32, u32)]>),
    /// So many, made when they are asked for: a list of all messages of a large machine is never needed to cost it.
    Lazy {
        /// How many there are.
        count: usize,
        /// Makes them.
        make: Arc<dyn Fn() -> Vec<(u32, u32)> + Send + Sync>,
        /// What all of them are, where that is a rule.
        rule: Option<Arc<Rule>>,
    },
    /// Every rank to every other.
    All,
}

impl std::fmt::Debug for Sends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(sends) => write!(f, "{} sends", sends.len()),
            Self::Lazy { count, .. } => write!(f, "{count} sends to be made"),
            Self::All => f.write_str("all to all"),
        }
    }
}

impl From<Vec<(u32, u32)>> for Sends {
    fn from(sends: Vec<(u32, u32)>) -> Self {
        Self::List(sends.into())
    }
}

impl Sends {
    /// The sends of each of `ranks` ranks: those that `of` says, as many for each.
    pub(crate) fn of_each<const EACH: usize>(
        ranks: u32,
        of: impl Fn(u32) -> [(u32, u32); EACH] + Send + Sync + 'static,
    ) -> Self {
        Self::of_ranks(0..ranks, of)
    }

    /// The same of some of the ranks.
    pub(crate) fn of_ranks<const EACH: usize>(
        ranks: Range<u32>,
        of: impl Fn(u32) -> [(u32, u32); EACH] + Send + Sync + 'static,
    ) -> Self {
        Self::Lazy {
            count: ranks.len() * EACH,
            make: Arc::new(move || ranks.clone().flat_map(&of).collect()),
            rule: None,
        }
    }

    /// Each of so many ranks to the one `by` further on, the first following the last, in order of senders or receivers.
    pub(crate) fn turn(ranks: u32, by: i64, order: Order) -> Self {
        let ahead = by.rem_euclid(i64::from(ranks)) as u32;
        let sends = Self::of_each(ranks, move |rank| {
            let other = |by: u32| ((u64::from(rank) + u64::from(by)) % u64::from(ranks)) as u32;
            [match order {
                Order::Senders | Order::Hops => (rank, other(ahead)),
                Order::Receivers => (other(ranks - ahead), rank),
            }]
        });
        sends.ruled(Rule::turn(ranks, by, order))
    }

    /// `count` ranks of `ranks`, `step` apart from the first, each to the one `by` further on.
    pub(crate) fn spaced(ranks: u32, [first, step, count]: [u32; 3], by: i64) -> Self {
        let numbers = (0..count).map(move |at| i64::from(first + at * step));
        let all = move || -> Vec<(u32, u32)> {
            let pair = |from: i64| (from as u32, (from + by) as u32);
            numbers.clone().map(pair).collect()
        };
        let sends = Self::Lazy {
            count: count as usize,
            make: Arc::new(all),
            rule: None,
        };
        sends.ruled(Rule::spaced(ranks, [first, step, count], by))
    }

    /// The same sends, of which a rule is known that says the same.
    pub(crate) fn ruled(self, own: Rule) -> Self {
        match self {
            Self::Lazy { count, make, .. } => Self::Lazy {
                count,
                make,
                rule: Some(Arc::new(own)),
            },
            other => other,
        }
    }

    /// What all of them are, where that is a rule.
    pub(crate) fn rule(&self) -> Option<&Rule> {
        match self {
            Self::Lazy { rule, .. } => rule.as_deref(),
            _ => None,
        }
    }

    /// How many there are, where that is known without the ranks.
    pub(crate) fn count(&self) -> Option<usize> {
        match self {
            Self::List(sends) => Some(sends.len()),
            Self::Lazy { count, .. } => Some(*count),
            Self::All => None,
        }
    }

    /// Counts what they take; a rule or what makes a list is small.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        match self {
            Self::List(sends) => on.shared(sends, |sends, on| {
                on.add(bytes_of::<(u32, u32)>(sends.len() as u64));
            }),
            Self::Lazy { make, rule, .. } => {
                on.shared(make, |_, on| on.add(MAKER));
                if let Some(rule) = rule {
                    on.shared(rule, |rule, on| {
                        let along = rule.along.as_ref().map_or(0, |along| along.places.len());
                        let along = bytes_of::<(u32, u32)>(along as u64);
                        on.one::<Rule>(Flow::BYTES * rule.flows.len() as u64 + along);
                    });
                }
            }
            Self::All => {}
        }
    }

    /// All of them, over so many ranks.
    pub(crate) fn list(&self, ranks: u32) -> Cow<'_, [(u32, u32)]> {
        match self {
            Self::List(sends) => Cow::Borrowed(sends),
            Self::Lazy { make, .. } => Cow::Owned(make()),
            Self::All => Cow::Owned(to_all(ranks)),
        }
    }
}

/// Every rank to every other. Each begins with the rank after it, so that first come, first served, they do not all
/// begin with the same one.
pub(crate) fn to_all(ranks: u32) -> Vec<(u32, u32)> {
    (0..ranks)
        .flat_map(|from| (1..ranks).map(move |ahead| (from, (from + ahead) % ranks)))
        .collect()
}

/// (from, to) of a pattern's messages: chips, or domains. The same sends in each of some groups, kept as those.
#[derive(Clone)]
pub(crate) struct Pairs {
    groups: Arc<[Vec<u32>]>,
    sends: Sends,
    /// A number that tells lists apart; of those without flows.
    digest: OnceLock<u64>,
    flows: Option<Arc<Flows>>,
    /// What they are on each line of a domain, where they are the same on all.
    lines: Option<Arc<Lines>>,
}

impl Pairs {
    /// The sends of ranks in each group, one group after another; `spacing` is that of the groups, if they have one.
    pub(crate) fn of(groups: &Arc<[Vec<u32>]>, sends: &Sends, spacing: Option<&Spacing>) -> Self {
        let flows = spacing.zip(sends.rule());
        let flows = flows.and_then(|(spacing, rule)| Flows::new(rule, spacing));
        Self {
            groups: Arc::clone(groups),
            sends: sends.clone(),
            digest: OnceLock::new(),
            flows: flows.map(Arc::new),
            lines: None,
        }
    }

    /// The same of groups whose ranks are the chips of a domain in such an order.
    pub(crate) fn over(self, shape: &BoxOrder) -> Self {
        let along = self.sends.rule().and_then(|rule| rule.along.as_ref());
        let lines = along.map(|along| Arc::new(shape.lines(along)));
        Self { lines, ..self }
    }

    /// What they are on each line of a domain, where they are the same on all.
    pub(crate) fn lines(&self) -> Option<&Lines> {
        self.lines.as_deref()
    }

    /// Counts what they take.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.lists(&self.groups);
        self.sends.weigh(on);
        if let Some(flows) = &self.flows {
            on.shared(flows, |flows, on| on.one::<Flows>(flows.bytes()));
        }
        if let Some(lines) = &self.lines {
            let bytes = |lines: &Lines| bytes_of::<(u32, u32)>(lines.pairs.len() as u64);
            on.shared(lines, |lines, on| on.one::<Lines>(bytes(lines)));
        }
    }

    /// What all of them are, where that is a rule.
    pub(crate) fn flows(&self) -> Option<&Flows> {
        self.flows.as_deref()
    }

    fn digest(&self) -> u64 {
        *self.digest.get_or_init(|| {
            let mut digest = 0xcbf2_9ce4_8422_2325u64;
            self.visit(|from, to| {
                let word = u64::from(from) << 32 | u64::from(to);
                digest = (digest ^ word)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(29);
            });
            digest
        })
    }

    fn visit(&self, mut each: impl FnMut(u32, u32)) {
        if self.groups.is_empty() {
            return self
                .sends
                .list(0)
                .iter()
                .for_each(|&(from, to)| each(from, to));
        }
        if let Sends::All = self.sends {
            // In the order of their list, without it.
            for group in self.groups.iter() {
                for (from, &sender) in group.iter().enumerate() {
                    let (before, after) = group.split_at(from);
                    let receivers = after[1..].iter().chain(before);
                    receivers.for_each(|&receiver| each(sender, receiver));
                }
            }
            return;
        }
        let sends = self.sends.list(self.groups[0].len() as u32);
        for group in self.groups.iter() {
            let member = |rank: u32| group[rank as usize];
            sends
                .iter()
                .for_each(|&(from, to)| each(member(from), member(to)));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let ranks = self.groups.first().map_or(0, Vec::len);
        let each = self.sends.count();
        let each = each.unwrap_or_else(|| ranks * ranks.saturating_sub(1));
        each * self.groups.len().max(1)
    }

    /// All of them.
    pub(crate) fn list(&self) -> Cow<'_, [(u32, u32)]> {
        if self.groups.is_empty() {
            return self.sends.list(0);
        }
        let mut list = Vec::with_capacity(self.len());
        self.visit(|from, to| list.push((from, to)));
        Cow::Owned(list)
    }
}

impl From<Vec<(u32, u32)>> for Pairs {
    fn from(pairs: Vec<(u32, u32)>) -> Self {
        let none: Arc<[Vec<u32>]> = Arc::new([]);
        Self::of(&none, &pairs.into(), None)
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        if let (Some(own), Some(others)) = (&self.lines, &other.lines) {
            // In another order of ranks they are listed in another order.
            let same = Arc::ptr_eq(&self.groups, &other.groups);
            return own == others && (same || self.groups == other.groups);
        }
        if self.lines.is_some() || other.lines.is_some() {
            return false;
        }
        match (&self.flows, &other.flows) {
            (Some(own), Some(others)) => own == others,
            (None, None) if self.len() != other.len() => false,
            (None, None) => {
                let all = matches!((&self.sends, &other.sends), (Sends::All, Sends::All));
                (all && Arc::ptr_eq(&self.groups, &other.groups))
                    || self.digest() == other.digest() && self.list() == other.list()
            }
            _ => false,
        }
    }
}

impl std::fmt::Debug for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list().iter()).finish()
    }
}
