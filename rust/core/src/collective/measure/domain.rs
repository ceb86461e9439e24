//! Patterns that are routed message by message: inside a domain, and between listed chips.

use crate::collective::context::Context;
use crate::collective::pattern::Unit;
use crate::load::{ByteColumn, Flows, IndexColumn, link_loads, uniform};
use crate::machine::{AxisKind, Machine};
use crate::route::{route, walk};
use crate::{Control, Result};
use std::collections::BTreeSet;

/// Messages are few when the machine has at least this many links for each.
const FEW: u64 = 16;

fn loads_of(machine: &Machine, context: &Context, pairs: &[(u32, u32)]) -> Result<Vec<f64>> {
    let (src, dst): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    let flows = Flows {
        src: IndexColumn::U32(&src),
        dst: IndexColumn::U32(&dst),
        bytes: ByteColumn::Scalar(1.0),
    };
    link_loads(machine, &flows, context.routing, 1, &Control::default())
}

/// Largest number of messages that one chip sends.
fn most_sent(pairs: &[(u32, u32)]) -> f64 {
    let mut senders: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
    senders.sort_unstable();
    let longest = senders.chunk_by(|a, b| a == b).map(<[u32]>::len).max();
    longest.unwrap_or(0) as f64
}

/// Notes each message's own time. Messages of equal displacement on a machine of rings only are alike, and
/// are looked at once.
fn note_messages(
    context: &Context,
    machine: &Machine,
    pairs: &[(u32, u32)],
    unit: &mut Unit,
) -> Result<()> {
    let domain = machine.domain();
    let alike = machine.num_domains() == 1
        && domain
            .axes()
            .iter()
            .all(|axis| matches!(axis.kind, AxisKind::Ring))
        && context.routing.is_translation_invariant();
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    for &(src, dst) in pairs {
        if alike {
            let key = (0..domain.axes().len()).rev().fold(0u64, |key, axis| {
                let size = domain.axes()[axis].size;
                let step =
                    (domain.coordinate(dst, axis) + size - domain.coordinate(src, axis)) % size;
                key * u64::from(size) + u64::from(step)
            });
            if !seen.insert(key) {
                continue;
            }
        }
        let route = route(machine, context.routing, src, dst)?;
        unit.note_alone(route.latency, 1.0 / route.bandwidth);
    }
    Ok(())
}

pub(super) fn local(context: &Context, pairs: &[(u32, u32)]) -> Result<Unit> {
    let machine = &context.domain_machine;
    let messages = most_sent(pairs);
    let mut unit = Unit {
        overhead: messages * machine.overhead(),
        sent: messages,
        ..Unit::default()
    };
    unit.ledger.local = loads_of(machine, context, pairs)?;
    note_messages(context, machine, pairs, &mut unit)?;
    Ok(unit)
}

pub(super) fn local_all(context: &Context) -> Result<Unit> {
    let machine = &context.domain_machine;
    let chips = machine.num_chips();
    let peers = f64::from(chips - 1);
    let mut unit = Unit {
        overhead: peers * machine.overhead(),
        sent: peers,
        ..Unit::default()
    };
    unit.ledger.local = uniform(machine, f64::from(chips), context.routing)?;
    // Chip 0 sits in a corner of every line and anywhere on rings and switches: its messages include the
    // longest.
    let from_corner: Vec<(u32, u32)> = (1..chips).map(|dst| (0, dst)).collect();
    note_messages(context, machine, &from_corner, &mut unit)?;
    Ok(unit)
}

pub(super) fn flat(context: &Context, pairs: &[(u32, u32)]) -> Result<Unit> {
    let machine = context.machine;
    let mut unit = Unit {
        sent: most_sent(pairs),
        ..Unit::default()
    };
    let crosses = pairs
        .iter()
        .any(|&(src, dst)| machine.split(src).0 != machine.split(dst).0);
    let overhead = match machine.nic() {
        Some(nic) if crosses => nic.overhead.max(machine.overhead()),
        _ => machine.overhead(),
    };
    unit.overhead = unit.sent * overhead;
    unit.ledger.single = if (pairs.len() as u64) < machine.num_links() / FEW {
        few_loads(context, pairs)?
    } else {
        let loads = loads_of(machine, context, pairs)?.into_iter().enumerate();
        loads
            .filter(|(_, bytes)| *bytes > 0.0)
            .map(|(link, bytes)| (link as u64, bytes))
            .collect()
    };
    note_messages(context, machine, pairs, &mut unit)?;
    Ok(unit)
}

/// Loads of a few messages on a large machine, without an array over all its links.
fn few_loads(context: &Context, pairs: &[(u32, u32)]) -> Result<Vec<(u64, f64)>> {
    let mut passed = Vec::new();
    for &(src, dst) in pairs {
        walk(
            context.machine,
            context.routing,
            src,
            dst,
            &mut |link, share| passed.push((link, share)),
        )?;
    }
    passed.sort_by_key(|&(link, _)| link);
    passed.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    Ok(passed)
}
