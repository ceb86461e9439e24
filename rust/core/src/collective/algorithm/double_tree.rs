//! Double binary trees (Sanders, Speck and Traeff 2009).

use super::chained_tree;
use super::grid::listed;
use super::job::{Job, unsupported};
use super::two_trees::{depth, levels, parent, tree_roots, two_trees};
use crate::Result;
use crate::collective::pattern::comb::Comb;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::memo::Memo;
use crate::collective::pattern::rule::{Flow, Rule};
use crate::collective::pattern::spacing::Spacing;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use std::sync::{Arc, LazyLock};

/// Two binary trees, each with half of the data, cut into pieces: every rank is inside one tree and a leaf of
/// the other, so that both of its directions are busy. All-reduce goes up and then down both; broadcast feeds
/// them from a root outside, reduce drains them into it.
///
/// All-reduce over several domains is by trees between them that are chained inside (`chained_tree.rs`).
pub(crate) fn double_binary(job: &Job) -> Result<Vec<Stage>> {
    if job.operation == Operation::AllReduce {
        if let Some(chained) = chained_tree::all_reduce(job, job.placement)? {
            return Ok(chained);
        }
    }
    let placement = job.placement.rooted_as(job.placement, job.root);
    let ranks = placement.ranks() as u32;
    let trees = match job.operation {
        Operation::AllReduce => Trees { ranks, fed: false },
        Operation::Broadcast | Operation::Reduce => Trees {
            ranks: ranks - 1,
            fed: true,
        },
        other => return Err(unsupported("double_binary_tree", other)),
    };
    let hops = depth(trees.ranks) + u64::from(trees.fed);
    let lists = Arc::new(LazyLock::new(move || trees.lists()));
    let latency = match tree_latency(job.context, &placement, trees) {
        Some(latency) => latency,
        None => {
            let of = |tree| placement.tree_latency(job.context, tree);
            let [one, other] = &**lists;
            f64::max(of(one)?, of(other)?)
        }
    };
    let (what, passes) = match job.operation {
        Operation::Broadcast => ("down both trees", 1),
        Operation::Reduce => ("up both trees", 1),
        _ => ("up and down both trees", 2),
    };
    let (mut flows, mut moves, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for (slice, up_flows) in trees.flows().into_iter().enumerate() {
        let mut add = |up: bool, late: u64| {
            let own = Arc::clone(&lists);
            let steps = move || {
                let level = |level| late as u32 + if up { hops as u32 - 1 - level } else { level };
                levels(&own[slice], ranks).into_iter().map(level).collect()
            };
            let own = Arc::clone(&lists);
            let make = move || -> Vec<(u32, u32)> {
                let directed = |&(parent, child): &(u32, u32)| match up {
                    true => (child, parent),
                    false => (parent, child),
                };
                own[slice].iter().map(directed).collect()
            };
            let make: Made = Arc::new(make);
            parts.push(Arc::clone(&make));
            let own = up_flows
                .iter()
                .map(|flow| if up { flow.clone() } else { flow.back() });
            flows.extend(own);
            let sends = Sends::Lazy {
                count: ranks as usize - 1,
                make,
                rule: None,
            };
            let passed = Moves::new(&placement, sends, move |_, _, _| vec![slice as u32]);
            moves.push(passed.in_lane(slice as u32).once(steps).reducing(up));
        };
        if job.operation != Operation::Broadcast {
            add(true, 0);
        }
        if job.operation != Operation::Reduce {
            add(false, (passes - 1) * hops);
        }
    }
    let sends = Sends::Lazy {
        count: parts.len() * (ranks as usize - 1),
        make: Arc::new(move || parts.iter().flat_map(|make| make()).collect()),
        rule: None,
    };
    let sends = sends.ruled(Rule::hops(ranks, flows));
    let pattern = placement.pattern(job.context, &sends)?;
    let parts = vec![Part::of(&pattern, job.size / 2.0, moves)];
    let phase = Phase::wave(what, parts, passes * hops, passes as f64 * latency);
    Ok(vec![Stage::of(job.tier, Space::new(2, 1), vec![phase])])
}

/// The same over all chips of several domains, which are listed.
pub(super) fn across(job: &Job, _: &[Vec<u32>], _: &[Vec<u32>]) -> Result<Vec<Stage>> {
    listed(job, double_binary)
}

/// Makes (from, to) ranks of messages.
type Made = Arc<dyn Fn() -> Vec<(u32, u32)> + Send + Sync>;

/// Two binary trees over so many ranks.
#[derive(Clone, Copy)]
struct Trees {
    ranks: u32,
    /// One more rank comes before all others, and feeds the roots of both.
    fed: bool,
}

impl Trees {
    /// (parent, child) of every edge of each tree, parents first.
    fn lists(self) -> [Vec<(u32, u32)>; 2] {
        let trees = two_trees(self.ranks);
        if !self.fed {
            return trees;
        }
        let [first, second] = tree_roots(self.ranks);
        let fed = |tree: Vec<(u32, u32)>, root: u32| {
            let shifted = tree.into_iter().map(|(from, to)| (from + 1, to + 1));
            [(0, root + 1)].into_iter().chain(shifted).collect()
        };
        let [one, other] = trees;
        [fed(one, first), fed(other, second)]
    }

    /// The same edges from child to parent, those of a level by the distance that they go.
    fn flows(self) -> [Vec<Flow>; 2] {
        let ranks = i64::from(self.ranks);
        let mut up = Vec::new();
        for level in 0..=self.ranks.max(1).ilog2() {
            let low = 1i64 << level;
            let mut flow = |node: i64, count: i64, by: i64| {
                let senders = Comb::every(node - 1, 4 * low, count);
                up.extend(senders.map(|senders| Flow { senders, by }));
            };
            // Nodes low x (4m + 1) hang below the next one, low x (4m + 3) below the one before.
            let rising = (ranks - 2 * low).div_euclid(4 * low) + 1;
            flow(low, rising, low);
            flow(3 * low, (ranks - 3 * low).div_euclid(4 * low) + 1, -low);
            // Where the next one lies beyond the end, below another.
            let last = low + 4 * low * rising;
            if last <= ranks {
                if let Some(parent) = parent(last as u32 - 1, self.ranks) {
                    flow(last, 1, i64::from(parent) - (last - 1));
                }
            }
        }
        let both = [up.clone(), Flow::turned(&up, ranks, 1)];
        if !self.fed {
            return both;
        }
        let [one, other] = tree_roots(self.ranks).map(|root| i64::from(root) + 1);
        let [first, second] = both;
        [(first, one), (second, other)].map(|(flows, root)| {
            let moved = flows.into_iter().map(|flow| Flow {
                senders: flow.senders.moved(1),
                ..flow
            });
            let feeding = Comb::every(root, 1, 1).map(|senders| Flow { senders, by: -root });
            moved.chain(feeding).collect()
        })
    }
}

/// Seconds of latency on the slowest way down either tree in any group; `None` where its edges have to be listed.
fn tree_latency(context: &Context, placement: &Placement, trees: Trees) -> Option<f64> {
    let mut slowest = 0.0;
    for group in placement.groups_apart(context)? {
        for turn in 0..2 {
            let root = 1 << trees.ranks.max(1).ilog2();
            let mut down = Down {
                context,
                group: &group,
                trees,
                turn,
                known: Memo::default(),
            };
            let mut latency = down.below(root, root.ilog2());
            if trees.fed {
                let [from, to] = [0, down.rank(root)].map(|rank| group.domain(rank));
                latency += context.path(from, to, |_| ()).latency;
            }
            slowest = f64::max(slowest, latency);
        }
    }
    Some(slowest)
}

/// A walk down one tree, whose nodes count from 1 to the number of ranks.
struct Down<'a> {
    context: &'a Context<'a>,
    group: &'a Spacing,
    trees: Trees,
    /// How far its ranks are moved on.
    turn: u32,
    /// Latency below nodes by level, site and place there.
    known: Memo<f64>,
}

impl Down<'_> {
    fn rank(&self, node: u32) -> i64 {
        i64::from((node - 1 + self.turn) % self.trees.ranks) + i64::from(self.trees.fed)
    }

    /// Seconds of latency from a node to the furthest leaf below it.
    ///
    /// Where all domains below follow each other in one site, that depends on the level and on where the node lies in
    /// the largest group of the fabric.
    fn below(&mut self, node: u32, level: u32) -> f64 {
        if level == 0 {
            return 0.0;
        }
        let (machine, reach) = (self.context.machine, (1u32 << level) - 1);
        let here = self.group.domain(self.rank(node));
        let mut key = None;
        if node + reach <= self.trees.ranks {
            let [first, last] = [node - reach, node + reach].map(|node| self.rank(node));
            let [low, high] = [first, last].map(|rank| self.group.domain(rank));
            let site = machine.site_of(low);
            let apart = i64::from(high) - i64::from(low);
            let step = self.group.step();
            let even = step.is_some_and(|step| apart == step * (last - first));
            if even && last > first && site == machine.site_of(high) {
                let largest = machine.sites()[site]
                    .tiers
                    .last()
                    .map_or(1, |tier| tier.group);
                let place = (here - machine.first_domain(site)) % largest;
                key = Some([u64::from(level) << 32 | site as u64, u64::from(place)]);
            }
        }
        if let Some(known) = key.and_then(|key| self.known.get(key)) {
            return known;
        }
        let half = 1 << (level - 1);
        // Beyond the end, the next node that is there, on the way back.
        let (mut right, mut right_level) = (node + half, level - 1);
        while right > self.trees.ranks && right_level > 0 {
            right_level -= 1;
            right -= 1 << right_level;
        }
        let mut longest = 0.0;
        for (child, level) in [(node - half, level - 1), (right, right_level)] {
            if child <= self.trees.ranks {
                let there = self.group.domain(self.rank(child));
                let edge = self.context.path(here, there, |_| ()).latency;
                longest = f64::max(longest, edge + self.below(child, level));
            }
        }
        if let Some(key) = key {
            self.known.insert(key, longest);
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::Trees;

    #[test]
    fn flows_are_the_edges() {
        for ranks in 1..200u32 {
            for fed in [false, true] {
                let trees = Trees { ranks, fed };
                for (flows, list) in trees.flows().into_iter().zip(trees.lists()) {
                    let edges = flows.iter().flat_map(|flow| {
                        let senders = flow.senders.list().into_iter();
                        senders.map(|from| ((from + flow.by) as u32, from as u32))
                    });
                    let (mut edges, mut list) = (edges.collect::<Vec<_>>(), list);
                    edges.sort_unstable();
                    list.sort_unstable();
                    assert_eq!(edges, list, "{ranks} ranks, fed: {fed}");
                }
            }
        }
    }
}
