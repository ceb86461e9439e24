//! How far the stages of a pipeline are, in room that is used again.

use super::orders::write;
use super::schedule::Schedule;
use super::shape::Pipeline;
use super::task::Orders;
use crate::control::Control;
use crate::error::Result;

/// What a stage that does not wait waits for.
pub(super) const NOTHING: usize = usize::MAX;

/// A step that is under way.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) orders: Orders,
    /// Of what the orders are.
    written: Option<(Schedule, u32, u32, u32)>,
    pub(super) stages: Vec<Stage>,
    /// The stage of each chunk.
    pub(super) homes: Vec<u32>,
    /// When inputs are there, by chunk and microbatch: of all forwards, then of all backwards. NaN: not yet.
    pub(super) arrived: Vec<f64>,
    /// Stages that may have something to do.
    pub(super) ready: Vec<u32>,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub(super) next: usize,
    pub(super) end: usize,
    pub(super) begun: f64,
    pub(super) free: f64,
    pub(super) worked: f64,
    pub(super) held: u32,
    pub(super) most: u32,
    pub(super) waits_for: usize,
}

impl State {
    /// Sets everything to the start of a step.
    pub(super) fn prepare(&mut self, pipeline: &Pipeline, control: &Control) -> Result<()> {
        let shape = (
            pipeline.schedule,
            pipeline.stages,
            pipeline.virtual_stages,
            pipeline.microbatches,
        );
        if self.written != Some(shape) {
            self.written = None;
            write(pipeline, &mut self.orders, control)?;
            let home = |chunk| pipeline.schedule.stage_of(pipeline.stages, chunk);
            self.homes.clear();
            self.homes
                .extend((0..pipeline.chunks.len() as u32).map(home));
            self.written = Some(shape);
        }
        self.stages.clear();
        self.stages
            .extend(self.orders.begins.windows(2).map(|ends| Stage {
                next: ends[0],
                end: ends[1],
                begun: f64::NAN,
                free: 0.0,
                worked: 0.0,
                held: 0,
                most: 0,
                waits_for: NOTHING,
            }));
        let m = pipeline.microbatches as usize;
        self.arrived.clear();
        self.arrived.resize(m, 0.0);
        self.arrived.resize(2 * pipeline.chunks.len() * m, f64::NAN);
        self.ready.clear();
        self.ready.extend((0..pipeline.stages).rev());
        Ok(())
    }
}
