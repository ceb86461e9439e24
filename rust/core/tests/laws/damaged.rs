//! Routes and loads on damaged machines.

use crate::common::{cabled, cluster, mixed, torus};
use proptest::prelude::*;
use rainier_core::load::{ByteColumn, Flows, IndexColumn, SplitMix64, link_loads};
use rainier_core::machine::{End, Faults, Machine};
use rainier_core::route::{DimensionOrder, Routing, TieRule, route, walk, zero_load};
use rainier_core::{Control, Error, sim};

fn policies() -> Vec<Routing> {
    let order = |tie| Routing::DimensionOrder(DimensionOrder { tie, order: None });
    vec![
        order(TieRule::Split),
        order(TieRule::Simgrid),
        Routing::WildFirst,
        Routing::Shortest,
        Routing::UpDown,
        Routing::Balanced,
        Routing::MinimalAdaptive,
        Routing::Valiant,
    ]
}

/// `count` different numbers below `end`.
fn some<T: TryFrom<u64> + Ord>(random: &mut SplitMix64, count: u32, end: u64) -> Vec<T> {
    let mut drawn: Vec<T> = (0..count)
        .filter_map(|_| T::try_from(u64::from(random.below(end as u32))).ok())
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    drawn
}

fn damaged(machine: &Machine, percent: u32, seed: u64) -> Option<Machine> {
    let mut random = SplitMix64::new(seed);
    let (links, chips) = (machine.num_links(), machine.num_chips());
    let count = (links * u64::from(percent)).div_ceil(100) as u32;
    let rarely = |random: &mut SplitMix64, end: u64| -> Vec<u32> {
        let count = u32::from(random.below(4) == 0);
        some(random, count, end)
    };
    let faults = Faults {
        links: some(&mut random, count, links),
        chips: rarely(&mut random, u64::from(chips)),
        nics: if machine.nic().is_some() {
            some(&mut random, chips / 8, u64::from(chips))
        } else {
            vec![]
        },
        domains: rarely(&mut random, u64::from(machine.num_domains())),
        sites: rarely(&mut random, machine.sites().len() as u64),
        degraded: vec![],
    };
    machine.clone().with_faults(faults).ok()
}

fn steps(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
) -> Result<Vec<(u64, f64)>, Error> {
    let mut steps = Vec::new();
    walk(machine, routing, src, dst, &mut |link, share| {
        steps.push((link, share))
    })?;
    Ok(steps)
}

/// Loads of all flows are those of their routes, or the first that is cut off is named.
fn check_loads(machine: &Machine, seed: u64) {
    let mut random = SplitMix64::new(seed);
    let chips = machine.num_chips();
    let src: Vec<u32> = (0..80).map(|_| random.below(chips)).collect();
    let dst: Vec<u32> = (0..80).map(|_| random.below(chips)).collect();
    let bytes: Vec<f64> = (0..80).map(|_| f64::from(random.below(1000))).collect();
    for routing in policies() {
        if routing.check(machine).is_err() {
            continue;
        }
        let routes: Vec<_> = src
            .iter()
            .zip(&dst)
            .map(|(&src, &dst)| steps(machine, &routing, src, dst))
            .collect();
        let loads = |keep: &[usize]| {
            let pick = |column: &[u32]| keep.iter().map(|&at| column[at]).collect::<Vec<_>>();
            let (src, dst) = (pick(&src), pick(&dst));
            let bytes: Vec<f64> = keep.iter().map(|&at| bytes[at]).collect();
            let of = |bytes: ByteColumn| {
                let flows = Flows {
                    src: IndexColumn::U32(&src),
                    dst: IndexColumn::U32(&dst),
                    bytes,
                };
                link_loads(machine, &flows, &routing, 1, &Control::default())
            };
            (of(ByteColumn::PerFlow(&bytes)), of(ByteColumn::Scalar(3.0)))
        };
        let all: Vec<usize> = (0..src.len()).collect();
        if let Some(first) = routes.iter().find_map(|route| route.as_ref().err()) {
            let (met, alike) = (loads(&all).0.unwrap_err(), loads(&all).1.unwrap_err());
            assert_eq!(met, alike);
            if routes
                .iter()
                .all(|route| !matches!(route, Err(Error::Unsupported { .. })))
            {
                assert_eq!(&met, first);
            }
        }
        let kept: Vec<usize> = all.into_iter().filter(|&at| routes[at].is_ok()).collect();
        let mut expected = vec![[0.0; 2]; machine.num_links() as usize];
        for &at in &kept {
            for &(link, share) in routes[at].as_ref().unwrap() {
                assert!(!machine.is_dead_link(link));
                expected[link as usize][0] += share * bytes[at];
                expected[link as usize][1] += share * 3.0;
            }
        }
        let (per_flow, alike) = loads(&kept);
        for ((&a, &b), expected) in per_flow.unwrap().iter().zip(&alike.unwrap()).zip(&expected) {
            let close = |load: f64, expected: f64| {
                if matches!(routing, Routing::MinimalAdaptive | Routing::Valiant) {
                    (load - expected).abs() <= 1e-9 * (1.0 + expected)
                } else {
                    load == expected
                }
            };
            assert!(
                close(a, expected[0]) && close(b, expected[1]),
                "{routing:?} {a} {b} {expected:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn loads_of_damaged_clusters_are_the_sum_over_routes(
        whole in cluster(mixed()), percent in 0u32..21, seed in any::<u64>(),
    ) {
        if let Some(machine) = damaged(&whole, percent, seed) {
            check_loads(&machine, seed);
        }
        check_loads(&whole, seed);
    }

    #[test]
    fn loads_of_damaged_tori_are_the_sum_over_routes(
        whole in cluster(cabled()), percent in 0u32..21, seed in any::<u64>(),
    ) {
        if let Some(machine) = damaged(&whole, percent, seed) {
            check_loads(&machine, seed);
        }
    }
}

#[test]
fn loads_are_the_same_for_any_number_of_threads() {
    let machine = damaged(&torus(&[24, 20]), 2, 5).unwrap();
    let chips: Vec<u32> = (0..machine.num_chips())
        .filter(|&chip| !machine.is_dead_chip(chip))
        .collect();
    let mut random = SplitMix64::new(9);
    let mut draw = || -> Vec<u32> {
        (0..150_000)
            .map(|_| chips[random.below(chips.len() as u32) as usize])
            .collect()
    };
    let (src, dst) = (draw(), draw());
    let flows = Flows {
        src: IndexColumn::U32(&src),
        dst: IndexColumn::U32(&dst),
        bytes: ByteColumn::Scalar(5.0),
    };
    for routing in &policies()[..6] {
        let loads = |threads| link_loads(&machine, &flows, routing, threads, &Control::default());
        assert_eq!(loads(1), loads(4));
        assert!(loads(1).is_ok());
    }
    let cancelled = Control::default();
    cancelled.cancel();
    assert_eq!(
        link_loads(&machine, &flows, &Routing::UpDown, 2, &cancelled),
        Err(Error::Cancelled)
    );
}

/// From one chip to another along single links, for tori.
fn ends(machine: &Machine, link: u64) -> (u32, u32) {
    let link = machine.link(link).unwrap();
    match (link.from, link.to) {
        (End::Chip(from), End::Chip(to)) => (from, to),
        other => panic!("{other:?}"),
    }
}

/// The 500 random damaged tori.
#[test]
fn on_500_damaged_tori_each_live_pair_is_joined_or_cut() {
    let mut random = SplitMix64::new(2026);
    let mut cut_pairs = 0;
    for case in 0..500u64 {
        let axes = 2 + random.below(3);
        let most = [6, 4, 3][axes as usize - 2];
        let shape: Vec<u32> = (0..axes).map(|_| 2 + random.below(most - 1)).collect();
        let whole = torus(&shape);
        let percent = random.below(21);
        let Some(machine) = damaged(&whole, percent, case) else {
            continue;
        };
        let chips = machine.num_chips();
        let all: Vec<(u32, u32)> = (0..machine.num_links())
            .map(|link| ends(&machine, link))
            .collect();
        // Both directions of a cable stand half an axis apart.
        let per_axis = u64::from(chips);
        let back = |link: u64| {
            let (axis, at) = (link / (2 * per_axis), link % (2 * per_axis));
            axis * 2 * per_axis + (at + per_axis) % (2 * per_axis)
        };
        for routing in &policies()[..6] {
            let cables = *routing == Routing::UpDown;
            let live: Vec<bool> = (0..machine.num_links())
                .map(|link| {
                    !(machine.is_dead_link(link) || cables && machine.is_dead_link(back(link)))
                })
                .collect();
            for _ in 0..12 {
                let (src, dst) = (random.below(chips), random.below(chips));
                let mut hops = vec![None; chips as usize];
                if !machine.is_dead_chip(src) {
                    hops[src as usize] = Some(0u32);
                }
                let mut level = 0;
                loop {
                    let before = hops.clone();
                    for (link, &(from, to)) in all.iter().enumerate() {
                        if live[link]
                            && before[from as usize] == Some(level)
                            && hops[to as usize].is_none()
                        {
                            hops[to as usize] = Some(level + 1);
                        }
                    }
                    if before == hops {
                        break;
                    }
                    level += 1;
                }
                let least = hops[dst as usize].filter(|_| !machine.is_dead_chip(dst));
                let found = route(&machine, routing, src, dst);
                let Some(least) = least else {
                    assert!(matches!(found, Err(Error::Unreachable { .. })), "{found:?}");
                    cut_pairs += 1;
                    continue;
                };
                let found = found.unwrap();
                assert!(found.hops >= f64::from(least));
                if matches!(routing, Routing::Shortest | Routing::Balanced) {
                    assert_eq!(found.longest_hops, least);
                }
                let zero_load =
                    zero_load(&machine, routing, src, dst, &Control::default()).unwrap();
                assert_eq!(zero_load.hops, found.longest_hops);
                assert!((zero_load.latency - found.latency).abs() < 1e-15);
                let mut balance = vec![0.0; chips as usize];
                balance[src as usize] -= 1.0;
                balance[dst as usize] += 1.0;
                let mut here = src;
                for (&link, &share) in found.links.iter().zip(&found.shares) {
                    assert!(live[link as usize]);
                    let (from, to) = all[link as usize];
                    balance[from as usize] += share;
                    balance[to as usize] -= share;
                    if share == 1.0 && found.shares.iter().all(|&share| share == 1.0) {
                        assert_eq!(from, here);
                        here = to;
                    }
                }
                assert!(balance.iter().all(|&left| left == 0.0));
            }
        }
    }
    assert!(cut_pairs > 100);
}

#[test]
fn fair_rates_and_times_go_round_damage() {
    let whole = torus(&[8]);
    let machine = whole
        .clone()
        .with_faults(Faults {
            links: vec![0],
            ..Faults::default()
        })
        .unwrap();
    let column = [0u32];
    let (src, dst) = (IndexColumn::U32(&column), [2u32]);
    let dst = IndexColumn::U32(&dst);
    let control = Control::default();
    let rates = sim::max_min_rates(&machine, src, dst, &Routing::default(), &control).unwrap();
    assert_eq!(rates, [1e9]);
    let messages = sim::Messages {
        src,
        dst,
        bytes: ByteColumn::Scalar(1e9),
        start: ByteColumn::Scalar(0.0),
    };
    for engine in [sim::Engine::Fluid, sim::Engine::Fifo] {
        let time = |machine| {
            sim::finish_times(machine, &messages, &Routing::default(), engine, &control).unwrap()[0]
        };
        // Six links of 1 us instead of two.
        let latency = if engine == sim::Engine::Fluid {
            6e-6
        } else {
            0.0
        };
        assert!(time(&machine) > time(&whole));
        assert!(time(&machine) >= 1.0 + latency);
    }
    assert!(matches!(
        sim::max_min_rates(&machine, src, dst, &Routing::Valiant, &control),
        Err(Error::Unsupported { .. })
    ));
}
