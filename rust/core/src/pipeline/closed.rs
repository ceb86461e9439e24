//! Closed forms of what the simulation finds.

use super::schedule::Schedule;
use super::shape::Pipeline;
use super::simple::warm_up;

/// Seconds of a step ([`Ran::seconds`](super::Ran)) in closed form, where one holds exactly; None otherwise.
///
/// With F, B and W the seconds of a chunk, p stages, v chunks a stage, m microbatches and T = F + B + W:
///
/// | schedule | holds for | seconds |
/// |---|---|---|
/// | GPipe | all | sum F + (m - 1) max F + sum (B + W) + (m - 1) max (B + W) + both ways of all transfers |
/// | 1F1B | equal chunks, no transfers | (m + p - 1) T |
/// | interleaved | the same | (m v + p - 1) T |
/// | ZB-H1 | the same, m >= p | m T + (p - 1) max(F + B - W, B) |
/// | ZB-H2 | the same, m >= 2p - 1 | m T + (p - 1) max(F + B - 2W, B - F, 0) |
/// | ZB-V | the same, F = B = W | (2m + 2/3 max(0, 2p - 1 - m)) T |
/// | DualPipe | the same, F = B, W <= F | m T + (p/2 - 1) (F + 2B - W) |
///
/// Papers give ZB-H1 as (p - 1)(F + B - W) and ZB-H2 as (p - 1)(F + B - 2W), which is the same where W <= F and, for
/// ZB-H2, the sum is that of the three which is highest; with longer W their orders take the other terms. GPipe is a
/// flow shop of equal jobs, twice. README of deepseek-ai/DualPipe gives its form for any times: with F < B the order
/// takes less, with F > B more, and neither has a form here.
#[must_use]
pub fn closed(pipeline: &Pipeline) -> Option<f64> {
    pipeline.check_counts().ok()?;
    let m = f64::from(pipeline.microbatches);
    if pipeline.schedule == Schedule::GPipe {
        return Some(flow_shops(pipeline, m));
    }
    let (p, v) = (
        f64::from(pipeline.stages),
        f64::from(pipeline.virtual_stages),
    );
    let chunk = *pipeline.chunks.first()?;
    let equal = pipeline.chunks.iter().all(|other| *other == chunk);
    if !equal || pipeline.transfer.iter().any(|&time| time != 0.0) {
        return None;
    }
    let (f, b, w) = (chunk.forward, chunk.backward, chunk.weights);
    let work = m * v * (f + b + w);
    let bubble = match pipeline.schedule {
        Schedule::GPipe | Schedule::OneF1B | Schedule::Interleaved => (p - 1.0) * (f + b + w),
        Schedule::ZbH1 if m >= p => (p - 1.0) * (f + b - w).max(b),
        Schedule::ZbH2 if m >= 2.0 * p - 1.0 => (p - 1.0) * (f + b - 2.0 * w).max(b - f).max(0.0),
        Schedule::ZbV if f == b && b == w => 2.0 * (2.0 * p - 1.0 - m).max(0.0) * f,
        Schedule::DualPipe if f == b && w <= f => (p / 2.0 - 1.0) * (f + 2.0 * b - w),
        _ => return None,
    };
    Some(work + bubble)
}

/// GPipe: microbatches are equal jobs that go through all stages, and back.
fn flow_shops(pipeline: &Pipeline, m: f64) -> f64 {
    let (mut down, mut up, mut longest_down, mut longest_up) = (0.0, 0.0, 0.0f64, 0.0f64);
    for chunk in &pipeline.chunks {
        let back = chunk.backward + chunk.weights;
        down += chunk.forward;
        up += back;
        longest_down = longest_down.max(chunk.forward);
        longest_up = longest_up.max(back);
    }
    let transfers: f64 = pipeline.transfer.iter().sum();
    down + up + 2.0 * transfers + (m - 1.0) * (longest_down + longest_up)
}

/// Most microbatches whose activations `stage` holds at once ([`Ran::in_flight`](super::Ran)), in closed form for all
/// pipelines that [`Pipeline::validate`] lets pass: the order of work decides it, not times.
///
/// With i the stage: GPipe m; 1F1B min(m, p - i); interleaved (2(p - 1 - i) + (v - 1)p + 1) / v, and m at most; ZB-H1
/// min(m, p); ZB-H2 min(m, 2p - 1); ZB-V half of min(2m, m + i + 1, 2p); DualPipe p + 1, with the model there twice.
#[must_use]
pub fn in_flight(
    schedule: Schedule,
    stages: u32,
    virtual_stages: u32,
    microbatches: u32,
    stage: u32,
) -> f64 {
    let (p, v, m, i) = (
        f64::from(stages),
        f64::from(virtual_stages),
        f64::from(microbatches),
        f64::from(stage),
    );
    match schedule {
        Schedule::GPipe => m,
        Schedule::OneF1B => m.min(p - i),
        Schedule::Interleaved => {
            let warm = warm_up(stages, virtual_stages, microbatches, stage);
            (warm as f64 + 1.0).min(m * v) / v
        }
        Schedule::ZbH1 => m.min(p),
        Schedule::ZbH2 => m.min(2.0 * p - 1.0),
        Schedule::ZbV => (2.0 * m).min(m + i + 1.0).min(2.0 * p) / 2.0,
        Schedule::DualPipe => p + 1.0,
    }
}
