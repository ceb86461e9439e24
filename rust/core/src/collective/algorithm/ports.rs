//! What a rank sends over: the links of a chip inside its domain and along each side of that, or a NIC.

use crate::collective::pattern::scene::Scene;
use crate::collective::program::placement::Placement;
use crate::machine::{Axis, AxisKind, Machine};
use crate::route::Routing;

/// One side of a domain.
pub(super) struct Side {
    pub(super) size: u32,
    pub(super) ring: bool,
    pub(super) line: bool,
    /// Seconds from a chip to its neighbour.
    pub(super) latency: f64,
    pub(super) bandwidth: f64,
    /// Bytes/s that a chip sends along it at most.
    pub(super) injection: f64,
}

/// How far messages of a step go along a side, and their bytes: of all that a rank sends there, and of one of them.
pub(super) struct Hop {
    pub(super) most: u32,
    pub(super) mean: f64,
    pub(super) all: f64,
    pub(super) each: f64,
}

impl Side {
    /// Hops of messages that go so far on average.
    pub(super) fn hops(&self, mean: f64) -> f64 {
        if self.ring { mean } else { 1.0 }
    }

    pub(super) fn is_ring(&self) -> bool {
        self.ring
    }

    /// Seconds from a chip to its neighbour.
    pub(super) fn hop(&self) -> f64 {
        self.latency
    }

    /// So many positions on, either way.
    pub(super) fn distance(&self, by: u32) -> u32 {
        by.min(self.size - by)
    }

    /// Seconds between chips that are furthest apart.
    pub(super) fn farthest(&self) -> f64 {
        let hops = if self.ring { self.size / 2 } else { 1 };
        f64::from(hops) * self.latency
    }

    /// Hops from a chip to all others of its line, or fewer.
    pub(super) fn all_hops(&self) -> f64 {
        match self.ring {
            true => f64::from(self.size / 2) * f64::from(self.size.div_ceil(2)),
            false => f64::from(self.size - 1),
        }
    }
}

/// What a rank sends over.
pub(super) struct Ports {
    /// Seconds of the shortest way.
    pub(super) latency: f64,
    /// Seconds to start a message.
    pub(super) overhead: f64,
    /// Bytes/s of all, and of one message.
    pub(super) most: f64,
    pub(super) one: f64,
}

impl Ports {
    /// Both.
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            latency: self.latency.min(other.latency),
            overhead: self.overhead.min(other.overhead),
            most: self.most + other.most,
            one: self.one.max(other.one),
        }
    }
}

/// Axes that have links.
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

/// Links inside a domain.
pub(super) fn inside(machine: &Machine, routing: &Routing) -> Ports {
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

/// NICs.
pub(super) fn between(machine: &Machine) -> Option<Ports> {
    let nic = machine.nic()?;
    Some(Ports {
        latency: 2.0 * nic.latency,
        overhead: nic.overhead,
        most: nic.bandwidth,
        one: nic.bandwidth,
    })
}

/// The sides of a domain whose chips are the one group, where messages go along one after another.
pub(super) fn sides(scene: &Scene, placement: &Placement) -> Vec<Side> {
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
