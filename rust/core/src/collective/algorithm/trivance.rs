//! Trivance (arXiv 2602.17254): each rank exchanges with a rank on either side at once, at distances 1, 3, 9, ..., so
//! that log3(p) steps do what others need log2(p) for. Built for powers of three; ranks beyond one fold onto the
//! others before and after an all-reduce.

use super::exchange::Exchange;
use super::job::Job;
use super::pairwise_exchange::{Form, Slice, pairwise_exchange};
use super::swing::turns;
use crate::collective::pattern::lines::Along;
use crate::collective::pattern::rule::{Order, Rule};
use crate::collective::program::moves::Sends;
use crate::collective::program::schedule::Stage;
use crate::{Error, Result};
use std::sync::Arc;

pub(crate) fn bandwidth(job: &Job) -> Result<Vec<Stage>> {
    build(job, "trivance", Form::Bandwidth)
}

pub(crate) fn latency(job: &Job) -> Result<Vec<Stage>> {
    build(job, "trivance_latency", Form::Latency)
}

fn build(job: &Job, name: &str, form: Form) -> Result<Vec<Stage>> {
    if job.placement.ranks() < 3 {
        return Err(Error::unsupported(
            format!("{name} over {} ranks", job.placement.ranks()),
            "it needs at least three; use halving_doubling or ring",
        ));
    }
    let power_of_three = |size: u32| 3u32.pow(size.ilog(3)) == size;
    let in_box = job.placement.in_box_order(job.context)?;
    let fitting = in_box.filter(|(_, sizes)| sizes.iter().all(|&size| power_of_three(size)));
    let (placement, sizes) = match fitting {
        Some(fitting) => fitting,
        None => {
            let ring = job.placement.in_ring_order(job.context)?;
            let ranks = ring.ranks() as u32;
            (ring, vec![3u32.pow(ranks.ilog(3))])
        }
    };
    let in_lines = placement.box_order(job.context).is_some();
    let slices: Vec<Slice> = (0..sizes.len())
        .map(|first| Slice {
            exchange: exchange(&sizes, first, in_lines),
            part: 1.0 / sizes.len() as f64,
        })
        .collect();
    pairwise_exchange(job, name, &placement, &slices, form)
}

/// The exchange that starts along side `first`; `in_lines`, over sides of a whole domain.
fn exchange(sizes: &[u32], first: usize, in_lines: bool) -> Arc<Exchange> {
    let ranks: u32 = sizes.iter().product();
    let steps = turns(sizes, first, 3)
        .into_iter()
        .map(|(side, step)| {
            let (size, stride) = (sizes[side], sizes[..side].iter().product::<u32>());
            let reach = 3u32.pow(step);
            let moved = move |rank: u32, by: u32| {
                let here = rank / stride % size;
                rank - here * stride + (here + by) % size * stride
            };
            let sends = Sends::of_each(ranks, move |rank| {
                [reach, size - reach].map(|by| (rank, moved(rank, by)))
            });
            let turn = |by: i64| Rule::turn(ranks, by, Order::Senders);
            if !in_lines {
                return match sizes {
                    [_] => sends.ruled(turn(i64::from(reach)).and(turn(-i64::from(reach)))),
                    _ => sends,
                };
            }
            let both = |here: u32| [reach, size - reach].map(|by| (here, (here + by) % size));
            sends.ruled(Rule::along(
                ranks,
                Along {
                    side,
                    places: (0..size).flat_map(both).collect(),
                    in_lists: false,
                },
            ))
        })
        .collect();
    Exchange::new(ranks, steps)
}
