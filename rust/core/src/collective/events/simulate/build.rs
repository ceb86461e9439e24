//! The graph of a whole schedule: every message of every step, piece and chunk, and what each waits for.
//!
//! Inside a track a rank goes from step to step when what it sends has left and what it receives has arrived. Pieces
//! and chunks keep their order at every sender: what it sends in a step leaves after what the piece before sent in
//! that step; starting it takes the sender's time, of which there is one second a second, while links may be busy with
//! the piece before. A chunk enters a stage when it has passed the stage before everywhere.

use super::lockstep::{ends, overhead, takes_part, told_apart};
use super::message::{MOST_MESSAGES, Message};
use super::network::{Ends, Network};
use crate::collective::events::step::{Senders, StepGates};
use crate::collective::price::cost::StageCost;
use crate::collective::price::track::TrackCost;
use crate::collective::program::moves::Steps;
use crate::collective::program::schedule::{Phase, Repeat, Track};
use crate::fluid::{Flow, Graph, NO_GATE};
use crate::{Error, Result};
use std::sync::Arc;

/// Most pieces that are simulated. Of more, so many and half as many are, each of its own size: a pipeline that is full
/// takes as long for each further piece.
const MOST_PIECES: u32 = 256;
/// Pieces that several chunks or tracks are cut into where finer ones would gain less than [`COARSENING`] of the time.
const COARSE_PIECES: u32 = 32;
const COARSENING: f64 = 0.01;

/// Seconds of the stages with the data in `chunks` chunks.
///
/// # Errors
/// [`Error::Unsupported`] for too many messages, and for several chunks whose pieces are finer than are simulated.
pub(super) fn time(network: &mut Network, stages: &[Arc<StageCost>], chunks: u32) -> Result<f64> {
    let cut = Cut::of(stages, chunks)?;
    let all = first_pieces(network, stages, chunks, cut, cut.most)?;
    if cut.finest <= cut.most {
        return Ok(all);
    }
    let half = first_pieces(network, stages, 1, cut, cut.most / 2)?;
    // While a pipeline fills and queues grow, pieces follow each other faster than the busiest link lets them in the
    // end.
    let wanted = f64::from(cut.finest);
    let busy = tracks(stages).map(|(_, cost)| cost.busy / wanted);
    let busy = busy.fold(0.0, f64::max);
    let period = ((all - half) / f64::from(cut.most / 2)).max(busy);
    let seconds = all + (wanted - f64::from(cut.most)) * period;
    Ok(seconds.max(busy * wanted))
}

/// How many messages have to be simulated; more than [`MOST_MESSAGES`] are refused.
pub(super) fn count(
    network: &mut Network,
    stages: &[Arc<StageCost>],
    chunks: u32,
) -> Result<usize> {
    let cut = Cut::of(stages, chunks)?;
    let scale = 1.0 / f64::from(chunks);
    let mut messages = 0u64;
    for (track, cost) in tracks(stages) {
        let mut each = 0u64;
        for phase in &track.phases {
            let steps = match phase.repeat {
                Repeat::Steps(steps) => steps,
                Repeat::Wave { .. } => 1,
            };
            for part in &phase.parts {
                each = each.saturating_add(network.count(part)?.saturating_mul(steps));
            }
        }
        let pieces = pieces(track, cost, scale).min(cut.finest).min(cut.most);
        messages = messages.saturating_add(each.saturating_mul(u64::from(pieces)));
    }
    Ok(usize::try_from(messages.saturating_mul(u64::from(chunks))).unwrap_or(usize::MAX))
}

/// Whether the messages of each step of a track are few enough to be simulated at once.
pub(super) fn fits_each(network: &mut Network, track: &Track) -> Result<bool> {
    for part in track.phases.iter().flat_map(|phase| &phase.parts) {
        if network.count(part)? > MOST_MESSAGES as u64 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Into how many pieces tracks are cut, and how many of those are simulated.
#[derive(Clone, Copy)]
struct Cut {
    finest: u32,
    most: u32,
}

impl Cut {
    fn of(stages: &[Arc<StageCost>], chunks: u32) -> Result<Self> {
        let scale = 1.0 / f64::from(chunks);
        let finest = tracks(stages).map(|(track, cost)| pieces(track, cost, scale));
        let wanted = finest.max().unwrap_or(1);
        let at_most = |most| Self { finest: most, most };
        if wanted <= MOST_PIECES {
            return Ok(at_most(MOST_PIECES));
        }
        if chunks == 1 && tracks(stages).count() == 1 {
            return Ok(Self {
                finest: wanted,
                most: MOST_PIECES,
            });
        }
        // Coarser pieces delay the first chunk only; those after it wait for links that are busy either way.
        let delay = |cost: &TrackCost| (cost.slowed(scale, COARSE_PIECES) - 1.0) * scale;
        if tracks(stages).all(|(_, cost)| delay(cost) <= COARSENING) {
            return Ok(at_most(COARSE_PIECES));
        }
        Err(Error::unsupported(
            format!("simulating {wanted} pieces of each of several chunks or tracks"),
            "use chunks=1, or model \"link_load\"",
        ))
    }
}

fn tracks(stages: &[Arc<StageCost>]) -> impl Iterator<Item = (&Track, &TrackCost)> {
    stages
        .iter()
        .flat_map(|cost| cost.stage.tracks.iter().zip(&cost.tracks))
}

/// Pieces that a track is cut into with `scale` of the data.
pub(crate) fn pieces(track: &Track, cost: &TrackCost, scale: f64) -> u32 {
    let waves = track.phases.iter().zip(&cost.phases).map(|(phase, cost)| {
        if let Repeat::Wave { hops, .. } = phase.repeat {
            cost.wave_pieces(hops, scale) as u32
        } else {
            1
        }
    });
    waves.max().unwrap_or(1).max(cost.pieces(scale))
}

/// The same with at most the first `most` pieces of each track.
fn first_pieces(
    network: &mut Network,
    stages: &[Arc<StageCost>],
    chunks: u32,
    cut: Cut,
    most: u32,
) -> Result<f64> {
    // Every message is known to the network before its resources are copied.
    for part in stages
        .iter()
        .flat_map(|cost| &cost.stage.tracks)
        .flat_map(|track| &track.phases)
        .flat_map(|phase| &phase.parts)
    {
        network.messages(part)?;
    }
    let mut build = Build {
        graph: network.graph(),
        network,
    };
    let scale = 1.0 / f64::from(chunks);
    let mut runs = Vec::new();
    for stage in stages {
        let tracks = stage.stage.tracks.iter().zip(&stage.tracks);
        let of_stage: Vec<TrackRun> = tracks
            .map(|(track, cost)| build.run(track, cost, scale, cut.finest, most))
            .collect::<Result<_>>()?;
        runs.push(of_stage);
    }
    let each = runs
        .iter()
        .flatten()
        .map(|run| run.each * run.pieces as usize);
    let messages = each.sum::<usize>().saturating_mul(chunks as usize);
    if messages > MOST_MESSAGES {
        return Err(Error::unsupported(
            format!("simulating {messages} messages"),
            "use model \"link_load\", a smaller group, or an algorithm with fewer steps",
        ));
    }
    for chunk in 0..chunks {
        let mut passed = NO_GATE;
        for of_stage in &mut runs {
            let done = build.graph.gate();
            for run in of_stage {
                for piece in 0..run.pieces {
                    let last = chunk + 1 == chunks && piece + 1 == run.pieces;
                    build.piece(run, scale, passed, done, last)?;
                }
            }
            passed = done;
        }
    }
    Ok(build.network.run(&build.graph)?.makespan)
}

/// A lane's rank.
type Key = (u32, u32);

struct Build<'a, 'b> {
    graph: Graph,
    network: &'a mut Network<'b>,
}

/// A track on its way through the simulation.
struct TrackRun<'a> {
    lists: Vec<Steplist<'a>>,
    ends: Ends,
    /// Pieces that are simulated, of so many that there are.
    pieces: u32,
    wanted: u32,
    /// Messages of one piece.
    each: usize,
    /// Everybody who takes part, ascending.
    keys: Vec<Key>,
    senders: Senders,
}

/// Lane, bytes of all of the data, and message.
type Due = (u32, f64, Message);

/// A phase, or one level of a pipeline, as steps of messages.
struct Steplist<'a> {
    phase: &'a Phase,
    /// Steps and, for a level of a pipeline, which level.
    steps: u64,
    level: Option<u32>,
}

impl Build<'_, '_> {
    fn run<'c>(
        &mut self,
        track: &'c Track,
        cost: &TrackCost,
        scale: f64,
        finest: u32,
        most: u32,
    ) -> Result<TrackRun<'c>> {
        let wanted = pieces(track, cost, scale).min(finest);
        let lists = steplists(track);
        let each = self.count(&lists)?;
        let ends = ends(self.network, track);
        let keys = takes_part(self.network, track, ends)?;
        let steps = lists.iter().map(|list| list.steps as usize).sum();
        Ok(TrackRun {
            lists,
            ends,
            pieces: wanted.min(most),
            wanted,
            each,
            senders: Senders::new(keys.len(), steps),
            keys,
        })
    }

    /// One piece of a track, from the gate `start` on; `done` waits for all of it.
    fn piece(
        &mut self,
        run: &mut TrackRun,
        scale: f64,
        start: u32,
        done: u32,
        last: bool,
    ) -> Result<()> {
        // The gate at which everybody is through with the steps so far.
        let mut ready = vec![start; run.keys.len()];
        let mut taken_part = vec![false; run.keys.len()];
        let mut at = 0;
        let share = scale / f64::from(run.wanted);
        for list in &run.lists {
            for step in 0..list.steps {
                self.network.context.control.check()?;
                let (messages, overhead) = self.step(list, step)?;
                let place = |lane, end| run.keys.partition_point(|key| *key < (lane, end));
                let ends: Vec<(usize, usize)> = messages
                    .iter()
                    .map(|(lane, _, message)| {
                        let (from, to) = told_apart(run.ends, message.ends);
                        (place(*lane, from), place(*lane, to))
                    })
                    .collect();
                let (graph, senders) = (&mut self.graph, &mut run.senders);
                let mut gates = StepGates::new(at, ready.len(), last);
                for &(from, to) in &ends {
                    (taken_part[from], taken_part[to]) = (true, true);
                    gates.open(graph, senders, (from, to), ready[from], overhead)?;
                }
                for ((_, bytes, message), &ends) in messages.iter().zip(&ends) {
                    self.network.context.control.check()?;
                    let (waits, frees) = gates.of(ends);
                    let flow = Flow {
                        bytes: bytes * share,
                        latency: message.latency,
                        waits,
                        frees,
                        ..Flow::default()
                    };
                    graph.flow(flow, message.path.iter().copied())?;
                }
                gates.close(graph, senders, &mut ready)?;
                at += 1;
            }
        }
        for (ready, _) in ready.into_iter().zip(taken_part).filter(|entry| entry.1) {
            self.graph.pass(ready, done)?;
        }
        Ok(())
    }

    /// The messages of a step, and the seconds that a sender takes to start its own.
    fn step(&mut self, list: &Steplist, step: u64) -> Result<(Vec<Due>, f64)> {
        let mut found = Vec::new();
        let mut parts = Vec::new();
        for part in &list.phase.parts {
            let before = found.len();
            for message in self.network.messages(part)?.iter() {
                self.network.context.control.check()?;
                let moves = &part.moves[message.moves as usize];
                let due = match (&moves.steps, list.level) {
                    (Steps::Each(own), _) => step < *own,
                    (Steps::Once(own), Some(level)) => own[message.send as usize] == level,
                    (Steps::Once(own), None) => u64::from(own[message.send as usize]) == step,
                };
                if due {
                    let bytes = part.bytes * moves.factor(step) * message.share;
                    found.push((moves.lane, bytes, message.clone()));
                }
            }
            if found.len() > before {
                parts.push(part);
            }
        }
        Ok((found, overhead(self.network.context, list.phase, &parts)?))
    }

    /// Messages of all steps of one piece.
    fn count(&mut self, lists: &[Steplist]) -> Result<usize> {
        let mut count = 0usize;
        for list in lists {
            for part in &list.phase.parts {
                let messages = self.network.messages(part)?;
                let here = match list.level {
                    None => messages.len().saturating_mul(list.steps as usize),
                    Some(level) => {
                        let due = |message: &&Message| {
                            let steps = &part.moves[message.moves as usize].steps;
                            matches!(steps, Steps::Once(own) if own[message.send as usize] == level)
                        };
                        messages.iter().filter(due).count()
                    }
                };
                count = count.saturating_add(here);
            }
        }
        Ok(count)
    }
}

/// The phases of a track; a pipeline has one for each of its levels.
fn steplists(track: &Track) -> Vec<Steplist<'_>> {
    let mut lists = Vec::new();
    for phase in &track.phases {
        let list = |steps, level| Steplist {
            phase,
            steps,
            level,
        };
        match phase.repeat {
            Repeat::Steps(steps) => lists.push(list(steps, None)),
            Repeat::Wave { .. } => {
                let moves = phase.parts.iter().flat_map(|part| &part.moves);
                let last = moves.filter_map(|moves| match &moves.steps {
                    Steps::Once(own) => own.iter().copied().max(),
                    Steps::Each(_) => None,
                });
                let levels = last.max().map_or(0, |last| last + 1);
                lists.extend((0..levels).map(|level| list(1, Some(level))));
            }
        }
    }
    lists
}
