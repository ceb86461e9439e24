//! Algorithms that treat the chips of many UltraServers as one flat group, written by domain.

use super::ring::{Ring, rotate};
use super::{Job, find, unsupported};
use crate::collective::group::Groups;
use crate::collective::layout::ring_order;
use crate::collective::operation::Operation;
use crate::collective::pattern::{Kind, Pattern};
use crate::collective::placement::Placement;
use crate::collective::schedule::{Part, Phase, Stage};
use crate::{Error, Result};

/// The stages of algorithm `name` over a grid of several domains with several chips in each.
/// `job.placement` is the local one.
pub(crate) fn flat(job: &Job, name: &str, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let row = find(name)?;
    if !row.operations.contains(&job.operation) {
        return Err(unsupported(name, job.operation));
    }
    match (name, job.operation) {
        ("ring" | "ring_one_way", Operation::AllReduce | Operation::ReduceScatter | Operation::AllGather) => {
            ring(job, name, locals, domains)
        }
        (
            "direct",
            Operation::AllReduce | Operation::ReduceScatter | Operation::AllGather | Operation::AllToAll,
        ) => direct(job, domains),
        ("mesh", _) => {
            let parts = everyone(job, domains, job.size)?;
            Ok(vec![Stage::of("machine", vec![Phase::steps("exchange whole buffers", parts, 1)])])
        }
        ("halving_doubling" | "recursive_doubling", _) => by_bits(job, name, domains),
        ("direct" | "binomial_tree", _) => {
            let groups = (0..job.context.groups.count())
                .map(|group| job.context.groups.members(job.context.machine, group))
                .collect();
            let placement = Placement::Flat(groups);
            (row.build)(&Job {
                placement: &placement,
                tier: "machine",
                ..*job
            })
        }
        _ => Err(Error::unsupported(
            format!("{name} over chips of several UltraServers"),
            format!("use hierarchical, which can run {name} inside each UltraServer or across them"),
        )),
    }
}

/// One ring through all chips: through each domain by its ring order, then on to the next domain.
fn ring(job: &Job, name: &str, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let domain = job.context.machine.domain();
    let paths: Vec<Vec<u32>> = locals.iter().map(|group| ring_order(domain, group)).collect();
    let inside: Vec<(u32, u32)> = paths
        .iter()
        .flat_map(|path| path.windows(2).map(|pair| (pair[0], pair[1])))
        .collect();
    let onward: Vec<(u32, u32)> = domains
        .iter()
        .flat_map(|set| (0..set.len()).map(|at| (set[at], set[(at + 1) % set.len()])))
        .collect();
    let swapped = |pairs: &[(u32, u32)]| pairs.iter().map(|&(from, to)| (to, from)).collect::<Vec<_>>();
    let build = |backward: bool| -> Ring {
        let (inside, pairs) = if backward {
            (swapped(&inside), swapped(&onward))
        } else {
            (inside.clone(), onward.clone())
        };
        let mut ring: Ring = vec![Pattern::new(Kind::Local(inside))];
        ring.extend(paths.iter().map(|path| {
            let (first, last) = (path[0], path[path.len() - 1]);
            let (from, to) = if backward { (first, last) } else { (last, first) };
            Pattern::new(Kind::Lane {
                pairs: pairs.clone(),
                from,
                to,
            })
        }));
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
    let across = Pattern::new(Kind::Exchange { sets, spread: true });
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
