//! The time of a schedule by simulation: messages that wait for each other, under fair sharing or first come, first
//! served.
//!
//! Messages that symmetry makes alike are simulated once. On a domain whose axes all look the same from every chip,
//! a pattern that every chip takes part in alike is a few messages over classes of links; so are the members on rails,
//! and messages between domains in which those of a site are alike (`sites.rs`).
//! Fair rates are the same for messages that symmetry maps onto each other, because they are unique; so this is exact.
//! Two things are coarser than a schedule written out message by message. In flat rings through several domains whose
//! messages meet on links and are too many, and in `direct` and `mesh` there, everybody waits for everybody at each step. And
//! what one site sends to another is one even flow, where members of sites whose sizes do not divide each other have
//! uneven messages. Both are seen by writing the schedule out and running it (`run_schedule.rs`).
//!
//! A phase whose steps are equal and end everywhere at the same instant is simulated for one step.

mod build;
mod lockstep;
mod message;
mod messages;
mod network;
mod rails;
mod rings;
mod sites;

use crate::Result;
use crate::collective::pattern::context::Context;
use crate::collective::price::cost::StageCost;
use crate::sim::Engine;
pub(crate) use build::pieces;
use network::Network;
pub(crate) use network::routings;
use std::sync::Arc;

/// Seconds of the stages with the data in `chunks` chunks that follow each other.
pub(crate) fn time(
    context: &Context,
    engine: Engine,
    stages: &[Arc<StageCost>],
    chunks: u32,
) -> Result<f64> {
    if chunks == 1 && engine == Engine::Fluid && stages.iter().all(|stage| rings::alone(stage)) {
        return Ok(stages.iter().map(|stage| stage.time(1.0)).sum());
    }
    let mut network = Network::new(context, engine, stages)?;
    if chunks == 1 {
        let mut total = 0.0;
        for stage in stages {
            if let Some(seconds) = rings::time(&mut network, stage)? {
                total += seconds;
                continue;
            }
            let together = match &stage.tracks[..] {
                [track] => lockstep::time(&mut network, &stage.stage.tracks[0], track)?,
                _ => None,
            };
            total += match together {
                Some(seconds) => seconds,
                None => build::time(&mut network, std::slice::from_ref(stage), 1)?,
            };
        }
        return Ok(total);
    }
    build::time(&mut network, stages, chunks)
}
