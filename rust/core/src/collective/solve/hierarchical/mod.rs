//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.

mod stage_plan;
mod stages;

use super::candidate::PricedCandidate;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::price::cost::{Cost, StageCost, combine};
use crate::{Error, Result};
use stage_plan::{PlannedStage, TIERS, pinned_algorithms, stage_plan};
use stages::{StageOption, stage_options};
use std::sync::Arc;

/// The name that users write.
pub(crate) const NAME: &str = "hierarchical";

/// Share of the data that stands for one chunk of many.
const SMALL_CHUNK: f64 = 1.0 / 64.0;

/// Finds the best algorithms per tier, or uses `pinned` (one name per tier that the groups span): the best choice
/// first, and of those that were met on the way to it so many in all.
pub(crate) fn best(
    context: &Context,
    request: &Request,
    pinned: Option<&[String]>,
    count: usize,
) -> Result<Vec<PricedCandidate>> {
    let Groups::Grid { locals, domains } = context.groups else {
        return Err(Error::unsupported(
            "hierarchical over scattered chips",
            "name groups that hold the same chips of each UltraServer, or use ring or direct",
        ));
    };
    let stage_plan = stage_plan(context, request, locals, domains)?;
    let pinned_algorithms = pinned_algorithms(&stage_plan, pinned)?;
    let mut options: Vec<Vec<StageOption>> = Vec::with_capacity(stage_plan.len());
    for planned in &stage_plan {
        options.push(stage_options(
            context,
            request,
            planned,
            pinned_algorithms[planned.tier],
        )?);
    }
    let stages = |picked: &[usize]| -> Vec<Arc<StageCost>> {
        options
            .iter()
            .zip(picked)
            .map(|(options, &at)| Arc::clone(&options[at].cost))
            .collect()
    };
    let mut met: Vec<(Cost, Vec<usize>)> = Vec::new();
    let mut attempt = |picked: &[usize]| -> Result<f64> {
        context.control.check()?;
        let cost = combine(context, request.model, &stages(picked), request.chunks)?;
        let time = cost.time;
        if met.iter().all(|(_, known)| known != picked) {
            met.push((cost, picked.to_vec()));
            met.sort_by(|a, b| a.0.time.total_cmp(&b.0.time));
            met.truncate(count);
        }
        Ok(time)
    };
    // Two starts: the stages that are fastest alone, and those that are fastest with one chunk of many, which
    // pipelining favours. From each, one stage is changed at a time until nothing helps.
    for scale in [1.0, SMALL_CHUNK] {
        let quickest = |options: &Vec<StageOption>| {
            let time = |at: &usize| options[*at].cost.time(scale);
            (0..options.len())
                .min_by(|a, b| time(a).total_cmp(&time(b)))
                .unwrap_or(0)
        };
        let mut picked: Vec<usize> = options.iter().map(quickest).collect();
        let mut time = attempt(&picked)?;
        let mut improved = true;
        while improved {
            improved = false;
            for at in 0..stage_plan.len() {
                for option in (0..options[at].len()).filter(|&option| option != picked[at]) {
                    let mut other = picked.clone();
                    other[at] = option;
                    let next = attempt(&other)?;
                    if next < time {
                        (time, picked, improved) = (next, other, true);
                        break;
                    }
                }
            }
        }
    }
    let named = |(cost, picked): (Cost, Vec<usize>)| {
        let names: Vec<&str> = options
            .iter()
            .zip(&picked)
            .map(|(options, &at)| options[at].name)
            .collect();
        PricedCandidate {
            name: format!("{NAME}({})", names.join(", ")),
            choice: choice(&stage_plan, &names),
            stages: stages(&picked),
            cost,
        }
    };
    Ok(met.into_iter().map(named).collect())
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
