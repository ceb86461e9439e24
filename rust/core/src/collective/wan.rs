//! The stage between sites. Members of a site hold its share of the data between them; each sends its part to
//! the members that hold the same part at another site.

use super::context::Context;
use super::measure::by_site;
use super::moves::{Moves, Sends};
use super::pattern::{Kind, SiteShare};
use super::schedule::{Part, Phase};
use super::seats::{SeatKind, Seats};
use crate::operation::Operation;
use crate::{Error, Result};
use std::rc::Rc;

/// Phases of `name` between the sites that each set of domains spans; `size` as the operation defines it.
pub(crate) fn phases(
    context: &Context,
    domains: &[Vec<u32>],
    operation: Operation,
    size: f64,
    name: &str,
) -> Result<Vec<Phase>> {
    // Sets that span equally many sites share a pattern.
    let spans = |set: &Vec<u32>| by_site(context.machine, set).len();
    let mut sets: Vec<&Vec<u32>> = domains.iter().filter(|set| spans(set) > 1).collect();
    sets.sort_by_key(|set| spans(set));
    let alike: Vec<(f64, Vec<Vec<u32>>)> = sets
        .chunk_by(|a, b| spans(a) == spans(b))
        .map(|sets| {
            (
                spans(sets[0]) as f64,
                sets.iter().map(|set| (*set).clone()).collect(),
            )
        })
        .collect();
    // `carry` gives the sites whose parts a message from one site to another carries, all numbered as in the set.
    type Parts = fn(u32, u64, u32, u32) -> Vec<u32>;
    let parts =
        |share: SiteShare, bytes: &dyn Fn(f64) -> f64, reduce: bool, carry: Parts| -> Vec<Part> {
            alike
                .iter()
                .map(|(sites, sets)| {
                    let kind = Kind::Sites {
                        sets: sets.clone(),
                        share,
                    };
                    let count = *sites as u32;
                    let sends = match share {
                        SiteShare::Next => {
                            Sends::List((0..count).map(|site| (site, (site + 1) % count)).collect())
                        }
                        _ => Sends::All,
                    };
                    let seats = Seats {
                        kind: SeatKind::Sites,
                        groups: Rc::new([by_site(context.machine, &sets[0])
                            .iter()
                            .map(|entry| entry.0 as u32)
                            .collect()]),
                    };
                    let steps = if share == SiteShare::Next {
                        u64::from(count) - 1
                    } else {
                        1
                    };
                    let moves = Moves::between(Rc::new(seats), sends, move |step, from, to| {
                        carry(count, step, from, to)
                    });
                    let moves = moves.each_of(steps).reducing(reduce);
                    Part::new(&context.pattern(kind), bytes(*sites), moves)
                })
                .collect()
        };
    let most = alike.last().map_or(1.0, |alike| alike.0);
    let scatter =
        |parts: Vec<Part>, steps: u64| Phase::steps("reduce-scatter between sites", parts, steps);
    let gather =
        |parts: Vec<Part>, steps: u64| Phase::steps("all-gather between sites", parts, steps);
    let of_receiver: Parts = |_, _, _, to| vec![to];
    let of_sender: Parts = |_, _, from, _| vec![from];
    let behind: Parts = |count, step, from, _| vec![(from + count - step as u32) % count];
    let one_more: Parts = |count, step, from, _| vec![(from + 2 * count - step as u32 - 1) % count];
    match (name, operation) {
        ("mesh", Operation::AllReduce) => {
            let all: Parts = |count, _, _, _| (0..count).collect();
            let parts = parts(SiteShare::Equal, &|_| size, true, all);
            Ok(vec![Phase::steps("exchange site sums", parts, 1)])
        }
        ("direct", Operation::AllReduce) => {
            let bytes = |sites: f64| size / sites;
            Ok(vec![
                scatter(parts(SiteShare::Equal, &bytes, true, of_receiver), 1),
                gather(parts(SiteShare::Equal, &bytes, false, of_sender), 1),
            ])
        }
        ("ring_one_way", Operation::AllReduce) => {
            let steps = most - 1.0;
            let bytes = |sites: f64| size / sites * (sites - 1.0) / steps;
            Ok(vec![
                scatter(parts(SiteShare::Next, &bytes, true, one_more), steps as u64),
                gather(parts(SiteShare::Next, &bytes, false, behind), steps as u64),
            ])
        }
        ("direct", Operation::ReduceScatter) => {
            let parts = parts(SiteShare::Receiver, &|_| size, true, of_receiver);
            Ok(vec![scatter(parts, 1)])
        }
        ("direct", Operation::AllGather) => {
            let parts = parts(SiteShare::Sender, &|_| size, false, of_sender);
            Ok(vec![gather(parts, 1)])
        }
        _ => Err(Error::unsupported(
            format!("{name} {} between sites", operation.name()),
            "use direct, or for all_reduce mesh or ring_one_way",
        )),
    }
}
