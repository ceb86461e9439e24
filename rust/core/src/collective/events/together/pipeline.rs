//! Chunks and pieces of a schedule that is written out.
//!
//! The rule is that of `simulate/build.rs`: pieces and chunks keep their order at every sender, what it sends in a step
//! leaves after what the piece before sent in that step, starting it takes the sender's time, of which there is one
//! second a second; and a chunk enters a stage when it has passed the stage before everywhere.

use crate::Control;
use crate::collective::events::simulate::pieces;
use crate::collective::events::step::{Senders, StepGates};
use crate::collective::price::cost::StageCost;
use crate::error::{Error, Result};
use crate::fluid::{Flow, Graph};
use crate::schedule::{Schedule, SendRoute};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most pieces that a track is written out in: a pipeline of h steps is then at most h / 256 longer than with more.
const MOST_PIECES: u32 = 256;

/// How the data of a schedule is cut on its way: chunks through the stages, pieces through each track.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    chunks: u32,
    /// So many chunks were asked for.
    named: bool,
    /// Pieces by stage and track.
    pieces: Vec<Vec<u32>>,
}

impl Default for Pipeline {
    /// All of the data at once.
    fn default() -> Self {
        Self {
            chunks: 1,
            named: false,
            pieces: Vec::new(),
        }
    }
}

/// Messages of one track of one stage.
#[derive(Default)]
struct TrackRun {
    /// Everybody who takes part, by lane.
    everybody: Vec<(u32, u32)>,
    /// By step: (sender, receiver, send), as places in `everybody`.
    steps: Vec<Vec<(usize, usize, usize)>>,
    senders: Senders,
    pieces: u32,
}

impl Pipeline {
    /// What link loads favour; `named` where the number of chunks was asked for.
    pub(crate) fn of(stages: &[Arc<StageCost>], chunks: u32, named: bool) -> Self {
        let scale = 1.0 / f64::from(chunks);
        let of_stage = |cost: &Arc<StageCost>| {
            let tracks = cost.stage.tracks.iter().zip(&cost.tracks);
            tracks
                .map(|(track, cost)| pieces(track, cost, scale).min(MOST_PIECES))
                .collect()
        };
        Self {
            chunks,
            named,
            pieces: stages.iter().map(of_stage).collect(),
        }
    }

    /// All of the data goes at once.
    pub(super) fn is_whole(&self) -> bool {
        self.chunks == 1 && self.pieces.iter().flatten().all(|&pieces| pieces == 1)
    }

    fn pieces(&self, stage: u32, lane: u32) -> u32 {
        let stage = self.pieces.get(stage as usize);
        let track = stage.and_then(|tracks| tracks.get((lane >> 16) as usize));
        track.copied().unwrap_or(1)
    }

    pub(super) fn messages(&self, schedule: &Schedule) -> usize {
        let pieces = |send: &crate::schedule::Send| self.pieces(send.stage, send.lane) as usize;
        let of_chunk: usize = schedule.sends.iter().map(pieces).sum();
        of_chunk.saturating_mul(self.chunks as usize)
    }

    /// Halves chunks, unless they were asked for, or else pieces; false where there is nothing to halve.
    pub(super) fn coarsen(&mut self) -> bool {
        if !self.named && self.chunks > 1 {
            self.chunks /= 2;
            return true;
        }
        let mut any = false;
        for pieces in self
            .pieces
            .iter_mut()
            .flatten()
            .filter(|pieces| **pieces > 1)
        {
            *pieces /= 2;
            any = true;
        }
        any
    }

    /// Adds the messages of a schedule to a graph, as [`crate::schedule::graph`] does for all of the data at once.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for sends that wait for others by name, [`Error::Cancelled`].
    pub(super) fn put(
        &self,
        schedule: &Schedule,
        send_routes: &[Vec<SendRoute>],
        begins: u32,
        graph: &mut Graph,
        control: &Control,
    ) -> Result<()> {
        if schedule.sends.iter().any(|send| !send.after.is_empty()) {
            return Err(Error::unsupported(
                "chunks or pieces of a schedule whose sends wait for others by name",
                "run it with all of the data at once",
            ));
        }
        let mut stages = self.runs(schedule);
        for chunk in 0..self.chunks {
            let mut passed = begins;
            for runs in stages.values_mut() {
                let done = graph.gate();
                for run in runs.values_mut() {
                    for piece in 0..run.pieces {
                        let share = 1.0 / f64::from(self.chunks) / f64::from(run.pieces);
                        let last = chunk + 1 == self.chunks && piece + 1 == run.pieces;
                        let mut put = Piece {
                            schedule,
                            send_routes,
                            share,
                            last,
                            graph: &mut *graph,
                        };
                        put.put(run, passed, done, control)?;
                    }
                }
                passed = done;
            }
        }
        Ok(())
    }

    /// The messages by stage and track.
    fn runs(&self, schedule: &Schedule) -> BTreeMap<u32, BTreeMap<u32, TrackRun>> {
        let mut stages: BTreeMap<u32, BTreeMap<u32, TrackRun>> = BTreeMap::new();
        for send in &schedule.sends {
            let tracks = stages.entry(send.stage).or_default();
            let run = tracks.entry(send.lane >> 16).or_default();
            run.everybody
                .extend([(send.lane, send.src), (send.lane, send.dst)]);
            run.pieces = self.pieces(send.stage, send.lane);
            let steps = run.steps.len().max(send.step as usize + 1);
            run.steps.resize_with(steps, Vec::new);
        }
        for run in stages.values_mut().flat_map(BTreeMap::values_mut) {
            run.everybody.sort_unstable();
            run.everybody.dedup();
            run.senders = Senders::new(run.everybody.len(), run.steps.len());
        }
        for (index, send) in schedule.sends.iter().enumerate() {
            let runs = stages.get_mut(&send.stage);
            let run = runs.and_then(|runs| runs.get_mut(&(send.lane >> 16)));
            let run = run.expect("every send has a run of its track");
            let place = |rank: u32| {
                let key = (send.lane, rank);
                run.everybody.partition_point(|other| *other < key)
            };
            let entry = (place(send.src), place(send.dst), index);
            run.steps[send.step as usize].push(entry);
        }
        stages
    }
}

/// One piece on its way into the graph.
struct Piece<'a> {
    schedule: &'a Schedule,
    send_routes: &'a [Vec<SendRoute>],
    /// Part of the data that it is.
    share: f64,
    /// Nothing comes after it.
    last: bool,
    graph: &'a mut Graph,
}

impl Piece<'_> {
    /// From the gate `start` on; `done` waits for all of it.
    fn put(&mut self, run: &mut TrackRun, start: u32, done: u32, control: &Control) -> Result<()> {
        // The gate at which everybody is through with the steps so far.
        let mut ready = vec![start; run.everybody.len()];
        for (at, step) in run.steps.iter().enumerate() {
            control.check()?;
            let mut gates = StepGates::new(at, ready.len(), self.last);
            for &(from, to, send) in step {
                let route = self.send_routes[send].first();
                let overhead = route.map_or(0.0, |route| route.delay);
                gates.open(
                    self.graph,
                    &mut run.senders,
                    (from, to),
                    ready[from],
                    overhead,
                )?;
            }
            for &(from, to, send) in step {
                let (waits, frees) = gates.of((from, to));
                for route in &self.send_routes[send] {
                    let flow = Flow {
                        bytes: self.schedule.sends[send].bytes * route.share * self.share,
                        latency: route.latency,
                        waits,
                        frees,
                        ..Flow::default()
                    };
                    self.graph.flow(flow, route.path.iter().copied())?;
                }
            }
            gates.close(self.graph, &mut run.senders, &mut ready)?;
        }
        for gate in ready {
            self.graph.pass(gate, done)?;
        }
        Ok(())
    }
}
