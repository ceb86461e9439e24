//! Which messages a NIC's loss concerns, by rule against the list; bounds against what they bound.

use super::DomainDamage;
use super::offers::{bounds, peak_of};
use crate::Control;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::changes::{Changes, Classes};
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::pairs::{Pairs, Sends};
use crate::collective::pattern::rule::{Order, Rule};
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::spacing::Spacing;
use crate::machine::{Axis, AxisKind, Domain, Faults, Machine, Nic, Site};
use crate::route::Routing;
use proptest::prelude::*;
use std::sync::Arc;

fn machine(domains: u32) -> Machine {
    let axis = |name: &str, size, bandwidth| Axis {
        name: name.to_owned(),
        size,
        kind: AxisKind::Ring,
        bandwidth,
        latency: 1e-6,
    };
    let domain = Domain::new(vec![axis("x", 3, 8e9), axis("y", 4, 4e9)]).expect("sound");
    let nic = Nic {
        chips: 1,
        bandwidth: 1e9,
        latency: 2e-6,
        overhead: 0.0,
    };
    let site = Site {
        name: "one".to_owned(),
        domains,
        tiers: Vec::new(),
    };
    Machine::new(domain, 0.0, Some(nic), vec![site], None).expect("sound")
}

fn damaged(machine: Machine, faults: Faults) -> Machine {
    let faults = faults.sorted("degrade").expect("each once");
    machine.with_faults(faults).expect("some live")
}

proptest! {
    #[test]
    fn messages_of_a_rule_that_lose_a_nic_are_those_of_its_list(
        (bits, by, is_bit) in (1u32..7, -40i64..40, any::<bool>()),
        nics in proptest::collection::btree_set(0u32..64 * 12, 1..6),
    ) {
        let domains = 1 << bits;
        let faults = Faults {
            nics: nics.iter().map(|nic| nic % (domains * 12)).collect::<std::collections::BTreeSet<_>>()
                .into_iter().collect(),
            ..Faults::default()
        };
        let machine = damaged(machine(domains), faults);
        let members: Vec<u32> = (0..domains).collect();
        let (routing, control) = (Routing::default(), Control::default());
        let damage = DomainDamage::new(&machine, &routing, &members, None, &control);
        let damage = damage.expect("sound").expect("NICs are lost");
        let sets: Arc<[Vec<u32>]> = Arc::new([members]);
        let rule = match is_bit {
            true => Rule::bit(bits, by.unsigned_abs() as u32 % bits),
            false => Rule::turn(domains, by, Order::Senders),
        };
        let spacing = Spacing::of(&sets);
        let listed = match is_bit {
            true => {
                let bit = 1 << (by.unsigned_abs() as u32 % bits);
                Sends::of_each(domains, move |rank| [(rank, rank ^ bit)])
            }
            false => Sends::turn(domains, by, Order::Senders),
        };
        let pairs = Pairs::of(&sets, &listed.ruled(rule), spacing.as_ref());
        prop_assert!(pairs.flows().is_some());
        let mut found = Vec::new();
        damage.concerned(&pairs, |from, to| found.push((from, to)));
        found.sort_unstable();
        let is = |domain: u32| damage.redirected(domain).is_some();
        let mut all = pairs.list().into_owned();
        all.retain(|&(from, to)| is(from) || is(to));
        all.sort_unstable();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn sums_of_bounds_bound_sums(
        terms in proptest::collection::vec((0.0f64..4.0, any::<u64>()), 1..5),
        slow in proptest::option::of(0u64..48),
    ) {
        let degraded = slow.map(|link| (link, 0.5)).into_iter().collect();
        let faults = Faults { links: vec![50, 101], degraded, ..Faults::default() };
        let machine = damaged(machine(4), faults);
        let (routing, control) = (Routing::default(), Control::default());
        let groups = Groups::all(&machine).expect("small");
        let scene = Scene::new(&machine, &routing, &groups, &control).expect("sound");
        let damage = scene.damaged.as_ref().expect("links are dead");
        let links = machine.domain().links() as usize;
        let mut whole = vec![0.0; links];
        let mut sum = Classes::None;
        for (number, (scale, seed)) in (0..).zip(&terms) {
            let mut random = crate::random::SplitMix64::new(*seed);
            let mut draw = || f64::from(random.below(64)) / 8.0;
            let local: Vec<f64> = (0..links).map(|_| draw()).collect();
            let changes: Vec<Arc<Changes>> = damage.classes.iter().map(|_| {
                let each = (0..links as u32).step_by(3).map(|link| (link, draw() - local[link as usize]));
                Arc::new(each.collect::<Vec<_>>().into())
            }).collect();
            whole.iter_mut().zip(&local).for_each(|(sum, bytes)| *sum += scale * bytes);
            let refs: Vec<&Changes> = changes.iter().map(|one| &**one).collect();
            let bounds = bounds(&scene, damage, &Loads::from(local), &refs);
            sum.add(&Classes::found(number, changes, bounds), *scale);
        }
        let local = Loads::from(whole);
        for (number, class) in damage.classes.iter().enumerate() {
            let peak = peak_of(&local, class, &sum.of(number), true);
            let peak = peak.map_or(0.0, |peak| peak.seconds());
            prop_assert!(peak <= sum.bound(number) * (1.0 + 1e-9) + 1e-20, "{} {}", peak, sum.bound(number));
        }
    }
}
