//! The count and the search against all layouts, listed one by one.

use super::cuts::reflections;
use super::digit::{Cut, Place};
use super::layout::Layout;
use super::search::{Found, Search};
use super::space::Space;
use super::tree::{Places, Tree};
use crate::Control;
use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier, Wan, WanShape};

fn machine(axes: &[(u32, bool)], sites: &[u32], groups: &[u32]) -> Machine {
    let axis = |(number, &(size, ring)): (usize, &(u32, bool))| Axis {
        name: format!("a{number}"),
        size,
        kind: if ring {
            AxisKind::Ring
        } else {
            AxisKind::FullMesh
        },
        bandwidth: 1e9,
        latency: 1e-6,
    };
    let tier = |&group: &u32| Tier {
        group,
        oversubscription: 2.0,
        latency: 1e-6,
    };
    let site = |(number, &domains): (usize, &u32)| Site {
        name: number.to_string(),
        domains,
        tiers: groups.iter().map(tier).collect(),
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 1e8,
        latency: 1e-6,
        overhead: 0.0,
    };
    let count = sites.len();
    let wan = Wan {
        shape: WanShape::Hub,
        bandwidth: vec![1e9; count],
        latency: vec![1e-3; count],
    };
    Machine::new(
        Domain::new(axes.iter().enumerate().map(axis).collect()).unwrap(),
        0.0,
        Some(nic),
        sites.iter().enumerate().map(site).collect(),
        (count > 1).then_some(wan),
    )
    .unwrap()
}

fn cases() -> Vec<(Machine, Vec<u32>)> {
    vec![
        (
            machine(&[(4, true), (4, true), (4, true)], &[1], &[]),
            vec![4, 2, 8],
        ),
        (
            machine(&[(4, true), (3, true), (4, true)], &[2], &[]),
            vec![6, 4, 4],
        ),
        (machine(&[(6, true)], &[4, 4], &[2]), vec![3, 4, 4]),
        (
            machine(&[(12, true), (4, false)], &[2], &[]),
            vec![2, 2, 2, 12],
        ),
        (machine(&[(2, false)], &[8], &[4]), vec![16]),
        (machine(&[(1, true)], &[1], &[]), vec![1]),
    ]
}

/// By what layouts are in order: of each dimension, cuts without reflected parts first.
fn key(layout: &Layout) -> Vec<(usize, Cut)> {
    let each = layout.0.iter();
    each.map(|cut| (reflections(cut), cut.clone())).collect()
}

fn trees(space: &Space, order: &[usize]) -> (Vec<Tree>, Places) {
    let (mut places, control) = (Places::default(), Control::default());
    let axes = 0..space.sizes.len();
    let trees = axes.map(|axis| Tree::of(space, axis, order, &mut places, &control).unwrap());
    (trees.collect(), places)
}

fn all(search: &Search) -> Vec<Found> {
    search.in_order(f64::INFINITY, 0).unwrap()
}

fn outward(space: &Space) -> Vec<usize> {
    (0..space.dimensions.len()).collect()
}

#[test]
fn layouts_are_counted_without_listing_them() {
    for (machine, sizes) in cases() {
        let control = Control::default();
        let space = Space::new(&machine, &sizes, &control).unwrap();
        let order = outward(&space);
        let (trees, _) = trees(&space, &order);
        let search = Search::new(&space, &trees, &order, 10, &control).unwrap();
        let all: Vec<_> = all(&search)
            .iter()
            .map(|found| search.layout(&found.cuts))
            .collect();
        assert_eq!(all.len() as u128, space.count().unwrap(), "{sizes:?}");
        assert!(
            all.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])),
            "in order, each once"
        );
        for layout in &all {
            layout.validate(&space.dimensions, &sizes).unwrap();
            assert_eq!(&space.stands_for(layout), layout);
        }
    }
}

#[test]
fn the_search_finds_the_fastest_whatever_places_take() {
    for (machine, sizes) in cases() {
        let control = Control::default();
        let space = Space::new(&machine, &sizes, &control).unwrap();
        let order = outward(&space);
        let inward: Vec<usize> = order.iter().rev().copied().collect();
        let mut forward = trees(&space, &order);
        let mut backward = trees(&space, &inward);
        for salt in 0..8_u32 {
            // Few different values: ties are what is hard. Places are numbered as they are met.
            let value = |place: &Place, axis: u32| {
                let digits = place
                    .iter()
                    .flatten()
                    .map(|digit| 5 * digit.step + digit.factor);
                let number =
                    digits.fold(salt, |all, digit| all.wrapping_mul(31).wrapping_add(digit));
                f64::from(number.wrapping_mul(7).wrapping_add(axis * 3) % 5)
            };
            for (trees, places) in [&mut forward, &mut backward] {
                for (axis, tree) in (0..).zip(trees) {
                    tree.settle(|place| (value(&places.all[place as usize], axis), true));
                }
            }
            for keep in [1, 3, 20, 10_000] {
                let ordered = Search::new(&space, &forward.0, &order, keep, &control).unwrap();
                let mut wanted = all(&ordered);
                wanted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
                wanted.truncate(keep);
                let search = Search::new(&space, &backward.0, &inward, keep, &control).unwrap();
                let fastest = search.fastest(f64::INFINITY).unwrap();
                let seconds =
                    |all: &[Found]| all.iter().map(|found| found.seconds).collect::<Vec<_>>();
                assert_eq!(seconds(&fastest), seconds(&wanted));
                if fastest.len() == keep {
                    let last = fastest[keep - 1].seconds;
                    let below = fastest.iter().filter(|found| found.seconds < last).count();
                    let mut ordered = ordered.in_order(last, keep - below).unwrap();
                    ordered.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
                    assert_eq!(ordered, wanted);
                }
            }
        }
    }
}
