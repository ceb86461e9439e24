//! Bucket: dimension by dimension, rings along one axis after another, several orders of the axes at once.
//!
//! The data is split over orders ("rotations"); the share that an axis carries falls with its place in the
//! order: after axes of k1, k2, ... only 1/(k1 k2 ...) of the data is left. Equal shares of the cyclic orders
//! suit an isotropic torus (Jain and Sabharwal 2010; Sack and Gropp 2015). On an anisotropic one, shares are
//! chosen so that all axes finish together: a small linear program, whose optimum equals the cut bound over
//! sets of axes (the loads that orders can make are the bases of a polymatroid). Pieces of the data overlap, so
//! that every axis is busy throughout.

use super::bucket_all_to_all;
use super::job::{Job, unsupported};
use super::sides::{Sides, digit};
use crate::collective::algorithm::packing;
use crate::collective::price::track::{MOST_PIECES, powers_of_two};
use crate::collective::program::alternatives::{OneOf, Program};
use crate::collective::program::moves::{Moves, Space};
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

/// Orders of the sides, and the share of the data that each takes.
type Rotations = Vec<(f64, Vec<usize>)>;

/// Part of the time that other shares must gain over those before.
const GAIN: f64 = 1e-9;

/// Most sides whose orders are all tried: 6! = 720.
const MOST_SIDES: usize = 6;

/// Shares of the orders chosen to finish all axes together; for data so small that steps cost more than bytes,
/// a single order if that is faster.
pub(crate) fn weighted(job: &Job) -> Result<Program> {
    let sides = Sides::of(job, "bucket")?;
    if job.operation == Operation::AllToAll {
        if !job.orders.is_empty() {
            return Err(Error::unsupported(
                "bucket all_to_all with weights of orders",
                "it passes the axes one after another: leave the weights out",
            ));
        }
        return bucket_all_to_all::phases(job, &sides).map(Program::Stages);
    }
    let count = sides.patterns.len();
    if count > MOST_SIDES {
        return Err(Error::unsupported(
            format!("bucket weights for {count} axes"),
            format!("use bucket_equal, or a group of at most {MOST_SIDES} axes"),
        ));
    }
    let run = |rotations| sides.run(job, "bucket", rotations).map(Program::Stages);
    if !job.orders.is_empty() {
        return run(sides.given(job)?);
    }
    // Where all ranks are on one live chip, nothing takes time on any axis.
    let nothing = sides.seconds_per_byte.iter().all(|&slope| slope == 0.0);
    if nothing || sides.alike() {
        return run(cyclic(count));
    }
    let orders = permutations(count);
    let shares = |order: &Vec<usize>| {
        let mut left = 1.0;
        let mut row = vec![0.0; count];
        for &side in order {
            let size = f64::from(sides.sizes[side]);
            row[side] = left * (size - 1.0) / size * sides.seconds_per_byte[side];
            left /= size;
        }
        row
    };
    let columns: Vec<Vec<f64>> = orders.iter().map(shares).collect();
    // Equal shares come first: where they are as good, every phase keeps every axis busy without cutting into pieces.
    let choices = [Some(cyclic(count)), together(&columns, &orders)];
    let choices = choices.into_iter().flatten().map(run);
    let mut cases = choices.collect::<Result<Vec<_>>>()?;
    cases.push(Program::OneOf(one_order(job, sides, &columns, orders)));
    Ok(Program::Fastest { cases, gain: GAIN })
}

/// All data in one order: each axis waits for its own steps only, so one order stands for all when bytes are few.
fn one_order(job: &Job, sides: Sides, columns: &[Vec<f64>], orders: Vec<Vec<usize>>) -> OneOf {
    let quickest = Quickest::new(job, &sides, columns);
    let (operation, size, tier, table) = (job.operation, job.size, job.tier, job.table);
    OneOf {
        which: Arc::new(move |scale| quickest.of(scale)),
        make: Arc::new(move |context, which| {
            let job = Job {
                context,
                placement: &sides.placement,
                operation,
                size,
                root: 0,
                shift: 0,
                orders: &[],
                table,
                tier,
            };
            sides.run(&job, "bucket", vec![(1.0, orders[which].clone())])
        }),
    }
}

/// The shares of orders that keep all axes busy; `None` where some axis takes longer for a byte than numbers say.
fn together(columns: &[Vec<f64>], orders: &[Vec<usize>]) -> Option<Rotations> {
    if !columns.iter().flatten().all(|seconds| seconds.is_finite()) {
        return None;
    }
    let packed = packing::maximise(columns);
    let total: f64 = packed.iter().sum();
    let used = packed.iter().zip(orders);
    let used = used.filter(|(amount, _)| **amount > 0.0);
    Some(
        used.map(|(amount, order)| (amount / total, order.clone()))
            .collect(),
    )
}

/// Equal shares of the cyclic orders.
pub(crate) fn equal(job: &Job) -> Result<Vec<Stage>> {
    let sides = Sides::of(job, "bucket_equal")?;
    let count = sides.patterns.len();
    sides.run(job, "bucket_equal", cyclic(count))
}

/// The cyclic orders of `count` sides, equal shares.
fn cyclic(count: usize) -> Rotations {
    (0..count)
        .map(|first| {
            let order = (0..count).map(|at| (first + at) % count).collect();
            (1.0 / count as f64, order)
        })
        .collect()
}

impl Sides {
    /// The orders that the caller gives, by side in place of axis.
    fn given(&self, job: &Job) -> Result<Rotations> {
        let axes: Vec<usize> = self.boxes[0].sides.iter().map(|side| side.0).collect();
        let all = job.context.machine.domain().axes();
        let names = |axes: &[usize]| -> String {
            let names = axes
                .iter()
                .map(|&axis| all.get(axis).map_or("?", |axis| &axis.name));
            names.collect::<Vec<_>>().join(", ")
        };
        let by_side = |(order, share): &(Vec<usize>, f64)| {
            let sides: Option<Vec<usize>> = order
                .iter()
                .map(|axis| axes.iter().position(|other| other == axis))
                .collect();
            sides
                .filter(|sides| sides.len() == axes.len())
                .map(|sides| (*share, sides))
                .ok_or_else(|| {
                    Error::invalid(
                        "weights",
                        format!("the order {}", names(order)),
                        format!(
                            "must name the axes of this group, each once: {}",
                            names(&axes)
                        ),
                    )
                })
        };
        let given: Rotations = job.orders.iter().map(by_side).collect::<Result<_>>()?;
        Ok(given
            .into_iter()
            .filter(|(share, _)| *share > 0.0)
            .collect())
    }

    /// True where no other shares of orders can be faster than equal ones: sides of the same size and speed, and
    /// nothing to pay for more messages.
    fn alike(&self) -> bool {
        let same = |side: usize| {
            self.sizes[side] == self.sizes[0]
                && self.seconds_per_byte[side] == self.seconds_per_byte[0]
        };
        self.overhead == 0.0 && (1..self.sizes.len()).all(same)
    }

    fn run(&self, job: &Job, name: &str, rotations: Rotations) -> Result<Vec<Stage>> {
        let places = 0..self.sizes.len();
        let scatter = places
            .clone()
            .map(|place| self.phase(job, true, &rotations, place));
        let gather = places
            .rev()
            .map(|place| self.phase(job, false, &rotations, place));
        let phases = match job.operation {
            Operation::ReduceScatter => scatter.collect(),
            Operation::AllGather => gather.collect(),
            Operation::AllReduce => scatter.chain(gather).collect(),
            other => return Err(unsupported(name, other)),
        };
        let space = Space::new(2 * rotations.len() as u32, self.placement.ranks() as u32);
        let portions: Arc<[f64]> = rotations
            .iter()
            .flat_map(|(share, _)| [share / 2.0, share / 2.0])
            .collect();
        let stage = Stage::overlapping(job.tier, space, phases);
        Ok(vec![stage.portioned(&portions)])
    }

    /// What all rotations do at one place of their orders. Rings of different lengths take different numbers
    /// of steps; the longest counts, and each part's bytes are spread over that many.
    fn phase(
        &self,
        job: &Job,
        reduce: bool,
        rotations: &[(f64, Vec<usize>)],
        place: usize,
    ) -> Phase {
        let steps = rotations
            .iter()
            .map(|(_, order)| self.sizes[order[place]] - 1)
            .max()
            .unwrap_or(0);
        let mut parts = Vec::new();
        for (rotation, (share, order)) in rotations.iter().enumerate() {
            let side = order[place];
            let size = self.sizes[side];
            // What is left of the data after the axes before this one.
            let before = order[..place]
                .iter()
                .map(|&side| f64::from(self.sizes[side]));
            let left = share / before.product::<f64>();
            // Each direction takes half of it, in size - 1 steps of 1 / size.
            let bytes = job.size * left / 2.0 / f64::from(size) * f64::from(size - 1);
            let direction = |backward: bool| {
                let lane = 2 * rotation as u32 + u32::from(backward);
                let carry = self.carry(order, place, reduce, backward, lane);
                let sends = self.sends[side][usize::from(backward)].clone();
                let moves = Moves::between(Arc::clone(&self.rank_map), sends, carry)
                    .in_lane(lane)
                    .each_of(u64::from(size - 1))
                    .reducing(reduce);
                if size - 1 == steps {
                    return moves;
                }
                moves.sized(spread(size - 1, steps))
            };
            let both = vec![direction(false), direction(true)];
            parts.push(Part::of(
                &self.patterns[side],
                bytes / f64::from(steps),
                both,
            ));
        }
        let what = if reduce {
            "reduce-scatter"
        } else {
            "all-gather"
        };
        let axes: Vec<&str> = rotations
            .iter()
            .map(|(_, order)| self.axis_name(job, order[place]))
            .collect();
        Phase::steps(
            format!("{what} along {}", axes.join(", ")),
            parts,
            u64::from(steps),
        )
    }

    /// Blocks of a message along the side at `place` of an order: the shares of all ranks that have the sender's
    /// place on the sides before, and on this side the place that is due at this step of the ring.
    fn carry(
        &self,
        order: &[usize],
        place: usize,
        reduce: bool,
        backward: bool,
        lane: u32,
    ) -> impl Fn(u64, u32, u32) -> Vec<u32> + Send + Sync + 'static {
        let sizes = self.sizes.clone();
        let (side, before) = (order[place], order[..place].to_vec());
        let ranks: u32 = sizes.iter().product();
        move |step, from, _| {
            let size = sizes[side];
            let behind = (step as u32 + u32::from(reduce)) % size;
            let ahead = if backward { behind } else { size - behind };
            let due = (digit(&sizes, from, side) + ahead) % size;
            let with_sender = |share: u32| {
                digit(&sizes, share, side) == due
                    && before
                        .iter()
                        .all(|&side| digit(&sizes, share, side) == digit(&sizes, from, side))
            };
            let shares = (0..ranks).filter(|&share| with_sender(share));
            shares.map(|share| lane * ranks + share).collect()
        }
    }
}

/// Which order is the fastest on its own. All have the same latency; of the bytes, the first piece passes the axes one
/// after another, each further one the busiest axis.
struct Quickest {
    /// By order: seconds of all axes together and of the busiest, for the job's bytes.
    sums: Vec<(f64, f64)>,
    overhead: f64,
}

impl Quickest {
    fn new(job: &Job, sides: &Sides, columns: &[Vec<f64>]) -> Self {
        let halves = if job.operation == Operation::AllReduce {
            2.0
        } else {
            1.0
        };
        let scale = halves * job.size;
        let sums = columns.iter().map(|column| {
            let most = column.iter().copied().fold(0.0, f64::max);
            (scale * column.iter().sum::<f64>(), scale * most)
        });
        Self {
            sums: sums.collect(),
            overhead: halves * sides.overhead,
        }
    }

    fn of(&self, scale: f64) -> usize {
        let time = |&(sum, most): &(f64, f64)| {
            let pieces = |pieces: u32| {
                let pieces = f64::from(pieces);
                let each = f64::max(scale * most / pieces, self.overhead);
                scale * sum / pieces + (pieces - 1.0) * each
            };
            powers_of_two(MOST_PIECES)
                .map(pieces)
                .fold(f64::INFINITY, f64::min)
        };
        let timed = self.sums.iter().map(time).enumerate();
        let best = timed.min_by(|a, b| a.1.total_cmp(&b.1));
        best.expect("there is at least one order").0
    }
}

/// The factor of a part that is busy in the first `own` of `steps` steps only.
fn spread(own: u32, steps: u32) -> impl Fn(u64) -> f64 {
    move |step| {
        if step < u64::from(own) {
            f64::from(steps) / f64::from(own)
        } else {
            0.0
        }
    }
}

/// All orders of 0..count, in lexicographic order.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let free: Vec<usize> = (0..count).filter(|side| !order.contains(side)).collect();
                free.into_iter().map(move |side| {
                    let mut next = order.clone();
                    next.push(side);
                    next
                })
            })
            .collect();
    }
    orders
}
