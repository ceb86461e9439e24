//! The simulation: each stage does its work in order, and starts a task once it is free and the inputs have come.

use super::orders::{count, write};
use super::schedule::Schedule;
use super::shape::Pipeline;
use super::task::{Orders, Task, Work};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::memory::bytes_of;

/// Tasks between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;
/// What a stage that does not wait waits for.
const NOTHING: usize = usize::MAX;

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

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A forward.
    Forward,
    /// A gradient of inputs.
    Backward,
    /// A gradient of weights.
    Weights,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Weights => "weights",
        }
    }
}

/// What a stage did from when to when. Of a forward beside a backward (`DualPipe`) the forward is written first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Stage.
    pub stage: u32,
    /// What it did.
    pub kind: Kind,
    /// Chunk of the model.
    pub chunk: u32,
    /// Microbatch.
    pub microbatch: u32,
    /// Seconds from the start of the step.
    pub start: f64,
    /// Seconds from the start of the step.
    pub end: f64,
}

/// Room for simulations, used again: of pipelines that are no larger than those before, none takes memory, and none
/// writes orders anew where schedule, stages and microbatches are those of the one before.
#[derive(Debug, Default)]
pub struct Scratch {
    orders: Orders,
    /// Of what the orders are.
    written: Option<(Schedule, u32, u32, u32)>,
    stages: Vec<Stage>,
    /// The stage of each chunk.
    homes: Vec<u32>,
    /// When inputs are there, by chunk and microbatch: of all forwards, then of all backwards. NaN: not yet.
    arrived: Vec<f64>,
    /// Stages that may have something to do.
    ready: Vec<u32>,
    ran: Ran,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy)]
struct Stage {
    next: usize,
    end: usize,
    begun: f64,
    free: f64,
    worked: f64,
    held: u32,
    most: u32,
    waits_for: usize,
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
    let mut scratch = Scratch::default();
    pipeline.validate()?;
    let most = 3 * pipeline.chunks.len() as u64 * u64::from(pipeline.microbatches);
    let what = format_args!("a timeline of {most} events");
    let _held = control.take(bytes_of::<Event>(most), what, "ask for fewer microbatches")?;
    let mut list = Vec::with_capacity(most as usize);
    scratch.run(pipeline, control, |event| list.push(event))?;
    list.sort_by(|a, b| a.stage.cmp(&b.stage).then(a.start.total_cmp(&b.start)));
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
        self.prepare(pipeline);
        let microbatches = pipeline.microbatches;
        let mut line = Line {
            pipeline,
            scratch: self,
            last: pipeline.chunks.len() - 1,
            microbatches: microbatches as usize,
            turned: match pipeline.schedule {
                Schedule::DualPipe => microbatches / 2,
                _ => microbatches,
            },
            note,
        };
        let mut steps = 0;
        while let Some(stage) = line.scratch.ready.pop() {
            let did = line.advance(stage as usize);
            if (steps + did) / STRETCH != steps / STRETCH {
                control.check()?;
            }
            steps += did;
        }
        self.sum_up(pipeline)
    }

    /// Sets everything to the start of a step.
    fn prepare(&mut self, pipeline: &Pipeline) {
        let shape = (
            pipeline.schedule,
            pipeline.stages,
            pipeline.virtual_stages,
            pipeline.microbatches,
        );
        if self.written != Some(shape) {
            self.written = None;
            write(pipeline, &mut self.orders);
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
    }

    /// Fills what is answered.
    fn sum_up(&mut self, pipeline: &Pipeline) -> Result<()> {
        if let Some(stage) = self.stages.iter().position(|stage| stage.next < stage.end) {
            let what = format!("stage {stage} waits for what never comes");
            return Err(Error::Schedule { what });
        }
        let share = match pipeline.schedule {
            Schedule::DualPipe => 1.0,
            _ => f64::from(pipeline.virtual_stages),
        };
        let ran = &mut self.ran;
        (ran.seconds, ran.makespan) = (0.0, 0.0);
        for stage in &self.stages {
            ran.seconds = ran.seconds.max(stage.free - stage.begun);
            ran.makespan = ran.makespan.max(stage.free);
        }
        ran.idle.clear();
        ran.in_flight.clear();
        for stage in &self.stages {
            ran.idle.push((ran.seconds - stage.worked).max(0.0));
            ran.in_flight.push(f64::from(stage.most) / share);
        }
        Ok(())
    }
}

/// A step that is being run.
struct Line<'a, N> {
    pipeline: &'a Pipeline,
    scratch: &'a mut Scratch,
    /// The last chunk.
    last: usize,
    microbatches: usize,
    /// Microbatches from this one on go through the stages the other way.
    turned: u32,
    note: N,
}

impl<N: FnMut(Event)> Line<'_, N> {
    /// Lets a stage work until it must wait; how many tasks it did.
    fn advance(&mut self, stage: usize) -> usize {
        let mut at = self.scratch.stages[stage];
        let first = at.next;
        while at.next < at.end {
            let work = self.scratch.orders.works[at.next];
            let (chunk, k) = (work.chunk as usize, work.microbatch as usize);
            let place = chunk * self.microbatches + k;
            let did = match work.task {
                Task::Forward => self.forward(&mut at, place, work, stage),
                Task::Full => self.full(&mut at, place, work, stage),
                Task::Backward => self.backward(&mut at, place, work, stage),
                Task::Weights => {
                    let end = at.free + self.pipeline.chunks[chunk].weights;
                    self.did(&mut at, stage, Kind::Weights, work, end);
                    at.held -= 1;
                    true
                }
                Task::Paired => self.pair(&mut at, place, work, stage),
            };
            if !did {
                break;
            }
            at.next += 1;
        }
        self.scratch.stages[stage] = at;
        at.next - first
    }

    /// Waits for an input; false where it has not come yet.
    fn receive(&self, at: &mut Stage, slot: usize) -> bool {
        let come = self.scratch.arrived[slot];
        if come.is_nan() {
            at.waits_for = slot;
            return false;
        }
        at.free = at.free.max(come);
        true
    }

    /// The place of a backward's input.
    fn behind(&self, place: usize) -> usize {
        (self.last + 1) * self.microbatches + place
    }

    fn forward(&mut self, at: &mut Stage, place: usize, work: Work, stage: usize) -> bool {
        if !self.receive(at, place) {
            return false;
        }
        self.compute_forward(at, work, stage);
        self.give_forward(at.free, place, work);
        true
    }

    fn backward(&mut self, at: &mut Stage, place: usize, work: Work, stage: usize) -> bool {
        let slot = self.behind(place);
        if !self.receive(at, slot) {
            return false;
        }
        self.compute_backward(at, work, stage);
        self.give_backward(at.free, slot, work);
        true
    }

    fn full(&mut self, at: &mut Stage, place: usize, work: Work, stage: usize) -> bool {
        let slot = self.behind(place);
        if !self.receive(at, slot) {
            return false;
        }
        self.compute_full(at, work, stage);
        self.give_backward(at.free, slot, work);
        true
    }

    /// A forward and the full backward after it.
    fn pair(&mut self, at: &mut Stage, place: usize, work: Work, stage: usize) -> bool {
        let other = self.scratch.orders.works[at.next + 1];
        let own = other.chunk as usize * self.microbatches + other.microbatch as usize;
        let slot = self.behind(own);
        let mut meet = *at;
        if !self.receive(&mut meet, place) || !self.receive(&mut meet, slot) {
            // It is free since what it did before, whichever came.
            at.waits_for = meet.waits_for;
            return false;
        }
        at.free = meet.free;
        self.compute_forward(at, work, stage);
        self.compute_full(at, other, stage);
        self.give_forward(at.free, place, work);
        self.give_backward(at.free, slot, other);
        at.next += 1;
        true
    }

    fn compute_forward(&mut self, at: &mut Stage, work: Work, stage: usize) {
        if at.begun.is_nan() {
            at.begun = at.free;
        }
        at.held += 1;
        at.most = at.most.max(at.held);
        let end = at.free + self.pipeline.chunks[work.chunk as usize].forward;
        self.did(at, stage, Kind::Forward, work, end);
    }

    fn compute_backward(&mut self, at: &mut Stage, work: Work, stage: usize) {
        let end = at.free + self.pipeline.chunks[work.chunk as usize].backward;
        self.did(at, stage, Kind::Backward, work, end);
    }

    fn compute_full(&mut self, at: &mut Stage, work: Work, stage: usize) {
        self.compute_backward(at, work, stage);
        let end = at.free + self.pipeline.chunks[work.chunk as usize].weights;
        self.did(at, stage, Kind::Weights, work, end);
        at.held -= 1;
    }

    fn did(&mut self, at: &mut Stage, stage: usize, kind: Kind, work: Work, end: f64) {
        (self.note)(Event {
            stage: stage as u32,
            kind,
            chunk: work.chunk,
            microbatch: work.microbatch,
            start: at.free,
            end,
        });
        at.worked += end - at.free;
        at.free = end;
    }

    /// Passes on what a forward gave: to the next chunk, or to its own backward.
    fn give_forward(&mut self, time: f64, place: usize, work: Work) {
        let chunk = work.chunk as usize;
        if chunk == self.last {
            let slot = self.behind(place);
            self.scratch.arrived[slot] = time;
        } else {
            let there = time + self.pipeline.transfer[chunk];
            self.arrive(place + self.microbatches, there, chunk + 1, work);
        }
    }

    /// Passes a gradient on to the chunk before.
    fn give_backward(&mut self, time: f64, slot: usize, work: Work) {
        let chunk = work.chunk as usize;
        if chunk > 0 {
            let there = time + self.pipeline.transfer[chunk - 1];
            self.arrive(slot - self.microbatches, there, chunk - 1, work);
        }
    }

    /// Notes an arrival, and wakes the stage that waits for it.
    fn arrive(&mut self, slot: usize, time: f64, chunk: usize, work: Work) {
        self.scratch.arrived[slot] = time;
        let mut home = self.scratch.homes[chunk];
        if work.microbatch >= self.turned {
            home = self.pipeline.stages - 1 - home;
        }
        let waiting = &mut self.scratch.stages[home as usize].waits_for;
        if *waiting == slot {
            *waiting = NOTHING;
            self.scratch.ready.push(home);
        }
    }
}
