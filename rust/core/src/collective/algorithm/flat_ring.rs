//! Flat rings through the chips of many UltraServers: through each domain by its ring order, then on to the next domain.
//!
//! One ring leaves a domain by one NIC each way. As many rings as a group has chips in a domain, each cut at another of
//! them, keep all of their NICs busy, as libraries of collectives do; of small messages each costs its senders a start.

use super::grid::by_rank;
use super::job::{Job, OrAcross, not_across};
use super::ring::{Lookup, Ring, rotate};
use crate::Result;
use crate::collective::pattern::context::{Context, Pattern};
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::pairs::Pairs;
use crate::collective::pattern::rule::Order;
use crate::collective::program::layout::ring_order;
use crate::collective::program::least::Least;
use crate::collective::program::moves::{Moves, Sends};
use crate::collective::program::schedule::{Rings, Stage};
use crate::memory::bytes_of;
use crate::operation::Operation;
use std::sync::Arc;

/// Most chips of a domain that each get a ring of their own.
const MOST_CUTS: usize = 256;

/// What rings over several domains do.
const REDUCING: [Operation; 3] = [
    Operation::AllReduce,
    Operation::ReduceScatter,
    Operation::AllGather,
];

/// One ring in both directions.
pub(super) fn both_ways(
    job: &Job,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Stage>> {
    one_cut(job, "ring", &[false, true], locals, domains)
}

/// One ring in one direction.
pub(super) fn one_way(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    one_cut(job, "ring_one_way", &[false], locals, domains)
}

fn one_cut(
    job: &Job,
    name: &str,
    ways: &[bool],
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Stage>> {
    let order = RingOrder::of(job, name, locals, domains)?;
    let ring = |&backward: &bool| {
        let nics = order.crossing(job.context, backward, &[0]);
        let inside = order.inside(job.context, backward, false);
        order.ring(backward, 0, [inside, nics])
    };
    let rings: Vec<Ring> = ways.iter().map(ring).collect();
    let stages = order.rotated(job, name, &rings)?;
    // On damage all wait for all.
    if has_damage(job.context) {
        return Ok(stages);
    }
    Ok(order.pipelined(job, stages, ways, 1))
}

/// A ring in both directions for each NIC of the group's chips in a domain.
pub(super) const EACH_NIC: OrAcross = OrAcross {
    least: least_of_each_nic,
    build: each_nic,
};

/// Each rank starts a message on its NIC each way in each step, and the NICs share what leaves a domain; `None` where one
/// ring is all, on damage, and where domains are so large that nobody makes so many.
fn least_of_each_nic(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Option<Least> {
    let (machine, cuts) = (job.context.machine, locals[0].len());
    let several = (2..=MOST_CUTS).contains(&cuts) && !has_damage(job.context);
    let nic = machine
        .nic()
        .filter(|_| several && REDUCING.contains(&job.operation))?;
    let starts = if cuts == 2 { 1.0 } else { 2.0 };
    let (cuts, ranks) = (cuts as f64, (cuts * domains[0].len()) as f64);
    let steps = rounds(job.operation) as f64 * (ranks - 1.0);
    let busy = job.size * steps / ranks / cuts / nic.bandwidth;
    Some(Least {
        fixed: starts * steps * (nic.overhead + machine.overhead()),
        per_byte: busy,
        busy,
    })
}

/// Rotations that an operation is.
fn rounds(operation: Operation) -> u64 {
    if operation == Operation::AllReduce {
        2
    } else {
        1
    }
}

fn each_nic(job: &Job, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Vec<Stage>> {
    let cuts = locals[0].len();
    let order = RingOrder::of(job, "ring", locals, domains)?;
    // The paths of all rings, and the places of ranks on them, both ways.
    let _taken = job.context.control.take(
        bytes_of::<[u32; 6]>((locals.len() * cuts * cuts) as u64),
        format_args!("the paths of {cuts} rings"),
        "use a smaller group, or hierarchical",
    )?;
    let (all, ways): (Vec<usize>, _) = ((0..cuts).collect(), [false, true]);
    let mut rings = Vec::with_capacity(2 * cuts);
    for backward in ways {
        let nics = order.crossing(job.context, backward, &all);
        let inside = order.inside(job.context, backward, true);
        for cut in 0..cuts {
            let patterns = [&inside, &nics].map(Arc::clone);
            rings.push(order.ring(backward, cut, patterns));
        }
    }
    let mut stages = order.rotated(job, "ring", &rings)?;
    // The patterns are those of all rings of a way: a NIC has one of them, a hop inside a domain all but one.
    let shares = [cuts as f64 - 1.0, 1.0].map(|rings| rings / cuts as f64);
    let phases = stages.iter_mut().flat_map(|stage| &mut stage.tracks);
    for phase in phases.flat_map(|track| &mut track.phases) {
        for (part, share) in phase.parts.iter_mut().zip(shares.into_iter().cycle()) {
            part.bytes *= share;
            let moves = part.moves.drain(..);
            part.moves = moves
                .map(|moves| moves.sized(move |_| 1.0 / share))
                .collect();
        }
    }
    Ok(order.pipelined(job, stages, &ways, cuts))
}

fn has_damage(context: &Context) -> bool {
    context.damaged.is_some() || context.is_fabric_damaged()
}

/// The ring through all chips of the first group, and the messages on it from one chip to the next.
struct RingOrder {
    /// Local chips of each group in the order in which the ring passes them.
    paths: Vec<Vec<u32>>,
    sets: Arc<[Vec<u32>]>,
    in_domain: u32,
    domains: u32,
    /// Rank in a domain at each place there, and the place of each rank.
    along: Arc<[u32]>,
    place: Arc<[u32]>,
}

impl RingOrder {
    fn of(job: &Job, name: &str, locals: &[Vec<u32>], domains: &[Vec<u32>]) -> Result<Self> {
        if !REDUCING.contains(&job.operation) {
            return Err(not_across(name));
        }
        let domain = job.context.machine.domain();
        let paths: Vec<Vec<u32>> = locals
            .iter()
            .map(|group| ring_order(domain, group, job.context.control))
            .collect::<Result<_>>()?;
        // Along the ring, the ranks of a domain follow the path; the domains follow each other.
        let along = ranks_along(&paths[0], &locals[0]);
        let mut place = vec![0; along.len()];
        for (at, &rank) in along.iter().enumerate() {
            place[rank as usize] = at as u32;
        }
        Ok(Self {
            paths,
            sets: domains.into(),
            in_domain: locals[0].len() as u32,
            domains: domains[0].len() as u32,
            along: along.into(),
            place: place.into(),
        })
    }

    /// The messages inside domains: along the path, or all around it.
    fn inside(&self, context: &Context, backward: bool, closed: bool) -> Arc<Pattern> {
        let hops = |path: &Vec<u32>| -> Vec<(u32, u32)> {
            let ahead = path.windows(2).map(|pair| (pair[0], pair[1]));
            let back = closed.then(|| (path[path.len() - 1], path[0]));
            ahead.chain(back).collect()
        };
        let turn = |(from, to)| if backward { (to, from) } else { (from, to) };
        let pairs: Vec<(u32, u32)> = self.paths.iter().flat_map(hops).map(turn).collect();
        context.pattern(PatternKind::Local(pairs.into()))
    }

    /// The messages from one domain to the next, of rings that are cut before these places of the path.
    fn crossing(&self, context: &Context, backward: bool, cuts: &[usize]) -> Arc<Pattern> {
        let onward = match backward {
            true => Sends::turn(self.domains, -1, Order::Receivers),
            false => Sends::turn(self.domains, 1, Order::Senders),
        };
        let nics = |path: &Vec<u32>| -> Vec<(u32, u32)> {
            let ends = cuts.iter().map(|&cut| {
                let (first, last) = (path[cut], path[(cut + path.len() - 1) % path.len()]);
                if backward {
                    (first, last)
                } else {
                    (last, first)
                }
            });
            ends.collect()
        };
        let spacing = context.spacing(&self.sets);
        context.pattern(PatternKind::NicPairs {
            pairs: Pairs::of(&self.sets, &onward, spacing.as_deref()),
            nics: self.paths.iter().flat_map(nics).collect(),
        })
    }

    /// The ring that is cut before a place of the path, with its patterns inside domains and between them.
    fn ring(&self, backward: bool, cut: usize, [inside, nics]: [Arc<Pattern>; 2]) -> Ring {
        let (in_domain, cut) = (self.in_domain, cut as u32);
        let (along, place) = (Arc::clone(&self.along), Arc::clone(&self.place));
        let rank_at: Lookup = Arc::new(move |at| {
            at / in_domain * in_domain + along[((at + cut) % in_domain) as usize]
        });
        let place_of: Lookup = Arc::new(move |rank| {
            let place = place[(rank % in_domain) as usize];
            rank / in_domain * in_domain + (place + in_domain - cut) % in_domain
        });
        Ring {
            patterns: vec![
                (inside, self.moves(&rank_at, false, backward)),
                (nics, self.moves(&rank_at, true, backward)),
            ],
            place_of,
            rank_at,
            backward,
        }
    }

    /// The messages inside domains, or those from one to the next.
    fn moves(&self, rank_at: &Lookup, crossing: bool, backward: bool) -> Moves {
        let (in_domain, ranks) = (self.in_domain, self.in_domain * self.domains);
        let rank_at = Arc::clone(rank_at);
        let make = move || -> Vec<(u32, u32)> {
            (0..ranks)
                .map(|at| (rank_at(at), rank_at((at + 1) % ranks)))
                .filter(|(from, to)| (from / in_domain != to / in_domain) == crossing)
                .map(|(from, to)| if backward { (to, from) } else { (from, to) })
                .collect()
        };
        let count = if crossing {
            self.domains
        } else {
            ranks - self.domains
        };
        let sends = Sends::Lazy {
            count: count as usize,
            make: Arc::new(make),
            rule: None,
        };
        Moves::between(by_rank(), sends, |_, _, _| Vec::new())
    }

    fn rotated(&self, job: &Job, name: &str, rings: &[Ring]) -> Result<Vec<Stage>> {
        let rotation = Job {
            tier: "machine",
            ..*job
        };
        rotate(&rotation, name, rings, job.context.groups.ranks())
    }

    /// Hops between domains are unlike those inside: who takes no part in the slow ones goes on.
    fn pipelined(self, job: &Job, stages: Vec<Stage>, ways: &[bool], cuts: usize) -> Vec<Stage> {
        let turned = |path: &Vec<u32>| -> Vec<Vec<u32>> {
            let cut = |at| [&path[at..], &path[..at]].concat();
            (0..cuts).map(cut).collect()
        };
        let rings = Arc::new(Rings {
            paths: self.paths.iter().flat_map(turned).collect(),
            sets: self.sets,
            backward: ways.to_vec(),
            cuts,
            rounds: rounds(job.operation),
        });
        let unlike = |stage: Stage| stage.in_rings(&rings);
        stages.into_iter().map(unlike).collect()
    }
}

/// The rank in `group` of each of its members, in another order.
fn ranks_along(path: &[u32], group: &[u32]) -> Vec<u32> {
    let mut ranks: Vec<(u32, u32)> = group.iter().copied().zip(0..).collect();
    ranks.sort_unstable();
    let rank = |chip: &u32| {
        let at = ranks.binary_search_by_key(chip, |entry| entry.0);
        ranks[at.expect("an order of a group has its members")].1
    };
    path.iter().map(rank).collect()
}
