//! The links of a domain as edges between vertices: its chips, then the groups and cores of its switches.

use crate::Result;
use crate::machine::{AxisKind, Domain, Tier, groups, tier_links};
use crate::route::spans_below;

/// One directed link between two vertices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) link: u64,
}

/// Leaves of one switch of an axis.
fn leaves_of(domain: &Domain, axis: usize) -> u32 {
    let size = domain.axes()[axis].size;
    if spans_below(&domain.axes()[axis]) {
        domain.plans()[axis].stride * size
    } else {
        size
    }
}

/// Vertices of one switch: the groups of each tier, and the core.
fn vertices_of(tiers: &[Tier], leaves: u32) -> u64 {
    tier_links(tiers, leaves) / 2 + 1
}

/// Chips and switch vertices of a domain.
pub(super) fn vertices(domain: &Domain) -> u64 {
    let switches = domain.axes().iter().enumerate().map(|(index, axis)| {
        let AxisKind::Switch { tiers, .. } = &axis.kind else {
            return 0;
        };
        let leaves = leaves_of(domain, index);
        u64::from(domain.chips() / leaves) * vertices_of(tiers, leaves)
    });
    u64::from(domain.chips()) + switches.sum::<u64>()
}

/// Calls `visit` with every link, dead ones too. Of those that leave a vertex the first is on the lowest axis, `+`
/// before `-`; in a full mesh they go by the coordinate at their end.
pub(super) fn for_each(domain: &Domain, mut visit: impl FnMut(Edge) -> Result<()>) -> Result<()> {
    let chips = domain.chips();
    let mut next_vertex = chips;
    for (index, axis) in domain.axes().iter().enumerate() {
        let (stride, size) = (domain.plans()[index].stride, axis.size);
        match &axis.kind {
            AxisKind::Ring | AxisKind::Line => {
                let cables = axis.cables();
                for backward in [false, true] {
                    for chip in 0..chips {
                        let at = domain.coordinate(chip, index);
                        let (cable, ahead) = match (backward, at) {
                            (false, at) => (at, (at + 1) % size),
                            (true, 0) => (size - 1, size - 1),
                            (true, at) => (at - 1, at - 1),
                        };
                        if cable < cables {
                            visit(Edge {
                                from: chip,
                                to: chip - at * stride + ahead * stride,
                                link: domain.cable_link(index, backward, chip, cable),
                            })?;
                        }
                    }
                }
            }
            AxisKind::FullMesh => {
                for chip in 0..chips {
                    let at = domain.coordinate(chip, index);
                    for to in (0..size).filter(|&to| to != at) {
                        visit(Edge {
                            from: chip,
                            to: chip - at * stride + to * stride,
                            link: domain.mesh_link(index, chip, at, to),
                        })?;
                    }
                }
            }
            AxisKind::Switch { tiers, .. } => {
                next_vertex = of_switch(domain, index, tiers, next_vertex, &mut visit)?;
            }
        }
    }
    Ok(())
}

/// The links of a switch axis; returns the first vertex after its own.
fn of_switch(
    domain: &Domain,
    axis: usize,
    tiers: &[Tier],
    first: u32,
    visit: &mut impl FnMut(Edge) -> Result<()>,
) -> Result<u32> {
    let leaves = leaves_of(domain, axis);
    let per = vertices_of(tiers, leaves) as u32;
    let vertex = |instance: u32, tier: usize, leaf: u32| {
        let below: u32 = tiers[..tier].iter().map(|tier| groups(tier, leaves)).sum();
        let group = tiers.get(tier).map_or(0, |tier| leaf / tier.group);
        first + instance * per + below + group
    };
    for down in [false, true] {
        for chip in 0..domain.chips() {
            let (instance, leaf, _) = domain.switch_leaf(axis, chip);
            let switch = vertex(instance, 0, leaf);
            let (from, to) = if down { (switch, chip) } else { (chip, switch) };
            let link = domain.port_link(axis, down, chip);
            visit(Edge { from, to, link })?;
        }
    }
    let instances = domain.chips() / leaves;
    for instance in 0..instances {
        for (index, tier) in tiers.iter().enumerate() {
            for group in 0..groups(tier, leaves) {
                let leaf = group * tier.group;
                let (lower, upper) = (
                    vertex(instance, index, leaf),
                    vertex(instance, index + 1, leaf),
                );
                for (down, from, to) in [(false, lower, upper), (true, upper, lower)] {
                    let link = domain.bundle_link(axis, instance, leaves, index, group, down);
                    visit(Edge { from, to, link })?;
                }
            }
        }
    }
    Ok(first + instances * per)
}

/// The axis of a local link.
pub(super) fn axis_of(domain: &Domain, link: u64) -> usize {
    let plans = domain.plans();
    plans
        .iter()
        .rposition(|plan| plan.first_link <= link && plan.links > 0)
        .expect("local links lie in an axis")
}

/// True for a link of a ring or line that leads to lower coordinates.
pub(super) fn is_backward(domain: &Domain, axis: usize, link: u64) -> bool {
    let plan = &domain.plans()[axis];
    domain.axes()[axis].is_cabled() && link - plan.first_link >= plan.links / 2
}

/// The link of the same cable, port or bundle in the other direction.
pub(super) fn reverse(domain: &Domain, link: u64) -> u64 {
    let index = axis_of(domain, link);
    let (axis, plan) = (&domain.axes()[index], &domain.plans()[index]);
    let (first, at) = (plan.first_link, link - plan.first_link);
    let across = |half: u64, at: u64| if at < half { at + half } else { at - half };
    match axis.kind {
        AxisKind::Ring | AxisKind::Line => first + across(plan.links / 2, at),
        AxisKind::FullMesh => {
            let size = u64::from(axis.size);
            let (line, pair) = (at / (size * (size - 1)), at % (size * (size - 1)));
            let (from, slot) = (pair / (size - 1), pair % (size - 1));
            let to = if slot >= from { slot + 1 } else { slot };
            let slot = if from > to { from - 1 } else { from };
            first + line * size * (size - 1) + to * (size - 1) + slot
        }
        AxisKind::Switch { .. } => {
            let chips = u64::from(domain.chips());
            if at < 2 * chips {
                first + across(chips, at)
            } else {
                // Bundles are pairs, and ports are even in number.
                first + (at ^ 1)
            }
        }
    }
}

/// The direction in words: "+x", "-x", "x up", "x tier 1 down"; of a full mesh "x".
pub(super) fn words(domain: &Domain, link: u64) -> String {
    let index = axis_of(domain, link);
    let (axis, plan) = (&domain.axes()[index], &domain.plans()[index]);
    let (name, at) = (&axis.name, link - plan.first_link);
    match &axis.kind {
        AxisKind::Ring | AxisKind::Line => {
            let sign = if at >= plan.links / 2 { '-' } else { '+' };
            format!("{sign}{name}")
        }
        AxisKind::FullMesh => {
            let away = u64::from(axis.size - 1);
            let (from, slot) = (at / away % u64::from(axis.size), at % away);
            let to = if slot >= from { slot + 1 } else { slot };
            format!("{name} to {to}")
        }
        AxisKind::Switch { tiers, .. } => {
            let chips = u64::from(domain.chips());
            if at < 2 * chips {
                let direction = if at >= chips { "down" } else { "up" };
                return format!("{name} {direction}");
            }
            let leaves = leaves_of(domain, index);
            let mut rest = (at - 2 * chips) % tier_links(tiers, leaves);
            let mut tier = 0;
            while rest >= tier_links(&tiers[tier..=tier], leaves) {
                rest -= tier_links(&tiers[tier..=tier], leaves);
                tier += 1;
            }
            let direction = if at % 2 == 1 { "down" } else { "up" };
            format!("{name} tier {} {direction}", tier + 1)
        }
    }
}
