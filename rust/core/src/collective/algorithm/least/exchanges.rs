//! The least of exchanges with peers that the step names.

use super::{Rows, passes};
use crate::collective::algorithm::extent::{Extent, Steps};
use crate::collective::algorithm::ports::{Hop, Side};
use crate::collective::algorithm::swing::{rho, turns};
use crate::collective::program::least::Least;
use crate::operation::Operation::{self, AllGather, ReduceScatter};

pub(crate) fn halving_doubling(extent: &Extent, operation: Operation, _: Rows) -> Least {
    let Some([inside, between]) = extent.parts.as_deref() else {
        return halving(extent, operation, false);
    };
    let mut least = halving(between, operation, false) * (1.0 / f64::from(inside.ranks));
    if operation != AllGather {
        least = least.then(halving(inside, ReduceScatter, false));
    }
    if operation != ReduceScatter {
        least = least.then(halving(inside, AllGather, false));
    }
    least
}

pub(crate) fn recursive_doubling(extent: &Extent, operation: Operation, _: Rows) -> Least {
    match extent.parts.as_deref() {
        Some([inside, between]) => {
            halving(inside, operation, true).then(halving(between, operation, true))
        }
        None => halving(extent, operation, true),
    }
}

/// Exchanges over the bits of a rank, with whole buffers or halves of what is left.
fn halving(extent: &Extent, operation: Operation, whole: bool) -> Least {
    let bits = extent.ranks.ilog2();
    let cube = extent.sides.iter().all(|side| side.size.is_power_of_two());
    let passes = if whole { 1.0 } else { passes(operation) };
    let step = |bit: u32| {
        let bytes = if whole {
            1.0
        } else {
            0.5f64.powi(bit as i32 + 1)
        };
        if extent.sides.is_empty() {
            return extent.step(bytes, extent.between_domains(1 << bit));
        }
        if !cube {
            return extent.step(bytes, extent.between(Operation::AllReduce, 0, 1 << bit));
        }
        let (side, bit) = side_of(&extent.sides, bit);
        let side = &extent.sides[side];
        let hop = gray_hop(side.size, bit);
        let hop = Hop {
            all: bytes,
            each: bytes,
            ..hop
        };
        extent.along(side, hop) + extent.starting(1.0)
    };
    let mut least: Least = (0..bits).map(step).sum();
    if cube && !extent.sides.is_empty() {
        let passed = (0..bits).map(|bit| {
            let (side, own) = side_of(&extent.sides, bit);
            let hops = extent.sides[side].hops(gray_hop(extent.sides[side].size, own).mean);
            (
                side,
                hops * if whole {
                    1.0
                } else {
                    0.5f64.powi(bit as i32 + 1)
                },
            )
        });
        least.busy = least.busy.max(extent.axes(passed));
    }
    least = repeated(least, passes);
    folded(extent, 1 << bits, least)
}

/// So many times.
fn repeated(least: Least, times: f64) -> Least {
    Least {
        fixed: least.fixed * times,
        ..least * times
    }
}

/// The side of a bit of the ranks of a cube, and which bit of its positions that is.
fn side_of(sides: &[Side], mut bit: u32) -> (usize, u32) {
    for (at, side) in sides.iter().enumerate() {
        let own = side.size.ilog2();
        if bit < own {
            return (at, bit);
        }
        bit -= own;
    }
    unreachable!("sides have the bits of all ranks")
}

/// How far apart on a ring positions are whose Gray codes differ in one bit: mirrored in blocks of twice that bit.
fn gray_hop(size: u32, bit: u32) -> Hop {
    let block = 2u32 << bit;
    let (most, mean) = match block < size {
        true => (block - 1, f64::from(block) / 2.0),
        false if size == 2 => (1, 1.0),
        false => (size / 2 - 1, f64::from(size) / 4.0),
    };
    Hop {
        most,
        mean,
        all: 0.0,
        each: 0.0,
    }
}

/// With the steps that bring ranks beyond those that take part in and out.
fn folded(extent: &Extent, taking_part: u32, least: Least) -> Least {
    match extent.ranks > taking_part {
        // In to some ranks, out of them.
        true => extent
            .steps(1.0, 1.0, 1.0)
            .then(least + extent.step(1.0, extent.latency())),
        false => least,
    }
}

pub(crate) fn swing(extent: &Extent, operation: Operation, _: Rows) -> Least {
    swinging(extent, passes(operation), false)
}

pub(crate) fn swing_latency(extent: &Extent, _: Operation, _: Rows) -> Least {
    swinging(extent, 1.0, true)
}

fn swinging(extent: &Extent, passes: f64, whole: bool) -> Least {
    let by = |step: u32| rho(step).unsigned_abs() as u32;
    let exchange = Turns {
        radix: 2,
        messages: 1.0,
        by: &by,
    };
    exchange.least(extent, passes, whole)
}

pub(crate) fn trivance(extent: &Extent, operation: Operation, _: Rows) -> Least {
    trading(extent, passes(operation), false)
}

pub(crate) fn trivance_latency(extent: &Extent, _: Operation, _: Rows) -> Least {
    trading(extent, 1.0, true)
}

fn trading(extent: &Extent, passes: f64, whole: bool) -> Least {
    if extent.ranks < 3 {
        return Least::NOTHING;
    }
    let by = |step: u32| 3u32.pow(step);
    let exchange = Turns {
        radix: 3,
        messages: 2.0,
        by: &by,
    };
    exchange.least(extent, passes, whole)
}

/// Exchanges with a rank on either side, round the sides of a domain or around one ring.
struct Turns<'a> {
    /// Each step divides what a rank stands for by so much.
    radix: u32,
    /// How many times what one passes on a rank sends in a step, to both sides together.
    messages: f64,
    /// How far a step goes.
    by: &'a dyn Fn(u32) -> u32,
}

impl Turns<'_> {
    fn least(&self, extent: &Extent, passes: f64, whole: bool) -> Least {
        let fits = |side: &Side| self.radix.pow(side.size.ilog(self.radix)) == side.size;
        if extent.sides.is_empty() || !extent.sides.iter().all(fits) {
            return self.around(extent, passes, whole);
        }
        let sizes: Vec<u32> = extent.sides.iter().map(|side| side.size).collect();
        let rounds: Vec<_> = (0..sizes.len())
            .map(|first| turns(&sizes, first, self.radix))
            .collect();
        // Of all that a rank sends in a step, each start has an equal part, half of it to either side.
        let part = 1.0 / sizes.len() as f64;
        let step = |at: usize| {
            let bytes = part * self.fraction(at, whole);
            let mut seen: Vec<((usize, u32), f64)> = Vec::with_capacity(sizes.len());
            for turn in rounds.iter().map(|turns| turns[at]) {
                match seen.iter_mut().find(|known| known.0 == turn) {
                    Some(known) => known.1 += bytes,
                    None => seen.push((turn, bytes)),
                }
            }
            self.side_by_side(extent, &seen)
        };
        let mut steps: Least = (0..rounds[0].len()).map(step).sum();
        let passed = rounds.iter().flat_map(|turns| turns.iter().enumerate());
        let passed = passed.map(|(at, &(side, turn))| {
            let side_of = &extent.sides[side];
            let far = side_of.distance((self.by)(turn) % side_of.size);
            (
                side,
                part * self.fraction(at, whole) * side_of.hops(f64::from(far)),
            )
        });
        steps.busy = steps.busy.max(extent.axes(passed));
        repeated(steps, passes)
    }

    /// Part of the data of one start that a rank sends in a step, to both sides together.
    fn fraction(&self, at: usize, whole: bool) -> f64 {
        let each = match whole {
            true => 1.0,
            false => f64::from(self.radix).powi(-(at as i32 + 1)),
        };
        self.messages * each
    }

    /// What runs at once along several sides: all messages have to be started; the farthest of them and the busiest
    /// side count.
    fn side_by_side(&self, extent: &Extent, turns: &[((usize, u32), f64)]) -> Least {
        let (mut slowest, mut starts, mut busy) = (Least::NOTHING, 0.0, 0.0);
        for &((side, step), all) in turns {
            let side = &extent.sides[side];
            let most = side.distance((self.by)(step) % side.size);
            starts += if 2 * most == side.size { 1.0 } else { 2.0 };
            let own = extent.along(
                side,
                Hop {
                    most,
                    mean: f64::from(most),
                    all,
                    each: all / 2.0,
                },
            );
            busy += own.busy;
            slowest = extent.beside(slowest, own);
        }
        Least { busy, ..slowest } + extent.starting(starts)
    }

    /// Around one ring of so many ranks as divide evenly.
    fn around(&self, extent: &Extent, passes: f64, whole: bool) -> Least {
        let steps = extent.ranks.ilog(self.radix);
        let taking_part = self.radix.pow(steps);
        let step = |at: u32| {
            let by = (self.by)(at) % taking_part;
            let both = 2 * by != taking_part;
            extent.moving(Steps {
                count: 1.0,
                starts: if both { 2.0 } else { 1.0 },
                peers: 2.0,
                bytes: self.fraction(at as usize, whole) / 2.0,
                latency: extent.around(by),
            })
        };
        let least: Least = (0..steps).map(step).sum();
        folded(extent, taking_part, repeated(least, passes))
    }
}
