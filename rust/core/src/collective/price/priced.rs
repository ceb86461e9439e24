//! A program priced for one byte: what it costs at a size is arithmetic.

use super::cost::StageCost;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::program::alternatives::{Cheapest, OneOf, Program};
use crate::collective::program::least::Least;
use crate::collective::program::schedule::Stage;
use crate::memory::bytes_of;
use crate::weigh::Scale;
use crate::{Error, Result};
use std::sync::Arc;

/// Bytes of what makes stages, about.
const MAKER: u64 = 1024;

/// The costs of a program's stages, and of all alternatives that sizes have asked for.
pub(crate) struct Priced {
    how: How,
    body: Body,
}

/// How programs are priced.
struct How {
    model: Model,
    label: String,
}

enum Body {
    Stages(Stages),
    Sequence(Vec<Body>),
    Fastest {
        cases: Vec<Body>,
        gain: f64,
    },
    OneOf {
        of: OneOf,
        made: Vec<(usize, Stages)>,
    },
    Cheapest {
        of: Cheapest,
        /// By number, what was made so far, or why it does not apply.
        made: Vec<Option<Result<Body>>>,
        /// The fastest at the size that was made last, and its seconds. Others that were made before may lack what that
        /// size asks for.
        best: Option<(usize, f64)>,
    },
}

/// Stages that are the same for every size.
struct Stages {
    costs: Vec<Arc<StageCost>>,
    /// The same by link loads, by which alternatives are judged.
    by_links: Vec<Arc<StageCost>>,
}

impl Priced {
    /// Prices a program that is written for one byte.
    pub(crate) fn new(
        context: &Context,
        model: Model,
        label: String,
        program: Program,
    ) -> Result<Self> {
        let how = How { model, label };
        let body = how.body(context, program)?;
        Ok(Self { how, body })
    }

    /// Counts what it takes.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(self.how.label.len() as u64);
        self.body.weigh(on);
    }

    /// It has no alternatives.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.body, Body::Stages(_))
    }

    /// Seconds that a size takes at least, where that is had for nothing.
    pub(crate) fn least(&self, size: f64) -> f64 {
        match &self.body {
            Body::Stages(stages) => stages.costs.iter().map(|cost| cost.least(size)).sum(),
            _ => 0.0,
        }
    }

    /// Seconds of the stages that are best for a size.
    pub(crate) fn time<'s, 'm: 's>(
        &mut self,
        scene: &impl Fn() -> Result<&'s Context<'m>>,
        size: f64,
    ) -> Result<f64> {
        let sum = |costs: &[Arc<StageCost>]| costs.iter().map(|cost| cost.time(size)).sum();
        if let Body::Stages(stages) = &self.body {
            return Ok(sum(&stages.costs));
        }
        self.at(scene, size).map(|costs| sum(&costs))
    }

    /// The costs of the stages that are best for a size, for one byte of it.
    pub(crate) fn at<'s, 'm: 's>(
        &mut self,
        scene: &impl Fn() -> Result<&'s Context<'m>>,
        size: f64,
    ) -> Result<Vec<Arc<StageCost>>> {
        let mut costs = Vec::new();
        self.body.make(scene, size, &self.how)?;
        self.body.costs(size, &mut costs);
        Ok(costs)
    }
}

impl How {
    fn body(&self, context: &Context, program: Program) -> Result<Body> {
        let all = |programs: Vec<Program>| -> Result<Vec<Body>> {
            let bodies = programs.into_iter();
            bodies.map(|program| self.body(context, program)).collect()
        };
        Ok(match program {
            Program::Stages(stages) => Body::Stages(self.stages(context, stages)?),
            Program::Sequence(programs) => Body::Sequence(all(programs)?),
            Program::Fastest { cases, gain } => Body::Fastest {
                cases: all(cases)?,
                gain,
            },
            Program::OneOf(of) => Body::OneOf {
                of,
                made: Vec::new(),
            },
            Program::Cheapest(of) => Body::Cheapest {
                made: of.leasts.iter().map(|_| None).collect(),
                best: None,
                of,
            },
        })
    }

    fn stages(&self, context: &Context, stages: Vec<Stage>) -> Result<Stages> {
        let costs = |model: Model| -> Result<Vec<Arc<StageCost>>> {
            let cost = |stage: &Stage| StageCost::new(context, model, stage, self.label.clone());
            stages
                .iter()
                .map(|stage| cost(stage).map(Arc::new))
                .collect()
        };
        let by_model = costs(self.model)?;
        let by_links = match self.model.by_phases() {
            Model::LinkLoad => by_model.clone(),
            _ => costs(Model::LinkLoad)?,
        };
        Ok(Stages {
            costs: by_model,
            by_links,
        })
    }
}

impl Body {
    fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        match self {
            Self::Stages(stages) => stages.weigh(on),
            Self::Sequence(all) | Self::Fastest { cases: all, .. } => {
                all.iter().for_each(|one| one.weigh(on));
            }
            Self::OneOf { of, made } => {
                on.shared(&of.make, |_, on| on.add(MAKER));
                made.iter().for_each(|(_, stages)| stages.weigh(on));
            }
            Self::Cheapest { of, made, .. } => {
                on.add(MAKER + bytes_of::<(Least, Option<Self>)>(of.leasts.len() as u64));
                let made = made.iter().flatten().flatten();
                made.for_each(|body| body.weigh(on));
            }
        }
    }

    /// Makes what a size asks for and is not there yet.
    fn make<'s, 'm: 's>(
        &mut self,
        scene: &impl Fn() -> Result<&'s Context<'m>>,
        size: f64,
        how: &How,
    ) -> Result<()> {
        match self {
            Self::Stages(_) => Ok(()),
            Self::Sequence(all) | Self::Fastest { cases: all, .. } => {
                let mut all = all.iter_mut();
                all.try_for_each(|one| one.make(scene, size, how))
            }
            Self::OneOf { of, made } => {
                let which = (of.which)(size);
                if made.iter().all(|(known, _)| *known != which) {
                    let context = scene()?;
                    made.push((which, how.stages(context, (of.make)(context, which)?)?));
                }
                Ok(())
            }
            Self::Cheapest { of, made, best } => {
                *best = Some(cheapest(of, made, scene, size, how)?);
                Ok(())
            }
        }
    }

    /// Seconds by link loads.
    fn seconds(&self, size: f64) -> f64 {
        match self {
            Self::Stages(stages) => stages.seconds(size),
            Self::Sequence(all) => all.iter().map(|one| one.seconds(size)).sum(),
            Self::Fastest { cases, gain } => fastest(cases, *gain, size).1,
            Self::OneOf { of, made } => one_of(of, made, size).seconds(size),
            Self::Cheapest { best, .. } => best.map_or(f64::INFINITY, |best| best.1),
        }
    }

    fn costs(&self, size: f64, out: &mut Vec<Arc<StageCost>>) {
        match self {
            Self::Stages(stages) => out.extend_from_slice(&stages.costs),
            Self::Sequence(all) => all.iter().for_each(|one| one.costs(size, out)),
            Self::Fastest { cases, gain } => cases[fastest(cases, *gain, size).0].costs(size, out),
            Self::OneOf { of, made } => out.extend_from_slice(&one_of(of, made, size).costs),
            Self::Cheapest { made, best, .. } => {
                let best = best.and_then(|(at, _)| made[at].as_ref()?.as_ref().ok());
                best.into_iter().for_each(|body| body.costs(size, out));
            }
        }
    }
}

impl Stages {
    fn weigh(&self, on: &mut Scale) {
        let costs = self.costs.iter().chain(&self.by_links);
        costs.for_each(|cost| on.shared(cost, StageCost::weigh));
    }

    fn seconds(&self, size: f64) -> f64 {
        self.by_links.iter().map(|cost| cost.time(size)).sum()
    }
}

/// The number and the seconds of the fastest case.
fn fastest(cases: &[Body], gain: f64, size: f64) -> (usize, f64) {
    let timed = cases.iter().map(|case| case.seconds(size)).enumerate();
    timed
        .reduce(|best, next| {
            if next.1 < best.1 * (1.0 - gain) {
                next
            } else {
                best
            }
        })
        .expect("there are cases")
}

fn one_of<'a>(of: &OneOf, made: &'a [(usize, Stages)], size: f64) -> &'a Stages {
    let which = (of.which)(size);
    let found = made.iter().find(|(known, _)| *known == which);
    &found.expect("what a size asks for is made before").1
}

/// Makes one of many alternatives, where it applies, and what it asks for at a size; its seconds by link loads.
fn case<'s, 'm: 's>(
    made: &mut Option<Result<Body>>,
    scene: &impl Fn() -> Result<&'s Context<'m>>,
    size: f64,
    how: &How,
    write: impl FnOnce() -> Result<Program>,
) -> Result<Option<f64>> {
    if made.is_none() {
        *made = Some(match write() {
            Ok(program) => Ok(how.body(scene()?, program)?),
            Err(error @ Error::Unsupported { .. }) => Err(error),
            Err(error) => return Err(error),
        });
    }
    let Some(Ok(body)) = made else {
        return Ok(None);
    };
    body.make(scene, size, how)?;
    Ok(Some(body.seconds(size)))
}

/// The fastest of many alternatives at a size, and its seconds; of equal ones the first. Makes those that can be that.
fn cheapest<'s, 'm: 's>(
    of: &Cheapest,
    made: &mut [Option<Result<Body>>],
    scene: &impl Fn() -> Result<&'s Context<'m>>,
    size: f64,
    how: &How,
) -> Result<(usize, f64)> {
    let least = |at: usize| of.leasts[at].at(size);
    let mut by_least: Vec<usize> = (0..made.len()).collect();
    by_least.sort_by(|&a, &b| least(a).total_cmp(&least(b)));
    let mut best: Option<(usize, f64)> = None;
    for at in by_least {
        if best.is_some_and(|best| least(at) > best.1) {
            break;
        }
        let write = || (of.make)(scene()?, at);
        let Some(seconds) = case(&mut made[at], scene, size, how, write)? else {
            continue;
        };
        let faster = |(other, best): (usize, f64)| seconds < best || seconds == best && at < other;
        if best.is_none_or(faster) {
            best = Some((at, seconds));
        }
    }
    best.ok_or_else(|| none_applies(made))
}

/// Why none of many alternatives applies: the last of their reasons.
fn none_applies(made: &[Option<Result<Body>>]) -> Error {
    let mut reasons = made.iter().flatten().filter_map(|one| one.as_ref().err());
    let last = reasons.next_back();
    last.expect("alternatives are some").clone()
}
