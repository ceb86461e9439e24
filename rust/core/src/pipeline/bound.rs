//! A bound that no stage times let a schedule beat, for searches to leave layouts out by.

use super::schedule::Schedule;
use super::shape::{Chunk, Pipeline};
use super::simple::warm_up;
use super::zero_bubble::{warm_h1, warm_h2};

/// What the bound gives for rounding: sums of the simulation are made in another order.
const ROUNDING: f64 = 1e-9;

/// Seconds that a step ([`Ran::seconds`](super::Ran)) takes at least, whatever the times of stages and transfers are; in
/// time O(chunks), and without memory. Zero of one that [`Pipeline::validate`] refuses for its counts.
///
/// The highest over stages of what follows. Let `in` be the seconds in which the first microbatch comes to the stage,
/// `warm` the forwards that its order has before its first backward, `work` all that it does, and `back` the seconds in
/// which one microbatch goes down to the last chunk and its gradient up to the chunk of that first backward.
///
/// - A stage starts at `in` exactly: the first task of each stage is the forward of the first microbatch on its first
///   chunk, and so is that of all stages before it.
/// - Its first backward starts at `max(in + warm, back)` at the earliest: all forwards before it are done by the stage
///   itself, and `back` is a chain of tasks that wait for each other, which starts at 0 with an input that is there.
/// - From there on it has `work - warm` left to do.
/// - Schedules that do not split: the last task of a stage is a backward, whose gradient still has to go up to the first
///   chunk, `in` for that way, and the step ends there; its first stage started at 0. So `max(in + warm, back) + work -
///   warm + out`, with `out` the backwards before its first chunk and their transfers.
/// - Schedules that split count from the start of the stage to its end: `max(in + warm, back) - in + work - warm`.
///
/// For equal stages without transfers this is the closed form of GPipe, 1F1B and interleaved.
#[must_use]
pub fn at_least(pipeline: &Pipeline) -> f64 {
    if pipeline.check_counts().is_err() {
        return 0.0;
    }
    let down: f64 = pipeline.chunks.iter().map(|chunk| chunk.forward).sum();
    let transfers: f64 = pipeline.transfer.iter().sum();
    // Of DualPipe, stages of the second half do what those of the first do.
    let stages = match pipeline.schedule {
        Schedule::DualPipe => pipeline.stages / 2,
        _ => pipeline.stages,
    };
    let mut chunk = first_backward(pipeline, 0);
    let mut back = down + transfers;
    for above in chunk + 1..pipeline.chunks.len() {
        back += climb(pipeline, above);
    }
    let (mut way_in, mut out, mut most) = (0.0, 0.0, 0.0f64);
    for stage in 0..stages {
        let now = first_backward(pipeline, stage);
        if now > chunk {
            back -= climb(pipeline, now);
        } else if now < chunk {
            back += climb(pipeline, chunk);
        }
        chunk = now;
        let warm = warm(pipeline, stage);
        let ends = back.max(way_in + warm) + work(pipeline, stage) - warm;
        most = most.max(match pipeline.schedule.splits() {
            true => ends - way_in,
            false => ends + out,
        });
        let stage = stage as usize;
        let transfer = pipeline.transfer.get(stage).copied().unwrap_or(0.0);
        way_in += pipeline.chunks[stage].forward + transfer;
        out += gradient(pipeline, stage) + transfer;
    }
    most * (1.0 - ROUNDING)
}

/// The chunk of a stage's first backward.
fn first_backward(pipeline: &Pipeline, stage: u32) -> usize {
    let (p, v) = (pipeline.stages, pipeline.virtual_stages);
    let chunk = match pipeline.schedule {
        Schedule::Interleaved => (v - 1) * p + stage,
        Schedule::ZbV => 2 * p - 1 - stage,
        Schedule::DualPipe => p - 1 - stage,
        _ => stage,
    };
    chunk as usize
}

/// Seconds until a chunk's gradient of inputs goes on: of its weights as well where they are not split.
fn gradient(pipeline: &Pipeline, chunk: usize) -> f64 {
    let chunk = &pipeline.chunks[chunk];
    match pipeline.schedule.splits() {
        true => chunk.backward,
        false => chunk.backward + chunk.weights,
    }
}

/// Seconds of a gradient through a chunk and on to the one before.
fn climb(pipeline: &Pipeline, chunk: usize) -> f64 {
    gradient(pipeline, chunk) + pipeline.transfer[chunk - 1]
}

/// Seconds of all that a stage does.
fn work(pipeline: &Pipeline, stage: u32) -> f64 {
    let (p, m) = (pipeline.stages as usize, f64::from(pipeline.microbatches));
    let stage = stage as usize;
    let all = |chunk: &Chunk| chunk.forward + chunk.backward + chunk.weights;
    let chunks = &pipeline.chunks;
    match pipeline.schedule {
        Schedule::Interleaved => m * chunks.iter().skip(stage).step_by(p).map(all).sum::<f64>(),
        Schedule::ZbV => m * (all(&chunks[stage]) + all(&chunks[2 * p - 1 - stage])),
        Schedule::DualPipe => m / 2.0 * (all(&chunks[stage]) + all(&chunks[p - 1 - stage])),
        _ => m * all(&chunks[stage]),
    }
}

/// Seconds of the forwards that a stage does before its first backward.
fn warm(pipeline: &Pipeline, stage: u32) -> f64 {
    let (p, v, m) = (
        pipeline.stages,
        pipeline.virtual_stages,
        pipeline.microbatches,
    );
    let of =
        |count: u32, chunk: u32| f64::from(count.min(m)) * pipeline.chunks[chunk as usize].forward;
    match pipeline.schedule {
        Schedule::GPipe => of(m, stage),
        Schedule::OneF1B => of(p - stage, stage),
        Schedule::Interleaved => {
            let all = u64::from(m) * u64::from(v);
            let count = (warm_up(p, v, m, stage) + 1).min(all);
            let (p, round) = (u64::from(p), u64::from(p) * u64::from(v));
            let each = |(place, chunk): (u64, &Chunk)| {
                let started = (count % round).saturating_sub(place * p).min(p);
                (count / round * p + started) as f64 * chunk.forward
            };
            let own = pipeline.chunks.iter().skip(stage as usize);
            (0..).zip(own.step_by(p as usize)).map(each).sum()
        }
        Schedule::ZbH1 => of(warm_h1(p, stage), stage),
        Schedule::ZbH2 => of(warm_h2(p, stage), stage),
        Schedule::ZbV => of(2 * p - 1 - stage, stage) + of(stage + 1, 2 * p - 1 - stage),
        Schedule::DualPipe => {
            // Steps 1 and 2, and of the middle stages the first forward of step 4.
            let near = p - 1 - stage + u32::from(stage + 1 == p / 2);
            of(near, stage) + of(stage + 1, p - 1 - stage)
        }
    }
}
