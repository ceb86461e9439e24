//! What messages between crews put on links: each goes in parts from the owners of its bytes to those of the same bytes.

use super::domain::flat;
use super::fabric::nic_of;
use crate::Result;
use crate::collective::pattern::crews::{Crews, owners};
use crate::collective::pattern::fabric_loads::FabricLoads;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::memory::bytes_of;

/// What each crew sends or receives.
struct Ends {
    /// Bytes of all members together: sent, received.
    bytes: [Vec<f64>; 2],
    /// Messages that the busiest member starts, where members are alike; otherwise those of each.
    starts: Vec<Vec<f64>>,
}

/// Messages between crews, of a byte each or of as many as `weights` says.
pub(super) fn crews(
    scene: &Scene,
    pairs: &[(u32, u32)],
    weights: Option<&[f64]>,
    crews: &Crews,
) -> Result<UnitCost> {
    if scene.machine.is_damaged() {
        return listed(scene, pairs, weights, crews);
    }
    let members: Vec<f64> = crews
        .all
        .iter()
        .map(|crew| crew.locals.len() as f64)
        .collect();
    let mut ends = Ends {
        bytes: [vec![0.0; members.len()], vec![0.0; members.len()]],
        starts: vec![vec![0.0]; members.len()],
    };
    let mut fabric = vec![0.0; scene.fabric_links()];
    let mut unit_cost = UnitCost::default();
    for (at, &(from, to)) in pairs.iter().enumerate() {
        scene.control.check_at(at)?;
        let bytes = weights.map_or(1.0, |weights| weights[at]);
        ends.bytes[0][from as usize] += bytes;
        ends.bytes[1][to as usize] += bytes;
        ends.start(crews.len(from), crews.len(to), from);
        let [home, there] = [from, to].map(|crew| crews.get(crew).domain);
        let path = scene.path(home, there, |link| fabric[link] += bytes);
        // The smaller share is the whole of one message.
        let most = members[from as usize].max(members[to as usize]);
        unit_cost.note_zero_load(path.latency, bytes / most / path.bandwidth);
    }
    let each = |direction: usize| {
        let bytes = ends.bytes[direction].iter().zip(&members);
        bytes
            .map(|(bytes, members)| bytes / members)
            .collect::<Vec<f64>>()
    };
    let nics = [each(0), each(1)];
    unit_cost.sent = nics[0].iter().copied().fold(0.0, f64::max);
    let starts = ends.starts.iter().flatten().copied().fold(0.0, f64::max);
    unit_cost.overhead = starts * nic_of(scene).overhead;
    unit_cost.ledger.fabric = FabricLoads::of_list(&scene.blocks, &fabric);
    note_nics(scene, crews, &nics, &mut unit_cost)?;
    Ok(unit_cost)
}

impl Ends {
    /// A message from a crew of so many members to one of so many.
    fn start(&mut self, senders: u32, receivers: u32, from: u32) {
        let starts = &mut self.starts[from as usize];
        if senders % receivers == 0 || receivers % senders == 0 {
            let each = f64::from((receivers / senders).max(1));
            starts.iter_mut().for_each(|starts| *starts += each);
            return;
        }
        if starts.len() == 1 {
            *starts = vec![starts[0]; senders as usize];
        }
        for (sender, ..) in owners(senders, receivers) {
            starts[sender as usize] += 1.0;
        }
    }
}

/// Bytes on NICs: by domain for crews that are alike, link by link for others.
fn note_nics(
    scene: &Scene,
    crews: &Crews,
    nics: &[Vec<f64>; 2],
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let machine = scene.machine;
    let mut by_domain = [0, 1].map(|_| vec![0.0; machine.num_domains() as usize]);
    let mut single = Vec::new();
    for (number, crew) in (0..).zip(&crews.all) {
        scene.control.check_at(number as usize)?;
        let alike = crews.alike.binary_search(&number).is_ok();
        for direction in 0..2 {
            let bytes = nics[direction][number as usize];
            if alike {
                by_domain[direction][crew.domain as usize] = bytes;
            } else if bytes > 0.0 {
                let first = crew.domain * machine.domain().chips();
                let link = |local: &u32| machine.nic_link(direction == 1, first + local);
                single.extend(crew.locals.iter().map(|local| (link(local), bytes)));
            }
        }
    }
    single.sort_by_key(|entry: &(u64, f64)| entry.0);
    // Chips may share a NIC.
    single.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0.0 };
        same
    });
    unit_cost.ledger.single = single;
    if !crews.alike.is_empty() {
        unit_cost.ledger.nic = by_domain.map(Into::into);
    }
    Ok(())
}

/// The same chip by chip, round what is broken.
fn listed(
    scene: &Scene,
    pairs: &[(u32, u32)],
    weights: Option<&[f64]>,
    crews: &Crews,
) -> Result<UnitCost> {
    let messages = |&(from, to): &(u32, u32)| u64::from(crews.len(from)) + u64::from(crews.len(to));
    let count = pairs.iter().map(messages).sum::<u64>();
    let what = format_args!("the messages of one step of a collective");
    let bytes = bytes_of::<(u32, u32, f64)>(count);
    let _taken = scene.control.take(bytes, what, "use a smaller group")?;
    let (mut listed, mut sizes) = (Vec::new(), Vec::new());
    let chips = scene.machine.domain().chips();
    for (at, &(from, to)) in pairs.iter().enumerate() {
        scene.control.check_at(at)?;
        let bytes = weights.map_or(1.0, |weights| weights[at]);
        let [from, to] = [from, to].map(|crew| crews.get(crew));
        let chip = |crew: &crate::collective::pattern::crews::Crew, member: u32| {
            crew.domain * chips + crew.locals[member as usize]
        };
        for (sender, receiver, part) in owners(from.locals.len() as u32, to.locals.len() as u32) {
            listed.push((chip(from, sender), chip(to, receiver)));
            sizes.push(part * bytes);
        }
    }
    flat(scene, &listed, Some(&sizes))
}

#[cfg(test)]
mod tests {
    use super::{crews, listed};
    use crate::collective::ask::group::Groups;
    use crate::collective::pattern::scene::Scene;
    use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier};
    use crate::random::SplitMix64;
    use crate::route::Routing;
    use crate::{Control, Result};

    #[test]
    fn loads_are_those_of_messages_chip_by_chip() -> Result<()> {
        let axis = Axis {
            name: "x".to_owned(),
            size: 8,
            kind: AxisKind::Ring,
            bandwidth: 1e9,
            latency: 1e-7,
        };
        let nic = Nic {
            chips: 1,
            bandwidth: 1e9,
            latency: 1e-6,
            overhead: 1e-6,
        };
        let tier = Tier {
            group: 2,
            oversubscription: 2.0,
            latency: 1e-6,
        };
        let site = Site {
            name: "one".to_owned(),
            domains: 5,
            tiers: vec![tier],
        };
        let machine = Machine::new(Domain::new(vec![axis])?, 0.0, Some(nic), vec![site], None)?;
        let (routing, control) = (Routing::default(), Control::default());
        let mut random = SplitMix64::new(7);
        for _ in 0..50 {
            let chips: Vec<u32> = (0..40).filter(|_| random.below(3) > 0).collect();
            let groups = Groups::of_chips(&machine, &chips)?;
            let scene = Scene::new(&machine, &routing, &groups, &control)?;
            let Some(found) = scene.crews() else { continue };
            let count = found.all.len() as u32;
            let pairs: Vec<(u32, u32)> = (0..count)
                .flat_map(|from| (0..count).map(move |to| (from, to)))
                .filter(|(from, to)| from != to && random.below(2) > 0)
                .collect();
            let weights: Vec<f64> = pairs.iter().map(|_| 1.0 + random.below(5) as f64).collect();
            let own = crews(&scene, &pairs, Some(&weights), found)?;
            let slow = listed(&scene, &pairs, Some(&weights), found)?;
            let [a, b] = [&own, &slow].map(|cost| cost.ledger.expand(&scene));
            for (link, (a, b)) in a?.into_iter().zip(b?).enumerate() {
                assert!((a - b).abs() < 1e-9, "link {link}: {a} and {b}");
            }
            assert!((own.sent - slow.sent).abs() < 1e-9);
            assert!((own.overhead - slow.overhead).abs() < 1e-12);
            assert_eq!(own.latency, slow.latency);
        }
        Ok(())
    }
}
