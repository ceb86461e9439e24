//! What steps take at least where an algorithm is to run, by figures of the machine alone: nothing is built for it.

use super::ports::{Hop, Side, between, inside, sides};
use crate::collective::ask::model::Model;
use crate::collective::pattern::scene::Scene;
use crate::collective::program::layout::ring_places;
use crate::collective::program::least::Least;
use crate::collective::program::placement::Placement;
use crate::operation::Operation;
use crate::route::zero_load;

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
            Placement::Local(_) | Placement::Within(..) => inside(machine, scene.routing),
            // What a message has to pass depends on who sends it.
            Placement::Crews(..) => return None,
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

    /// One step of one message for each rank, some of which takes so long; other steps may use other links.
    pub(super) fn step(&self, bytes: f64, latency: f64) -> Least {
        self.moving(Steps {
            count: 1.0,
            starts: 1.0,
            peers: 1.0,
            bytes,
            latency,
        })
    }

    /// The same of steps whose links other steps may not use: pieces keep all links of a rank busy.
    pub(super) fn moving(&self, steps: Steps) -> Least {
        let sent = if self.contended {
            steps.count * steps.peers * steps.bytes
        } else {
            0.0
        };
        Least {
            busy: sent / self.most,
            ..self.price(steps)
        }
    }

    /// Steps that all use the same links.
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

    /// Trees between domains, chained inside: so many passes over all of the data.
    pub(super) fn chained(&self, passes: f64) -> Least {
        let ranks = f64::from(self.ranks);
        let mut busy = passes * (ranks - 1.0) / ranks / self.most;
        let mut fixed = passes * self.latency;
        if let Some([inside, between]) = self.parts.as_deref() {
            // NICs share the edges between domains; what a chip passes on goes to its neighbour.
            let (chips, domains) = (f64::from(inside.ranks), f64::from(between.ranks));
            busy = busy
                .max(passes * (domains - 1.0) / domains / chips / between.most)
                .max((chips - 1.0) / chips / inside.one);
            fixed = passes * f64::from(between.ranks.ilog2()) * between.latency;
        }
        let busy = if self.contended { busy } else { 0.0 };
        Least {
            fixed,
            per_byte: busy,
            busy,
        }
    }

    /// Whether ranks may be chips of several domains.
    pub(super) fn is_flat(&self) -> bool {
        self.parts.is_some() || matches!(self.placement, Placement::Flat(_))
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

    /// The same from the first rank around a ring through all chips.
    pub(super) fn around(&self, to: u32) -> f64 {
        if self.sides.len() < 2 {
            return self.between_domains(to);
        }
        let (machine, routing) = (&self.scene.domain_machine, self.scene.routing);
        let latency = |place: u32| {
            let message = zero_load(machine, routing, 0, place, self.scene.control);
            message.map_or(0.0, |message| message.latency)
        };
        let places = ring_places(machine.domain(), to).into_iter();
        places.map(latency).fold(f64::INFINITY, f64::min)
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
        let far = side.hops(hop.mean);
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

    /// Seconds for each byte of the busiest axis: bytes times hops of each chip, by side.
    pub(super) fn axes(&self, passed: impl Iterator<Item = (usize, f64)>) -> f64 {
        let mut all = vec![0.0; self.sides.len()];
        if self.contended {
            passed.for_each(|(side, bytes)| all[side] += bytes);
        }
        let sides = self.sides.iter().zip(&all);
        sides
            .map(|(side, bytes)| bytes / side.injection)
            .fold(0.0, f64::max)
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
                least.busy = least.busy.max(passed);
            }
        }
        least
    }
}
