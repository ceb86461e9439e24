//! The count and the search against all layouts, listed one by one.

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

fn trees(space: &Space) -> Vec<Tree> {
    let (mut places, control) = (Places::default(), Control::default());
    let axes = 0..space.sizes.len();
    axes.map(|axis| Tree::of(space, axis, &mut places, &control).unwrap())
        .collect()
}

fn all(search: &Search) -> Vec<Found> {
    search.in_order(f64::INFINITY, 0).unwrap()
}

#[test]
fn layouts_are_counted_without_listing_them() {
    for (machine, sizes) in cases() {
        let control = Control::default();
        let space = Space::new(&machine, &sizes, false, &control).unwrap();
        let trees = trees(&space);
        let search = Search::new(&space, &trees, 10, &control);
        let all: Vec<_> = all(&search)
            .iter()
            .map(|found| search.layout(&found.cuts))
            .collect();
        assert_eq!(all.len() as u128, space.count().unwrap(), "{sizes:?}");
        assert!(
            all.windows(2).all(|pair| pair[0] < pair[1]),
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
        let space = Space::new(&machine, &sizes, false, &control).unwrap();
        let mut trees = trees(&space);
        for salt in 0..8_u32 {
            for (axis, tree) in (0..).zip(&mut trees) {
                // Few different values: ties are what is hard.
                let value = |place: u32| (place * 7 + axis * 3 + salt * place * place) % 5;
                tree.settle(|place| (f64::from(value(place)), true));
            }
            for keep in [1, 3, 20, 10_000] {
                let search = Search::new(&space, &trees, keep, &control);
                let mut wanted = all(&search);
                wanted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
                wanted.truncate(keep);
                let fastest = search.fastest(f64::INFINITY).unwrap();
                let seconds =
                    |all: &[Found]| all.iter().map(|found| found.seconds).collect::<Vec<_>>();
                assert_eq!(seconds(&fastest), seconds(&wanted));
                if fastest.len() == keep {
                    let last = fastest[keep - 1].seconds;
                    let below = fastest.iter().filter(|found| found.seconds < last).count();
                    let mut ordered = search.in_order(last, keep - below).unwrap();
                    ordered.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
                    assert_eq!(ordered, wanted);
                }
            }
        }
    }
}
