//! Broadcast and reduce over spanning trees that share no link.

use super::job::{Job, unsupported};
use super::spanning::{Joined, Maker, Side, most};
use super::tree_packing::trees;
use super::two_trees::levels;
use crate::collective::program::layout::LocalBox;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::machine::{AxisKind, Domain};
use crate::memory::bytes_of;
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

/// Each tree has an equal part of the data, cut into pieces that follow each other down from the root, or up to it.
pub(crate) fn disjoint_trees(job: &Job) -> Result<Vec<Stage>> {
    let reduce = match job.operation {
        Operation::Broadcast => false,
        Operation::Reduce => true,
        other => return Err(unsupported("disjoint_trees", other)),
    };
    let (trees, steady) = of_ranks(job)?;
    let ranks = job.placement.ranks() as u32;
    let (mut hops, mut latency) = (0, 0.0);
    for tree in &trees {
        job.context.control.check()?;
        let tree = tree();
        hops = levels(&tree, ranks)
            .into_iter()
            .fold(hops, |hops, level| hops.max(level + 1));
        latency = f64::max(latency, job.placement.tree_latency(job.context, &tree)?);
    }
    let sends = |trees: Vec<Maker>| Sends::Lazy {
        count: trees.len() * (ranks as usize - 1),
        make: Arc::new(move || {
            let edges = trees.iter().flat_map(|tree| tree());
            edges.map(|edge| directed(edge, reduce)).collect()
        }),
        rule: None,
    };
    let moves = |(slice, tree): (usize, &Maker)| {
        let (own, slice) = (Arc::clone(tree), slice as u32);
        let steps = move || {
            let step = |level: u32| if reduce { hops - 1 - level } else { level };
            levels(&own(), ranks).into_iter().map(step).collect()
        };
        let sends = sends(vec![Arc::clone(tree)]);
        let passed = Moves::new(job.placement, sends, move |_, _, _| vec![slice]);
        passed.in_lane(slice).once(steps).reducing(reduce)
    };
    let moves: Vec<Moves> = trees.iter().enumerate().map(moves).collect();
    let what = if reduce {
        "up all trees"
    } else {
        "down all trees"
    };
    let (count, pattern) = (trees.len(), sends(trees));
    let pattern = job.placement.pattern(job.context, &pattern)?;
    let parts = vec![Part::of(&pattern, job.size / count as f64, moves)];
    let phase = Phase::wave(what, parts, u64::from(hops), latency);
    let phase = if steady { phase.steady() } else { phase };
    let space = Space::new(count as u32, 1);
    Ok(vec![Stage::of(job.tier, space, vec![phase])])
}

fn directed((parent, child): (u32, u32), reduce: bool) -> (u32, u32) {
    if reduce {
        (child, parent)
    } else {
        (parent, child)
    }
}

/// Trees of the ranks of every group, which are alike, and whether their messages keep to links of their own.
fn of_ranks(job: &Job) -> Result<(Vec<Maker>, bool)> {
    let refused = |why: &str| Error::unsupported(format!("disjoint_trees over {why}"), USE);
    if job.context.damaged.is_some() {
        return Err(refused("a damaged UltraServer"));
    }
    let (context, domain) = (job.context, job.context.machine.domain());
    let groups = job.placement.local_groups().unwrap_or_default();
    let first = groups.first().and_then(|group| LocalBox::of(domain, group));
    let shape = first.ok_or_else(|| refused("chips that fill no box of an UltraServer"))?;
    for group in groups {
        context.control.check()?;
        if !alike(domain, &shape, &groups[0], group) {
            return Err(refused("groups of unlike shapes"));
        }
    }
    let sides = sides(domain, &shape, groups[0][job.root])
        .ok_or_else(|| refused("a switch and other axes"))?;
    let messages = most(&sides) * groups[0].len() as u64;
    if messages > MOST_MESSAGES {
        return Err(refused(&format!("{messages} messages listed one by one")));
    }
    let _taken = context.control.take(
        bytes_of::<[u32; 8]>(messages),
        format_args!("trees of {messages} messages"),
        USE,
    )?;
    let mut rank_of = vec![0; groups[0].len()];
    for (rank, &chip) in groups[0].iter().enumerate() {
        rank_of[number(domain, &shape, chip)] = rank as u32;
    }
    let rank_of: Arc<[u32]> = rank_of.into();
    let trees = trees(&sides, context.control)?;
    let ranked = |tree: Maker| -> Maker {
        let rank_of = Arc::clone(&rank_of);
        let rank = move |chip: u32| rank_of[chip as usize];
        Arc::new(move || {
            let edges = tree().into_iter();
            edges.map(|(from, to)| (rank(from), rank(to))).collect()
        })
    };
    let straight = matches!(context.routing.order_on_whole(domain), Ok(Some(_)));
    let steady = trees.even && straight && !has_gaps(domain, &shape);
    Ok((trees.all.into_iter().map(ranked).collect(), steady))
}

/// Whether neighbours of the box are none of its UltraServer.
fn has_gaps(domain: &Domain, shape: &LocalBox) -> bool {
    shape.sides.iter().any(|(axis, positions)| {
        let neighbours = matches!(domain.axes()[*axis].kind, AxisKind::Ring | AxisKind::Line);
        neighbours && positions.windows(2).any(|pair| pair[1] != pair[0] + 1)
    })
}

/// Most messages that are listed for trees.
const MOST_MESSAGES: u64 = 1 << 21;

const USE: &str = "use scatter_allgather, or a group that is a whole line, plane or box of chips";

/// Whether a group is the first moved to another place.
fn alike(domain: &Domain, shape: &LocalBox, first: &[u32], group: &[u32]) -> bool {
    let same = |axis: usize| {
        let size = domain.axes()[axis].size;
        let turn = |members: &[u32], at: usize| {
            let [own, start] = [members[at], members[0]].map(|chip| domain.coordinate(chip, axis));
            own + size - start
        };
        let open = matches!(domain.axes()[axis].kind, AxisKind::Line);
        (0..group.len()).all(|at| match open {
            true => turn(first, at) == turn(group, at),
            false => turn(first, at) % size == turn(group, at) % size,
        })
    };
    first == group
        || LocalBox::of(domain, group).is_some_and(|other| other.sizes() == shape.sizes())
            && (0..domain.axes().len()).all(same)
}

/// The sides as trees see them; `None` where chips share what joins them along several.
fn sides(domain: &Domain, shape: &LocalBox, root: u32) -> Option<Vec<Side>> {
    let alone = shape.sides.len() == 1;
    let side = |(axis, positions): &(usize, Vec<u32>)| {
        let (axis, own) = (&domain.axes()[*axis], domain.coordinate(root, *axis));
        let size = positions.len() as u32;
        let joined = match axis.kind {
            AxisKind::Ring if size == axis.size => Joined::Ring,
            AxisKind::Ring | AxisKind::Line => Joined::Line,
            AxisKind::FullMesh => Joined::All,
            AxisKind::Switch { .. } if alone => Joined::All,
            AxisKind::Switch { .. } => return None,
        };
        Some(Side {
            size,
            joined,
            bandwidth: axis.bandwidth,
            root: positions.partition_point(|&at| at < own) as u32,
        })
    };
    let sides: Option<Vec<Side>> = shape.sides.iter().map(side).collect();
    sides.filter(|sides| !sides.is_empty())
}

/// The number of a chip along the sides.
fn number(domain: &Domain, shape: &LocalBox, chip: u32) -> usize {
    let (mut number, mut stride) = (0, 1);
    for (axis, positions) in &shape.sides {
        let own = domain.coordinate(chip, *axis);
        number += positions.partition_point(|&at| at < own) * stride;
        stride *= positions.len();
    }
    number
}
