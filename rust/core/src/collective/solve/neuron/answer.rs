//! The answer as every other algorithm gives it: rows that say what is link, what endpoint, what overhead.

use super::call::Call;
use super::part::{Overlap, Part, Plan, Segment, Timing};
use crate::Result;
use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::answer::rows::{Row, sent_by};
use crate::collective::price::cost::{StageCost, in_turn};
use crate::collective::tables::Fact;
use std::sync::Arc;

pub(super) fn fill(call: &Call, plan: Plan, outcome: &mut Outcome) -> Result<()> {
    let (context, neuron) = (call.scene.get()?, call.neuron);
    let stages: Vec<Arc<StageCost>> = plan
        .segments
        .iter()
        .flat_map(|segment| segment.parts.iter().map(|part| Arc::clone(part.stage())))
        .collect();
    // For bytes on links and the busiest of them; the time is ours.
    let mut cost = in_turn(context, call.request.model, &stages, 1.0)?;
    let timings: Vec<Timing> = plan
        .segments
        .iter()
        .map(|segment| segment.timing(call))
        .collect();
    cost.time = in_all(call, &timings);
    let algorithm = name(&plan);
    let name = format!("neuron({algorithm})");
    outcome.fill(context.machine, name.clone(), (&stages, 1.0), cost);
    outcome.candidates = vec![Candidate {
        algorithm: name,
        outcome: Ok(outcome.time),
    }];
    outcome.note = plan.why.join("; ");
    outcome.chosen = vec![("algorithm", Fact::Text(algorithm))];
    outcome.says_hbm = true;
    outcome.chunks = timings
        .iter()
        .map(|timing| timing.pieces)
        .max()
        .unwrap_or(1);
    let whole = Row::of_call("", neuron.call);
    outcome.tell(whole, Row::of_call("software and launch", neuron.call));
    (outcome.latency, outcome.overhead) = (0.0, neuron.call);
    for (segment, timing) in plan.segments.iter().zip(&timings) {
        let (latency, overhead) = started(segment, timing);
        outcome.latency += latency;
        outcome.overhead += overhead;
        rows(call, segment, timing, outcome);
    }
    Ok(())
}

fn in_all(call: &Call, timings: &[Timing]) -> f64 {
    call.neuron.call + timings.iter().map(|timing| timing.time).sum::<f64>()
}

/// Seconds of a plan.
pub(super) fn seconds(call: &Call, plan: &Plan) -> f64 {
    let timings: Vec<Timing> = plan.segments.iter().map(|one| one.timing(call)).collect();
    in_all(call, &timings)
}

/// The name of a plan as answers have it.
pub(super) fn full_name(plan: &Plan) -> String {
    format!("neuron({})", name(plan))
}

/// Seconds of latency and of overhead before bytes move.
fn started(segment: &Segment, timing: &Timing) -> (f64, f64) {
    match segment.overlap {
        Overlap::Nodes => (timing.passes, 0.0),
        Overlap::Links => {
            let overhead = segment.parts.iter().map(|part| part.fixed().1).sum();
            (timing.passes - overhead, overhead)
        }
        _ => (0.0, timing.passes),
    }
}

/// `RDH, inter ring`: each algorithm once.
fn name(plan: &Plan) -> String {
    let mut names: Vec<String> = Vec::new();
    let parts = plan
        .segments
        .iter()
        .flat_map(|segment| segment.parts.iter().map(move |part| (segment, part)));
    for (segment, part) in parts {
        let label = part.label();
        let known = label.split(" by ").nth(1).unwrap_or(label);
        let tier = match segment.overlap {
            Overlap::Nodes => "inter ",
            Overlap::Links => "wan ",
            _ => "",
        };
        let known = format!("{tier}{known}");
        if !names.contains(&known) {
            names.push(known);
        }
    }
    names.join(", ")
}

fn row(stage: &StageCost, what: &str) -> Row {
    Row {
        stage: stage.label.clone(),
        what: what.to_owned(),
        tier: stage.tier.to_owned(),
        ..Row::of_call("", 0.0)
    }
}

/// What a part has of the time of its segment, by what each part brought into it.
struct Shares {
    latency: f64,
    overhead: f64,
    link: f64,
    hbm: f64,
}

/// The rows of a segment.
fn rows(call: &Call, segment: &Segment, timing: &Timing, outcome: &mut Outcome) {
    let sum = |value: fn(&Part) -> f64| segment.parts.iter().map(value).sum::<f64>();
    let (passes, links, bytes) = (
        sum(|part| part.passes as f64),
        sum(|part| part.link),
        sum(|part| part.hbm_bytes),
    );
    let share = |mine: f64, all: f64, total: f64| if all > 0.0 { total * mine / all } else { 0.0 };
    let (latency, overhead) = started(segment, timing);
    for part in &segment.parts {
        let of_passes = |total: f64| share(part.passes as f64, passes, total);
        let shares = Shares {
            latency: of_passes(latency),
            overhead: of_passes(overhead),
            link: share(part.link, links, timing.link),
            hbm: share(part.hbm_bytes, bytes, timing.hbm),
        };
        let hbm_counts = timing.hbm > timing.link;
        part_rows(call, part, &shares, (segment.overlap, hbm_counts), outcome);
    }
}

/// The rows of a part, by how its segment overlaps; `hbm_counts` where HBM is what that waits for.
fn part_rows(
    call: &Call,
    part: &Part,
    shares: &Shares,
    (overlap, hbm_counts): (Overlap, bool),
    outcome: &mut Outcome,
) {
    let stage = part.stage();
    let started = shares.latency + shares.overhead;
    let sent = sent_by(stage);
    let class = stage.busiest.as_ref().map_or_else(String::new, |busiest| {
        busiest.class.name(call.scene.machine)
    });
    let what = match overlap {
        Overlap::Nodes => "steps over EFA",
        Overlap::Links => "messages between sites",
        _ => "DMA passes",
    };
    outcome.told.phases.push(Row {
        steps: part.passes,
        latency: shares.latency,
        overhead: shares.overhead,
        time: started,
        ..row(stage, what)
    });
    let mut moved = |what: &str, bytes: f64, seconds: f64, bottleneck: &str| {
        outcome.told.phases.push(Row {
            bytes,
            serialisation: seconds,
            time: seconds,
            bottleneck: bottleneck.to_owned(),
            ..row(stage, what)
        });
    };
    if part.link > 0.0 {
        moved("bytes on links", sent, shares.link, &class);
    }
    if part.hbm_bytes > 0.0 {
        moved("bytes of HBM", part.hbm_bytes, shares.hbm, "HBM");
    }
    outcome.told.stages.push(Row {
        steps: part.passes,
        bytes: sent,
        latency: shares.latency,
        overhead: shares.overhead,
        serialisation: shares.link + shares.hbm,
        time: started + shares.link + shares.hbm,
        bottleneck: if hbm_counts { "HBM".to_owned() } else { class },
        ..row(stage, "")
    });
}
