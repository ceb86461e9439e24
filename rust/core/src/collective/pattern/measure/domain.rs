//! Patterns that are routed message by message: inside a domain, and between listed chips.

use crate::Result;
use crate::collective::pattern::damage::substituted;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::symmetry::{class, distances, for_each_class};
use crate::collective::pattern::unit_cost::UnitCost;
use crate::load::{ByteColumn, Flows, IndexColumn, link_loads, uniform};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::{walk, zero_load};
use std::collections::BTreeMap;

/// More links than a message passes between domains.
const FABRIC_HOPS: u64 = 16;

/// Messages between two looks at the cancel flag.
const MESSAGES_BETWEEN_CHECKS: usize = 1 << 14;

fn loads_of(
    machine: &Machine,
    scene: &Scene,
    pairs: &[(u32, u32)],
    sizes: Option<&[f64]>,
) -> Result<Vec<f64>> {
    // Two columns.
    let _taken = reckon(scene, pairs.len() as u64)?;
    let (src, dst): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    let flows = Flows {
        src: IndexColumn::U32(&src),
        dst: IndexColumn::U32(&dst),
        bytes: sizes.map_or(ByteColumn::Scalar(1.0), ByteColumn::PerFlow),
    };
    link_loads(machine, &flows, scene.routing, 1, scene.control)
}

/// Takes 8 bytes for each of so many links or messages, for as long as one step is measured.
fn reckon(scene: &Scene, numbers: u64) -> Result<Taken> {
    let what = format_args!("the loads of one step of a collective");
    let instead = "use a smaller group or smaller UltraServers";
    scene.control.take(bytes_of::<f64>(numbers), what, instead)
}

/// Most bytes that one chip sends, each message having one or its size.
fn most_sent(pairs: &[(u32, u32)], sizes: Option<&[f64]>) -> f64 {
    let size = |at: usize| sizes.map_or(1.0, |sizes| sizes[at]);
    let senders = pairs.iter().enumerate();
    most_of_a_chip(senders.map(|(at, pair)| (pair.0, size(at))).collect())
}

/// The largest sum of what is said of one chip.
fn most_of_a_chip(mut said: Vec<(u32, f64)>) -> f64 {
    said.sort_by_key(|entry| entry.0);
    let of_chip = |alike: &[(u32, f64)]| alike.iter().map(|entry| entry.1).sum();
    said.chunk_by(|a, b| a.0 == b.0)
        .map(of_chip)
        .fold(0.0, f64::max)
}

/// Largest time that one chip spends on starting its messages.
fn most_overhead(machine: &Machine, pairs: &[(u32, u32)]) -> f64 {
    let of_nic = machine.nic().map_or(0.0, |nic| nic.overhead);
    let spent = pairs
        .iter()
        .map(|&(src, dst)| {
            let crosses = machine.split(src).0 != machine.split(dst).0;
            (src, if crosses { of_nic } else { machine.overhead() })
        })
        .collect();
    most_of_a_chip(spent)
}

/// Notes each message's own time.
fn note_messages(
    scene: &Scene,
    machine: &Machine,
    pairs: impl Iterator<Item = (u32, u32)>,
    sizes: Option<&[f64]>,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    for (index, (src, dst)) in pairs.enumerate() {
        if index % MESSAGES_BETWEEN_CHECKS == 0 {
            scene.control.check()?;
        }
        let message = zero_load(machine, scene.routing, src, dst, scene.control)?;
        let bytes = sizes.map_or(1.0, |sizes| sizes[index]);
        unit_cost.note_zero_load(message.latency, bytes / message.bandwidth);
    }
    Ok(())
}

/// The same messages inside each of some domains.
pub(super) fn within(scene: &Scene, pairs: &[(u32, u32)], domains: &[u32]) -> Result<UnitCost> {
    let mut unit_cost = local(scene, pairs)?;
    let loads = std::mem::take(&mut unit_cost.ledger.local);
    let _taken = reckon(scene, 2 * (loads.len() * domains.len()) as u64)?;
    for (at, &domain) in domains.iter().enumerate() {
        scene.control.check_at(at)?;
        let links = (0..).zip(loads.values()).filter(|link| link.1 > 0.0);
        let links = links.map(|(link, bytes)| (scene.machine.domain_link(domain, link), bytes));
        unit_cost.ledger.single.extend(links);
    }
    unit_cost.ledger.single.sort_by_key(|entry| entry.0);
    Ok(unit_cost)
}

pub(super) fn local(scene: &Scene, pairs: &[(u32, u32)]) -> Result<UnitCost> {
    let machine = &scene.domain_machine;
    if scene.homogeneous {
        if let Some(found) = distances(machine.domain(), pairs.iter().copied(), scene.control)? {
            return alike(scene, &found);
        }
    }
    // What each chip sends is counted in a list of all.
    let _taken = reckon(scene, pairs.len() as u64)?;
    let messages = most_sent(pairs, None);
    scene.control.check()?;
    let mut unit_cost = UnitCost {
        overhead: messages * machine.overhead(),
        sent: messages,
        ..UnitCost::default()
    };
    unit_cost.ledger.local = loads_of(machine, scene, pairs, None)?.into();
    note_messages(scene, machine, pairs.iter().copied(), None, &mut unit_cost)?;
    Ok(unit_cost)
}

/// Bytes that each chip of a group sends and receives when a switch adds up or copies.
pub(crate) fn in_switch_bytes(group: &[u32], gather: bool) -> [f64; 2] {
    let others = group.len() as f64 - 1.0;
    if gather { [1.0, others] } else { [others, 1.0] }
}

pub(super) fn in_switch(scene: &Scene, groups: &[Vec<u32>], gather: bool) -> Result<UnitCost> {
    let machine = &scene.domain_machine;
    let mut unit_cost = UnitCost {
        overhead: machine.overhead(),
        ..UnitCost::default()
    };
    let _taken = reckon(scene, machine.domain().links())?;
    let mut loads = vec![0.0; machine.domain().links() as usize];
    for group in groups {
        let bytes = in_switch_bytes(group, gather);
        for &chip in group {
            scene.control.check()?;
            for (link, bytes) in ports(scene, group, chip)?.into_iter().zip(bytes) {
                loads[link as usize] += bytes;
            }
        }
        let message = zero_load(machine, scene.routing, group[0], group[1], scene.control)?;
        let most = bytes[0].max(bytes[1]);
        unit_cost.note_zero_load(message.latency, most / message.bandwidth);
        unit_cost.sent = unit_cost.sent.max(bytes[0]);
    }
    unit_cost.ledger.local = loads.into();
    Ok(unit_cost)
}

/// The links of a chip to and from the switch that it shares with its group.
pub(crate) fn ports(scene: &Scene, group: &[u32], chip: u32) -> Result<[u64; 2]> {
    let other = if group[0] == chip { group[1] } else { group[0] };
    let mut ends = [0, 0];
    for (end, (from, to)) in [(chip, other), (other, chip)].into_iter().enumerate() {
        let mut passed = Vec::new();
        walk(
            &scene.domain_machine,
            scene.routing,
            from,
            to,
            &mut |link, _| {
                passed.push(link);
            },
        )?;
        ends[end] = if end == 0 {
            passed[0]
        } else {
            passed[passed.len() - 1]
        };
    }
    Ok(ends)
}

/// A pattern that looks the same from every chip: links of one class carry the same.
fn alike(scene: &Scene, found: &[(u32, u32)]) -> Result<UnitCost> {
    let machine = &scene.domain_machine;
    let messages: f64 = found.iter().map(|&(_, each)| f64::from(each)).sum();
    let mut unit_cost = UnitCost {
        overhead: messages * machine.overhead(),
        sent: messages,
        ..UnitCost::default()
    };
    let mut by_class: BTreeMap<u64, f64> = BTreeMap::new();
    for &(to, each) in found {
        walk(machine, scene.routing, 0, to, &mut |link, share| {
            *by_class.entry(class(machine, link)).or_default() += share * f64::from(each);
        })?;
        let message = zero_load(machine, scene.routing, 0, to, scene.control)?;
        unit_cost.note_zero_load(message.latency, 1.0 / message.bandwidth);
    }
    let mut stretches: Vec<(usize, f64)> = Vec::new();
    for_each_class(machine, scene.control, |class, links| {
        let (end, bytes) = (
            links.end as usize,
            by_class.get(&class).copied().unwrap_or(0.0),
        );
        match stretches.last_mut() {
            Some(last) if last.1.to_bits() == bytes.to_bits() => last.0 = end,
            _ => stretches.push((end, bytes)),
        }
    })?;
    unit_cost.ledger.local = Loads::stretched(stretches);
    Ok(unit_cost)
}

pub(super) fn local_all(scene: &Scene) -> Result<UnitCost> {
    let machine = &scene.domain_machine;
    let chips = machine.num_chips();
    let peers = f64::from(chips - 1);
    let mut unit_cost = UnitCost {
        overhead: peers * machine.overhead(),
        sent: peers,
        ..UnitCost::default()
    };
    let loads = uniform(machine, f64::from(chips), scene.routing, scene.control)?;
    unit_cost.ledger.local = loads.into();
    // Chip 0 sits in a corner of every line and anywhere on rings and switches: its messages include the
    // longest, but for up*/down* ways, and where ways are counted.
    let sources = if scene.routing.is_counted() { chips } else { 1 };
    let pairs = (0..sources).flat_map(|src| (0..chips).map(move |dst| (src, dst)));
    note_messages(
        scene,
        machine,
        pairs.filter(|pair| pair.0 != pair.1),
        None,
        &mut unit_cost,
    )?;
    Ok(unit_cost)
}

/// Messages between listed chips, of a byte each or of as many as `sizes` says.
pub(super) fn flat(scene: &Scene, pairs: &[(u32, u32)], sizes: Option<&[f64]>) -> Result<UnitCost> {
    let machine = scene.machine;
    let substitutes;
    let (pairs, sizes) = if machine.is_damaged() {
        substitutes = substituted(machine, pairs, sizes, scene.control)?;
        (&*substitutes.0, sizes.map(|_| &*substitutes.1))
    } else {
        (pairs, sizes)
    };
    let _taken = reckon(scene, 3 * pairs.len() as u64)?;
    let mut unit_cost = UnitCost {
        sent: most_sent(pairs, sizes),
        ..UnitCost::default()
    };
    scene.control.check()?;
    unit_cost.overhead = most_overhead(machine, pairs);
    scene.control.check()?;
    // Most links that one message passes: far below their number where rings are short.
    let sides = machine
        .domain()
        .axes()
        .iter()
        .map(|axis| u64::from(axis.size));
    let most_hops = sides.sum::<u64>() + FABRIC_HOPS;
    unit_cost.ledger.single =
        if (pairs.len() as u64).saturating_mul(most_hops) < machine.num_links() {
            few_loads(scene, pairs, sizes)?
        } else {
            let loads = loads_of(machine, scene, pairs, sizes)?;
            let loads = loads.into_iter().enumerate();
            loads
                .filter(|(_, bytes)| *bytes > 0.0)
                .map(|(link, bytes)| (link as u64, bytes))
                .collect()
        };
    note_messages(scene, machine, pairs.iter().copied(), sizes, &mut unit_cost)?;
    Ok(unit_cost)
}

/// Loads of a few messages on a large machine, without an array over all its links.
fn few_loads(
    scene: &Scene,
    pairs: &[(u32, u32)],
    sizes: Option<&[f64]>,
) -> Result<Vec<(u64, f64)>> {
    let mut passed = Vec::new();
    for (at, &(src, dst)) in pairs.iter().enumerate() {
        scene.control.check()?;
        let bytes = sizes.map_or(1.0, |sizes| sizes[at]);
        walk(
            scene.machine,
            scene.routing,
            src,
            dst,
            &mut |link, share| passed.push((link, share * bytes)),
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
