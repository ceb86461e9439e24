//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.

mod slots;
mod stages;

use super::context::Context;
use super::cost::{Cost, StageCost, combine};
use super::group::Groups;
use super::request::Request;
use crate::{Error, Result};
use slots::{pins, slots};
use stages::{Filled, fill};
use std::rc::Rc;

/// Names that `algorithm=` may give per tier, in this order.
pub(crate) const TIERS: [&str; 3] = ["domain", "site", "wan"];

/// Share of the data that stands for one chunk of many.
const SMALL_CHUNK: f64 = 1.0 / 64.0;

/// The best hierarchical schedule: its name with the algorithm of each stage, its stages and cost.
pub(crate) struct Best {
    pub(crate) name: String,
    pub(crate) stages: Vec<Rc<StageCost>>,
    pub(crate) cost: Cost,
}

/// Finds the best algorithm per tier, or uses `pinned` (one name per tier that the groups span).
pub(crate) fn best(
    context: &Context,
    request: &Request,
    pinned: Option<&[String]>,
) -> Result<Best> {
    let Groups::Grid { locals, domains } = context.groups else {
        return Err(Error::unsupported(
            "hierarchical over scattered chips",
            "name groups that hold the same chips of each UltraServer, or use ring or direct",
        ));
    };
    let slots = slots(context, request, locals, domains)?;
    let pins = pins(&slots, pinned)?;
    let mut options: Vec<Vec<Filled>> = Vec::with_capacity(slots.len());
    for slot in &slots {
        options.push(fill(context, request, slot, pins[slot.tier])?);
    }
    let stages = |picked: &[usize]| -> Vec<Rc<StageCost>> {
        options
            .iter()
            .zip(picked)
            .map(|(options, &at)| Rc::clone(&options[at].cost))
            .collect()
    };
    let attempt = |picked: &[usize]| {
        context.control.check()?;
        combine(context, request.model, &stages(picked), request.chunks)
    };
    // Two starts: the stages that are fastest alone, and those that are fastest with one chunk of many, which
    // pipelining favours. From each, one stage is changed at a time until nothing helps.
    let mut best: Option<(Cost, Vec<usize>)> = None;
    for scale in [1.0, SMALL_CHUNK] {
        let quickest = |options: &Vec<Filled>| {
            let time = |at: &usize| options[*at].cost.time(scale);
            (0..options.len())
                .min_by(|a, b| time(a).total_cmp(&time(b)))
                .unwrap_or(0)
        };
        let mut picked: Vec<usize> = options.iter().map(quickest).collect();
        let mut cost = attempt(&picked)?;
        let mut improved = true;
        while improved {
            improved = false;
            for at in 0..slots.len() {
                for option in (0..options[at].len()).filter(|&option| option != picked[at]) {
                    let mut other = picked.clone();
                    other[at] = option;
                    let next = attempt(&other)?;
                    if next.time < cost.time {
                        (cost, picked, improved) = (next, other, true);
                        break;
                    }
                }
            }
        }
        if best.as_ref().is_none_or(|best| cost.time < best.0.time) {
            best = Some((cost, picked));
        }
    }
    let (cost, picked) = best.expect("two starts were tried");
    let names: Vec<&str> = options
        .iter()
        .zip(&picked)
        .map(|(options, &at)| options[at].name)
        .collect();
    Ok(Best {
        name: format!("hierarchical({})", names.join(", ")),
        stages: stages(&picked),
        cost,
    })
}
