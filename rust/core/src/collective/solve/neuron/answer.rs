//! The answer as every other algorithm gives it: rows that say what is link, what endpoint, what overhead.

use super::call::Call;
use super::part::{Overlap, Part, Plan, Segment, Timing};
use crate::Result;
use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::answer::rows::Row;
use crate::collective::price::cost::{StageCost, in_turn};
use crate::collective::price::phase_cost::PhaseCost;
use crate::collective::tables::Fact;
use std::sync::Arc;

pub(super) fn fill(call: &Call, plan: Plan, outcome: &mut Outcome) -> Result<()> {
    let (context, neuron) = (call.context, call.neuron);
    let stages: Vec<Arc<StageCost>> = plan
        .segments
        .iter()
        .flat_map(|segment| segment.parts.iter().map(|part| Arc::clone(&part.stage)))
        .collect();
    // For bytes on links and the busiest of them; the time is ours.
    let mut cost = in_turn(context, call.request.model, &stages, 1.0)?;
    let timings: Vec<Timing> = plan
        .segments
        .iter()
        .map(|segment| segment.timing(call))
        .collect();
    cost.time = neuron.call + timings.iter().map(|timing| timing.time).sum::<f64>();
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
        let between = segment.overlap == Overlap::Nodes;
        *(if between {
            &mut outcome.latency
        } else {
            &mut outcome.overhead
        }) += timing.passes;
        rows(call, segment, timing, outcome);
    }
    Ok(())
}

/// `RDH, inter ring`: each algorithm once.
fn name(plan: &Plan) -> String {
    let mut names: Vec<String> = Vec::new();
    let parts = plan
        .segments
        .iter()
        .flat_map(|segment| segment.parts.iter().map(move |part| (segment, part)));
    for (segment, part) in parts {
        let label = &part.stage.label;
        let known = label.split(" by ").nth(1).unwrap_or(label);
        let inter = segment.overlap == Overlap::Nodes;
        let known = format!("{}{known}", if inter { "inter " } else { "" });
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
    let between = segment.overlap == Overlap::Nodes;
    for part in &segment.parts {
        let started = share(part.passes as f64, passes, timing.passes);
        let (latency, overhead) = if between {
            (started, 0.0)
        } else {
            (0.0, started)
        };
        let shares = Shares {
            latency,
            overhead,
            link: share(part.link, links, timing.link),
            hbm: share(part.hbm_bytes, bytes, timing.hbm),
        };
        let hbm_counts = timing.hbm > timing.link;
        part_rows(call, part, &shares, (between, hbm_counts), outcome);
    }
}

/// The rows of a part, which goes `between` nodes or inside them; `hbm_counts` where HBM is what its segment waits for.
fn part_rows(
    call: &Call,
    part: &Part,
    shares: &Shares,
    (between, hbm_counts): (bool, bool),
    outcome: &mut Outcome,
) {
    let stage = &part.stage;
    let started = shares.latency + shares.overhead;
    let phases = stage.tracks.iter().flat_map(|track| &track.phases);
    let sent: f64 = phases.map(sent).sum();
    let class = stage.busiest.as_ref().map_or_else(String::new, |busiest| {
        busiest.class.name(call.context.machine)
    });
    let what = if between {
        "steps over EFA"
    } else {
        "DMA passes"
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

fn sent(phase: &PhaseCost) -> f64 {
    phase.sent
}
