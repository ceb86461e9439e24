//! How long a message takes on an idle machine, without listing its links where a sum will do.

use super::walk::{least_hops, ring_shares};
use super::{Routing, route_until};
use crate::Control;
use crate::error::Result;
use crate::machine::{AxisKind, Machine};

/// A message on its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroLoad {
    /// Seconds that the links of the longest path add.
    pub latency: f64,
    /// Bytes/s: the least bandwidth / share; infinite for a chip that sends to itself.
    pub bandwidth: f64,
    /// Seconds that the sender spends on the message.
    pub overhead: f64,
    /// Links on the longest path.
    pub hops: u32,
}

/// The same numbers as [`route`](super::route) gives: O(axes) for dimension order inside domains without tiered
/// switches, by the route itself otherwise.
///
/// # Errors
/// As [`route_until`].
pub fn zero_load(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    control: &Control,
) -> Result<ZeroLoad> {
    machine.check_chip("src", i128::from(src))?;
    machine.check_chip("dst", i128::from(dst))?;
    let domain = machine.domain();
    let tiered =
        |kind: &AxisKind| matches!(kind, AxisKind::Switch { tiers, .. } if !tiers.is_empty());
    let by_links = machine.split(src).0 != machine.split(dst).0
        || domain.axes().iter().any(|axis| tiered(&axis.kind));
    let order = match routing.order_on_whole(domain)? {
        Some(order) if !by_links && !machine.is_damaged() => order,
        _ => return by_route(machine, routing, src, dst, control),
    };
    let mut message = ZeroLoad {
        latency: 0.0,
        bandwidth: f64::INFINITY,
        overhead: if src == dst { 0.0 } else { machine.overhead() },
        hops: 0,
    };
    let differs = |axis: usize| domain.coordinate(src, axis) != domain.coordinate(dst, axis);
    for index in order.axes() {
        if !differs(index) || domain.spanning_axis(index, differs).is_some() {
            continue;
        }
        let axis = &domain.axes()[index];
        let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
        let (hops, share) = match axis.kind {
            AxisKind::Ring => {
                let [plus, minus] = ring_shares(order.tie, axis.size, from, to);
                (least_hops(axis, from, to), plus.max(minus))
            }
            AxisKind::Line => (least_hops(axis, from, to), 1.0),
            AxisKind::FullMesh => (1, 1.0),
            AxisKind::Switch { .. } => (2, 1.0),
        };
        message.hops += hops;
        message.latency += f64::from(hops) * axis.latency;
        message.bandwidth = message.bandwidth.min(axis.bandwidth / share);
    }
    Ok(message)
}

fn by_route(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    control: &Control,
) -> Result<ZeroLoad> {
    let route = route_until(machine, routing, src, dst, control)?;
    Ok(ZeroLoad {
        latency: route.latency,
        bandwidth: route.bandwidth,
        overhead: route.overhead,
        hops: route.longest_hops,
    })
}
