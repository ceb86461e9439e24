//! The stage between sites. Members of a site hold its share of the data between them; each sends its part to
//! the members that hold the same part at another site.

use crate::collective::pattern::context::Context;
use crate::collective::pattern::kind::{PatternKind, SiteShare};
use crate::collective::pattern::measure::by_site;
use crate::collective::program::moves::{Moves, Sends};
use crate::collective::program::rank_map::{RankKind, RankMap};
use crate::collective::program::schedule::{Part, Phase};
use crate::operation::Operation;
use std::sync::Arc;

/// Sets of domains, each with the sites that it spans.
pub(crate) struct Sites<'a> {
    context: &'a Context<'a>,
    /// Sets that span equally many sites share a pattern; the most come last.
    alike: Vec<(u32, Arc<[Vec<u32>]>)>,
}

/// The sites whose parts a message from one site to another carries, by number of sites, step, sender and receiver,
/// all numbered as in the set.
type Carried = fn(u32, u64, u32, u32) -> Vec<u32>;

const OF_RECEIVER: Carried = |_, _, _, to| vec![to];
const OF_SENDER: Carried = |_, _, from, _| vec![from];

impl<'a> Sites<'a> {
    pub(super) fn of(context: &'a Context, domains: &[Vec<u32>]) -> Self {
        let spans = |set: &Vec<u32>| by_site(context.machine, set).len();
        let mut sets: Vec<&Vec<u32>> = domains.iter().filter(|set| spans(set) > 1).collect();
        sets.sort_by_key(|set| spans(set));
        let alike = sets
            .chunk_by(|a, b| spans(a) == spans(b))
            .map(|sets| {
                (
                    spans(sets[0]) as u32,
                    sets.iter().map(|set| (*set).clone()).collect(),
                )
            })
            .collect();
        Self { context, alike }
    }

    /// Messages of `bytes`, which depend on the number of sites.
    fn parts(
        &self,
        share: SiteShare,
        bytes: impl Fn(f64) -> f64,
        reduce: bool,
        carried: Carried,
    ) -> Vec<Part> {
        let part = |(count, sets): &(u32, Arc<[Vec<u32>]>)| {
            let count = *count;
            let kind = PatternKind::Sites {
                sets: Arc::clone(sets),
                share,
            };
            let (sends, steps) = match share {
                SiteShare::Next => {
                    let next = (0..count).map(|site| (site, (site + 1) % count));
                    (Sends::List(next.collect()), u64::from(count) - 1)
                }
                _ => (Sends::All, 1),
            };
            let sites = by_site(self.context.machine, &sets[0]);
            let rank_map = RankMap {
                kind: RankKind::Sites,
                groups: Arc::new([sites.iter().map(|entry| entry.0 as u32).collect()]),
            };
            let carry = move |step, from, to| carried(count, step, from, to);
            let moves = Moves::between(Arc::new(rank_map), sends, carry);
            let moves = moves.each_of(steps).reducing(reduce);
            Part::new(&self.context.pattern(kind), bytes(f64::from(count)), moves)
        };
        self.alike.iter().map(part).collect()
    }
}

fn scatter(parts: Vec<Part>, steps: u64) -> Phase {
    Phase::steps("reduce-scatter between sites", parts, steps)
}

fn gather(parts: Vec<Part>, steps: u64) -> Phase {
    Phase::steps("all-gather between sites", parts, steps)
}

/// Every site's sum to every other.
pub(super) fn mesh(sites: &Sites, operation: Operation, size: f64) -> Option<Vec<Phase>> {
    let all: Carried = |count, _, _, _| (0..count).collect();
    let parts = || sites.parts(SiteShare::Equal, |_| size, true, all);
    let phases = || vec![Phase::steps("exchange site sums", parts(), 1)];
    (operation == Operation::AllReduce).then(phases)
}

/// Every site's part to every other that needs it.
pub(super) fn direct(sites: &Sites, operation: Operation, size: f64) -> Option<Vec<Phase>> {
    let scattered = |share, bytes: &dyn Fn(f64) -> f64| {
        scatter(sites.parts(share, bytes, true, OF_RECEIVER), 1)
    };
    let gathered =
        |share, bytes: &dyn Fn(f64) -> f64| gather(sites.parts(share, bytes, false, OF_SENDER), 1);
    let part = |sites: f64| size / sites;
    match operation {
        Operation::AllReduce => Some(vec![
            scattered(SiteShare::Equal, &part),
            gathered(SiteShare::Equal, &part),
        ]),
        Operation::ReduceScatter => Some(vec![scattered(SiteShare::Receiver, &|_| size)]),
        Operation::AllGather => Some(vec![gathered(SiteShare::Sender, &|_| size)]),
        _ => None,
    }
}

/// A ring of sites.
pub(super) fn ring_one_way(sites: &Sites, operation: Operation, size: f64) -> Option<Vec<Phase>> {
    if operation != Operation::AllReduce {
        return None;
    }
    let steps = sites.alike.last().map_or(1, |alike| alike.0) - 1;
    let bytes = |sites: f64| size / sites * (sites - 1.0) / f64::from(steps);
    let behind: Carried = |count, step, from, _| vec![(from + count - step as u32) % count];
    let one_more: Carried =
        |count, step, from, _| vec![(from + 2 * count - step as u32 - 1) % count];
    let steps = u64::from(steps);
    Some(vec![
        scatter(sites.parts(SiteShare::Next, bytes, true, one_more), steps),
        gather(sites.parts(SiteShare::Next, bytes, false, behind), steps),
    ])
}
