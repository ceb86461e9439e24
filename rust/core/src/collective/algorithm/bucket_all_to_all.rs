//! All-to-all by the bucket's way: one axis after another.

use super::job::Job;
use super::sides::{Sides, digit};
use crate::collective::pattern::lines::Along;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::MOST_MESSAGES;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::memory::bytes_of;
use crate::{Error, Result};
use std::sync::Arc;

/// All-to-all one axis after another: along each, every rank sends each other one of its line what is bound
/// for that position.
pub(super) fn phases(job: &Job, sides: &Sides) -> Result<Vec<Stage>> {
    let longest = sides.sizes.iter().copied().max().unwrap_or(1) as usize;
    let chips: usize = sides.boxes.iter().map(|shape| shape.chips() as usize).sum();
    if longest.saturating_mul(chips) > MOST_MESSAGES {
        return Err(Error::unsupported(
            format!("bucket all_to_all along an axis of {longest}, message by message"),
            "use direct",
        ));
    }
    let ranks: u32 = sides.sizes.iter().product();
    let mut phases = Vec::new();
    for (side, &size) in sides.sizes.iter().enumerate() {
        let places = bytes_of::<(u32, u32)>(u64::from(size) * u64::from(size));
        let what = format_args!("the messages along an axis of {size}");
        // Those by place, and the same by position.
        let _taken = job.context.control.take(2 * places, what, "use direct")?;
        let mut sends = to_others(&sides.sizes, side);
        if sides.placement.box_order(job.context).is_none() {
            // No line stands for all: they are looked at more than once.
            sends = sends.list(ranks).into_owned().into();
        }
        let pattern = sides.placement.pattern(job.context, &sends)?;
        let sizes = sides.sizes.clone();
        let carry = move |_: u64, from: u32, to: u32| {
            let same =
                |a: u32, b: u32, side: usize| digit(&sizes, a, side) == digit(&sizes, b, side);
            // A message that came this far still has its source's place on the sides from here on, and has its
            // target's on those before.
            let srcs = (0..ranks).filter(|&src| (side..sizes.len()).all(|at| same(src, from, at)));
            let dsts: Vec<u32> = (0..ranks)
                .filter(|&dst| (0..=side).all(|at| same(dst, to, at)))
                .collect();
            srcs.flat_map(|src| dsts.iter().map(move |dst| src * ranks + dst))
                .collect()
        };
        let moves = Moves::new(&sides.placement, sends, carry);
        let part = Part::new(&pattern, job.size / f64::from(size), moves);
        let what = format!("all-to-all along {}", sides.axis_name(job, side));
        phases.push(Phase::steps(what, vec![part], 1));
    }
    let space = Space::new(1, ranks.saturating_mul(ranks));
    Ok(vec![Stage::overlapping(job.tier, space, phases)])
}

/// Every rank to all others of its line along a side.
fn to_others(sizes: &[u32], side: usize) -> Sends {
    let (ranks, size) = (sizes.iter().product::<u32>(), sizes[side]);
    let others = move |here: u32| (0..size).filter(move |&at| at != here);
    let places = (0..size).flat_map(|here| others(here).map(move |at| (here, at)));
    let along = Along {
        side,
        places: places.collect(),
        in_lists: false,
    };
    let sizes = sizes.to_vec();
    let stride: u32 = sizes[..side].iter().product();
    let sends = Sends::Lazy {
        count: ranks as usize * (size as usize - 1),
        make: Arc::new(move || {
            let each = (0..ranks).flat_map(|from| {
                let here = digit(&sizes, from, side);
                others(here).map(move |at| (from, from - here * stride + at * stride))
            });
            each.collect()
        }),
        rule: None,
    };
    sends.ruled(Rule::along(ranks, along))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_line_is_what_is_listed() {
        let sizes = [3, 1, 4, 2];
        let ranks = sizes.iter().product();
        for side in 0..sizes.len() {
            let sends = to_others(&sizes, side);
            let rule = sends.rule().expect("it has one");
            let along = rule.along.as_ref().expect("it is along a side");
            let stride: u32 = sizes[..side].iter().product();
            let mut expanded = Vec::new();
            for rank in 0..ranks {
                let here = digit(&sizes, rank, along.side);
                let own = along.places.iter().filter(|place| place.0 == here);
                expanded.extend(own.map(|&(_, to)| (rank, rank + to * stride - here * stride)));
            }
            assert_eq!(sends.list(ranks).into_owned(), expanded);
            assert_eq!(sends.count(), Some(expanded.len()));
        }
    }
}
