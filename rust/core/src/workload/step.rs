//! A training step.

use super::chunk::chunks;
use super::efficiency::Efficiency;
use super::layer::Work;
use super::memory::{Held, memory};
use super::parts::{Part, Parts};
use super::plan::Plan;
use super::prices::Prices;
use super::reduce::between_replicas;
use super::state::{shares, stage_numbers};
use super::traffic::{Overlap, row_bytes};
use crate::Control;
use crate::error::Result;
use crate::operation::Operation::{AllReduce, SendRecv};
use crate::pipeline::{self, Pipeline, Schedule};

/// What a step runs on.
pub struct Runs<'a> {
    /// How fast chips compute.
    pub efficiency: &'a Efficiency,
    /// What their software hides.
    pub overlap: Overlap,
    /// What collectives take.
    pub prices: &'a dyn Prices,
    /// Of the call.
    pub control: &'a Control,
}

/// What a step takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Seconds by part, of the busiest stage.
    pub parts: Parts,
    /// Number of that stage.
    pub stage: usize,
    /// Microbatches of a replica.
    pub microbatches: u32,
    /// Bytes of a rank of each stage.
    pub memory: Vec<Held>,
    /// Forward, gradients of inputs and of weights of each chunk for one microbatch, in seconds.
    pub chunks: Vec<[f64; 3]>,
    /// Seconds of rows between neighbouring stages.
    pub transfer: f64,
    /// Layers of each chunk.
    pub layers: Vec<usize>,
}

impl Step {
    /// Seconds of the step.
    pub fn seconds(&self) -> f64 {
        self.parts.sum()
    }
}

/// The pipeline of a plan, with what its chunks take.
pub(super) struct Stages {
    pub works: Vec<Work>,
    pub pipeline: Pipeline,
}

impl Stages {
    pub(super) fn of(plan: &Plan, runs: &Runs) -> Result<Self> {
        let overlap = if plan.layout.overlap {
            runs.overlap
        } else {
            Overlap::NONE
        };
        let works = chunks(plan, runs.efficiency, overlap, runs.prices)?;
        let rows = row_bytes(plan) / plan.layout.row_ranks();
        let transfer = runs.prices.time(SendRecv, &plan.axes.pp, rows)?;
        let mut ways = vec![transfer; works.len() - 1];
        if plan.layout.schedule == Schedule::ZbV {
            // At the bottom of the V rows stay where they are.
            ways[plan.layout.pp as usize - 1] = 0.0;
        }
        let chunk = |work: &Work| pipeline::Chunk {
            forward: work.forward.sum(),
            backward: work.backward.sum(),
            weights: work.weights.sum(),
        };
        let pipeline = Pipeline {
            schedule: plan.layout.schedule,
            stages: plan.layout.pp,
            virtual_stages: plan.layout.virtual_stages,
            microbatches: plan.microbatches,
            chunks: works.iter().map(chunk).collect(),
            transfer: ways,
        };
        pipeline.validate()?;
        Ok(Self { works, pipeline })
    }

    /// Seconds by part that a stage is busy with.
    pub(super) fn busy(&self, plan: &Plan, stage: usize) -> Parts {
        let held = plan.held(stage);
        let times = plan.rounds();
        let mut parts = Parts::default();
        for chunk in held {
            parts.add_times(times, &self.works[chunk].total());
        }
        parts
    }

    /// The stage that is busiest, and what it is busy with.
    pub(super) fn busiest(&self, plan: &Plan) -> (usize, Parts) {
        let stages = (0..plan.layout.pp as usize).map(|stage| (stage, self.busy(plan, stage)));
        let busier = |best: (usize, Parts), other: (usize, Parts)| {
            if other.1.sum() > best.1.sum() {
                other
            } else {
                best
            }
        };
        stages.reduce(busier).unwrap_or_default()
    }
}

/// Seconds, once a step, of data parallel collectives, the optimizer and all that islands trade: of the slowest stage
/// of each, as a step ends when all of them have ended.
pub(super) fn once(plan: &Plan, runs: &Runs, works: &[Work]) -> Result<Parts> {
    let mut worst = Parts::default();
    for stage in 0..plan.layout.pp as usize {
        let parts = once_of(plan, stage, runs, works)?;
        if parts.sum() > worst.sum() {
            worst = parts;
        }
    }
    worst.add(Part::Host, plan.job.host);
    Ok(worst)
}

/// The same of one stage, without the host.
pub(super) fn once_of(plan: &Plan, stage: usize, runs: &Runs, works: &[Work]) -> Result<Parts> {
    let overlap = if plan.layout.overlap {
        runs.overlap
    } else {
        Overlap::NONE
    };
    let mut parts = Parts::default();
    let data = between_replicas(plan, stage, works, overlap, runs.prices)?;
    parts.add(Part::Data, data);
    parts.add(Part::Optimizer, optimizer(plan, stage, runs.efficiency));
    parts.add(Part::Outer, outer(plan, stage, runs.prices)?);
    Ok(parts)
}

/// Seconds in which the optimizer reads and writes what it keeps, reads gradients and writes weights.
fn optimizer(plan: &Plan, stage: usize, efficiency: &Efficiency) -> f64 {
    let (job, state) = (plan.job, stage_numbers(plan, stage));
    let numbers = match plan.layout.zero {
        0 => state.all(),
        _ => {
            let (dense, expert) = shares(plan);
            state.dense / dense + state.expert / expert
        }
    };
    let each = 2.0 * job.optimizer_bytes + job.gradient_bytes + job.weight_bytes;
    efficiency.memory(numbers * each)
}

/// Seconds of what islands add up every so many steps, of one step.
fn outer(plan: &Plan, stage: usize, prices: &dyn Prices) -> Result<f64> {
    if plan.layout.islands == 1 {
        return Ok(0.0);
    }
    let (state, layout) = (stage_numbers(plan, stage), plan.layout);
    let numbers = state.dense / f64::from(layout.replicas())
        + state.expert / f64::from(layout.expert_replicas());
    let bytes = numbers * plan.job.gradient_bytes;
    let once = prices.time(AllReduce, &plan.axes.islands, bytes)?;
    Ok(once / f64::from(plan.layout.outer_every))
}

/// Prices a step.
///
/// # Errors
/// Those of collectives, and of a pipeline that its schedule does not run.
pub fn step(plan: &Plan, runs: &Runs) -> Result<Step> {
    let stages = Stages::of(plan, runs)?;
    let ran = pipeline::simulate(&stages.pipeline, runs.control)?;
    let (stage, mut parts) = stages.busiest(plan);
    parts.add(Part::Bubble, (ran.seconds - parts.sum()).max(0.0));
    parts.add_times(1.0, &once(plan, runs, &stages.works)?);
    let memory = ran.in_flight.iter().enumerate();
    let chunk = |chunk: &pipeline::Chunk| [chunk.forward, chunk.backward, chunk.weights];
    Ok(Step {
        parts,
        stage,
        microbatches: plan.microbatches,
        memory: memory
            .map(|(stage, &count)| self::memory(plan, stage, count))
            .collect(),
        chunks: stages.pipeline.chunks.iter().map(chunk).collect(),
        transfer: stages.pipeline.transfer.first().copied().unwrap_or(0.0),
        layers: plan.chunks.iter().map(|range| range.len()).collect(),
    })
}
