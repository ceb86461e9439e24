//! All-to-all by the bucket's way: one axis after another.

use super::job::Job;
use super::sides::{Sides, digit};
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::MOST_MESSAGES;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::{Error, Result};

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
        let stride: u32 = sides.sizes[..side].iter().product();
        let sends: Sends = (0..ranks)
            .flat_map(|from| {
                let here = digit(&sides.sizes, from, side);
                let others = (0..size).filter(move |&at| at != here);
                others.map(move |at| (from, from - here * stride + at * stride))
            })
            .collect::<Vec<_>>()
            .into();
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
