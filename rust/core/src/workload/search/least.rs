//! What a layout takes at least: bytes of its fullest stage exactly, and seconds that none of its schedule's orders beats.

use super::stages::{Alike, Before, alike};
use crate::error::Result;
use crate::pipeline::{at_least, in_flight};
use crate::workload::memory::memory;
use crate::workload::plan::Plan;
use crate::workload::step::{Runs, Stages, once_of};

/// Share by which bounds are lowered: sums of a step are made in another order.
const ROUNDING: f64 = 1e-9;

/// Looks at one layout after the other.
pub(super) struct Looker {
    before: Before,
    alike: Vec<Alike>,
}

impl Looker {
    pub(super) fn new(before: Before) -> Self {
        Self {
            before,
            alike: Vec::new(),
        }
    }

    /// Takes a plan, whose stages the other calls look at.
    pub(super) fn take(&mut self, plan: &Plan) {
        alike(plan, &self.before, &mut self.alike);
    }

    /// Bytes of the fullest stage: of stages that are alike, one at an end of them has most microbatches on their way.
    pub(super) fn memory(&self, plan: &Plan) -> f64 {
        let layout = plan.layout;
        let of = |stage: usize| {
            let (p, v, m) = (layout.pp, layout.virtual_stages, plan.microbatches);
            let count = in_flight(layout.schedule, p, v, m, stage as u32);
            (stage, count)
        };
        let fullest = |alike: &Alike| {
            let (first, last) = (of(alike.first), of(alike.last));
            let (stage, count) = if last.1 > first.1 { last } else { first };
            memory(plan, stage, count).sum()
        };
        self.alike.iter().map(fullest).fold(0.0, f64::max)
    }

    /// Seconds that a step takes at least: of its pipeline and of its busiest stage whichever is more, and what comes
    /// once a step.
    pub(super) fn seconds(&self, plan: &Plan, runs: &Runs) -> Result<f64> {
        let stages = Stages::of(plan, runs)?;
        let mut busiest = 0.0f64;
        let mut once = 0.0f64;
        for alike in &self.alike {
            busiest = busiest.max(stages.busy(plan, alike.first).sum());
            once = once.max(once_of(plan, alike.first, runs, &stages.works)?.sum());
        }
        let pipeline = at_least(&stages.pipeline);
        Ok((pipeline.max(busiest) + once + plan.job.host) * (1.0 - ROUNDING))
    }
}
