//! One step of a pipeline, simulated.

use super::event::Event;
use super::line::Line;
use super::orders::count;
use super::schedule::Schedule;
use super::shape::Pipeline;
use super::state::State;
use super::task::Work;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::memory::bytes_of;

/// How a step went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ran {
    /// Seconds from one step to the next, where each stage goes on with the next step as soon as it is done with this
    /// one: the longest that a stage takes from its first start to its last end. Papers count bubbles in this; it asks
    /// for an optimizer that does not wait for all stages (post-validation of arXiv 2401.10241). The same as `makespan`
    /// for GPipe, 1F1B and interleaved, whose first stage starts first and ends last.
    pub seconds: f64,
    /// Seconds from the first start of any stage to the last end: a step where the optimizer waits for all stages, as
    /// the norm of all gradients makes it.
    pub makespan: f64,
    /// What each stage does not work of `seconds`.
    pub idle: Vec<f64>,
    /// Most microbatches whose activations each stage holds at once, in what one takes of all the layers that it has
    /// (for `DualPipe`: of one of its two chunks). A chunk's are held from the start of its forward until its gradient of
    /// weights is there.
    pub in_flight: Vec<f64>,
}

/// Room for simulations, used again: of pipelines that are no larger than those before, none takes memory, and none
/// writes orders anew where schedule, stages and microbatches are those of the one before.
#[derive(Debug, Default)]
pub struct Scratch {
    state: State,
    ran: Ran,
}

/// Simulates one step.
///
/// # Errors
/// Those of [`Pipeline::validate`]; [`Error::Memory`]; [`Error::Cancelled`].
///
/// ```
/// use rainier_core::Control;
/// use rainier_core::pipeline::{Chunk, Pipeline, Schedule, simulate};
///
/// let chunk = Chunk { forward: 1.0, backward: 1.0, weights: 1.0 };
/// let pipeline = Pipeline {
///     schedule: Schedule::OneF1B,
///     stages: 4,
///     virtual_stages: 1,
///     microbatches: 8,
///     chunks: vec![chunk; 4],
///     transfer: vec![0.0; 3],
/// };
/// let ran = simulate(&pipeline, &Control::default())?;
/// assert_eq!(ran.seconds, (8.0 + 3.0) * 3.0);
/// assert_eq!(ran.in_flight, [4.0, 3.0, 2.0, 1.0]);
/// # Ok::<(), rainier_core::Error>(())
/// ```
pub fn simulate(pipeline: &Pipeline, control: &Control) -> Result<Ran> {
    let mut scratch = Scratch::default();
    scratch.simulate(pipeline, control)?;
    Ok(scratch.ran)
}

/// What each stage does when, in one step; in order for each stage.
///
/// # Errors
/// Those of [`simulate`].
pub fn events(pipeline: &Pipeline, control: &Control) -> Result<Vec<Event>> {
    pipeline.validate()?;
    // Every stage has as many chunks and microbatches, and three events of each.
    let each = 3 * pipeline.virtual_stages as usize * pipeline.microbatches as usize;
    let stages = pipeline.stages as usize;
    let all = each * stages;
    let what = format_args!("a timeline of {all} events");
    let bytes = bytes_of::<Event>(all as u64);
    let _held = control.take(bytes, what, "ask for fewer microbatches or stages")?;
    let mut list = vec![Event::NOTHING; all];
    let mut next: Vec<usize> = (0..all).step_by(each).collect();
    Scratch::default().run(pipeline, control, |event| {
        let place = &mut next[event.stage as usize];
        list[*place] = event;
        *place += 1;
    })?;
    Ok(list)
}

impl Scratch {
    /// [`simulate`], in this room.
    ///
    /// # Errors
    /// Those of [`simulate`].
    pub fn simulate(&mut self, pipeline: &Pipeline, control: &Control) -> Result<&Ran> {
        pipeline.validate()?;
        self.run(pipeline, control, |_| ())?;
        Ok(&self.ran)
    }

    fn run(
        &mut self,
        pipeline: &Pipeline,
        control: &Control,
        note: impl FnMut(Event),
    ) -> Result<()> {
        let pairs = pipeline.chunks.len() as u64 * u64::from(pipeline.microbatches);
        let bytes = bytes_of::<Work>(count(pipeline)).saturating_add(bytes_of::<f64>(2 * pairs));
        let what = format_args!(
            "a pipeline of {} chunks and {} microbatches",
            pipeline.chunks.len(),
            pipeline.microbatches
        );
        let _held = control.take(bytes, what, "ask for fewer microbatches or stages")?;
        self.state.prepare(pipeline, control)?;
        Line::new(pipeline, &mut self.state, note).run(control)?;
        self.sum_up(pipeline)
    }

    /// Fills what is answered.
    fn sum_up(&mut self, pipeline: &Pipeline) -> Result<()> {
        if let Some(stage) = self
            .state
            .stages
            .iter()
            .position(|stage| stage.next < stage.end)
        {
            let what = format!("stage {stage} waits for what never comes");
            return Err(Error::Schedule { what });
        }
        let share = match pipeline.schedule {
            Schedule::DualPipe => 1.0,
            _ => f64::from(pipeline.virtual_stages),
        };
        let ran = &mut self.ran;
        (ran.seconds, ran.makespan) = (0.0, 0.0);
        for stage in &self.state.stages {
            ran.seconds = ran.seconds.max(stage.free - stage.begun);
            ran.makespan = ran.makespan.max(stage.free);
        }
        ran.idle.clear();
        ran.in_flight.clear();
        for stage in &self.state.stages {
            ran.idle.push((ran.seconds - stage.worked).max(0.0));
            ran.in_flight.push(f64::from(stage.most) / share);
        }
        Ok(())
    }
}
