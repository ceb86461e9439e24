//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.

mod search;
mod stage_plan;
mod stages;

use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::cost::{Shared, StageCost};
use crate::{Error, Result};
use search::{Key, Search, timed};
use stage_plan::{PlannedStage, TIERS, pinned_algorithms, stage_plan};
use stages::{StageOption, stage_options};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name that users write.
pub(crate) const NAME: &str = "hierarchical";

/// The stages of a hierarchical collective with all algorithms that can run them, priced for one byte.
pub(crate) struct Tiers {
    plan: Vec<PlannedStage>,
    options: Vec<Vec<StageOption>>,
    /// How many costs each stage has had.
    numbers: Vec<u32>,
    /// What chunks share, by the costs of the stages.
    shared: BTreeMap<Key, Shared>,
}

/// A choice of one algorithm for each stage.
pub(crate) struct Picked {
    pub(crate) name: String,
    pub(crate) choice: Choice,
    pub(crate) time: f64,
    pub(crate) chunks: u32,
    pub(crate) costs: Vec<Arc<StageCost>>,
}

impl Tiers {
    /// Prices what can run each stage, or the algorithms of `pinned` (one name per tier that the groups span).
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
        let options =
            |planned: &PlannedStage| stage_options(context, request, planned, pinned[planned.tier]);
        Ok(Self {
            options: plan.iter().map(options).collect::<Result<_>>()?,
            numbers: vec![0; plan.len()],
            plan,
            shared: BTreeMap::new(),
        })
    }

    /// Seconds that `scale` bytes take at least, where that is had for nothing: those of the slowest stage.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        let stage = |options: &Vec<StageOption>| {
            let least = options.iter().map(|option| option.least(scale));
            least.fold(f64::INFINITY, f64::min)
        };
        self.options.iter().map(stage).fold(0.0, f64::max)
    }

    /// The best choice of algorithms for `scale` bytes first, and of those that were met on the way to it so many in
    /// all.
    pub(crate) fn at(
        &mut self,
        scene: &OnDemand,
        request: &Request,
        scale: f64,
        count: usize,
    ) -> Result<Vec<Picked>> {
        let mut stages = Vec::with_capacity(self.options.len());
        for (options, numbers) in self.options.iter_mut().zip(&mut self.numbers) {
            stages.push(timed(scene, request.model, options, scale, numbers)?);
        }
        let mut search = Search {
            scene,
            request,
            scale,
            count,
            stages,
            shared: &mut self.shared,
            met: Vec::new(),
        };
        search.run()?;
        let Search { met, stages, .. } = search;
        let picked = met.into_iter().map(|(time, chunks, picked)| {
            let of_stages = || {
                stages
                    .iter()
                    .zip(&picked)
                    .map(|(options, &at)| &options[at])
            };
            let names: Vec<&str> = of_stages().map(|option| option.name).collect();
            Picked {
                name: format!("{NAME}({})", names.join(", ")),
                choice: choice(&self.plan, &names),
                time,
                chunks,
                costs: of_stages().map(|option| Arc::clone(&option.cost)).collect(),
            }
        });
        Ok(picked.collect())
    }
}

/// How to ask for the algorithms of all stages: by one name per tier, which a tier of two algorithms does not have.
fn choice(stage_plan: &[PlannedStage], names: &[&str]) -> Choice {
    let mut tiers = [None; TIERS.len()];
    for (planned, name) in stage_plan.iter().zip(names) {
        if *tiers[planned.tier].get_or_insert(name) != name {
            return Choice::Named(NAME.to_owned());
        }
    }
    let named = tiers.iter().flatten();
    Choice::Tiers(named.map(|name| (**name).to_owned()).collect())
}
