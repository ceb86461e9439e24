//! The algorithms that may answer a request: each is built when what it takes at least says that it can win.

use super::ground::Ground;
use super::hierarchical::{self, Picked};
use super::kept::Kept;
use crate::collective::algorithm::{ALGORITHMS, row};
use crate::collective::answer::outcome::Candidate;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::weigh::Scale;
use crate::{Error, Result};

/// All that are tried for a request, in the order of the table.
pub(super) struct Contenders {
    /// The request for one byte.
    unit: Request,
    ground: Ground,
    all: Vec<Contender>,
}

/// Bytes of why one does not run, about.
const REASON: u64 = 256;

struct Contender {
    name: String,
    /// With its price, or why it does not run.
    state: Result<Kept>,
}

impl Contenders {
    /// None of them is built yet.
    pub(super) fn new(context: &Context, unit: &Request) -> Result<Self> {
        let ground = Ground::of(context, unit);
        let names = names(unit);
        // One that is alone runs whatever it takes.
        let several = names.len() > 1;
        let extent = several.then(|| ground.extent(context, unit)).flatten();
        let alone = Request {
            model: Model::AlphaBeta,
            ..unit.clone()
        };
        let apart = several && unit.model.engine().is_some();
        let apart = apart.then(|| ground.extent(context, &alone)).flatten();
        let extents = [extent.as_ref(), apart.as_ref()];
        let contender = |name: String| -> Result<Contender> {
            let kept = match several && is_long_list(context, &name) {
                true => Err(long_list(&name)),
                false => Kept::new(context, unit, &name, extents),
            };
            let state = match kept {
                Err(error) if !is_refusal(unit, &error) => return Err(error),
                other => other,
            };
            Ok(Contender { name, state })
        };
        let all = names.into_iter().map(contender).collect::<Result<_>>()?;
        Ok(Self {
            unit: unit.clone(),
            ground,
            all,
        })
    }

    /// Counts what they take.
    pub(super) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        self.ground.weigh(on);
        for one in &self.all {
            on.one::<Contender>(REASON + one.name.len() as u64);
            if let Ok(kept) = &one.state {
                kept.weigh(on);
            }
        }
    }

    /// The number of the fastest at `scale` bytes, its seconds and what `ask` says beside them; of equal ones the first in
    /// the table. `last` was the fastest before.
    pub(super) fn fastest<T>(
        &mut self,
        scene: &OnDemand,
        scale: f64,
        last: usize,
        mut ask: impl FnMut(&mut Kept) -> Result<(f64, T)>,
    ) -> Result<(f64, usize, T)> {
        let mut best: Option<(f64, usize, T)> = None;
        let mut offer =
            |all: &mut Vec<Contender>, at: usize, best: &mut Option<(f64, usize, T)>| {
                let Ok(kept) = &mut all[at].state else {
                    return Ok(());
                };
                let beaten = |best: &(f64, usize, T)| kept.least(scale) > best.0;
                if best.as_ref().is_some_and(beaten) {
                    return Ok(());
                }
                match built(scene, &self.unit, &self.ground, kept).and_then(|()| ask(kept)) {
                    Ok((time, told)) => {
                        if best
                            .as_ref()
                            .is_none_or(|best| (time, at) < (best.0, best.1))
                        {
                            *best = Some((time, at, told));
                        }
                        Ok(())
                    }
                    Err(error) if is_refusal(&self.unit, &error) => {
                        all[at].state = Err(error);
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            };
        // What was fastest before comes first: most others then cannot be faster.
        let ready = |one: &Contender| one.state.as_ref().is_ok_and(Kept::is_built);
        let others = (0..self.all.len()).filter(|&at| at != last);
        for at in [last].into_iter().chain(others) {
            if ready(&self.all[at]) {
                offer(&mut self.all, at, &mut best)?;
            }
        }
        // What takes the least at best is the next to be built.
        let waiting = |(at, one): (usize, &Contender)| {
            let kept = one.state.as_ref().ok().filter(|kept| !kept.is_built())?;
            let least = kept.least(scale);
            let may_win = best.as_ref().is_none_or(|best| least <= best.0);
            may_win.then_some((least, at))
        };
        let mut waiting: Vec<_> = self.all.iter().enumerate().filter_map(waiting).collect();
        waiting.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, at) in waiting {
            offer(&mut self.all, at, &mut best)?;
        }
        best.ok_or_else(|| self.none_runs())
    }

    /// What each that runs says, with its number; no bound leaves one out.
    pub(super) fn each<T>(
        &mut self,
        scene: &OnDemand,
        ask: impl FnMut(&mut Kept) -> Result<T>,
    ) -> Result<Vec<(usize, T)>> {
        self.each_of(scene, |_, _| true, ask)
    }

    /// The same of those that are `wanted`.
    pub(super) fn each_of<T>(
        &mut self,
        scene: &OnDemand,
        wanted: impl Fn(usize, &Kept) -> bool,
        mut ask: impl FnMut(&mut Kept) -> Result<T>,
    ) -> Result<Vec<(usize, T)>> {
        let mut told = Vec::new();
        for (at, one) in self.all.iter_mut().enumerate() {
            scene.control.check()?;
            let Ok(kept) = &mut one.state else { continue };
            if !wanted(at, kept) {
                continue;
            }
            let asked = built(scene, &self.unit, &self.ground, kept);
            match asked.and_then(|()| ask(kept)) {
                Ok(answer) => told.push((at, answer)),
                Err(error) if is_refusal(&self.unit, &error) => one.state = Err(error),
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }

    /// Only one is asked for.
    pub(super) fn is_one(&self) -> bool {
        self.all.len() == 1
    }

    /// What each picked, by its number, and why others do not run, in the order of the table.
    pub(super) fn candidates(&self, picked: &[(usize, Vec<Picked>)]) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (at, one) in self.all.iter().enumerate() {
            if let Err(error) = &one.state {
                all.push(Candidate {
                    algorithm: one.name.clone(),
                    outcome: Err(error.to_string()),
                });
            }
            let own = picked.iter().filter(|(number, _)| *number == at);
            all.extend(own.flat_map(|(_, picked)| picked).map(|picked| Candidate {
                algorithm: picked.name.clone(),
                outcome: Ok(picked.time),
            }));
        }
        all
    }

    /// The name of the last answer of one.
    pub(super) fn answer(&self, at: usize) -> &str {
        let kept = self.all[at].state.as_ref();
        kept.map_or(&self.all[at].name, Kept::answer)
    }

    /// Why there is no answer where no algorithm runs.
    pub(super) fn none_runs(&self) -> Error {
        self.none_runs_but(None)
    }

    /// The same where one that runs has no answer all the same.
    pub(super) fn none_runs_but(&self, other: Option<Error>) -> Error {
        let own = || self.all.iter().filter_map(|one| one.state.as_ref().err());
        let errors = || own().chain(&other);
        let cut_off = errors().find(|error| matches!(error, Error::Unreachable { .. }));
        let why = cut_off.or_else(|| errors().next()).cloned();
        why.unwrap_or_else(|| {
            Error::unsupported(
                format!("{} on this group", self.unit.operation.name()),
                "name an algorithm",
            )
        })
    }
}

/// Builds and prices what is not yet, looking first whether the caller still wants to know.
fn built(scene: &OnDemand, unit: &Request, ground: &Ground, kept: &mut Kept) -> Result<()> {
    if kept.is_built() {
        return Ok(());
    }
    scene.control.check()?;
    let context = scene.get()?;
    let built = kept.build(context, unit, ground);
    context.forget();
    built
}

/// Whether an error concerns one algorithm only: where a dead link cuts that one off, another may not need it.
pub(super) fn is_refusal(request: &Request, error: &Error) -> bool {
    match error {
        Error::Unsupported { .. } => true,
        Error::Unreachable { .. } => request.algorithm == Choice::Auto,
        _ => false,
    }
}

/// Most ranks of all groups over several domains of which `auto` lists messages one by one.
const MOST_LISTED: usize = 4096;

/// Whether an algorithm would list messages of more ranks than are worth it where others are tried.
fn is_long_list(context: &Context, name: &str) -> bool {
    let spans = match context.groups {
        Groups::Grid { domains, .. } => domains[0].len() > 1,
        Groups::Scattered(_) => false,
    };
    let ranks = context.groups.ranks() * context.groups.count();
    spans && ranks > MOST_LISTED && row(name).is_some_and(|row| row.listed)
}

fn long_list(name: &str) -> Error {
    Error::unsupported(
        format!(
            "{name}, whose messages are listed one by one, among others for more than {MOST_LISTED} ranks in all"
        ),
        format!("name it: algorithm=\"{name}\""),
    )
}

/// The algorithms that are tried for a request.
fn names(request: &Request) -> Vec<String> {
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
