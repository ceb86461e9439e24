//! Values by place as a tree of halves, of which equal ones are kept once: what repeats at every power of two, as the
//! steps of trees do, takes as many nodes as there are powers.

use super::memo::Memo;

/// Most nodes of a tree that is made of others: beyond, there is little to share.
const MOST_NODES: usize = 1 << 14;

/// Number of a node, counted from the first.
type Id = u32;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    /// All places have this value.
    Even(f64),
    /// The lower half and the upper one.
    Halves(Id, Id),
}

/// Values by place; 0 beyond the last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Halves {
    places: usize,
    /// The root has 2^height places.
    height: u32,
    /// Halves come before what they are halves of; the root is last.
    nodes: Vec<Node>,
}

/// Makes trees, every node once.
#[derive(Default)]
pub(crate) struct Planter {
    nodes: Vec<Node>,
    known: Memo<Id>,
}

impl Planter {
    /// Places that all have one value.
    pub(crate) fn even(&mut self, value: f64) -> Id {
        self.node([u64::MAX, value.to_bits()], Node::Even(value))
    }

    /// A half below another.
    pub(crate) fn join(&mut self, low: Id, high: Id) -> Id {
        match self.nodes[low as usize] {
            Node::Even(_) if low == high => low,
            _ => self.node([u64::from(low), u64::from(high)], Node::Halves(low, high)),
        }
    }

    fn node(&mut self, key: [u64; 2], node: Node) -> Id {
        if let Some(id) = self.known.get(key) {
            return id;
        }
        let id = self.nodes.len() as Id;
        self.nodes.push(node);
        self.known.insert(key, id);
        id
    }

    /// The tree of a root; `None` where it has too many nodes.
    pub(crate) fn grown(mut self, root: Id, places: usize) -> Option<Halves> {
        if self.nodes.len() > MOST_NODES {
            return None;
        }
        // All nodes were made for it, and it was the last or is one of one value.
        if let Node::Even(_) = self.nodes[root as usize] {
            self.nodes = vec![self.nodes[root as usize]];
        }
        self.nodes.truncate(root as usize + 1);
        Some(Halves {
            places,
            height: height(places),
            nodes: self.nodes,
        })
    }
}

/// Powers of two that so many places fit in.
pub(crate) fn height(places: usize) -> u32 {
    places.max(1).next_power_of_two().ilog2()
}

impl Halves {
    /// Runs of equal values: (place after the last, value), ascending.
    pub(crate) fn of_runs(runs: &[(usize, f64)]) -> Option<Self> {
        let places = runs.last().map_or(0, |run| run.0);
        let mut planter = Planter::default();
        let root = planted(&mut planter, runs, 0, height(places));
        planter.grown(root, places)
    }

    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.nodes.len() * size_of::<Node>()) as u64
    }

    fn root(&self) -> Id {
        self.nodes.len() as Id - 1
    }

    fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    pub(crate) fn get(&self, place: usize) -> f64 {
        if place >= self.places {
            return 0.0;
        }
        let (mut id, mut height) = (self.root(), self.height);
        loop {
            match self.node(id) {
                Node::Even(value) => return value,
                Node::Halves(low, high) => {
                    height -= 1;
                    id = if place >> height & 1 == 0 { low } else { high };
                }
            }
        }
    }

    /// What `value` makes of these values and others at the same places; of two zeros it makes zero. `None` where that
    /// has too many nodes.
    pub(crate) fn with(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let mut pairs = Pairs::new(self, other);
        let mut planter = Planter::default();
        let mut known = Memo::default();
        let root = pairs.merge(&mut planter, &mut known, &value)?;
        planter.grown(root, self.places.max(other.places))
    }

    /// What `value` makes of each of the values; of zero it makes zero.
    pub(crate) fn map(&self, value: impl Fn(f64) -> f64) -> Self {
        let mapped = |node: &Node| match *node {
            Node::Even(own) => Node::Even(value(own)),
            halves => halves,
        };
        Self {
            nodes: self.nodes.iter().map(mapped).collect(),
            ..*self
        }
    }

    /// The largest of what `value` makes of these values and others beside them, and the first place that has it.
    pub(crate) fn peak(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> (usize, f64) {
        Pairs::new(self, other).peak(&mut Memo::default(), &value)
    }

    /// Runs of equal values: (place after the last, value), ascending.
    pub(crate) fn runs(&self) -> Vec<(usize, f64)> {
        self.few_runs(usize::MAX).unwrap_or_default()
    }

    /// The same where they are at most so many.
    pub(crate) fn few_runs(&self, most: usize) -> Option<Vec<(usize, f64)>> {
        let (mut end, mut open) = (0, vec![(self.root(), self.height)]);
        let mut runs: Vec<(usize, f64)> = Vec::new();
        while let Some((id, height)) = open.pop() {
            match self.node(id) {
                _ if end == self.places => break,
                Node::Even(value) => {
                    end = self.places.min(end + (1 << height));
                    let count = runs.len();
                    match runs.last_mut() {
                        Some(last) if last.1.to_bits() == value.to_bits() => last.0 = end,
                        _ if count == most => return None,
                        _ => runs.push((end, value)),
                    }
                }
                Node::Halves(low, high) => open.extend([(high, height - 1), (low, height - 1)]),
            }
        }
        Some(runs)
    }
}

/// The 2^height places from `first`, of which `runs` are those that matter.
fn planted(planter: &mut Planter, runs: &[(usize, f64)], first: usize, height: u32) -> Id {
    let end = first + (1 << height);
    let from = runs.partition_point(|run| run.0 <= first);
    let runs = &runs[from..];
    match runs.first() {
        None => planter.even(0.0),
        Some(run) if run.0 >= end => planter.even(run.1),
        Some(run) if height == 0 => planter.even(run.1),
        Some(_) => {
            let low = planted(planter, runs, first, height - 1);
            let high = planted(planter, runs, first + (1 << (height - 1)), height - 1);
            planter.join(low, high)
        }
    }
}

/// Two trees, walked side by side.
struct Pairs<'a> {
    trees: [&'a Halves; 2],
    /// The nodes here, `None` for places beyond a tree.
    at: [Option<Id>; 2],
    height: u32,
}

impl<'a> Pairs<'a> {
    fn new(one: &'a Halves, other: &'a Halves) -> Self {
        Self {
            trees: [one, other],
            at: [Some(one.root()), Some(other.root())],
            height: one.height.max(other.height),
        }
    }

    /// Both values, where each tree has one value for all places here.
    fn values(&self) -> Option<[f64; 2]> {
        let mut values = [0.0; 2];
        for (side, value) in values.iter_mut().enumerate() {
            *value = match self.at[side].map(|id| self.trees[side].node(id)) {
                None => 0.0,
                // A tree that ends here has nothing beyond.
                Some(_) if self.trees[side].height < self.height => return None,
                Some(Node::Even(value)) => value,
                Some(Node::Halves(..)) => return None,
            };
        }
        Some(values)
    }

    /// The lower half, or the upper one.
    fn half(&self, upper: bool) -> Self {
        let half = |side: usize| {
            let id = self.at[side]?;
            if self.trees[side].height < self.height {
                return (!upper).then_some(id);
            }
            match self.trees[side].node(id) {
                Node::Even(_) => Some(id),
                Node::Halves(low, high) => Some(if upper { high } else { low }),
            }
        };
        // A smaller tree lies in the lowest half until the walk has come down to it.
        Self {
            trees: self.trees,
            at: [half(0), half(1)],
            height: self.height - 1,
        }
    }

    /// What tells places here from others: nodes, and the height where a tree is smaller.
    fn key(&self) -> [u64; 2] {
        let [one, other] = self.at.map(|id| id.map_or(0, |id| u64::from(id) + 1));
        [u64::from(self.height), one << 32 | other]
    }

    fn merge(
        &mut self,
        planter: &mut Planter,
        known: &mut Memo<Id>,
        value: &impl Fn(f64, f64) -> f64,
    ) -> Option<Id> {
        if let Some([a, b]) = self.values() {
            return Some(planter.even(value(a, b)));
        }
        if let Some(id) = known.get(self.key()) {
            return Some(id);
        }
        if planter.nodes.len() > MOST_NODES {
            return None;
        }
        let low = self.half(false).merge(planter, known, value)?;
        let high = self.half(true).merge(planter, known, value)?;
        let id = planter.join(low, high);
        known.insert(self.key(), id);
        Some(id)
    }

    fn peak(
        &self,
        known: &mut Memo<(usize, f64)>,
        value: &impl Fn(f64, f64) -> f64,
    ) -> (usize, f64) {
        if let Some([a, b]) = self.values() {
            let here = value(a, b);
            return (0, if here > 0.0 { here } else { 0.0 });
        }
        if let Some(found) = known.get(self.key()) {
            return found;
        }
        let low = self.half(false).peak(known, value);
        let high = self.half(true).peak(known, value);
        let found = match high.1 > low.1 {
            true => (high.0 + (1 << (self.height - 1)), high.1),
            false => low,
        };
        known.insert(self.key(), found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Halves;
    use proptest::prelude::*;

    /// Runs of few values, some of them at every power of two, and the same one by one.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let run = (
            1usize..9,
            prop_oneof![Just(0.0), Just(1.0), Just(0.3), 0.0..2.0],
        );
        let runs = proptest::collection::vec(run, 0..9).prop_map(|runs| {
            let each = runs.into_iter();
            each.flat_map(|(count, value)| std::iter::repeat_n(value, count))
                .collect()
        });
        let powers = (0usize..70, 1u32..5).prop_map(|(count, of)| {
            let value = |at: usize| f64::from((at as u32).trailing_zeros().min(of));
            (0..count).map(value).collect()
        });
        prop_oneof![runs, powers]
    }

    fn halves(values: &[f64]) -> Halves {
        let runs: Vec<(usize, f64)> = (1..).zip(values.iter().copied()).collect();
        Halves::of_runs(&runs).expect("few")
    }

    proptest! {
        #[test]
        fn no_bit_is_lost(one in values(), other in values(), scale in 0.0..3.0) {
            let (a, b) = (halves(&one), halves(&other));
            let at = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(0.0);
            let all = one.len().max(other.len());
            for place in 0..all {
                prop_assert_eq!(a.get(place).to_bits(), at(&one, place).to_bits());
            }
            let sum = a.with(&b, |a, b| a + scale * b).expect("few");
            let listed: Vec<f64> = (0..all).map(|p| at(&one, p) + scale * at(&other, p)).collect();
            let mut spread = Vec::new();
            for (end, value) in sum.runs() {
                spread.resize(end, value);
            }
            prop_assert_eq!(&spread, &listed);
            let ratio = |a: f64, b: f64| a / (0.5 + b);
            let each = (0..all).map(|p| ratio(at(&one, p), at(&other, p)));
            let most = each.clone().fold(0.0, f64::max);
            let first = each.clone().position(|value| value == most && most > 0.0);
            prop_assert_eq!(a.peak(&b, ratio), (first.unwrap_or(0), most));
        }
    }

    #[test]
    fn what_repeats_at_powers_of_two_is_small() {
        let zeros = |at: usize| f64::from((at as u32).trailing_zeros().min(20));
        let runs: Vec<(usize, f64)> = (0..1 << 12).map(|at| (at + 1, zeros(at))).collect();
        assert!(Halves::of_runs(&runs).expect("few").bytes() < 2048);
    }
}
