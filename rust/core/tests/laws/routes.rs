//! Laws of routes: they chain, conserve the message, are minimal, and move along with their ends.

use crate::common::{TIES, axis, cabled, cluster, dor, machine, mixed, pairs, site, tier, torus};
use proptest::prelude::*;
use rainier_core::machine::{AxisKind, End, LinkClass, Machine, WanShape};
use rainier_core::route::{DimensionOrder, Route, Routing, TieRule, route};
use std::collections::BTreeMap;

/// A name for each end, the same on both sides of a switch or tier whatever words a link uses for it.
fn node(end: &End) -> String {
    match end {
        End::Chip(chip) => format!("chip {chip}"),

        End::Switch(words) => words.clone(),
    }
}

fn between_chips(machine: &Machine, route: &Route) -> bool {
    let cable = |&link: &u64| matches!(machine.link(link).unwrap().class, LinkClass::Cable(_));
    route.links.iter().all(cable)
}

/// What flows into each chip less what flows out of it.
fn balance(machine: &Machine, route: &Route) -> BTreeMap<String, f64> {
    let mut balance = BTreeMap::new();
    for (&link, share) in route.links.iter().zip(&route.shares) {
        let link = machine.link(link).unwrap();
        *balance.entry(node(&link.from)).or_insert(0.0) -= share;
        *balance.entry(node(&link.to)).or_insert(0.0) += share;
    }
    balance
}

fn check(machine: &Machine, routing: &Routing, src: u32, dst: u32) {
    let found = route(machine, routing, src, dst).unwrap();
    let links = || found.links.iter().map(|&link| machine.link(link).unwrap());
    if src == dst {
        assert!(found.links.is_empty());
        assert_eq!((found.hops, found.latency, found.overhead), (0.0, 0.0, 0.0));
        assert_eq!(found.bandwidth, f64::INFINITY);
        return;
    }
    // What leaves the source arrives; chips on the way pass on what they get.
    for (name, rest) in balance(machine, &found) {
        let expected = if name == format!("chip {src}") {
            -1.0
        } else if name == format!("chip {dst}") {
            1.0
        } else if name.starts_with("chip") {
            0.0
        } else {
            continue;
        };
        assert!((rest - expected).abs() < 1e-12, "{name}: {rest}");
    }
    assert!((found.hops - found.shares.iter().sum::<f64>()).abs() < 1e-12);
    let bandwidth = links()
        .zip(&found.shares)
        .map(|(link, share)| link.bandwidth / share);
    assert_eq!(found.bandwidth, bandwidth.fold(f64::INFINITY, f64::min));
    for link in links() {
        assert_eq!(
            machine.link_numbers(link.id),
            (link.bandwidth, link.latency)
        );
    }
    let single = *routing != Routing::Valiant && found.shares.iter().all(|&share| share == 1.0);
    if single && between_chips(machine, &found) {
        let mut at = End::Chip(src);
        for link in links() {
            assert_eq!(link.from, at);
            at = link.to;
        }
        assert_eq!(at, End::Chip(dst));
        let latency: f64 = links().map(|link| link.latency).sum();
        assert!((found.latency - latency).abs() <= 1e-12 * latency);
    }
    if *routing != Routing::Valiant && between_chips(machine, &found) {
        let domain = machine.domain();
        let hops = domain.axes().iter().enumerate().map(|(index, axis)| {
            let gap = domain
                .coordinate(src, index)
                .abs_diff(domain.coordinate(dst, index));
            match axis.kind {
                AxisKind::Ring => gap.min(axis.size - gap),
                AxisKind::Line => gap,
                _ => gap.min(1),
            }
        });
        let hops: u32 = hops.sum();
        assert!((found.hops - f64::from(hops)).abs() < 1e-9);
        assert_eq!(found.longest_hops, hops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn dimension_order_obeys(machine in cluster(mixed()), random in proptest::collection::vec((any::<u32>(), any::<u32>()), 20)) {
        let (src, dst) = pairs(&machine, &random);
        for (&src, &dst) in src.iter().zip(&dst) {
            for tie in TIES {
                check(&machine, &dor(tie), src, dst);
                let order = Some((0..machine.domain().axes().len()).rev().collect());
                check(&machine, &Routing::DimensionOrder(DimensionOrder { tie, order }), src, dst);
            }
        }
    }

    #[test]
    fn spread_routes_obey(machine in cluster(cabled()), random in proptest::collection::vec((any::<u32>(), any::<u32>()), 10)) {
        let (src, dst) = pairs(&machine, &random);
        for (&src, &dst) in src.iter().zip(&dst) {
            check(&machine, &Routing::MinimalAdaptive, src, dst);
            check(&machine, &Routing::Valiant, src, dst);
        }
    }

    #[test]
    fn routes_move_along_with_their_ends(shape in proptest::collection::vec(1u32..7, 1..4), a: u32, b: u32, by: u32) {
        let machine = torus(&shape);
        let chips = machine.num_chips();
        let (src, dst, by) = (a % chips, b % chips, by % chips);
        let add = |chip: u32| {
            let (mut out, mut stride) = (0, 1);
            for (index, size) in shape.iter().enumerate() {
                let at = (machine.domain().coordinate(chip, index) + machine.domain().coordinate(by, index)) % size;
                out += at * stride;
                stride *= size;
            }
            out
        };
        let described = |route: &Route, moved: &dyn Fn(u32) -> u32| {
            let mut links: Vec<_> = route.links.iter().zip(&route.shares).map(|(&link, &share)| {
                let link = machine.link(link).unwrap();
                let (End::Chip(from), End::Chip(to)) = (link.from, link.to) else { panic!("not cables") };
                (moved(from), moved(to), link.direction, format!("{share:.12}"))
            }).collect();
            links.sort();
            links
        };
        let rules = [TieRule::Split, TieRule::Positive, TieRule::Negative].map(dor);
        for routing in rules.into_iter().chain([Routing::MinimalAdaptive, Routing::Valiant]) {
            prop_assert!(routing.is_translation_invariant());
            let one = route(&machine, &routing, src, dst).unwrap();
            let other = route(&machine, &routing, add(src), add(dst)).unwrap();
            prop_assert_eq!(described(&one, &add), described(&other, &|chip| chip));
        }
    }
}

fn words(machine: &Machine, found: &Route) -> Vec<String> {
    let links = found.links.iter().map(|&link| machine.link(link).unwrap());
    links
        .map(|link| {
            format!("{} {}", link.class.name(machine), link.direction)
                .trim()
                .to_owned()
        })
        .collect()
}

#[test]
fn between_sites_in_travel_order() {
    let sites = || vec![site(8, vec![tier(2), tier(4)]), site(2, vec![tier(2)])];
    let mesh = machine(vec![axis(4, AxisKind::Ring)], sites(), WanShape::Mesh);
    let found = route(&mesh, &Routing::default(), 1, 35).unwrap();
    let up = ["nic egress", "fabric tier 1 up", "fabric tier 2 up"];
    let down = ["fabric tier 1 down", "nic ingress"];
    assert_eq!(words(&mesh, &found), [&up[..], &["wan"], &down].concat());
    assert!((found.latency - (2.0 * 2e-6 + 3e-6 + 1e-3)).abs() < 1e-12);
    assert_eq!(
        (found.longest_hops, found.overhead, found.bandwidth),
        (6, 3e-6, 1e8)
    );
    let hub = machine(vec![axis(4, AxisKind::Ring)], sites(), WanShape::Hub);
    let found = route(&hub, &Routing::Valiant, 1, 35).unwrap();
    assert_eq!(
        words(&hub, &found),
        [&up[..], &["wan", "wan"], &down].concat()
    );
    let close = route(&mesh, &Routing::MinimalAdaptive, 1, 5).unwrap();
    assert_eq!(words(&mesh, &close), ["nic egress", "nic ingress"]);
}

#[test]
fn one_crossing_of_a_spanning_switch_corrects_what_is_below() {
    let spanning = AxisKind::Switch {
        spans_below: true,
        tiers: vec![tier(2), tier(8)],
    };
    let axes = vec![
        axis(4, AxisKind::Ring),
        axis(4, spanning),
        axis(3, AxisKind::FullMesh),
    ];
    let machine = machine(axes, vec![site(1, vec![])], WanShape::Mesh);
    let found = route(&machine, &Routing::default(), 1, 14 + 32).unwrap();
    let names = words(&machine, &found);
    assert_eq!(
        names,
        [
            "x port up",
            "x tier 1 up",
            "x tier 2 up",
            "x tier 2 down",
            "x tier 1 down",
            "x port down",
            "x"
        ]
    );
    let ends = |at: usize| machine.link(found.links[at]).unwrap();
    assert_eq!(
        (ends(0).from, ends(5).to.clone(), ends(6).from),
        (End::Chip(1), End::Chip(14), End::Chip(14))
    );
    assert_eq!(ends(6).to, End::Chip(46));
    let below = route(&machine, &Routing::default(), 1, 2).unwrap();
    assert_eq!(words(&machine, &below), ["x +"]);
}

#[test]
fn ties_by_rule() {
    let machine = torus(&[4]);
    let directions = |tie, src, dst| {
        let found = route(&machine, &dor(tie), src, dst).unwrap();
        (
            words(&machine, &found).concat().replace("x ", ""),
            found.shares[0],
        )
    };
    assert_eq!(directions(TieRule::Split, 0, 2), ("++--".to_owned(), 0.5));
    assert_eq!(directions(TieRule::Positive, 2, 0), ("++".to_owned(), 1.0));
    assert_eq!(directions(TieRule::Negative, 0, 2), ("--".to_owned(), 1.0));
    assert_eq!(directions(TieRule::Simgrid, 3, 1), ("++".to_owned(), 1.0));
    assert_eq!(directions(TieRule::Simgrid, 2, 0), ("--".to_owned(), 1.0));
    let both_ways = |tie| [0, 1, 2, 3].map(|src| directions(tie, src, (src + 2) % 4).0);
    assert_eq!(both_ways(TieRule::Parity), ["++", "--", "++", "--"]);
    assert_eq!(both_ways(TieRule::Dateline), ["++", "++", "--", "--"]);
    for tie in [TieRule::Simgrid, TieRule::Parity, TieRule::Dateline] {
        assert!(!dor(tie).is_translation_invariant());
    }
    // A message over two links at once moves twice as fast.
    assert_eq!(
        route(&machine, &Routing::default(), 0, 2)
            .unwrap()
            .bandwidth,
        2e9
    );
}

#[test]
fn adaptive_shares_count_paths() {
    // From (0, 0) to (2, 1) on a mesh there are 3 paths; 2 of them start along x.
    let machine = machine(
        vec![axis(3, AxisKind::Line); 2],
        vec![site(1, vec![])],
        WanShape::Mesh,
    );
    let found = route(&machine, &Routing::MinimalAdaptive, 0, 5).unwrap();
    let mut thirds: Vec<f64> = found
        .shares
        .iter()
        .map(|share| (share * 3.0).round())
        .collect();
    thirds.sort_by(f64::total_cmp);
    assert_eq!(thirds, [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
    // Half the size of an even ring both ways, on two axes: 4 x 6 paths.
    let found = route(&torus(&[4, 4]), &Routing::MinimalAdaptive, 0, 10).unwrap();
    assert_eq!((found.hops, found.bandwidth), (4.0, 4e9));
}

#[test]
fn what_does_not_fit_is_refused() {
    let machine = torus(&[4, 4]);
    assert!(route(&machine, &Routing::default(), 16, 0).is_err());
    assert!(route(&machine, &Routing::default(), 0, 16).is_err());
    for order in [vec![], vec![0], vec![0, 0], vec![0, 2], vec![0, 1, 1]] {
        let routing = Routing::DimensionOrder(DimensionOrder {
            tie: TieRule::Split,
            order: Some(order),
        });
        assert!(route(&machine, &routing, 0, 1).is_err());
    }
    let switched = crate::common::machine(
        vec![axis(4, AxisKind::FullMesh)],
        vec![site(1, vec![])],
        WanShape::Mesh,
    );
    assert!(Routing::MinimalAdaptive.check(&switched).is_err());
    assert!(Routing::Valiant.check(&switched).is_err());
}
