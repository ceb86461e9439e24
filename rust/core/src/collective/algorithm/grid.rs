//! Algorithms that treat the chips of many UltraServers as one flat group, written by domain.

use super::ring::{Ring, rotate};
use super::{Job, find};
use crate::collective::group::Groups;
use crate::collective::layout::ring_order;
use crate::collective::operation::Operation;
use crate::collective::pattern::Kind;
use crate::collective::placement::Placement;
use crate::collective::schedule::{Part, Phase, Stage};
use crate::{Error, Result};

/// The stages of algorithm `name` over a grid of several domains with several chips in each.
/// `job.placement` is the local one.
pub(crate) fn flat(
    job: &Job,
    name: &str,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Stage>> {
    match (name, job.operation) {
        (
            "ring" | "ring_one_way",
            Operation::AllReduce | Operation::ReduceScatter | Operation::AllGather,
        ) => ring(job, name, locals, domains),
        (
            "direct",
            Operation::AllReduce
            | Operation::ReduceScatter
            | Operation::AllGather
            | Operation::AllToAll,
        ) => direct(job, domains),
        ("mesh", _) => {
            let parts = everyone(job, domains, job.size)?;
            Ok(vec![Stage::of(
                "machine",
                vec![Phase::steps("exchange whole buffers", parts, 1)],
            )])
        }
        ("halving_doubling" | "recursive_doubling", _) => by_bits(job, name, domains),
        ("direct", _) => star(job, locals, domains),
        ("binomial_tree", _) => binomial(job, locals, domains),
        _ => Err(Error::unsupported(
            format!("{name} over chips of several UltraServers"),
            format!(
                "use hierarchical, which can run {name} inside each UltraServer or across them"
            ),
        )),
    }
}

/// One ring through all chips: through each domain by its ring order, then on to the next domain.
fn ring(job: &Job, name: &str, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let domain = job.context.machine.domain();
    let paths: Vec<Vec<u32>> = locals
        .iter()
        .map(|group| ring_order(domain, group))
        .collect();
    let inside: Vec<(u32, u32)> = paths
        .iter()
        .flat_map(|path| path.windows(2).map(|pair| (pair[0], pair[1])))
        .collect();
    let onward: Vec<(u32, u32)> = domains
        .iter()
        .flat_map(|set| (0..set.len()).map(|at| (set[at], set[(at + 1) % set.len()])))
        .collect();
    let swapped = |pairs: &[(u32, u32)]| {
        pairs
            .iter()
            .map(|&(from, to)| (to, from))
            .collect::<Vec<_>>()
    };
    let build = |backward: bool| -> Ring {
        let (inside, pairs) = if backward {
            (swapped(&inside), swapped(&onward))
        } else {
            (inside.clone(), onward.clone())
        };
        let mut ring: Ring = vec![job.context.pattern(Kind::Local(inside))];
        let lane = |path: &Vec<u32>| {
            let (first, last) = (path[0], path[path.len() - 1]);
            if backward {
                (first, last)
            } else {
                (last, first)
            }
        };
        let lanes = paths.iter().map(lane).collect();
        ring.push(job.context.pattern(Kind::Lanes { pairs, lanes }));
        ring
    };
    let mut rings = vec![build(false)];
    if name == "ring" {
        rings.push(build(true));
    }
    let phases = rotate(job, name, &rings, job.context.groups.ranks())?;
    Ok(vec![Stage::of("machine", phases)])
}

/// Parts that send `bytes` from every rank to every other of its group.
fn everyone(job: &Job, domains: &[Vec<u32>], bytes: f64) -> Result<Vec<Part>> {
    let in_domain = match job.context.groups {
        Groups::Grid { locals, .. } => locals[0].len() as f64,
        Groups::Scattered(_) => 1.0,
    };
    let local = job.placement.all_pairs(job.context)?;
    let sets = domains.iter().map(|set| (set.clone(), 1.0)).collect();
    let across = job.context.pattern(Kind::Exchange { sets, spread: true });
    Ok(vec![
        Part::new(&local, bytes),
        Part::new(&across, bytes * in_domain),
    ])
}

fn direct(job: &Job, domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let parts = everyone(job, domains, job.size / job.context.groups.ranks() as f64)?;
    let phase = |what: &str| Phase::steps(what, parts.clone(), 1);
    let phases = match job.operation {
        Operation::AllReduce => vec![phase("reduce-scatter"), phase("all-gather")],
        Operation::ReduceScatter => vec![phase("reduce-scatter")],
        Operation::AllGather => vec![phase("all-gather")],
        _ => vec![phase("all-to-all")],
    };
    Ok(vec![Stage::of("machine", phases)])
}

/// From the root to all or from all to the root, inside its domain and beyond.
fn star(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let in_domain = locals[0].len();
    let (root_domain, root_local) = (job.root / in_domain, job.root % in_domain);
    let outward = matches!(job.operation, Operation::Broadcast | Operation::Scatter);
    let chips = job.context.machine.domain().chips();
    let mut near = Vec::new();
    for first in domains.iter().map(|set| set[root_domain] * chips) {
        for group in locals {
            let root = group[root_local];
            let others = group.iter().filter(|&&local| local != root);
            let ends = others.map(|&local| (first + root, first + local));
            near.extend(ends.map(|(root, leaf)| if outward { (root, leaf) } else { (leaf, root) }));
        }
    }
    let far = Kind::Star {
        sets: domains
            .iter()
            .map(|set| (set.clone(), set[root_domain]))
            .collect(),
        locals: locals
            .iter()
            .map(|group| (group.clone(), group[root_local]))
            .collect(),
        outward,
    };
    let bytes = match job.operation {
        Operation::Broadcast | Operation::Reduce => job.size,
        _ => job.size / job.context.groups.ranks() as f64,
    };
    let parts = [Kind::Flat(near), far].map(|kind| Part::new(&job.context.pattern(kind), bytes));
    let what = if outward {
        "root to all"
    } else {
        "all to root"
    };
    Ok(vec![Stage::of(
        "machine",
        vec![Phase::steps(what, parts.to_vec(), 1)],
    )])
}

/// A binomial tree over domains, on the lane of the root, and one inside every domain.
fn binomial(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let in_domain = locals[0].len();
    let root_local = job.root % in_domain;
    let lanes = locals.iter().map(|group| group[root_local]).collect();
    let placement = Placement::Lanes(domains.to_vec(), lanes);
    let build = find("binomial_tree")?.build;
    let across = |operation| {
        build(&Job {
            placement: &placement,
            operation,
            root: job.root / in_domain,
            tier: "machine",
            ..*job
        })
    };
    // A share of the whole is what one rank owns; inside a domain the tree divides that domain's part.
    let part = match job.operation {
        Operation::Gather | Operation::Scatter => job.size / domains[0].len() as f64,
        _ => job.size,
    };
    let inside = |operation| {
        build(&Job {
            operation,
            size: part,
            root: root_local,
            ..*job
        })
    };
    let order: &[(bool, Operation)] = match job.operation {
        Operation::AllReduce => &[
            (true, Operation::Reduce),
            (false, Operation::Reduce),
            (false, Operation::Broadcast),
            (true, Operation::Broadcast),
        ],
        Operation::Broadcast => &[(false, Operation::Broadcast), (true, Operation::Broadcast)],
        Operation::Scatter => &[(false, Operation::Scatter), (true, Operation::Scatter)],
        Operation::Reduce => &[(true, Operation::Reduce), (false, Operation::Reduce)],
        _ => &[(true, Operation::Gather), (false, Operation::Gather)],
    };
    let mut stages = Vec::new();
    for &(local, operation) in order {
        stages.extend(if local {
            inside(operation)?
        } else {
            across(operation)?
        });
    }
    Ok(stages)
}

/// Exchanges over all bits of the rank: the low bits inside domains, the high bits between them.
fn by_bits(job: &Job, name: &str, domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let rails = Placement::Rails(domains.to_vec());
    let build = find(name)?.build;
    let in_domain = job.placement.ranks() as f64;
    let inside = |operation| build(&Job { operation, ..*job });
    let across = |operation, size| {
        build(&Job {
            placement: &rails,
            operation,
            size,
            tier: "machine",
            ..*job
        })
    };
    let mut stages = Vec::new();
    match (name, job.operation) {
        ("recursive_doubling", _) => {
            stages.extend(inside(Operation::AllReduce)?);
            stages.extend(across(Operation::AllReduce, job.size)?);
        }
        (_, Operation::AllReduce) => {
            stages.extend(inside(Operation::ReduceScatter)?);
            stages.extend(across(Operation::AllReduce, job.size / in_domain)?);
            stages.extend(inside(Operation::AllGather)?);
        }
        (_, Operation::ReduceScatter) => {
            stages.extend(inside(Operation::ReduceScatter)?);
            stages.extend(across(Operation::ReduceScatter, job.size / in_domain)?);
        }
        (_, _) => {
            stages.extend(across(Operation::AllGather, job.size / in_domain)?);
            stages.extend(inside(Operation::AllGather)?);
        }
    }
    Ok(stages)
}
