//! What steps take at least where an algorithm is to run, by figures of the machine alone: nothing is built for it.

use crate::collective::ask::model::Model;
use crate::collective::pattern::scene::Scene;
use crate::collective::program::least::Least;
use crate::collective::program::placement::Placement;
use crate::machine::{Axis, AxisKind, Machine};
use crate::operation::Operation;
use crate::route::{Routing, zero_load};

/// Where ranks sit, and what one of them sends at most.
pub(crate) struct Extent<'a> {
    scene: &'a Scene<'a>,
    placement: &'a Placement,
    /// How many ranks there are.
    pub(super) ranks: u32,
    /// Rank of the root.
    root: usize,
    /// Messages share links.
    contended: bool,
    /// Seconds of latency that each message has at least.
    latency: f64,
    /// Seconds that each message takes to start at least.
    overhead: f64,
    /// Bytes/s that a rank sends at most, and the same of one message.
    most: f64,
    one: f64,
    /// Sides of a domain all of whose chips are the ranks, in their own order; none where messages may go another way
    /// than side by side.
    pub(super) sides: Vec<Side>,
    /// Over the chips of several domains: inside each, and between them.
    pub(super) parts: Option<Box<[Extent<'a>; 2]>>,
}

/// One side of a domain.
pub(super) struct Side {
    pub(super) size: u32,
    ring: bool,
    line: bool,
    /// Seconds from a chip to its neighbour.
    latency: f64,
    bandwidth: f64,
    /// Bytes/s that a chip sends along it at most.
    injection: f64,
}

/// Steps that wait for each other, in each of which the busiest rank sends, or receives, so many messages at once.
pub(super) struct Steps {
    pub(super) count: f64,
    /// Messages that some rank starts.
    pub(super) starts: f64,
    /// Messages that some rank sends or receives.
    pub(super) peers: f64,
    /// Bytes of a message of one byte of data.
    pub(super) bytes: f64,
    /// Seconds of latency of some message.
    pub(super) latency: f64,
}

impl<'a> Extent<'a> {
    /// Of groups that are chips of a domain, domains, or listed chips; `None` on damage, where ranks may share a chip.
    pub(crate) fn new(
        scene: &'a Scene<'a>,
        model: Model,
        placement: &'a Placement,
        root: usize,
    ) -> Option<Self> {
        let machine = scene.machine;
        if machine.is_damaged() {
            return None;
        }
        let ports = match placement {
            Placement::Local(_) => inside(machine, scene.routing),
            Placement::Rails(_) | Placement::Nics(..) => between(machine)?,
            Placement::Flat(_) if machine.nic().is_some() => {
                inside(machine, scene.routing).beside(between(machine)?)
            }
            Placement::Flat(_) => inside(machine, scene.routing),
        };
        let mut extent = Self::of(scene, model, placement, root, placement.ranks());
        (extent.latency, extent.overhead) = (ports.latency, ports.overhead);
        (extent.most, extent.one) = (ports.most, ports.one);
        extent.sides = sides(scene, placement);
        Some(extent)
    }

    /// Of all chips of several domains as one flat group: `local` is that inside a domain, `rails` the domains.
    pub(crate) fn across(
        scene: &'a Scene<'a>,
        model: Model,
        (local, rails): (&'a Placement, &'a Placement),
        root: usize,
    ) -> Option<Self> {
        let in_domain = local.ranks();
        let near = Self::new(scene, model, local, root % in_domain)?;
        let far = Self::new(scene, model, rails, root / in_domain)?;
        let mut extent = Self::of(scene, model, local, root, in_domain * rails.ranks());
        extent.latency = near.latency.min(far.latency);
        extent.overhead = near.overhead.min(far.overhead);
        extent.most = near.most + far.most;
        extent.one = near.one.max(far.one);
        extent.parts = Some(Box::new([near, far]));
        Some(extent)
    }

    fn of(
        scene: &'a Scene<'a>,
        model: Model,
        placement: &'a Placement,
        root: usize,
        ranks: usize,
    ) -> Self {
        Self {
            scene,
            placement,
            ranks: ranks as u32,
            root,
            contended: model.by_phases() != Model::AlphaBeta,
            latency: 0.0,
            overhead: 0.0,
            most: f64::INFINITY,
            one: f64::INFINITY,
            sides: Vec::new(),
            parts: None,
        }
    }

    /// Steps of so many messages for each rank, of which nothing more is known.
    pub(super) fn steps(&self, count: f64, peers: f64, bytes: f64) -> Least {
        self.price(Steps {
            count,
            starts: peers,
            peers,
            bytes,
            latency: self.latency,
        })
    }

    /// One step of one message for each rank, some of which takes so long.
    pub(super) fn step(&self, bytes: f64, latency: f64) -> Least {
        self.price(Steps {
            count: 1.0,
            starts: 1.0,
            peers: 1.0,
            bytes,
            latency,
        })
    }

    pub(super) fn price(&self, steps: Steps) -> Least {
        let bytes = steps.count * steps.bytes;
        let (per_byte, busy) = match self.contended {
            true => {
                let sent = steps.peers * bytes;
                (
                    sent / self.most.min(steps.peers * self.one),
                    sent / self.most,
                )
            }
            false => (bytes / self.one, 0.0),
        };
        Least {
            fixed: steps.count * (steps.starts * self.overhead + steps.latency),
            per_byte,
            busy,
        }
    }

    /// Steps that overlap by pieces: so many, so many messages of each rank in all, and the bytes that it sends.
    pub(super) fn overlapping(&self, latency: f64, starts: f64, bytes: f64) -> Least {
        let sent = if self.contended {
            bytes / self.most
        } else {
            0.0
        };
        Least {
            fixed: latency + starts * self.overhead,
            per_byte: sent,
            busy: sent,
        }
    }

    /// A wave: messages on the longest way, how many some rank starts and how many it has at once, whole buffers cut so.
    pub(super) fn wave(&self, steps: Steps, all: f64) -> Least {
        let busy = if self.contended { all / self.most } else { 0.0 };
        let one = steps.bytes / self.one;
        Least {
            fixed: steps.latency + steps.count * steps.starts * self.overhead,
            per_byte: f64::max(busy, one),
            busy,
        }
    }

    /// Seconds of latency that each message has at least.
    pub(super) fn latency(&self) -> f64 {
        self.latency
    }

    /// Seconds of latency between two ranks that are counted as the group has them, from the root on where there is one.
    pub(super) fn between(&self, operation: Operation, from: u32, to: u32) -> f64 {
        let ranks = self.ranks as usize;
        let root = if operation.is_rooted() { self.root } else { 0 };
        let seat = |rank: u32| (rank as usize + root) % ranks;
        let found = match self.placement {
            Placement::Local(groups) if self.parts.is_none() => {
                let [from, to] = [from, to].map(|rank| groups[0][seat(rank)]);
                let (machine, routing) = (&self.scene.domain_machine, self.scene.routing);
                let message = zero_load(machine, routing, from, to, self.scene.control);
                message.map_or(0.0, |message| message.latency)
            }
            Placement::Rails(sets) => {
                let [from, to] = [from, to].map(|rank| sets[0][seat(rank)]);
                self.scene.path(from, to, |_| ()).latency
            }
            _ => 0.0,
        };
        found.max(self.latency)
    }

    /// The same from the first rank, where algorithms change the order of chips, but not that of domains.
    pub(super) fn between_domains(&self, to: u32) -> f64 {
        match self.placement {
            Placement::Rails(_) => self.between(Operation::AllReduce, 0, to),
            _ => self.latency,
        }
    }

    /// The message of a step in which each rank sends so far along a side: some go as far as `most`, all together
    /// `mean` each. `both` are the bytes of all messages of a rank, `each` those of one.
    pub(super) fn along(&self, side: &Side, hop: Hop) -> Least {
        let latency = if side.ring {
            f64::from(hop.most) * side.latency
        } else {
            side.latency
        };
        let tie = side.ring && 2 * hop.most >= side.size;
        let lane = match tie {
            true => 2.0 * side.bandwidth,
            false if side.ring || side.line => side.bandwidth,
            false => side.injection,
        };
        let far = if side.ring { hop.mean } else { 1.0 };
        let (per_byte, busy) = match self.contended {
            true => (
                f64::max(hop.all * far / side.injection, hop.each / lane),
                hop.all / self.most,
            ),
            false => (hop.each / lane, 0.0),
        };
        Least {
            fixed: latency,
            per_byte,
            busy,
        }
    }

    /// Two things in one step: with contention the longest latency and the busiest link count, else one message.
    pub(super) fn beside(&self, one: Least, other: Least) -> Least {
        if self.contended {
            return Least {
                fixed: one.fixed.max(other.fixed),
                per_byte: one.per_byte.max(other.per_byte),
                busy: one.busy.max(other.busy),
            };
        }
        let key = |least: &Least| (least.fixed, least.per_byte);
        if key(&other) > key(&one) { other } else { one }
    }

    /// Seconds that so many messages of a rank take to start.
    pub(super) fn starting(&self, messages: f64) -> Least {
        Least {
            fixed: messages * self.overhead,
            ..Least::NOTHING
        }
    }

    /// One step in which every rank sends so many bytes to every other.
    pub(super) fn to_all(&self, bytes: f64) -> Least {
        let (ranks, last) = (f64::from(self.ranks), self.ranks - 1);
        let mut least = self.steps(1.0, ranks - 1.0, bytes);
        let latency: f64 = match self.sides.is_empty() {
            true => [last, self.ranks / 2]
                .map(|to| self.between(Operation::AllReduce, 0, to))
                .into_iter()
                .fold(0.0, f64::max),
            false => self.sides.iter().map(Side::farthest).sum(),
        };
        least.fixed += latency - self.latency;
        if self.contended {
            for side in &self.sides {
                let lines = ranks / f64::from(side.size);
                let passed = bytes * lines * side.all_hops() / side.injection;
                least.per_byte = least.per_byte.max(passed);
            }
        }
        least
    }
}

/// How far messages of a step go along a side, and their bytes: of all that a rank sends there, and of one of them.
pub(super) struct Hop {
    pub(super) most: u32,
    pub(super) mean: f64,
    pub(super) all: f64,
    pub(super) each: f64,
}

impl Side {
    /// Seconds from a chip to its neighbour.
    pub(super) fn hop(&self) -> f64 {
        self.latency
    }

    /// So many positions on, either way.
    pub(super) fn distance(&self, by: u32) -> u32 {
        by.min(self.size - by)
    }

    /// Seconds between chips that are furthest apart.
    fn farthest(&self) -> f64 {
        let hops = if self.ring { self.size / 2 } else { 1 };
        f64::from(hops) * self.latency
    }

    /// Hops from a chip to all others of its line, or fewer.
    fn all_hops(&self) -> f64 {
        match self.ring {
            true => f64::from(self.size / 2) * f64::from(self.size.div_ceil(2)),
            false => f64::from(self.size - 1),
        }
    }
}

/// What a rank sends over.
struct Ports {
    latency: f64,
    overhead: f64,
    most: f64,
    one: f64,
}

impl Ports {
    fn beside(self, other: Self) -> Self {
        Self {
            latency: self.latency.min(other.latency),
            overhead: self.overhead.min(other.overhead),
            most: self.most + other.most,
            one: self.one.max(other.one),
        }
    }
}

fn real(machine: &Machine) -> impl Iterator<Item = &Axis> {
    machine.domain().axes().iter().filter(|axis| axis.size > 1)
}

/// Seconds from a chip to the next that it reaches over an axis.
fn hop(axis: &Axis) -> f64 {
    match axis.kind {
        AxisKind::Switch { .. } => 2.0 * axis.latency,
        _ => axis.latency,
    }
}

fn inside(machine: &Machine, routing: &Routing) -> Ports {
    let most: f64 = real(machine).map(Axis::injection).sum();
    let spread = routing.order_on_whole(machine.domain());
    let lane = |axis: &Axis| match axis.kind {
        // At half of an even ring a message may go both ways.
        AxisKind::Ring if axis.size % 2 == 0 => 2.0 * axis.bandwidth,
        _ => axis.bandwidth,
    };
    Ports {
        latency: real(machine).map(hop).fold(f64::INFINITY, f64::min),
        overhead: machine.overhead(),
        most,
        one: match spread {
            Ok(Some(_)) => real(machine).map(lane).fold(0.0, f64::max),
            _ => most,
        },
    }
}

fn between(machine: &Machine) -> Option<Ports> {
    let nic = machine.nic()?;
    Some(Ports {
        latency: 2.0 * nic.latency,
        overhead: nic.overhead,
        most: nic.bandwidth,
        one: nic.bandwidth,
    })
}

/// The sides of a domain whose chips are the one group, where messages go along one after another.
fn sides(scene: &Scene, placement: &Placement) -> Vec<Side> {
    let domain = scene.domain_machine.domain();
    let whole = |groups: &[Vec<u32>]| {
        groups.len() == 1 && groups[0].len() as u32 == domain.chips() && groups[0].is_sorted()
    };
    let plain = |kind: &AxisKind| {
        !matches!(
            kind,
            AxisKind::Switch {
                spans_below: true,
                ..
            }
        )
    };
    let ordered = matches!(scene.routing.order_on_whole(domain), Ok(Some(_)));
    let straight = ordered && domain.axes().iter().all(|axis| plain(&axis.kind));
    if !straight || !placement.local_groups().is_some_and(whole) {
        return Vec::new();
    }
    let side = |axis: &Axis| Side {
        size: axis.size,
        ring: matches!(axis.kind, AxisKind::Ring),
        line: matches!(axis.kind, AxisKind::Line),
        latency: hop(axis),
        bandwidth: axis.bandwidth,
        injection: axis.injection(),
    };
    real(&scene.domain_machine).map(side).collect()
}
