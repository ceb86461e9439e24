//! Swing (De Sensi, Bonato, Saam and Hoefler, NSDI 2024): exchanges with peers that lie alternately to either side, at
//! distances 1, 1, 3, 5, 11, ... so that messages travel less far than in recursive halving.
//!
//! Rank r's peer at step s along one axis is r + rho(s) where r is even and r - rho(s) where it is odd, with
//! rho(s) = (1 - (-2)^(s+1)) / 3. On D axes the steps go round the axes, and 2 D exchanges run side by side, one for
//! each axis to start with and each way round.

use super::exchange::Exchange;
use super::job::Job;
use super::pairwise_exchange::{Form, Slice, pairwise_exchange};
use crate::Result;
use crate::collective::pattern::lines::Along;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::moves::Sends;
use crate::collective::program::schedule::Stage;
use std::sync::Arc;

pub(crate) fn bandwidth(job: &Job) -> Result<Vec<Stage>> {
    build(job, "swing", Form::Bandwidth)
}

pub(crate) fn latency(job: &Job) -> Result<Vec<Stage>> {
    build(job, "swing_latency", Form::Latency)
}

fn build(job: &Job, name: &str, form: Form) -> Result<Vec<Stage>> {
    let in_box = job.placement.in_box_order(job.context)?;
    let fitting = in_box.filter(|(_, sizes)| sizes.iter().all(|size| size.is_power_of_two()));
    let (placement, sizes) = match fitting {
        Some(fitting) => fitting,
        None => {
            let ring = job.placement.in_ring_order(job.context)?;
            let ranks = ring.ranks() as u32;
            (ring, vec![1 << ranks.ilog2()])
        }
    };
    let count = 2 * sizes.len();
    let in_lines = placement.box_order(job.context).is_some();
    let slices: Vec<Slice> = (0..count)
        .map(|index| Slice {
            exchange: exchange(&sizes, index / 2, index % 2 == 1, in_lines),
            part: 1.0 / count as f64,
        })
        .collect();
    pairwise_exchange(job, name, &placement, &slices, form)
}

/// The exchange that starts along side `first`; a mirrored one turns each step the other way. `in_lines`, over sides of a
/// whole domain.
fn exchange(sizes: &[u32], first: usize, mirrored: bool, in_lines: bool) -> Arc<Exchange> {
    let ranks: u32 = sizes.iter().product();
    let steps = turns(sizes, first, 2)
        .into_iter()
        .map(|(side, step)| {
            let size = i64::from(sizes[side]);
            let stride: u32 = sizes[..side].iter().product();
            let reach = rho(step);
            let peer = move |rank: u32| {
                let here = i64::from(rank / stride) % size;
                let forward = (here % 2 == 0) != mirrored;
                let there = (here + if forward { reach } else { -reach }).rem_euclid(size);
                rank - here as u32 * stride + there as u32 * stride
            };
            let sends = Sends::of_each(ranks, move |rank| [(rank, peer(rank))]);
            let swing = || Rule::swing(ranks, if mirrored { -reach } else { reach });
            if !in_lines {
                return match sizes {
                    [_] => sends.ruled(swing()),
                    _ => sends,
                };
            }
            let peer = |here: u32| {
                let by = if (here % 2 == 0) != mirrored {
                    reach
                } else {
                    -reach
                };
                (here, (i64::from(here) + by).rem_euclid(size) as u32)
            };
            sends.ruled(Rule::along(
                ranks,
                Along {
                    side,
                    places: (0..sizes[side]).map(peer).collect(),
                    in_lists: false,
                },
            ))
        })
        .collect();
    Exchange::new(ranks, steps)
}

/// (side, step along that side) of every step: round the sides from `first`, each as often as its size has factors
/// of `radix`.
pub(super) fn turns(sizes: &[u32], first: usize, radix: u32) -> Vec<(usize, u32)> {
    let most: Vec<u32> = sizes.iter().map(|size| size.ilog(radix)).collect();
    let rounds = most.iter().copied().max().unwrap_or(0);
    let sides = (0..sizes.len()).map(|at| (first + at) % sizes.len());
    (0..rounds)
        .flat_map(|step| sides.clone().map(move |side| (side, step)))
        .filter(|&(side, step)| step < most[side])
        .collect()
}

/// Signed distance of step `step`: 1, -1, 3, -5, 11, ...
pub(super) fn rho(step: u32) -> i64 {
    (1 - (-2i64).pow(step + 1)) / 3
}
