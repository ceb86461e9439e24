//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.
//!
//! Groups that hold other chips of one UltraServer than of another run the same: each cuts the data at the shares of its own
//! chips, and what is between UltraServers goes from the owners of bytes in one to their owners in another (`crews.rs`).
//! Or, of few bytes, one chip of each speaks for all, or as many as the smallest has.

mod by_size;
mod crews;
#[cfg(test)]
mod least_tests;
pub(super) mod places;
mod search;
mod stage_plan;
mod stages;
#[cfg(test)]
mod stages_tests;

use crate::Result;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::cost::{Shared, StageCost};
use crate::collective::program::least::SLACK;
use crate::weigh::Scale;
use search::{Key, Search, Stage};
use stage_plan::{
    PlannedStage, TIERS, is_refusal, one_tier, pinned_algorithms, plans_of_crews, stage_plan,
};
use stages::StageOptions;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name that users write.
pub(crate) const NAME: &str = "hierarchical";

/// The stages of a hierarchical collective with all algorithms that may run them; those that can win at some size are
/// priced for one byte.
pub(crate) struct Tiers {
    request: Request,
    /// Several where groups are unlike in their UltraServers.
    ways: Vec<Way>,
    /// Some size was asked for.
    is_built: bool,
}

/// One way to do it: its stages.
struct Way {
    stages: Vec<StageOptions>,
    /// What chunks share, by the costs of the stages.
    shared: BTreeMap<Key, Shared>,
}

/// Bytes of what chunks share, of one combination.
const SHARED: u64 = 64;

/// A choice of one algorithm for each stage.
pub(crate) struct Picked {
    pub(crate) name: String,
    pub(crate) choice: Choice,
    pub(crate) time: f64,
    pub(crate) chunks: u32,
    pub(crate) costs: Vec<Arc<StageCost>>,
}

impl Tiers {
    /// What can run each stage, or the algorithms of `pinned` (one name per tier that the groups span).
    pub(crate) fn new(
        context: &Context,
        request: &Request,
        pinned: Option<&[String]>,
    ) -> Result<Self> {
        let plans = match (context.groups, context.crews()) {
            (Groups::Grid { locals, domains }, _) => {
                vec![stage_plan(context, request, locals, domains)?]
            }
            (Groups::Scattered(_), Some(crews)) => {
                crews::check(context, crews)?;
                plans_of_crews(request, crews)?
            }
            (Groups::Scattered(_), None) => return Err(one_tier()),
        };
        let way = |plan: Vec<PlannedStage>| -> Result<Way> {
            let pinned = pinned_algorithms(&plan, pinned)?;
            let stage = |planned: PlannedStage| {
                let name = pinned[planned.tier];
                StageOptions::new(context, request, planned, name)
            };
            Ok(Way {
                stages: plan.into_iter().map(stage).collect(),
                shared: BTreeMap::new(),
            })
        };
        Ok(Self {
            request: request.clone(),
            ways: plans.into_iter().map(way).collect::<Result<_>>()?,
            is_built: false,
        })
    }

    /// Counts what they take.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        for way in &self.ways {
            way.stages.iter().for_each(|stage| stage.weigh(on));
            on.add(SHARED * way.shared.len() as u64);
        }
    }

    pub(crate) fn is_built(&self) -> bool {
        self.is_built
    }

    /// Seconds that `scale` bytes take at least, where that is had for nothing.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        let ways = self.ways.iter().map(|way| way.least(scale));
        ways.fold(f64::INFINITY, f64::min)
    }

    /// Seconds of it that some link is busy, whatever waits for what.
    pub(crate) fn busiest(&self, scale: f64) -> f64 {
        let of_way = |way: &Way| {
            let stages = way.stages.iter().map(|stage| stage.least().busy);
            stages.fold(0.0, f64::max) * scale * (1.0 - SLACK)
        };
        self.ways.iter().map(of_way).fold(f64::INFINITY, f64::min)
    }

    /// The best choice of algorithms for `scale` bytes first, and of those that were met on the way to it so many in
    /// all.
    pub(crate) fn at(&mut self, scene: &OnDemand, scale: f64, count: usize) -> Result<Vec<Picked>> {
        self.is_built = true;
        let (mut all, mut refused) = (Vec::new(), None);
        for way in &mut self.ways {
            let best = all.iter().map(|picked: &Picked| picked.time);
            let best = best.fold(f64::INFINITY, f64::min);
            let sole = count == 1 && best.is_finite();
            if sole && way.least_by_sole(scene, &self.request, scale)? > best {
                continue;
            }
            match way.at(scene, &self.request, scale, count) {
                Ok(picked) => all.extend(picked),
                Err(error) if is_refusal(&error) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) if all.is_empty() => return Err(error),
            _ => {}
        }
        if self.ways.len() > 1 {
            all.sort_by(|a, b| a.time.total_cmp(&b.time));
            all.truncate(count);
        }
        Ok(all)
    }
}

impl Way {
    /// Seconds that `scale` bytes take at least, with the stages built that one algorithm alone runs.
    fn least_by_sole(&mut self, scene: &OnDemand, request: &Request, scale: f64) -> Result<f64> {
        for stage in self.stages.iter_mut().filter(|stage| stage.all.len() == 1) {
            stage.at(scene, request, scale, 0)?;
        }
        Ok(self.least(scale))
    }

    /// Seconds that `scale` bytes take at least, where that is had for nothing.
    fn least(&self, scale: f64) -> f64 {
        let alone = self.stages.iter().map(|stage| stage.least_alone(scale));
        let each = || self.stages.iter().map(StageOptions::least);
        let fixed: f64 = each().map(|least| least.fixed).sum();
        let busy = each().map(|least| least.busy).fold(0.0, f64::max);
        let together = (fixed + busy * scale) * (1.0 - SLACK);
        alone.fold(together, f64::max)
    }

    fn at(
        &mut self,
        scene: &OnDemand,
        request: &Request,
        scale: f64,
        count: usize,
    ) -> Result<Vec<Picked>> {
        let tiers: Vec<usize> = self.stages.iter().map(StageOptions::tier).collect();
        let mut search = Search {
            scene,
            request,
            scale,
            count,
            stages: self.stages.iter_mut().map(Stage::new).collect(),
            shared: &mut self.shared,
            met: Vec::new(),
        };
        search.run()?;
        let Search { met, stages, .. } = search;
        let picked = met.into_iter().map(|(time, chunks, picked)| {
            let names: Vec<&str> = stages
                .iter()
                .zip(&picked)
                .map(|(s, &at)| s.name(at))
                .collect();
            Picked {
                name: format!("{NAME}({})", names.join(", ")),
                choice: choice(&tiers, &names),
                time,
                chunks,
                costs: stages
                    .iter()
                    .zip(&picked)
                    .map(|(s, &at)| s.cost(at))
                    .collect(),
            }
        });
        Ok(picked.collect())
    }
}

/// How to ask for the algorithms of all stages: by one name per tier, which a tier of two algorithms does not have.
fn choice(of_stages: &[usize], names: &[&str]) -> Choice {
    let mut tiers = [None; TIERS.len()];
    for (&tier, name) in of_stages.iter().zip(names) {
        if *tiers[tier].get_or_insert(name) != name {
            return Choice::Named(NAME.to_owned());
        }
    }
    let named = tiers.iter().flatten();
    Choice::Tiers(named.map(|name| (**name).to_owned()).collect())
}
