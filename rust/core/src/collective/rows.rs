//! The tables of a result: one row a stage, one row a phase.

use super::cost::{PhaseCost, StageCost, TrackCost};
use super::schedule::Repeat;
use crate::machine::Machine;

/// One phase as a row of the result's table. Times are for all of the data, one after another; overlap of
/// chunks and pieces is in the total only.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseRow {
    /// The stage that it is part of: what it does and by which algorithm.
    pub stage: String,
    /// What happens.
    pub what: String,
    /// Where: "domain", "site", "wan" or "machine".
    pub tier: String,
    /// Steps that wait for each other (hops of the pipeline for a pipelined phase).
    pub steps: u64,
    /// Bytes that the busiest sender sends.
    pub bytes: f64,
    /// Seconds of latency.
    pub latency: f64,
    /// Seconds of starting messages.
    pub overhead: f64,
    /// Seconds on the wire.
    pub serialisation: f64,
    /// Seconds in all.
    pub time: f64,
    /// The class of the busiest link, "" when there are no bytes.
    pub bottleneck: String,
}

/// One stage as a row of the result's table: its phases together, pieces overlapping where the algorithm does so.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRow {
    /// What it does and by which algorithm.
    pub stage: String,
    /// Where: "domain", "site", "wan" or "machine".
    pub tier: String,
    /// Steps that wait for each other.
    pub steps: u64,
    /// Bytes that the busiest sender sends.
    pub bytes: f64,
    /// Seconds of latency.
    pub latency: f64,
    /// Seconds of starting messages.
    pub overhead: f64,
    /// Seconds on the wire.
    pub serialisation: f64,
    /// Seconds in all, with all of the data at once.
    pub time: f64,
    /// The class of its busiest link, "" when there are no bytes.
    pub bottleneck: String,
}

impl PhaseRow {
    /// What a call takes before and after its messages.
    pub(super) fn of_call(call: f64) -> Self {
        Self {
            stage: "call".to_owned(),
            what: "software and launch".to_owned(),
            tier: "machine".to_owned(),
            steps: 1,
            bytes: 0.0,
            latency: 0.0,
            overhead: call,
            serialisation: 0.0,
            time: call,
            bottleneck: String::new(),
        }
    }
}

impl StageRow {
    /// What a call takes before and after its messages.
    pub(super) fn of_call(call: f64) -> Self {
        Self {
            stage: "call".to_owned(),
            tier: "machine".to_owned(),
            steps: 1,
            bytes: 0.0,
            latency: 0.0,
            overhead: call,
            serialisation: 0.0,
            time: call,
            bottleneck: String::new(),
        }
    }
}

fn steps(repeat: Repeat) -> u64 {
    match repeat {
        Repeat::Steps(count) => count,
        Repeat::Wave { hops, .. } => hops,
    }
}

/// A stage's row; of its tracks the one with the most steps and bytes counts.
pub(super) fn stage_row(machine: &Machine, stage: &StageCost) -> StageRow {
    let (latency, overhead) = stage.fixed();
    let time = stage.time(1.0);
    let most = |value: fn(&PhaseCost) -> f64| {
        let of_track = |track: &TrackCost| track.phases.iter().map(value).sum::<f64>();
        stage.tracks.iter().map(of_track).fold(0.0, f64::max)
    };
    StageRow {
        stage: stage.label.clone(),
        tier: stage.tier.to_owned(),
        steps: most(|phase| steps(phase.repeat) as f64) as u64,
        bytes: most(|phase| phase.sent),
        latency,
        overhead,
        serialisation: (time - latency - overhead).max(0.0),
        time,
        bottleneck: stage
            .busiest
            .as_ref()
            .map_or_else(String::new, |busiest| busiest.class.name(machine)),
    }
}

/// The rows of a stage's phases.
pub(super) fn rows(machine: &Machine, stage: &StageCost) -> Vec<PhaseRow> {
    let phases = stage.tracks.iter().flat_map(|track| &track.phases);
    phases
        .map(|phase| {
            let (latency, overhead) = phase.fixed();
            let time = phase.time(1.0);
            PhaseRow {
                stage: stage.label.clone(),
                what: phase.what.clone(),
                tier: stage.tier.to_owned(),
                steps: steps(phase.repeat),
                bytes: phase.sent,
                latency,
                overhead,
                serialisation: (time - latency - overhead).max(0.0),
                time,
                bottleneck: phase
                    .busiest
                    .as_ref()
                    .map_or_else(String::new, |busiest| busiest.class.name(machine)),
            }
        })
        .collect()
}
