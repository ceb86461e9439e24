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
    let mut picked = vec![0; slots.len()];
    let stages = |picked: &[usize]| -> Vec<Rc<StageCost>> {
        options
            .iter()
            .zip(picked)
            .map(|(options, &at)| Rc::clone(&options[at].cost))
            .collect()
    };
    let mut best = combine(context, request.model, &stages(&picked), request.chunks)?;
    // One stage changed at a time until nothing helps: pipelining may favour another than the fastest alone.
    loop {
        let mut improved = false;
        for at in 0..slots.len() {
            for option in 0..options[at].len() {
                let mut other = picked.clone();
                other[at] = option;
                let cost = combine(context, request.model, &stages(&other), request.chunks)?;
                if cost.time < best.time {
                    (best, picked, improved) = (cost, other, true);
                }
            }
        }
        if !improved {
            break;
        }
    }
    let names: Vec<&str> = options
        .iter()
        .zip(&picked)
        .map(|(options, &at)| options[at].name)
        .collect();
    Ok(Best {
        name: format!("hierarchical({})", names.join(", ")),
        stages: stages(&picked),
        cost: best,
    })
}
