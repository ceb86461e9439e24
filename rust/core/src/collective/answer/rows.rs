//! The tables of a result: one row a stage, one row a phase.

use crate::collective::price::phase_cost::PhaseCost;
use crate::collective::price::sheet::Sheet;
use crate::collective::price::track::TrackCost;
use crate::collective::program::schedule::Repeat;
use crate::collective::tables::{Column, Table};
use crate::machine::Machine;

/// A stage, or one phase of it, as a row of the result's tables. A stage's pieces overlap where its algorithm lets
/// them; phases are told for all of the data, one after another: overlap of chunks and pieces is in the total only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// What the stage does and by which algorithm.
    pub stage: String,
    /// What happens in this phase of it; "" for the stage as a whole.
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

impl Row {
    /// Seconds in which senders start messages, or wait to, and nothing else happens.
    pub(crate) fn of_overhead(stage: &str, what: &str, seconds: f64) -> Self {
        Self {
            stage: stage.to_owned(),
            what: what.to_owned(),
            tier: "machine".to_owned(),
            steps: 1,
            overhead: seconds,
            time: seconds,
            ..Self::default()
        }
    }

    /// What a call takes before and after its messages.
    pub(crate) fn of_call(what: &str, call: f64) -> Self {
        Self::of_overhead("call", what, call)
    }
}

/// Rows as columns, with what each does where they are phases.
pub(crate) fn table(rows: &[Row], phases: bool) -> Table {
    let text = |of: fn(&Row) -> &String| Column::Text(rows.iter().map(of).cloned().collect());
    let number = |of: fn(&Row) -> f64| Column::Number(rows.iter().map(of).collect());
    let mut table = vec![
        ("stage", text(|row| &row.stage)),
        ("what", text(|row| &row.what)),
        ("tier", text(|row| &row.tier)),
        (
            "steps",
            Column::Count(rows.iter().map(|row| row.steps).collect()),
        ),
        ("bytes", number(|row| row.bytes)),
        ("latency_s", number(|row| row.latency)),
        ("overhead_s", number(|row| row.overhead)),
        ("serialisation_s", number(|row| row.serialisation)),
        ("time_s", number(|row| row.time)),
        ("bottleneck", text(|row| &row.bottleneck)),
    ];
    table.retain(|column| phases || column.0 != "what");
    table
}

fn steps(repeat: Repeat) -> u64 {
    match repeat {
        Repeat::Steps(count) => count,
        Repeat::Wave { hops, .. } => hops,
    }
}

/// The most that a track of a stage has.
fn most(stage: &Sheet, value: fn(&PhaseCost) -> f64) -> f64 {
    let of_track = |track: &TrackCost| track.phases.iter().map(value).sum::<f64>();
    stage.tracks.iter().map(of_track).fold(0.0, f64::max)
}

/// Steps of a stage.
pub(crate) fn steps_of(stage: &Sheet) -> u64 {
    most(stage, |phase| steps(phase.repeat) as f64) as u64
}

/// Bytes that the busiest sender of a stage sends.
pub(crate) fn sent_by(stage: &Sheet) -> f64 {
    most(stage, |phase| phase.sent)
}

/// A stage's row; of its tracks the one with the most steps and bytes counts.
pub(crate) fn stage_row(machine: &Machine, stage: &Sheet) -> Row {
    let (latency, overhead) = stage.fixed();
    let time = stage.time(1.0);
    Row {
        what: String::new(),
        stage: stage.label.clone(),
        tier: stage.tier.to_owned(),
        steps: steps_of(stage),
        bytes: sent_by(stage),
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
pub(crate) fn rows(machine: &Machine, stage: &Sheet) -> Vec<Row> {
    let phases = stage.tracks.iter().flat_map(|track| &track.phases);
    phases
        .map(|phase| {
            let (latency, overhead) = phase.fixed();
            let time = phase.time(1.0);
            Row {
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
