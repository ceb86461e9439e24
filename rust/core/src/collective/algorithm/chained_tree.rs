//! Double binary trees between domains, chained inside: one chip of each domain is in the trees, the others hang below it
//! one after another. As many pairs of trees as each domain has chips, each with another chip of it at its head, keep all
//! NICs busy. NCCL builds its trees so (NVIDIA/nccl v2.30.7 `src/graph/connect.cc`, `trees.cc`).

use super::job::Job;
use super::two_trees::{levels, two_trees};
use crate::collective::program::layout::ring_order;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::{MOST_MESSAGES, Placement};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::memory::bytes_of;
use crate::{Error, Result};

/// All-reduce up and down the trees; `None` where groups lie in one domain, have one chip in each, or lie unlike each
/// other.
pub(super) fn all_reduce(job: &Job, placement: &Placement) -> Result<Option<Vec<Stage>>> {
    let Placement::Flat(groups) = placement else {
        return Ok(None);
    };
    let Some(members) = Members::of(job, groups)? else {
        return Ok(None);
    };
    let ranks = placement.ranks();
    let messages = 2 * 2 * members.pairs().saturating_mul(ranks - 1);
    if messages.saturating_mul(groups.len()) > MOST_MESSAGES {
        return Err(Error::unsupported(
            format!("{messages} messages of chained trees listed one by one"),
            "use hierarchical, or a smaller group",
        ));
    }
    let _taken = job.context.control.take(
        bytes_of::<[u32; 8]>(messages as u64),
        format_args!("{messages} messages of chained trees"),
        "use hierarchical, or a smaller group",
    )?;
    let trees: Vec<Vec<(u32, u32)>> = members.trees(job)?;
    let deep: Vec<Vec<u32>> = trees
        .iter()
        .map(|tree| levels(tree, ranks as u32))
        .collect();
    let hops = deep.iter().flatten().max().map_or(0, |level| level + 1);
    let mut latency = 0.0;
    for tree in &trees {
        latency = f64::max(latency, placement.tree_latency(job.context, tree)?);
    }
    let (mut all, mut moves) = (Vec::with_capacity(messages), Vec::new());
    for (slice, (tree, deep)) in trees.into_iter().zip(deep).enumerate() {
        for up in [true, false] {
            let turned =
                |&(parent, child): &(u32, u32)| if up { (child, parent) } else { (parent, child) };
            let step = move |level| if up { hops - 1 - level } else { hops + level };
            let sends: Vec<(u32, u32)> = tree.iter().map(turned).collect();
            let deep = deep.clone();
            all.extend_from_slice(&sends);
            let own = Moves::new(placement, sends.into(), move |_, _, _| vec![slice as u32]);
            let own = own.in_lane(slice as u32).reducing(up);
            moves.push(own.once(move || deep.into_iter().map(step).collect()));
        }
    }
    let slices = 2 * members.pairs();
    let pattern = placement.pattern(job.context, &Sends::from(all))?;
    let parts = vec![Part::of(&pattern, job.size / slices as f64, moves)];
    let what = "up and down chained trees";
    let phase = Phase::wave(what, parts, 2 * u64::from(hops), 2.0 * latency);
    let space = Space::new(slices as u32, 1);
    Ok(Some(vec![Stage::of(job.tier, space, vec![phase])]))
}

/// The ranks of a group by domain, in the order in which rings pass them there.
struct Members(Vec<Vec<u32>>);

impl Members {
    fn of(job: &Job, groups: &[Vec<u32>]) -> Result<Option<Self>> {
        let domain = job.context.machine.domain();
        let chips = domain.chips();
        let mut known: Option<Vec<Vec<u32>>> = None;
        for group in groups {
            job.context.control.check()?;
            let mut places: Vec<u32> = group.iter().map(|chip| chip / chips).collect();
            places.sort_unstable();
            places.dedup();
            if places.len() == 1 || places.len() == group.len() {
                return Ok(None);
            }
            let mut members: Vec<Vec<(u32, u32)>> = vec![Vec::new(); places.len()];
            for (rank, chip) in (0..).zip(group) {
                let place = places.partition_point(|&place| place < chip / chips);
                members[place].push((chip % chips, rank));
            }
            let ordered = |mut members: Vec<(u32, u32)>| -> Result<Vec<u32>> {
                members.sort_unstable();
                let local: Vec<u32> = members.iter().map(|member| member.0).collect();
                let along = match local.len() {
                    1 => local.clone(),
                    _ => ring_order(domain, &local, job.context.control)?,
                };
                let rank = |chip: &u32| members[local.partition_point(|other| other < chip)].1;
                Ok(along.iter().map(rank).collect())
            };
            let members = members.into_iter().map(ordered).collect::<Result<_>>()?;
            if known.as_ref().is_some_and(|known| *known != members) {
                return Ok(None);
            }
            known = Some(members);
        }
        Ok(known.map(Self))
    }

    /// Pairs of trees: the fewest chips that a domain has.
    fn pairs(&self) -> usize {
        self.0.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// (parent, child) ranks of the edges of every tree, parents first.
    fn trees(&self, job: &Job) -> Result<Vec<Vec<(u32, u32)>>> {
        let between = two_trees(self.0.len() as u32);
        let mut trees = Vec::with_capacity(2 * self.pairs());
        for head in 0..self.pairs() {
            for tree in &between {
                job.context.control.check()?;
                let at = |domain: u32| self.0[domain as usize][head];
                let mut edges: Vec<(u32, u32)> =
                    tree.iter().map(|&(from, to)| (at(from), at(to))).collect();
                for chips in &self.0 {
                    let place = |step: usize| chips[(head + step) % chips.len()];
                    edges.extend((1..chips.len()).map(|step| (place(step - 1), place(step))));
                }
                trees.push(edges);
            }
        }
        Ok(trees)
    }
}
