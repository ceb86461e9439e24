//! Bucket: dimension by dimension, rings along one axis after another, several orders of the axes at once.
//!
//! The data is split over orders ("rotations"); the share that an axis carries falls with its place in the
//! order: after axes of k1, k2, ... only 1/(k1 k2 ...) of the data is left. Equal shares of the cyclic orders
//! suit an isotropic torus (Jain and Sabharwal 2010; Sack and Gropp 2015). On an anisotropic one, shares are
//! chosen so that all axes finish together: a small linear program, whose optimum equals the cut bound over
//! sets of axes (the loads that orders can make are the bases of a polymatroid). Pieces of the data overlap, so
//! that every axis is busy throughout.

use super::{Job, unsupported};
use crate::collective::cost::{MOST_PIECES, Model, StageCost, powers_of_two};
use crate::collective::layout::LocalBox;
use crate::collective::operation::Operation;
use crate::collective::packing;
use crate::collective::pattern::{Kind, Pattern};
use crate::collective::placement::MOST_MESSAGES;
use crate::collective::schedule::{Part, Phase, Stage};
use crate::{Error, Result};
use std::rc::Rc;

/// Orders of the sides, and the share of the data that each takes.
type Rotations = Vec<(f64, Vec<usize>)>;

/// Most sides whose orders are all tried: 6! = 720.
const MOST_SIDES: usize = 6;

/// Shares of the orders chosen to finish all axes together; for data so small that steps cost more than bytes,
/// a single order if that is faster.
pub(crate) fn weighted(job: &Job) -> Result<Vec<Stage>> {
    let sides = Sides::of(job, "bucket")?;
    if job.operation == Operation::AllToAll {
        return sides.all_to_all(job);
    }
    let count = sides.patterns.len();
    if count > MOST_SIDES {
        return Err(Error::unsupported(
            format!("bucket weights for {count} axes"),
            format!("use bucket_equal, or a group of at most {MOST_SIDES} axes"),
        ));
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
    let packed = packing::maximise(&columns);
    let total: f64 = packed.iter().sum();
    let together = packed
        .iter()
        .zip(&orders)
        .filter(|(amount, _)| **amount > 0.0)
        .map(|(amount, order)| (amount / total, order.clone()))
        .collect();
    // In a single order each axis waits for its own steps only, so one order stands for all when bytes are few.
    let alone = sides.quickest_order(job, &columns, &orders);
    let choices: [Rotations; 2] = [together, vec![(1.0, alone)]];
    let mut best: Option<(f64, Vec<Stage>)> = None;
    for rotations in choices {
        let stages = sides.run(job, "bucket", rotations)?;
        let time =
            StageCost::new(job.context, Model::LinkLoad, &stages[0], String::new())?.time(1.0);
        if best.as_ref().is_none_or(|best| time < best.0) {
            best = Some((time, stages));
        }
    }
    Ok(best.expect("two choices were tried").1)
}

/// Equal shares of the cyclic orders.
pub(crate) fn equal(job: &Job) -> Result<Vec<Stage>> {
    let sides = Sides::of(job, "bucket_equal")?;
    let count = sides.patterns.len();
    let cyclic = |first: usize| (0..count).map(|at| (first + at) % count).collect();
    let rotations = (0..count)
        .map(|first| (1.0 / count as f64, cyclic(first)))
        .collect();
    sides.run(job, "bucket_equal", rotations)
}

/// The sides of the group's box, each with the pattern of its rings in both directions.
struct Sides {
    boxes: Vec<LocalBox>,
    sizes: Vec<u32>,
    patterns: Vec<Rc<Pattern>>,
    /// Seconds of the busiest link to pass one byte per rank around the ring, both directions sharing it.
    seconds_per_byte: Vec<f64>,
    /// Seconds that a rank spends on starting the messages of all steps, each side once.
    overhead: f64,
}

impl Sides {
    fn of(job: &Job, name: &str) -> Result<Self> {
        let refused = |why: &str| {
            Error::unsupported(
                format!("{name} over {why}"),
                "use ring, direct or hierarchical",
            )
        };
        let groups = job
            .placement
            .local_groups()
            .ok_or_else(|| refused("chips of several UltraServers"))?;
        let domain = job.context.machine.domain();
        let boxes: Vec<LocalBox> = groups
            .iter()
            .map(|group| LocalBox::of(domain, group))
            .collect::<Option<_>>()
            .ok_or_else(|| refused("a group that is not a box of axis positions"))?;
        let sizes = boxes[0].sizes();
        let mut patterns = Vec::new();
        let mut seconds_per_byte = Vec::new();
        let mut overhead = 0.0;
        for (side, &size) in sizes.iter().enumerate() {
            let mut pairs = Vec::new();
            for line in boxes.iter().flat_map(|shape| shape.lines(domain, side)) {
                for at in 0..line.len() {
                    let next = line[(at + 1) % line.len()];
                    pairs.extend([(line[at], next), (next, line[at])]);
                }
            }
            let pattern = job.context.pattern(Kind::Local(pairs));
            let busiest = pattern.unit(job.context)?.ledger.busiest(job.context);
            seconds_per_byte.push(busiest.map_or(0.0, |busiest| busiest.seconds / 2.0));
            overhead += f64::from(size - 1) * pattern.unit(job.context)?.overhead;
            patterns.push(pattern);
        }
        Ok(Self {
            boxes,
            sizes,
            patterns,
            seconds_per_byte,
            overhead,
        })
    }

    /// The order that is the fastest on its own. All have the same latency; of the bytes, the first piece passes the
    /// axes one after another, each further one the busiest axis.
    fn quickest_order(&self, job: &Job, columns: &[Vec<f64>], orders: &[Vec<usize>]) -> Vec<usize> {
        let halves = if job.operation == Operation::AllReduce {
            2.0
        } else {
            1.0
        };
        let time = |at: &usize| {
            let scale = halves * job.size;
            let sum: f64 = scale * columns[*at].iter().sum::<f64>();
            let most = scale * columns[*at].iter().copied().fold(0.0, f64::max);
            let pieces = |pieces: u32| {
                let pieces = f64::from(pieces);
                sum / pieces + (pieces - 1.0) * f64::max(most / pieces, halves * self.overhead)
            };
            powers_of_two(MOST_PIECES)
                .map(pieces)
                .fold(f64::INFINITY, f64::min)
        };
        let best = (0..orders.len()).min_by(|a, b| time(a).total_cmp(&time(b)));
        orders[best.expect("there is at least one order")].clone()
    }

    fn run(&self, job: &Job, name: &str, rotations: Rotations) -> Result<Vec<Stage>> {
        let mut halves: Vec<Phase> = (0..self.sizes.len())
            .map(|place| self.phase(job, "reduce-scatter", &rotations, place))
            .collect();
        let gather = (0..self.sizes.len())
            .rev()
            .map(|place| self.phase(job, "all-gather", &rotations, place));
        let phases = match job.operation {
            Operation::ReduceScatter => halves,
            Operation::AllGather => gather.collect(),
            Operation::AllReduce => {
                halves.extend(gather);
                halves
            }
            other => return Err(unsupported(name, other)),
        };
        Ok(vec![Stage::overlapping(job.tier, phases)])
    }

    /// What all rotations do at one place of their orders. Rings of different lengths take different numbers
    /// of steps; the longest counts, and each part's bytes are spread over that many.
    fn phase(&self, job: &Job, what: &str, rotations: &[(f64, Vec<usize>)], place: usize) -> Phase {
        let steps = rotations
            .iter()
            .map(|(_, order)| self.sizes[order[place]] - 1)
            .max()
            .unwrap_or(0);
        let mut parts = Vec::new();
        for (side, pattern) in self.patterns.iter().enumerate() {
            let here = || rotations.iter().filter(|(_, order)| order[place] == side);
            // What is left of the data after the axes before this one, in all orders that are here now.
            let left = |(share, order): &(f64, Vec<usize>)| -> f64 {
                share
                    / order[..place]
                        .iter()
                        .map(|&side| f64::from(self.sizes[side]))
                        .product::<f64>()
            };
            if here().next().is_some() {
                let size = f64::from(self.sizes[side]);
                // Two directions, each half of (size - 1) / size of it.
                let all = job.size * here().map(left).sum::<f64>() * (size - 1.0) / size / 2.0;
                parts.push(Part::new(pattern, all / f64::from(steps)));
            }
        }
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

    fn axis_name<'a>(&self, job: &Job<'a>, side: usize) -> &'a str {
        &job.context.machine.domain().axes()[self.boxes[0].sides[side].0].name
    }

    /// All-to-all one axis after another: along each, every rank sends each other one of its line what is bound
    /// for that position.
    fn all_to_all(&self, job: &Job) -> Result<Vec<Stage>> {
        let domain = job.context.machine.domain();
        let longest = self.sizes.iter().copied().max().unwrap_or(1) as usize;
        let chips: usize = self.boxes.iter().map(|shape| shape.chips() as usize).sum();
        if longest.saturating_mul(chips) > MOST_MESSAGES {
            return Err(Error::unsupported(
                format!("bucket all_to_all along an axis of {longest}, message by message"),
                "use direct",
            ));
        }
        let mut phases = Vec::new();
        for (side, &size) in self.sizes.iter().enumerate() {
            let mut pairs = Vec::new();
            for line in self
                .boxes
                .iter()
                .flat_map(|shape| shape.lines(domain, side))
            {
                for &from in &line {
                    pairs.extend(line.iter().filter(|&&to| to != from).map(|&to| (from, to)));
                }
            }
            let part = Part::new(
                &job.context.pattern(Kind::Local(pairs)),
                job.size / f64::from(size),
            );
            let what = format!("all-to-all along {}", self.axis_name(job, side));
            phases.push(Phase::steps(what, vec![part], 1));
        }
        Ok(vec![Stage::overlapping(job.tier, phases)])
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
