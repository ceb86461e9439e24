//! Schedules made for whatever links are there: all-gather, reduce-scatter and all-reduce on any graph of live links.
//!
//! Data are cut into chunks, and links are matched with chunks over time: a link takes a chunk that its sender has and
//! its receiver lacks, those that fewest ranks have first, ties by lot (the greedy matching of TACOS, Won et al.,
//! arXiv 2304.05301). Two drivers share the matching. `rounds.rs` goes in rounds in which every link carries as many
//! chunks as its bandwidth allows, and mends a round where a link would stay idle; `stream.rs` lets each link start its
//! next chunk when the last has left, for bandwidths that no small round fits. An all-gather is found directly; a
//! reduce-scatter is an all-gather over the reversed links, run backwards and adding up; an all-reduce is both, with
//! more of the adding up at ranks whose links are slow (`cut.rs`).

mod bound;
mod cut;
mod live;
mod matching;
mod network;
mod plan;
mod rounds;
mod stream;
mod write;

pub use bound::{Floor, floor};
pub use cut::Cut;
pub use live::live_graph;
pub use network::{Network, Wire};
pub use plan::{Delivery, Plan};
pub use write::write;

use crate::error::not_negative;
use crate::memory::bytes_of;
use crate::operation::Operation::{self, AllGather, AllReduce, ReduceScatter};
use crate::{Control, Error, Result};

/// Most deliveries with which several numbers of chunks are tried.
const MOST_TRIED: u64 = 1 << 20;

/// Deliveries of all seeds together.
const MOST_SEEDED: u64 = 1 << 16;

/// Seeds that are tried where a plan needs more rounds than the links into some rank do.
const MOST_SEEDS: u64 = 8;

/// How near to what the links into some rank need a plan must come for no other seed to be tried.
const CLOSE: f64 = 1.01;

/// Most chunks of each rank that are tried when the caller leaves it open.
const MOST_CHUNKS: u32 = 32;

/// So many times as many chunks as the best so far, and no better: no more are tried.
const ENOUGH_FINER: u64 = 4;

/// Most chunks in all: the chunks that each rank has are kept as bits.
const MOST_BITS: u64 = 1 << 33;

/// How links go about their chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// In rounds, whatever whole chunks fit the bandwidths; else link by link. What a schedule of rounds takes is the
    /// same by every model that counts phases.
    Rounds,
    /// In rounds or link by link, whichever is faster. Link by link hides latency behind the next chunk.
    Either,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SynthesisRequest {
    /// What is done.
    pub operation: Operation,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// Chunks into which each rank's share is cut; `None` for the number, of the powers of two up to 32, that is
    /// fastest.
    pub chunks: Option<u32>,
    /// In rounds or not.
    pub pace: Pace,
    /// Where the lots start.
    pub seed: u64,
}

/// One plan, and how it is read.
struct Half<'a> {
    /// The plan: on the network, or, backwards, on the reversed one.
    plan: &'a Plan,
    /// Its end comes first, every delivery goes the other way and is added up.
    backwards: bool,
}

/// A synthesised collective.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthesis {
    /// The reduce-scatter of an all-reduce, or of itself.
    pub scatter: Option<Plan>,
    /// The all-gather.
    pub gather: Option<Plan>,
}

impl Synthesis {
    /// Its plans, in the order in which they run.
    fn halves(&self) -> Vec<Half<'_>> {
        let half = |plan, backwards| Half { plan, backwards };
        let scatter = self.scatter.iter().map(|plan| half(plan, true));
        let gather = self.gather.iter().map(|plan| half(plan, false));
        scatter.chain(gather).collect()
    }

    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.scatter.iter().chain(&self.gather)
    }

    /// Seconds by the plans' own timetables.
    pub fn seconds(&self) -> f64 {
        self.plans().map(|plan| plan.makespan).sum()
    }

    fn cut(&self) -> Option<&Cut> {
        self.plans().next().map(|plan| &plan.cut)
    }

    fn bytes(&self) -> f64 {
        self.plans().next().map_or(0.0, |plan| plan.bytes)
    }

    /// Chunks of all ranks together.
    pub fn chunks(&self) -> u32 {
        self.cut().map_or(0, Cut::total)
    }

    /// Deliveries of chunks over links.
    pub fn deliveries(&self) -> usize {
        self.plans().map(|plan| plan.deliveries.len()).sum()
    }

    /// Bytes on each link, by place.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn loads(&self, network: &Network, control: &Control) -> Result<Vec<f64>> {
        let mut sum = vec![0.0; network.links.len()];
        for plan in self.plans() {
            for (sum, bytes) in sum.iter_mut().zip(plan.loads(network, control)?) {
                *sum += bytes;
            }
        }
        Ok(sum)
    }

    /// Replays the plans: see [`Plan::check`].
    ///
    /// # Errors
    /// [`Error::Schedule`].
    pub fn check(&self, network: &Network) -> Result<()> {
        if let Some(plan) = &self.scatter {
            plan.check(&network.reversed(&Control::default())?)?;
        }
        self.gather.iter().try_for_each(|plan| plan.check(network))
    }
}

/// Finds a schedule of `wanted` over `network`: the best of some seeds and, where `wanted` leaves it open, numbers of
/// chunks.
///
/// # Errors
/// Those of [`Network::check`]; [`Error::Unsupported`] for other operations and for more chunks than fit in memory;
/// [`Error::Cancelled`].
pub fn synthesize(
    network: &Network,
    wanted: &SynthesisRequest,
    control: &Control,
) -> Result<Synthesis> {
    if ![AllGather, ReduceScatter, AllReduce].contains(&wanted.operation) {
        return Err(Error::unsupported(
            format!("synthesized for {}", wanted.operation.name()),
            "it does all_gather, reduce_scatter and all_reduce; name another algorithm",
        ));
    }
    network.check(control)?;
    not_negative("size", wanted.size)?;
    let ranks = u64::from(network.ranks());
    let mut best: Option<Synthesis> = None;
    for chunks in counts(ranks, wanted.chunks)? {
        // Twice who has which chunk, and each delivery with its link, start and events.
        let bytes = bits(ranks, chunks) / 4 + bytes_of::<[u64; 6]>(deliveries(ranks, chunks));
        let what = format_args!("synthesized with {chunks} chunks for each of {ranks} ranks");
        let _taken = control.take(bytes, what, "take fewer chunks or a smaller group")?;
        let cut = match wanted.operation {
            AllReduce => Cut::level(network, chunks, control)?,
            _ => Cut::even(network.ranks(), chunks),
        };
        let plan = |network: &Network| plan(network, &cut, wanted, control);
        let scatter = wanted.operation != AllGather;
        let gather = wanted.operation != ReduceScatter;
        let found = Synthesis {
            scatter: scatter
                .then(|| plan(&network.reversed(control)?))
                .transpose()?,
            gather: gather.then(|| plan(network)).transpose()?,
        };
        if best
            .as_ref()
            .is_none_or(|best| found.seconds() < best.seconds())
        {
            best = Some(found);
        } else if best.as_ref().is_some_and(|best| {
            u64::from(best.chunks()) * ENOUGH_FINER <= u64::from(found.chunks())
        }) {
            // Finer chunks have not helped for long.
            break;
        }
    }
    Ok(best.expect("at least one number of chunks is tried"))
}

/// Deliveries of a half in so many chunks for each of `ranks` ranks.
fn deliveries(ranks: u64, chunks: u32) -> u64 {
    ranks * (ranks - 1) * u64::from(chunks)
}

/// Bits that say which rank has which chunk.
fn bits(ranks: u64, chunks: u32) -> u64 {
    ranks * ranks * u64::from(chunks)
}

/// The numbers of chunks to try: the one that is wanted, or powers of two.
fn counts(ranks: u64, wanted: Option<u32>) -> Result<Vec<u32>> {
    let most = wanted.unwrap_or(1);
    if most == 0 {
        return Err(Error::invalid("chunks", 0, "must be >= 1"));
    }
    if bits(ranks, most) > MOST_BITS || ranks * u64::from(most) > u64::from(u32::MAX) {
        return Err(Error::unsupported(
            format!("synthesized with {most} chunks for each of {ranks} ranks"),
            "take fewer chunks or a smaller group",
        ));
    }
    Ok(match wanted {
        Some(chunks) => vec![chunks],
        None => std::iter::successors(Some(1), |chunks| Some(chunks * 2))
            .take_while(|&chunks| {
                chunks == 1 || (chunks <= MOST_CHUNKS && deliveries(ranks, chunks) <= MOST_TRIED)
            })
            .collect(),
    })
}

/// The best all-gather of some seeds.
fn plan(
    network: &Network,
    cut: &Cut,
    wanted: &SynthesisRequest,
    control: &Control,
) -> Result<Plan> {
    let capacities = rounds::capacities(network, control)?;
    let bytes = wanted.size / f64::from(cut.total());
    let by_link = |seed| stream::run(network, cut, bytes, seed, control);
    let Some(capacities) = capacities else {
        let least = least_seconds(network, cut, bytes, control)?;
        return of_seeds(cut, wanted, least, by_link);
    };
    let in_rounds = |seed| rounds::run(network, &capacities, cut, bytes, seed, control);
    let rounds = of_seeds(cut, wanted, 0.0, in_rounds)?;
    if wanted.pace == Pace::Rounds {
        return Ok(rounds);
    }
    let least = least_seconds(network, cut, bytes, control)?;
    let stream = of_seeds(cut, wanted, least, by_link)?;
    Ok(if stream.makespan < rounds.makespan {
        stream
    } else {
        rounds
    })
}

/// Seconds that the links into some rank need at least.
fn least_seconds(network: &Network, cut: &Cut, bytes: f64, control: &Control) -> Result<f64> {
    let mut rates = vec![0.0; network.chips.len()];
    for (place, wire) in network.links.iter().enumerate() {
        control.check_at(place)?;
        rates[wire.to as usize] += wire.bandwidth;
    }
    let needs = |rank: usize| f64::from(cut.total() - cut.of(rank as u32).len() as u32) * bytes;
    let seconds = (0..rates.len()).map(|rank| needs(rank) / rates[rank]);
    let finite = seconds.filter(|seconds| seconds.is_finite());
    Ok(finite.fold(0.0, f64::max))
}

/// The best of what `make` makes of some seeds, until one is as good as its links can be.
fn of_seeds(
    cut: &Cut,
    wanted: &SynthesisRequest,
    least_seconds: f64,
    make: impl Fn(u64) -> Result<Plan>,
) -> Result<Plan> {
    let seeds = (MOST_SEEDED / cut.deliveries().max(1)).clamp(1, MOST_SEEDS);
    let mut best: Option<Plan> = None;
    for lot in 0..seeds {
        // Seeds next to each other must not give the same lots one after another.
        let seed = wanted
            .seed
            .wrapping_add(lot.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let plan = make(seed)?;
        let enough = match plan.least_rounds() {
            Some(least) => plan.rounds() <= least,
            None => plan.makespan <= CLOSE * least_seconds,
        };
        if best
            .as_ref()
            .is_none_or(|best| plan.makespan < best.makespan)
        {
            best = Some(plan);
        }
        if enough {
            break;
        }
    }
    Ok(best.expect("at least one seed is tried"))
}
