#![allow(clippy::unwrap_used, reason = "tests may panic")]

use super::links::{self, Edge};
use super::{DomainRoutes, WHOLE};
use crate::Control;
use crate::error::Error;
use crate::machine::{Axis, AxisKind, Damage, Domain, Tier};
use crate::random::SplitMix64;
use crate::route::{DimensionOrder, Routing, TieRule};

fn axis(size: u32, kind: AxisKind) -> Axis {
    Axis {
        name: ["x", "y", "z", "w"][size as usize % 4].into(),
        size,
        kind,
        bandwidth: 1e9,
        latency: 0.0,
    }
}

fn policies() -> Vec<Routing> {
    let positive = DimensionOrder {
        tie: TieRule::Positive,
        order: None,
    };
    vec![
        Routing::default(),
        Routing::DimensionOrder(positive),
        Routing::WildFirst,
        Routing::Shortest,
        Routing::UpDown,
        Routing::Balanced,
    ]
}

fn switch(spans_below: bool, tiers: Vec<Tier>) -> AxisKind {
    AxisKind::Switch { spans_below, tiers }
}

/// Domains of all kinds of axes.
fn domains() -> Vec<Domain> {
    let tier = Tier {
        group: 2,
        oversubscription: 1.0,
        latency: 0.0,
    };
    [
        vec![axis(5, AxisKind::Ring)],
        vec![axis(4, AxisKind::Ring), axis(3, AxisKind::Line)],
        vec![axis(2, AxisKind::Ring), axis(4, AxisKind::Ring)],
        vec![axis(3, AxisKind::FullMesh), axis(4, AxisKind::Ring)],
        vec![
            axis(2, AxisKind::Line),
            axis(5, switch(false, vec![tier.clone()])),
        ],
        vec![axis(4, AxisKind::Ring), axis(3, switch(true, vec![tier]))],
        vec![
            axis(1, AxisKind::Ring),
            axis(1, switch(false, vec![])),
            axis(3, AxisKind::Ring),
        ],
    ]
    .into_iter()
    .map(|axes| Domain::new(axes).unwrap())
    .collect()
}

fn edges(domain: &Domain) -> Vec<Edge> {
    let mut edges = Vec::new();
    let listed = links::for_each(domain, |edge| {
        edges.push(edge);
        Ok(())
    });
    listed.unwrap();
    edges
}

#[test]
fn every_link_is_an_edge_once_and_its_reverse_leads_back() {
    for domain in domains() {
        let edges = edges(&domain);
        let mut by_link = vec![None; domain.links() as usize];
        for edge in &edges {
            assert!(u64::from(edge.from.max(edge.to)) < links::vertices(&domain));
            assert!(by_link[edge.link as usize].replace(*edge).is_none());
        }
        for edge in &edges {
            let back = by_link[links::reverse(&domain, edge.link) as usize].unwrap();
            assert_eq!((back.from, back.to), (edge.to, edge.from), "{edge:?}");
            assert_eq!(links::reverse(&domain, back.link), edge.link);
        }
        assert!(by_link.iter().all(Option::is_some));
    }
}

/// Damage of some links and chips.
fn damage(domain: &Domain, random: &mut SplitMix64) -> Damage {
    let mut damage = Damage::default();
    let percent = random.below(35);
    for link in 0..domain.links() {
        if random.below(100) < percent {
            damage.links.push(link);
        }
    }
    if random.below(2) == 0 {
        let chip = random.below(domain.chips());
        damage.chips.push(chip);
        damage.links.extend(domain.links_at(chip));
        damage.links.sort_unstable();
        damage.links.dedup();
    }
    damage
}

/// Which vertices a chip reaches, by plain search.
fn reached(edges: &[Edge], lives: &[bool], vertices: usize, from: u32) -> Vec<bool> {
    let mut seen = vec![false; vertices];
    seen[from as usize] = true;
    loop {
        let mut more = false;
        for edge in edges {
            if lives[edge.link as usize] && seen[edge.from as usize] && !seen[edge.to as usize] {
                seen[edge.to as usize] = true;
                more = true;
            }
        }
        if !more {
            return seen;
        }
    }
}

#[test]
fn each_live_pair_has_a_chain_of_live_links_or_is_cut() {
    let mut random = SplitMix64::new(3);
    for domain in domains() {
        let edges = edges(&domain);
        let vertices = links::vertices(&domain) as usize;
        for _ in 0..30 {
            let damage = damage(&domain, &mut random);
            for routing in policies() {
                let cables = routing == Routing::UpDown;
                let lives: Vec<bool> = (0..domain.links())
                    .map(|link| {
                        let back = links::reverse(&domain, link);
                        let reversed = cables && damage.is_dead(back);
                        !damage.is_dead(link) && !reversed
                    })
                    .collect();
                let routes =
                    DomainRoutes::new(&domain, &damage, &routing, &Control::default()).unwrap();
                for src in 0..domain.chips() {
                    let reached = reached(&edges, &lives, vertices, src);
                    for dst in 0..domain.chips() {
                        let both = damage.is_live(src) && damage.is_live(dst);
                        let mut shares = vec![0.0; domain.links() as usize];
                        match routes
                            .walk(src, dst, &mut |link, share| shares[link as usize] += share)
                        {
                            Ok(()) => assert!(both && reached[dst as usize]),
                            Err(Error::Unreachable { src: a, dst: b, .. }) => {
                                assert!((a, b) == (src, dst) && !(both && reached[dst as usize]));
                                continue;
                            }
                            Err(other) => panic!("{other}"),
                        }
                        // What flows into each vertex flows out again.
                        let mut balance = vec![0.0; vertices];
                        for edge in &edges {
                            let share = shares[edge.link as usize];
                            assert!(share == 0.0 || lives[edge.link as usize]);
                            balance[edge.from as usize] += share;
                            balance[edge.to as usize] -= share;
                        }
                        if src != dst {
                            balance[src as usize] -= 1.0;
                            balance[dst as usize] += 1.0;
                        }
                        assert!(
                            balance.iter().all(|&left| left == 0.0),
                            "{routing:?} {src} {dst}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn whole_domains_are_routed_as_before() {
    for domain in domains() {
        for routing in policies() {
            let Some(order) = routing.order_on_whole(&domain).unwrap() else {
                continue;
            };
            let routes = DomainRoutes::new(&domain, &WHOLE, &routing, &Control::default()).unwrap();
            for pair in 0..domain.chips() * domain.chips() {
                let (src, dst) = (pair / domain.chips(), pair % domain.chips());
                let (mut seen, mut expected) = (Vec::new(), Vec::new());
                routes
                    .walk(src, dst, &mut |link, share| seen.push((link, share)))
                    .unwrap();
                crate::route::walk::inside(&domain, &order, src, dst, |link, share| {
                    expected.push((link, share));
                });
                assert_eq!(seen, expected, "{routing:?} {src} {dst}");
            }
        }
    }
}

#[test]
fn a_dead_nic_sends_through_the_nearest_chip_with_a_live_one() {
    let domain = Domain::new(vec![axis(6, AxisKind::Ring)]).unwrap();
    let damage = Damage {
        // Chip 2 reaches chip 3 only the other way round.
        links: vec![2],
        nics: [vec![2], vec![0, 1, 2]],
        chips: vec![],
        ..Damage::default()
    };
    let routes =
        DomainRoutes::new(&domain, &damage, &Routing::default(), &Control::default()).unwrap();
    assert_eq!(routes.port(false, 0).unwrap(), Some(0));
    assert_eq!(routes.port(false, 2).unwrap(), Some(1));
    assert_eq!(routes.port(true, 2).unwrap(), Some(3));
    // Chips 3 and 5 are as near; it is the second turn, after that of chip 0.
    assert_eq!(routes.port(true, 1).unwrap(), Some(5));
    let all = Damage {
        nics: [(0..6).collect(), vec![]],
        ..Damage::default()
    };
    let routes =
        DomainRoutes::new(&domain, &all, &Routing::default(), &Control::default()).unwrap();
    assert_eq!(routes.port(false, 2).unwrap(), None);
}

#[test]
fn chips_without_nics_take_turns_among_those_that_are_equally_near() {
    let domain = Domain::new(vec![axis(8, AxisKind::FullMesh)]).unwrap();
    let damage = Damage {
        nics: [vec![0, 1, 2, 3, 6], vec![]],
        chips: vec![3],
        ..Damage::default()
    };
    let routes =
        DomainRoutes::new(&domain, &damage, &Routing::default(), &Control::default()).unwrap();
    let ports = [0, 1, 2, 3, 6].map(|chip| routes.port(false, chip).unwrap());
    // Chip 3 is dead, and has no turn.
    assert_eq!(ports, [Some(4), Some(5), Some(7), None, Some(4)]);
}

#[test]
fn what_cuts_a_chip_off_is_named() {
    let domain = Domain::new(vec![axis(5, AxisKind::Ring)]).unwrap();
    let why = |links: Vec<u64>, routing: Routing, src: u32, dst: u32| {
        let damage = Damage {
            links,
            ..Damage::default()
        };
        let routes = DomainRoutes::new(&domain, &damage, &routing, &Control::default()).unwrap();
        routes
            .walk(src, dst, &mut |_, _| {})
            .unwrap_err()
            .to_string()
    };
    // Forward cables are 0 to 4, backward 5 to 9.
    assert_eq!(
        why(vec![1, 5], Routing::default(), 1, 3),
        "chip 3 cannot be reached from chip 1: all 2 links out of the sender are dead: +y, -y"
    );
    assert!(why(vec![2, 8], Routing::Shortest, 1, 3).contains("into the receiver are dead"));
    let island = why(vec![2, 5], Routing::WildFirst, 1, 4);
    assert!(
        island.contains("island of 2 chips; dead around it: +y at (2), -y at (1)"),
        "{island}"
    );
    assert!(why(vec![1, 8], Routing::UpDown, 2, 0).contains("live both ways"));
}

#[test]
fn ways_without_a_search_are_those_of_the_search() {
    let mut random = SplitMix64::new(8);
    let cabled = |domain: &Domain| domain.axes().iter().all(Axis::is_cabled);
    let (mut quick, mut searched) = (0, 0);
    for domain in domains().into_iter().filter(cabled) {
        for _ in 0..60 {
            let damage = damage(&domain, &mut random);
            let routes =
                DomainRoutes::new(&domain, &damage, &Routing::Shortest, &Control::default())
                    .unwrap();
            for pair in 0..domain.chips() * domain.chips() {
                let (src, dst) = (pair / domain.chips(), pair % domain.chips());
                let (mut seen, mut expected) = (Vec::new(), Vec::new());
                let found = routes.search(src, dst, &mut seen).unwrap();
                let reached =
                    src == dst || routes.shortest(src, dst, &mut expected).unwrap().is_some();
                assert_eq!(found.is_some(), reached);
                assert_eq!(seen, expected, "{src} {dst}");
                let mut minimal = Vec::new();
                if routes.minimal(src, dst, &mut minimal).unwrap() {
                    quick += 1;
                } else {
                    assert!(minimal.is_empty());
                    searched += 1;
                }
            }
        }
    }
    assert!(quick > 1000 && searched > 1000, "{quick} {searched}");
}
