//! The time of a schedule by simulation: messages that wait for each other, under fair sharing or first come, first
//! served.
//!
//! Messages that symmetry makes alike are simulated once. On a domain whose axes all look the same from every chip,
//! a pattern that every chip takes part in alike is a few messages over classes of links; so are the members on rails,
//! and messages between domains in which those of a site are alike (`sites.rs`).
//! Fair rates are the same for messages that symmetry maps onto each other, because they are unique; so this is exact.
//! Three things are coarser than a schedule written out message by message. In `direct` and `mesh` over several domains
//! everybody waits for everybody at each step, and flat rings whose messages are too many are those of link loads.
//! What one site sends to another is one even flow, where members of sites whose sizes do not divide each other have
//! uneven messages. And where messages between domains are too many to be simulated, all of a step at a site are as slow
//! as the slowest (`evened.rs`). All are seen by writing the schedule out and running it (`run_schedule.rs`).
//!
//! A phase whose steps are equal and end everywhere at the same instant is simulated for one step.

mod alike;
mod build;
mod evened;
mod folded;
mod lockstep;
mod message;
mod messages;
mod network;
mod rails;
mod rings;
mod sites;
#[cfg(test)]
mod tests;

use crate::Result;
use crate::collective::pattern::context::Context;
use crate::collective::price::cost::StageCost;
use crate::sim::Engine;
pub(crate) use build::pieces;
use message::MOST_MESSAGES;
use network::Network;
pub(crate) use network::routings;
use std::sync::Arc;

/// Messages beyond which a schedule whose messages between domains are told apart goes in fewer chunks.
const MANY_MESSAGES: usize = 1 << 18;

/// Seconds of the stages with the data in `chunks` chunks that follow each other, and how many those are: perhaps fewer
/// than asked for, down to `fewest`, where all messages between domains are told apart.
pub(crate) fn time(
    context: &Context,
    engine: Engine,
    stages: &[Arc<StageCost>],
    mut chunks: u32,
    fewest: u32,
) -> Result<(f64, u32)> {
    let known = |stage: &Arc<StageCost>| rings::apart(stage) || rings::steady(stage);
    if chunks == 1 && engine == Engine::Fluid && stages.iter().all(known) {
        return Ok((stages.iter().map(|stage| stage.time(1.0)).sum(), 1));
    }
    let mut network = Network::new(context, engine, stages)?;
    if chunks > 1 {
        let mut count = build::count(&mut network, stages, chunks)?;
        let apart = engine == Engine::Fluid && !network.by_site && count <= MOST_MESSAGES;
        while apart && count > MANY_MESSAGES && chunks / 2 >= fewest {
            chunks /= 2;
            count = build::count(&mut network, stages, chunks)?;
        }
        return Ok((step_by_step(&mut network, stages, chunks)?, chunks));
    }
    let mut total = 0.0;
    for stage in stages {
        total += alone(&mut network, stage)?;
    }
    Ok((total, 1))
}

/// Seconds of a stage with all of the data at once.
fn alone(network: &mut Network, stage: &Arc<StageCost>) -> Result<f64> {
    if let Some(seconds) = rings::time(network, stage)? {
        return Ok(seconds);
    }
    let stages = std::slice::from_ref(stage);
    match in_lockstep(network, stage)? {
        Some(seconds) => Ok(seconds),
        None => step_by_step(network, stages, 1),
    }
}

/// The same where everybody goes from step to step at once.
fn in_lockstep(network: &mut Network, stage: &StageCost) -> Result<Option<f64>> {
    match (&stage.stage.tracks[..], &stage.tracks[..]) {
        ([track], [cost]) if build::fits_each(network, track)? => {
            lockstep::time(network, track, cost)
        }
        _ => Ok(None),
    }
}

/// Seconds of stages of which every message is simulated; where those are too many, steps between domains are evened.
fn step_by_step(network: &mut Network, stages: &[Arc<StageCost>], chunks: u32) -> Result<f64> {
    if build::count(network, stages, chunks)? > MOST_MESSAGES {
        if let Some(mut evened) = network.evened(stages)? {
            if let (1, [stage]) = (chunks, stages) {
                if let Some(seconds) = in_lockstep(&mut evened, stage)? {
                    return Ok(seconds);
                }
            }
            return build::time(&mut evened, stages, chunks);
        }
    }
    build::time(network, stages, chunks)
}
