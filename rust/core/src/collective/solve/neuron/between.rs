//! Between the nodes of a site, over EFA, and between sites, by links.

use super::call::Call;
use super::ground::Spot;
use super::limits::MESH_DEVICES;
use super::part::{Overlap, Part, Plan, Segment};
use crate::collective::algorithm::ALGORITHMS;
use crate::collective::price::cost::{JoinedTrack, StageCost};
use crate::collective::program::moves::Space;
use crate::collective::program::schedule::Stage;
use crate::operation::Operation::{self, AllReduce, ReduceScatter};
use crate::{Error, Result};
use std::sync::Arc;

/// An algorithm: of links, as the runtime knows it, its steps, and bytes of HBM that a chip reads and writes.
type Choice = (&'static str, &'static str, u64, f64);

/// Adds an operation between the nodes of each site: every chip with those of the same number, over its own NIC. Sites
/// run side by side, and the slowest counts.
pub(super) fn between_nodes(
    call: &Call,
    operation: Operation,
    size: f64,
    plan: &mut Plan,
) -> Result<()> {
    let mut slowest: Option<(f64, Part)> = None;
    let (mut tracks, mut names, mut why) = (Vec::new(), Vec::new(), Vec::new());
    let sites = call.ground.sites();
    for (number, rails) in sites.iter().enumerate() {
        let (time, part, known_as) = fastest(call, number, operation, size)?;
        if sites.len() > 1 {
            tracks.push(Arc::clone(part.stage()));
        }
        why.push(format!("{known_as} over {} nodes", rails.ranks()));
        if !names.contains(&known_as) {
            names.push(known_as);
        }
        if slowest.as_ref().is_none_or(|slowest| time > slowest.0) {
            slowest = Some((time, part));
        }
    }
    let Some((_, mut part)) = slowest else {
        return Ok(());
    };
    if tracks.len() > 1 {
        let track = |stage| JoinedTrack {
            stages: vec![stage],
            spread: None,
            place: String::new(),
        };
        let label = format!("{} by {}", operation.name(), names.join(" and "));
        let tracks = tracks.into_iter().map(track).collect();
        let joined = StageCost::joined(
            call.nodes.get()?,
            call.request.model,
            ("site", &label),
            tracks,
        )?;
        part.set_stage(joined);
    }
    let why = format!(
        "{}: the fastest there, the runtime's thresholds being unpublished",
        why.join(", ")
    );
    plan.explain(why);
    plan.segments.push(Segment {
        parts: vec![part],
        overlap: Overlap::Nodes,
    });
    Ok(())
}

/// The fastest of the runtime's algorithms between nodes, whose thresholds are not published, with its time.
fn fastest(
    call: &Call,
    site: usize,
    operation: Operation,
    size: f64,
) -> Result<(f64, Part, &'static str)> {
    let mut best: Option<(f64, Part, &'static str)> = None;
    let nodes = call.ground.sites()[site].ranks();
    for (algorithm, known_as, steps, bytes) in options(nodes, operation, size) {
        let names = (algorithm, known_as);
        let spot = Spot::Site(site);
        let part = Part::new(call, spot, operation, (size, 1.0), names, (steps, bytes))?;
        let segment = Segment {
            parts: vec![part],
            overlap: Overlap::Nodes,
        };
        let time = segment.timing(call).time;
        if best.as_ref().is_none_or(|best| time < best.0) {
            let [part] = <[Part; 1]>::try_from(segment.parts)
                .unwrap_or_else(|_| unreachable!("a segment of one part"));
            best = Some((time, part, known_as));
        }
    }
    Ok(best.expect("a ring is always tried"))
}

/// What the runtime has for so many nodes.
fn options(nodes: usize, operation: Operation, size: f64) -> Vec<Choice> {
    let twice = if operation == AllReduce { 2 } else { 1 };
    let others = (nodes - 1) as f64;
    let moved = size * others / nodes as f64;
    // Read and written; a reduction reads its second operand too.
    let touched = match operation {
        AllReduce => 5.0 * moved,
        ReduceScatter => 3.0 * moved,
        _ => 2.0 * moved,
    };
    let mut options = vec![("ring", "ring", twice * (nodes as u64 - 1), touched)];
    if nodes <= MESH_DEVICES {
        options.push(("direct", "Mesh", twice, touched));
        if operation == AllReduce {
            options.push(("mesh", "single-step Mesh", 1, 3.0 * others * size));
        }
    }
    if nodes.is_power_of_two() {
        let steps = twice * u64::from(nodes.ilog2());
        options.push(("halving_doubling", "RDH", steps, touched));
    }
    options
}

/// Adds an operation of `size` bytes between sites by the schedule that is fastest on the links: the runtime has none.
pub(super) fn between_sites(
    call: &Call,
    domains: &[Vec<u32>],
    operation: Operation,
    size: f64,
    plan: &mut Plan,
) -> Result<()> {
    let (context, model) = (call.scene.get()?, call.request.model);
    let mut best: Option<(f64, StageCost, &str)> = None;
    let rows = ALGORITHMS
        .iter()
        .filter(|row| row.offered && row.operations.contains(&operation));
    for row in rows {
        let phases = match row.between_sites(context, domains, operation, size) {
            Ok(phases) => phases,
            Err(Error::Unsupported { .. }) => continue,
            Err(error) => return Err(error),
        };
        let stage = Stage::of("wan", Space::WHOLE, phases);
        let label = format!("{} by {}", operation.name(), row.name);
        let stage = StageCost::new(context, model, &stage, label)?;
        let time = stage.time(1.0);
        if best.as_ref().is_none_or(|best| time < best.0) {
            best = Some((time, stage, row.name));
        }
    }
    let (_, stage, name) = best.expect("direct goes between sites");
    plan.explain(format!(
        "{name} between sites by the links alone, the runtime having no algorithm for them"
    ));
    plan.segments.push(Segment {
        parts: vec![Part::by_links(stage)],
        overlap: Overlap::Links,
    });
    Ok(())
}
