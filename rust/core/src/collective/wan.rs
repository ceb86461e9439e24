//! The stage between sites. Members of a site hold its share of the data between them; each sends its part to
//! the members that hold the same part at another site.

use super::context::Context;
use super::measure::by_site;
use super::operation::Operation;
use super::pattern::{Kind, SiteShare};
use super::schedule::{Part, Phase};
use crate::{Error, Result};

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
    let parts = |share: SiteShare, bytes: &dyn Fn(f64) -> f64| -> Vec<Part> {
        alike
            .iter()
            .map(|(sites, sets)| {
                let kind = Kind::Sites {
                    sets: sets.clone(),
                    share,
                };
                Part::new(&context.pattern(kind), bytes(*sites))
            })
            .collect()
    };
    let most = alike.last().map_or(1.0, |alike| alike.0);
    let both = |parts: Vec<Part>, steps: u64| {
        vec![
            Phase::steps("reduce-scatter between sites", parts.clone(), steps),
            Phase::steps("all-gather between sites", parts, steps),
        ]
    };
    match (name, operation) {
        ("mesh", Operation::AllReduce) => {
            let parts = parts(SiteShare::Equal, &|_| size);
            Ok(vec![Phase::steps("exchange site sums", parts, 1)])
        }
        ("direct", Operation::AllReduce) => {
            Ok(both(parts(SiteShare::Equal, &|sites| size / sites), 1))
        }
        ("ring_one_way", Operation::AllReduce) => {
            let steps = most - 1.0;
            let bytes = |sites: f64| size / sites * (sites - 1.0) / steps;
            Ok(both(parts(SiteShare::Next, &bytes), steps as u64))
        }
        ("direct", Operation::ReduceScatter) => {
            let parts = parts(SiteShare::Receiver, &|_| size);
            Ok(vec![Phase::steps("reduce-scatter between sites", parts, 1)])
        }
        ("direct", Operation::AllGather) => {
            let parts = parts(SiteShare::Sender, &|_| size);
            Ok(vec![Phase::steps("all-gather between sites", parts, 1)])
        }
        _ => Err(Error::unsupported(
            format!("{name} {} between sites", operation.name()),
            "use direct, or for all_reduce mesh or ring_one_way",
        )),
    }
}
