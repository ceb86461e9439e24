//! Which algorithm: all that apply and can be the fastest are priced, by link loads or by simulation.

use super::candidate::PricedCandidate;
use super::contenders::{Contenders, is_refusal};
use super::hierarchical::Picked;
use super::kept::{Kept, unit};
use super::known::Known;
use crate::collective::answer::outcome::Candidate;
use crate::collective::ask::request::Request;
use crate::collective::events::simulate;
use crate::collective::events::together::{Pipeline, Work, Written, or_link_load, share_messages};
use crate::collective::events::unroll::{MOST_RANKS_WRITTEN, unroll};
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::pattern::damage::has_damage;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::schedule::Stage;
use crate::sim::Engine;
use crate::{Error, Result};
use std::cell::Cell;
use std::sync::Arc;

/// Choices of algorithms per tier that are simulated, the best by link loads.
const SIMULATED_CHOICES: usize = 3;

/// Chunks of a schedule with many messages that is simulated message by message, where the caller leaves it open: a
/// pipeline of s stages is then at most (s - 1) / 16 longer than with more.
const MOST_CHUNKS_BY_MESSAGE: u32 = 16;

/// The answer to a request.
pub(crate) struct Chosen {
    pub(crate) best: PricedCandidate,
    /// What was tried, in order.
    pub(crate) candidates: Vec<Candidate>,
    /// Others were left out, since they could not be faster.
    pub(crate) left_out: bool,
}

/// What has been simulated so far.
#[derive(Default)]
struct Tried {
    best: Option<(f64, PricedCandidate)>,
    candidates: Vec<Candidate>,
    first_refusal: Option<Error>,
}

impl Tried {
    fn note(&mut self, algorithm: &str, outcome: std::result::Result<f64, String>) {
        let algorithm = algorithm.to_owned();
        self.candidates.push(Candidate { algorithm, outcome });
    }

    /// Keeps a candidate if it is faster than those before; of the others, the time alone.
    fn take(&mut self, time: f64, candidate: PricedCandidate) {
        self.note(&candidate.name, Ok(time));
        if self.best.as_ref().is_none_or(|best| time < best.0) {
            self.best = Some((time, candidate));
        }
    }
}

/// The fastest of the algorithms that were asked for; with `every` of them priced, whether it can win or not.
pub(crate) fn best(
    scene: &OnDemand,
    request: &Request,
    every: bool,
    known: &mut Known,
) -> Result<Chosen> {
    let context = scene.get()?;
    let (unit, scale) = unit(request);
    if known.contenders.is_none() {
        known.contenders = Some(Contenders::new(context, &unit)?);
    }
    let contenders = known.contenders.as_mut().expect("made where it was not");
    if let Some(engine) = request.model.engine() {
        return simulated_best(scene, request, engine, contenders, every);
    }
    if contenders.is_one() || every {
        let all = contenders.each(scene, |kept| kept.at(scene, scale, 1))?;
        let candidates = contenders.candidates(&all);
        let all = all.into_iter().flat_map(|(_, picked)| picked);
        let fastest = all.reduce(|best, next| if next.time < best.time { next } else { best });
        let fastest = fastest.ok_or_else(|| contenders.none_runs())?;
        return Ok(Chosen {
            best: fastest.priced(context, request, scale)?,
            candidates,
            left_out: false,
        });
    }
    let (_, at, fastest) = contenders.fastest(scene, scale, known.last, |kept| {
        let fastest = kept.at(scene, scale, 1)?.swap_remove(0);
        Ok((fastest.time, fastest))
    })?;
    known.last = at;
    Ok(Chosen {
        best: fastest.priced(context, request, scale)?,
        candidates: Vec::new(),
        left_out: true,
    })
}

/// The same by simulation: of the fastest by link loads, then of all whose busiest link alone is not slower than that.
fn simulated_best(
    scene: &OnDemand,
    request: &Request,
    engine: Engine,
    contenders: &mut Contenders,
    every: bool,
) -> Result<Chosen> {
    let context = scene.get()?;
    let (_, scale) = unit(request);
    let ask = |kept: &mut Kept| kept.at(scene, scale, SIMULATED_CHOICES);
    let (_, first, picked) = contenders.fastest(scene, scale, 0, |kept| {
        let picked = ask(kept)?;
        Ok((picked[0].time, picked))
    })?;
    let mut tried = Tried::default();
    let simulate = |tried: &mut Tried, picked: Vec<Picked>| -> Result<()> {
        for picked in picked {
            context.control.check()?;
            let candidate = picked.priced(context, request, scale)?;
            simulate_one(context, request, engine, candidate, tried)?;
        }
        Ok(())
    };
    simulate(&mut tried, picked)?;
    let best = tried.best.as_ref().map_or(f64::INFINITY, |best| best.0);
    let left_out = Cell::new(false);
    let may_win = |at: usize, kept: &Kept| {
        let may_win = every || kept.busiest(scale) < best;
        left_out.set(left_out.get() || at != first && !may_win);
        at != first && may_win
    };
    let others = contenders.each_of(scene, may_win, ask)?;
    let mut others: Vec<Picked> = others.into_iter().flat_map(|(_, picked)| picked).collect();
    others.sort_by(|a, b| a.time.total_cmp(&b.time));
    simulate(&mut tried, others)?;
    let Some((_, best)) = tried.best else {
        return Err(contenders.none_runs_but(tried.first_refusal));
    };
    let mut candidates = contenders.candidates(&[]);
    candidates.extend(tried.candidates);
    Ok(Chosen {
        best,
        candidates: if left_out.get() {
            Vec::new()
        } else {
            candidates
        },
        left_out: left_out.get(),
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
        let why = format!("its busiest link alone takes {least:.3e} s");
        tried.note(&candidate.name, Err(why));
        return Ok(());
    }
    let apart = apart(&candidate);
    if best.is_some_and(|best| apart >= best.0) {
        let why = format!("its messages take {apart:.3e} s if they share no link");
        tried.note(&candidate.name, Err(why));
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
        Err(error) if is_refusal(request, &error) => {
            tried.note(&candidate.name, Err(error.to_string()));
            tried.first_refusal.get_or_insert(error);
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    tried.take(candidate.cost.time, candidate);
    Ok(())
}

/// Seconds that rings take at least, whose ranks go on by themselves; 0 for all others.
fn apart(candidate: &PricedCandidate) -> f64 {
    let tracks = candidate.costs.iter().flat_map(|stage| &stage.tracks);
    let phases = tracks.flat_map(|track| &track.phases);
    let paces = phases.filter_map(|phase| phase.pace.as_ref());
    paces.map(|pace| pace.least(candidate.scale)).sum()
}

/// Seconds by simulation and the number of chunks: those that link loads favour, or fewer where the caller leaves it
/// open and so many would be too many messages.
fn simulated(
    context: &Context,
    request: &Request,
    engine: Engine,
    candidate: &PricedCandidate,
) -> Result<(f64, u32)> {
    if has_damage(context.machine, context.groups) || is_over_crews(candidate) {
        return by_message(context, request, engine, candidate);
    }
    let (stages, mut chunks) = (candidate.stages(), candidate.cost.chunks);
    let fewest = match request.chunks {
        Some(_) => chunks,
        None => MOST_CHUNKS_BY_MESSAGE,
    };
    loop {
        match simulate::time(context, engine, &stages, chunks, fewest) {
            Err(Error::Unsupported { .. }) if chunks > 1 && request.chunks.is_none() => chunks /= 2,
            other => return other,
        }
    }
}

/// Whether some messages go between crews, who are not alike.
fn is_over_crews(candidate: &PricedCandidate) -> bool {
    let tracks = candidate.costs.iter().flat_map(|cost| &cost.stage.tracks);
    let phases = tracks.flat_map(|track| &track.phases);
    let mut parts = phases.flat_map(|phase| &phase.parts);
    parts.any(|part| matches!(part.pattern.kind, PatternKind::Crews { .. }))
}

/// The same on a damaged machine, or over crews, where no two messages are alike: all of them in one graph.
fn by_message(
    context: &Context,
    request: &Request,
    engine: Engine,
    candidate: &PricedCandidate,
) -> Result<(f64, u32)> {
    let whose = match context.machine.is_damaged() {
        true => "on a damaged machine",
        false => "over unlike numbers of chips in UltraServers",
    };
    if engine == Engine::Fifo {
        return Err(Error::unsupported(
            format!("model \"fifo\" {whose}"),
            "use model \"fluid\" or \"link_load\"",
        ));
    }
    if context.groups.count() > 1 {
        return Err(Error::unsupported(
            format!("simulating several groups at once {whose}"),
            "name one group, use model \"link_load\", or run plans of the groups together",
        ));
    }
    if context.groups.ranks() > MOST_RANKS_WRITTEN {
        return Err(Error::unsupported(
            format!(
                "simulating {} ranks message by message {whose}",
                context.groups.ranks()
            ),
            format!("use model \"link_load\", or a group of at most {MOST_RANKS_WRITTEN} chips"),
        ));
    }
    let costs = candidate.stages();
    let stages: Vec<Stage> = costs.iter().map(|cost| cost.stage.clone()).collect();
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
            pipeline: Pipeline::of(&costs, chunks, true),
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
