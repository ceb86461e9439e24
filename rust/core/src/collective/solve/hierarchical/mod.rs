//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.

#[cfg(test)]
mod least_tests;
pub(super) mod places;
mod search;
mod stage_plan;
mod stages;
#[cfg(test)]
mod stages_tests;

use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::cost::{Shared, StageCost};
use crate::collective::program::least::SLACK;
use crate::weigh::Scale;
use crate::{Error, Result};
use search::{Key, Search, Stage};
use stage_plan::{PlannedStage, TIERS, pinned_algorithms, stage_plan};
use stages::StageOptions;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name that users write.
pub(crate) const NAME: &str = "hierarchical";

/// The stages of a hierarchical collective with all algorithms that may run them; those that can win at some size are
/// priced for one byte.
pub(crate) struct Tiers {
    request: Request,
    stages: Vec<StageOptions>,
    /// Some size was asked for.
    is_built: bool,
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
        let Groups::Grid { locals, domains } = context.groups else {
            return Err(Error::unsupported(
                "hierarchical over scattered chips",
                "name groups that hold the same chips of each UltraServer, or use ring or direct",
            ));
        };
        let plan = stage_plan(context, request, locals, domains)?;
        let pinned = pinned_algorithms(&plan, pinned)?;
        let stage = |planned: PlannedStage| {
            let name = pinned[planned.tier];
            StageOptions::new(context, request, planned, name)
        };
        Ok(Self {
            request: request.clone(),
            stages: plan.into_iter().map(stage).collect(),
            is_built: false,
            shared: BTreeMap::new(),
        })
    }

    /// Counts what they take.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        self.stages.iter().for_each(|stage| stage.weigh(on));
        on.add(SHARED * self.shared.len() as u64);
    }

    pub(crate) fn is_built(&self) -> bool {
        self.is_built
    }

    /// Seconds that `scale` bytes take at least, where that is had for nothing.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        let alone = self.stages.iter().map(|stage| stage.least_alone(scale));
        let each = || self.stages.iter().map(StageOptions::least);
        let fixed: f64 = each().map(|least| least.fixed).sum();
        let busy = each().map(|least| least.busy).fold(0.0, f64::max);
        let together = (fixed + busy * scale) * (1.0 - SLACK);
        alone.fold(together, f64::max)
    }

    /// Seconds of it that some link is busy, whatever waits for what.
    pub(crate) fn busiest(&self, scale: f64) -> f64 {
        let stages = self.stages.iter().map(|stage| stage.least().busy);
        stages.fold(0.0, f64::max) * scale * (1.0 - SLACK)
    }

    /// The best choice of algorithms for `scale` bytes first, and of those that were met on the way to it so many in
    /// all.
    pub(crate) fn at(&mut self, scene: &OnDemand, scale: f64, count: usize) -> Result<Vec<Picked>> {
        self.is_built = true;
        let tiers: Vec<usize> = self.stages.iter().map(StageOptions::tier).collect();
        let mut search = Search {
            scene,
            request: &self.request,
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
