//! Which algorithm: all that apply are priced, by link loads or by simulation, and the fastest is taken.

use super::candidate::PricedCandidate;
use super::hierarchical::{self, Picked};
use super::kept::{Kept, unit};
use crate::collective::algorithm::ALGORITHMS;
use crate::collective::answer::outcome::Candidate;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::request::Request;
use crate::collective::events::simulate;
use crate::collective::events::together::{Pipeline, Work, Written, or_link_load, share_messages};
use crate::collective::events::unroll::{MOST_RANKS_WRITTEN, unroll};
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::pattern::damage::has_damage;
use crate::collective::price::ring::Pace;
use crate::collective::program::schedule::Stage;
use crate::sim::Engine;
use crate::{Error, Result};
use std::sync::Arc;

/// Choices of algorithms per tier that are simulated, the best by link loads.
const SIMULATED_CHOICES: usize = 3;

/// Most chunks of a schedule that is simulated message by message, where the caller leaves it open: a pipeline of s
/// stages is then at most (s - 1) / 16 longer than with more.
const MOST_CHUNKS_BY_MESSAGE: u32 = 16;

/// What has been tried so far.
#[derive(Default)]
struct Tried {
    best: Option<(f64, Fastest)>,
    candidates: Vec<Candidate>,
    first_refusal: Option<Error>,
    cut_off: Option<Error>,
}

/// The fastest so far.
enum Fastest {
    ByPhases(Picked),
    Simulated(Box<PricedCandidate>),
}

impl Tried {
    /// Keeps a candidate if it is faster than those before; of the others, the time alone.
    fn take(&mut self, name: &str, time: f64, candidate: Fastest) {
        self.candidates.push(Candidate {
            algorithm: name.to_owned(),
            outcome: Ok(time),
        });
        if self.best.as_ref().is_none_or(|best| time < best.0) {
            self.best = Some((time, candidate));
        }
    }

    /// The fastest, and all that were tried.
    fn end(
        self,
        context: &Context,
        request: &Request,
        scale: f64,
    ) -> Result<(PricedCandidate, Vec<Candidate>)> {
        let best = match self.best {
            Some((_, Fastest::ByPhases(picked))) => picked.priced(context, request, scale)?,
            Some((_, Fastest::Simulated(candidate))) => *candidate,
            None => return Err(none_runs(request, self.cut_off.or(self.first_refusal))),
        };
        Ok((best, self.candidates))
    }

    /// Notes why a candidate does not run; an error that concerns the others too comes back.
    fn refuse(&mut self, request: &Request, algorithm: String, error: Error) -> Result<()> {
        // Where a dead link cuts one algorithm off, another may not need it.
        let first = match error {
            Error::Unsupported { .. } => &mut self.first_refusal,
            Error::Unreachable { .. } if request.algorithm == Choice::Auto => &mut self.cut_off,
            _ => return Err(error),
        };
        self.candidates.push(Candidate {
            algorithm,
            outcome: Err(error.to_string()),
        });
        first.get_or_insert(error);
        Ok(())
    }
}

/// The algorithms that are tried for a request.
pub(super) fn names(request: &Request) -> Vec<String> {
    match &request.algorithm {
        Choice::Auto => ALGORITHMS
            .iter()
            .filter(|row| row.operations.contains(&request.operation.as_run()))
            .filter(|row| row.offered)
            .map(|row| row.name.to_owned())
            .chain([hierarchical::NAME.to_owned()])
            .collect(),
        Choice::Named(name) => vec![name.clone()],
        Choice::Tiers(_) => vec![hierarchical::NAME.to_owned()],
    }
}

/// The fastest of the algorithms that were asked for, and all that were tried.
pub(crate) fn best(
    scene: &OnDemand,
    request: &Request,
) -> Result<(PricedCandidate, Vec<Candidate>)> {
    let context = scene.get()?;
    let mut tried = Tried::default();
    let (unit, scale) = unit(request);
    let engine = request.model.engine();
    // Link loads and simulation may rank choices that are close differently.
    let count = engine.map_or(1, |_| SIMULATED_CHOICES);
    let mut to_simulate = Vec::new();
    for name in names(request) {
        context.control.check()?;
        let kept = Kept::new(context, &unit, &name);
        match kept.and_then(|mut kept| kept.at(scene, &unit, scale, count)) {
            Ok(picked) if engine.is_some() => to_simulate.extend(picked),
            Ok(picked) => picked.into_iter().for_each(|picked| {
                tried.take(&picked.name.clone(), picked.time, Fastest::ByPhases(picked));
            }),
            Err(error) => tried.refuse(request, name, error)?,
        }
        context.forget();
    }
    if let Some(engine) = engine {
        to_simulate.sort_by(|a, b| a.time.total_cmp(&b.time));
        for picked in to_simulate {
            context.control.check()?;
            let candidate = picked.priced(context, request, scale)?;
            simulate_one(context, request, engine, candidate, &mut tried)?;
        }
    }
    tried.end(context, request, scale)
}

/// Why there is no answer where no algorithm runs.
pub(super) fn none_runs(request: &Request, why: Option<Error>) -> Error {
    why.unwrap_or_else(|| {
        Error::unsupported(
            format!("{} on this group", request.operation.name()),
            "name an algorithm",
        )
    })
}

/// Gives a candidate its time by simulation, unless it cannot be the fastest.
fn simulate_one(
    context: &Context,
    request: &Request,
    engine: Engine,
    mut candidate: PricedCandidate,
    tried: &mut Tried,
) -> Result<()> {
    // No simulation ends before its busiest link has passed its bytes.
    let least = candidate
        .cost
        .busiest
        .as_ref()
        .map_or(0.0, |link| link.seconds);
    let best = tried.best.as_ref();
    if best.is_some_and(|best| least >= best.0) {
        tried.candidates.push(Candidate {
            algorithm: candidate.name,
            outcome: Err(format!("its busiest link alone takes {least:.3e} s")),
        });
        return Ok(());
    }
    let apart = apart(&candidate);
    if best.is_some_and(|best| apart >= best.0) {
        tried.candidates.push(Candidate {
            algorithm: candidate.name,
            outcome: Err(format!(
                "its messages take {apart:.3e} s if they share no link"
            )),
        });
        return Ok(());
    }
    match simulated(context, request, engine, &candidate) {
        Ok((seconds, chunks)) => (candidate.cost.time, candidate.cost.chunks) = (seconds, chunks),
        // On damage, leaving out what is too large to simulate would make a fault seem to cost what another
        // algorithm costs.
        Err(error @ Error::Unsupported { .. })
            if best.is_none() && has_damage(context.machine, context.groups) =>
        {
            return Err(error);
        }
        Err(error) => return tried.refuse(request, candidate.name, error),
    }
    let name = candidate.name.clone();
    tried.take(
        &name,
        candidate.cost.time,
        Fastest::Simulated(Box::new(candidate)),
    );
    Ok(())
}

/// Seconds that rings take at least, whose ranks go on by themselves; 0 for all others.
fn apart(candidate: &PricedCandidate) -> f64 {
    let tracks = candidate.stages.iter().flat_map(|stage| &stage.tracks);
    let paces = tracks
        .flat_map(|track| &track.phases)
        .filter_map(|phase| phase.pace.as_ref());
    paces.map(Pace::least).sum()
}

/// Seconds by simulation and the number of chunks: those that link loads favour, or fewer where the caller leaves it
/// open and so many would be too many messages.
fn simulated(
    context: &Context,
    request: &Request,
    engine: Engine,
    candidate: &PricedCandidate,
) -> Result<(f64, u32)> {
    if has_damage(context.machine, context.groups) {
        return by_message(context, request, engine, candidate);
    }
    let mut chunks = candidate.cost.chunks;
    loop {
        match simulate::time(context, engine, &candidate.stages, chunks) {
            Err(Error::Unsupported { .. }) if chunks > 1 && request.chunks.is_none() => chunks /= 2,
            other => return other.map(|seconds| (seconds, chunks)),
        }
    }
}

/// The same on a damaged machine, where no two messages are alike: all of them in one graph.
fn by_message(
    context: &Context,
    request: &Request,
    engine: Engine,
    candidate: &PricedCandidate,
) -> Result<(f64, u32)> {
    if engine == Engine::Fifo {
        return Err(Error::unsupported(
            "model \"fifo\" on a damaged machine",
            "use model \"fluid\" or \"link_load\"",
        ));
    }
    if context.groups.count() > 1 {
        return Err(Error::unsupported(
            "simulating several groups at once on a damaged machine",
            "name one group, use model \"link_load\", or run plans of the groups together",
        ));
    }
    if context.groups.ranks() > MOST_RANKS_WRITTEN {
        return Err(Error::unsupported(
            format!(
                "simulating {} ranks message by message on a damaged machine",
                context.groups.ranks()
            ),
            format!("use model \"link_load\", or a group of at most {MOST_RANKS_WRITTEN} chips"),
        ));
    }
    let stages: Vec<Stage> = candidate
        .stages
        .iter()
        .map(|cost| cost.stage.clone())
        .collect();
    let schedule = unroll(context, request, &stages).map_err(or_link_load)?;
    let schedule = Arc::new(schedule);
    let mut chunks = match request.chunks {
        Some(chunks) => chunks,
        None => candidate.cost.chunks.min(MOST_CHUNKS_BY_MESSAGE),
    };
    loop {
        // So many chunks, with fewer pieces where that is too many messages.
        let written = [Written {
            algorithm: candidate.name.clone(),
            groups: vec![schedule.chips.clone()],
            schedule: Arc::clone(&schedule),
            pipeline: Pipeline::of(&candidate.stages, chunks, true),
        }];
        let work = Work {
            written: &written,
            routing: context.routing,
            start: 0.0,
        };
        match share_messages(context.machine, &[work], context.control) {
            Err(Error::Unsupported { .. }) if chunks > 1 && request.chunks.is_none() => chunks /= 2,
            other => return Ok((other?.plans[0].time, chunks)),
        }
    }
}
