//! Chunks in rounds: what comes in a round can be sent on in the next.

use super::cut::Cut;
use super::matching::Matching;
use super::network::Network;
use super::plan::{Delivery, Plan, RoundCosts, Times};
use crate::{Control, Result};

/// Most chunks of the fastest link in a round.
const MOST_PER_ROUND: u32 = 8;
/// Part of every rank's bandwidth, in and out, that whole chunks in a round must use.
const ENOUGH: f64 = 0.97;

/// Chunks that each link carries in a round, in proportion to its bandwidth: the smallest whole numbers that waste
/// little. `None` where none do.
pub(super) fn capacities(network: &Network, control: &Control) -> Result<Option<Vec<u32>>> {
    let bandwidths = network.links.iter().map(|wire| wire.bandwidth);
    let most = bandwidths.fold(0.0, f64::max);
    let ranks = network.chips.len();
    for per_round in 1..=MOST_PER_ROUND {
        let whole = |bandwidth: f64| (f64::from(per_round) * bandwidth / most + 1e-9).floor();
        // Of the links into and out of each rank: chunks in a round, and those that bandwidth would allow.
        let mut sums = vec![[0.0f64; 4]; ranks];
        let mut all = Vec::with_capacity(network.links.len());
        for (place, wire) in network.links.iter().enumerate() {
            control.check_at(place)?;
            let (used, could) = (
                whole(wire.bandwidth),
                f64::from(per_round) * wire.bandwidth / most,
            );
            let (to, from) = (wire.to as usize, wire.from as usize);
            all.push(used as u32);
            sums[to][0] += used;
            sums[to][1] += could;
            sums[from][2] += used;
            sums[from][3] += could;
        }
        let fits = sums.iter().all(|[into, could_into, out, could_out]| {
            *into >= ENOUGH * could_into && *out >= ENOUGH * could_out
        });
        // A link that never carries anything may be the only way to somewhere.
        if fits && all.iter().all(|&one| one > 0) {
            return Ok(Some(all));
        }
    }
    Ok(None)
}

/// One round at one receiver: which link brings what.
struct Table<'a> {
    network: &'a Network,
    control: &'a Control,
    matching: Matching,
    /// (link, chunk)
    claims: Vec<(u32, u32)>,
    /// Links that were asked to give way already.
    asked: Vec<u32>,
}

impl Table<'_> {
    /// Gives the slots of one receiver chunks; `turn` is room to work in.
    fn fill(&mut self, rank: u32, slots: &[(u64, u32)], turn: &mut Vec<u32>) -> Result<()> {
        self.control.check()?;
        self.claims.clear();
        // Slots that end at the same time come in an order by lot.
        for alike in slots.chunk_by(|a, b| a.0 == b.0) {
            turn.clear();
            turn.extend(alike.iter().map(|slot| slot.1));
            self.matching.shuffle(turn);
            for &link in turn.iter() {
                if self.matching.missing(rank) == 0 {
                    break;
                }
                self.asked.clear();
                self.place(link)?;
            }
        }
        Ok(())
    }

    /// Gives `link` one more chunk, if need be by having another link bring what this one could not do without.
    fn place(&mut self, link: u32) -> Result<bool> {
        self.control.check()?;
        let wire = self.network.links[link as usize];
        if let Some(chunk) = self.matching.pick(wire.from, wire.to, &[]) {
            self.matching.promise(wire.to, chunk);
            self.claims.push((link, chunk));
            return Ok(true);
        }
        self.asked.push(link);
        for at in 0..self.claims.len() {
            let (owner, chunk) = self.claims[at];
            if self.asked.contains(&owner) || !self.matching.has(wire.from, chunk) {
                continue;
            }
            if self.place(owner)? {
                self.claims[at].0 = link;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn run(
    network: &Network,
    capacities: &[u32],
    cut: &Cut,
    bytes: f64,
    seed: u64,
    control: &Control,
) -> Result<Plan> {
    let ranks = network.ranks();
    let into = slots(network, capacities, control)?;
    let needed = |rank: u32| cut.total() - cut.of(rank).len() as u32;
    let least = (0..ranks)
        .map(|rank| needed(rank).div_ceil((into[rank as usize].len() as u32).max(1)))
        .max()
        .unwrap_or(0);
    let mut table = Table {
        network,
        control,
        matching: Matching::new(cut, seed),
        claims: Vec::new(),
        asked: Vec::new(),
    };
    let all = cut.deliveries() as usize;
    let mut deliveries = Vec::with_capacity(all);
    let (mut first, mut seconds) = (vec![0], Vec::new());
    let mut costs = RoundCosts::new(network);
    let mut order: Vec<u32> = (0..ranks).collect();
    let mut turn: Vec<u32> = Vec::new();
    while deliveries.len() < all {
        let begin = deliveries.len();
        table.matching.shuffle(&mut order);
        for &rank in &order {
            table.fill(rank, &into[rank as usize], &mut turn)?;
            let claims = table.claims.iter();
            deliveries.extend(claims.map(|&(link, chunk)| Delivery { link, chunk }));
        }
        let round = &deliveries[begin..];
        assert!(
            !round.is_empty(),
            "on a connected network some link always has something to bring"
        );
        for (at, delivery) in round.iter().enumerate() {
            control.check_at(at)?;
            let to = network.links[delivery.link as usize].to;
            table.matching.arrive(to, delivery.chunk);
        }
        control.advance(round.len() as u64);
        let parts = costs.parts(network, round, bytes, control)?;
        seconds.push(parts.latency + parts.overhead + parts.wire);
        first.push(deliveries.len());
    }
    Ok(Plan {
        cut: cut.clone(),
        bytes,
        makespan: seconds.iter().sum(),
        deliveries,
        times: Times::Rounds {
            first,
            seconds,
            capacities: capacities.to_vec(),
        },
        least,
    })
}

/// For each rank, the chunks that its links can bring in a round: when each ends, as bits of the seconds a byte takes
/// so far, and its link; the earliest first.
fn slots(network: &Network, capacities: &[u32], control: &Control) -> Result<Vec<Vec<(u64, u32)>>> {
    let mut into = vec![Vec::new(); network.chips.len()];
    for (link, (wire, &capacity)) in network.links.iter().zip(capacities).enumerate() {
        control.check_at(link)?;
        for count in 1..=capacity {
            let end = (f64::from(count) / wire.bandwidth).to_bits();
            into[wire.to as usize].push((end, link as u32));
        }
    }
    for slots in &mut into {
        control.check()?;
        slots.sort_unstable();
    }
    Ok(into)
}
