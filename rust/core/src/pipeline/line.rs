//! Stages at work: each does its tasks in order, and starts one once it is free and the inputs have come.

use super::event::{Event, Kind};
use super::schedule::Schedule;
use super::shape::Pipeline;
use super::state::{NOTHING, Stage, State};
use super::task::{Task, Work};
use crate::control::Control;
use crate::error::Result;

/// Tasks between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// A step that is being run.
pub(super) struct Line<'a, N> {
    pipeline: &'a Pipeline,
    state: &'a mut State,
    /// The last chunk.
    last: usize,
    microbatches: usize,
    /// Microbatches from this one on go through the stages the other way.
    turned: u32,
    note: N,
}

impl<'a, N: FnMut(Event)> Line<'a, N> {
    /// A pipeline whose state is prepared; `note` is told of every event.
    pub(super) fn new(pipeline: &'a Pipeline, state: &'a mut State, note: N) -> Self {
        let microbatches = pipeline.microbatches;
        Self {
            pipeline,
            state,
            last: pipeline.chunks.len() - 1,
            microbatches: microbatches as usize,
            turned: match pipeline.schedule {
                Schedule::DualPipe => microbatches / 2,
                _ => microbatches,
            },
            note,
        }
    }

    /// Lets all stages work until none has anything left to do.
    pub(super) fn run(&mut self, control: &Control) -> Result<()> {
        let mut steps = 0;
        while let Some(stage) = self.state.ready.pop() {
            let did = self.advance(stage as usize);
            if (steps + did) / STRETCH != steps / STRETCH {
                control.check()?;
            }
            steps += did;
        }
        Ok(())
    }

    /// Lets a stage work until it must wait, or for a while; how many tasks it did.
    fn advance(&mut self, stage: usize) -> usize {
        let mut at = self.state.stages[stage];
        let first = at.next;
        let enough = at.end.min(first + STRETCH);
        while at.next < enough {
            let work = self.state.orders.works[at.next];
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
        if at.next >= enough && at.next < at.end {
            self.state.ready.push(stage as u32);
        }
        self.state.stages[stage] = at;
        at.next - first
    }

    /// Waits for an input; false where it has not come yet.
    fn receive(&self, at: &mut Stage, slot: usize) -> bool {
        let come = self.state.arrived[slot];
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
        let other = self.state.orders.works[at.next + 1];
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
            self.state.arrived[slot] = time;
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
        self.state.arrived[slot] = time;
        let mut home = self.state.homes[chunk];
        if work.microbatch >= self.turned {
            home = self.pipeline.stages - 1 - home;
        }
        let waiting = &mut self.state.stages[home as usize].waits_for;
        if *waiting == slot {
            *waiting = NOTHING;
            self.state.ready.push(home);
        }
    }
}
