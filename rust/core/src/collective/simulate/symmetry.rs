//! When messages inside a domain are alike: patterns that look the same from every chip, and classes of their links.

use crate::collective::context::Context;
use crate::machine::{AxisKind, Domain, End};
use crate::route::{Routing, TieRule};

/// True when moving every chip by the same distance along the axes maps links onto links and routes onto routes.
pub(super) fn is_homogeneous(context: &Context) -> bool {
    let alike = |kind: &AxisKind| match kind {
        AxisKind::Ring | AxisKind::FullMesh => true,
        AxisKind::Switch { spans_below, tiers } => !spans_below && tiers.is_empty(),
        AxisKind::Line => false,
    };
    let axes = context.domain_machine.domain().axes();
    let by_position =
        matches!(context.routing, Routing::DimensionOrder(order) if order.tie == TieRule::Simgrid);
    !by_position && axes.iter().all(|axis| axis.size == 1 || alike(&axis.kind))
}

/// The distances of the messages and how many of each every chip sends, if all chips send alike. A distance is the
/// chip that chip 0 reaches by it.
pub(super) fn distances(domain: &Domain, pairs: &[(u32, u32)]) -> Option<Vec<(u32, u32)>> {
    let chips = domain.chips();
    if pairs.len() % chips as usize != 0 {
        return None;
    }
    let mut by_distance: Vec<(u32, u32)> = pairs
        .iter()
        .map(|&(from, to)| (distance(domain, from, to), from))
        .collect();
    by_distance.sort_unstable();
    let mut found = Vec::new();
    for alike in by_distance.chunk_by(|a, b| a.0 == b.0) {
        let each = alike.len() / chips as usize;
        // Sorted by sender, each chip must have as many as all others.
        let even = alike.len() % chips as usize == 0
            && alike
                .iter()
                .enumerate()
                .all(|(at, entry)| entry.1 as usize == at / each);
        if !even {
            return None;
        }
        found.push((alike[0].0, each as u32));
    }
    Some(found)
}

fn distance(domain: &Domain, from: u32, to: u32) -> u32 {
    domain
        .axes()
        .iter()
        .zip(domain.plans())
        .enumerate()
        .map(|(index, (axis, plan))| {
            let (a, b) = (domain.coordinate(from, index), domain.coordinate(to, index));
            let ahead = if b >= a { b - a } else { axis.size - (a - b) };
            ahead * plan.stride
        })
        .sum()
}

/// The class of a local link of a homogeneous domain: links of one class are mapped onto each other.
pub(super) fn class(context: &Context, link: u64) -> u64 {
    let domain = context.domain_machine.domain();
    let axis = domain
        .plans()
        .partition_point(|plan| plan.first_link <= link)
        .saturating_sub(1);
    // Axes of size 1 have no links and share their first number with the next axis.
    let plan = &domain.plans()[axis];
    let within = match domain.axes()[axis].kind {
        AxisKind::FullMesh => {
            let ends = context
                .domain_machine
                .link(link)
                .map(|link| (link.from, link.to));
            match ends {
                Ok((End::Chip(from), End::Chip(to))) => u64::from(distance(domain, from, to)),
                _ => unreachable!("the links of a full mesh join chips"),
            }
        }
        _ => u64::from(link - plan.first_link >= plan.links / 2),
    };
    (axis as u64) << 32 | within
}
