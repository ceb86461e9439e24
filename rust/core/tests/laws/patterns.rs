//! Loads of the textbook patterns: Dally and Towles, Principles and Practices of Interconnection Networks (2004), and
//! what SimGrid 3.32 and BookSim 2 give for the same traffic.

use crate::common::{TIES, all_pairs, axis, cluster, counted, dor, machine, mixed, site, torus};
use proptest::prelude::*;
use rainier_core::Control;
use rainier_core::load::{ByteColumn, Pattern, destinations, uniform};
use rainier_core::machine::{AxisKind, Machine, WanShape};
use rainier_core::route::{Routing, TieRule};

fn most(loads: &[f64]) -> f64 {
    loads.iter().copied().fold(0.0, f64::max)
}

/// Largest load when each chip sends one byte.
fn gamma(machine: &Machine, pattern: &Pattern, routing: &Routing) -> f64 {
    let src: Vec<u32> = (0..machine.num_chips()).collect();
    let dst = destinations(machine, pattern).unwrap();
    most(&counted(machine, routing, &src, &dst, ByteColumn::Scalar(1.0), 1).unwrap())
}

fn neighbor() -> Pattern {
    Pattern::Neighbor { shift: None }
}

#[test]
fn channel_loads_of_the_textbook() {
    use Pattern::{BitComplement, BitReversal, BitTranspose, Shuffle, Tornado};
    let split = dor(TieRule::Split);
    for (shape, expected) in [
        (&[8, 8][..], [1.0, 3.0, 2.0, 3.5, 3.5, 3.5, 1.0]),
        (&[4, 4, 4][..], [0.5, 1.0, 1.0, 3.0, 1.5, 4.0, 1.0]),
        (&[8, 8, 8][..], [1.0, 3.0, 2.0, f64::NAN, 3.5, 16.0, 1.0]),
        (&[16, 16, 16][..], [2.0, 7.0, 4.0, 30.0, 7.5, 48.0, 1.0]),
    ] {
        let machine = torus(shape);
        assert_eq!(
            most(&uniform(&machine, 1.0, &split, &Control::default()).unwrap()),
            expected[0]
        );
        let patterns = [
            Tornado,
            BitComplement,
            BitTranspose,
            Shuffle,
            BitReversal,
            neighbor(),
        ];
        for (pattern, expected) in patterns.iter().zip(&expected[1..]) {
            if expected.is_nan() {
                assert!(destinations(&machine, pattern).is_err());
            } else {
                assert_eq!(
                    gamma(&machine, pattern, &split),
                    *expected,
                    "{shape:?} {pattern:?}"
                );
            }
        }
    }
    let square = torus(&[8, 8]);
    assert_eq!(gamma(&square, &Pattern::Transpose, &split), 3.5);
    assert_eq!(
        gamma(&square, &Pattern::Transpose, &dor(TieRule::Positive)),
        4.0
    );
    let (reversed, by_bits) = (Pattern::Transpose, BitTranspose);
    assert_eq!(
        destinations(&square, &reversed),
        destinations(&square, &by_bits)
    );
}

#[test]
fn uniform_closed_forms() {
    for (side, split, positive) in [
        (4, 32.0, 48.0),
        (6, 162.0, 216.0),
        (8, 512.0, 640.0),
        (16, 8192.0, 9216.0),
    ] {
        let machine = torus(&[side; 3]);
        let chips = f64::from(machine.num_chips());
        let loads = uniform(&machine, chips, &dor(TieRule::Split), &Control::default()).unwrap();
        assert!(loads.iter().all(|&load| load == split));
        assert_eq!(
            most(
                &uniform(
                    &machine,
                    chips,
                    &dor(TieRule::Positive),
                    &Control::default()
                )
                .unwrap()
            ),
            positive
        );
        assert_eq!(
            most(
                &uniform(
                    &machine,
                    chips,
                    &dor(TieRule::Negative),
                    &Control::default()
                )
                .unwrap()
            ),
            positive
        );
        let hops: f64 = loads.iter().sum();
        for tie in TIES {
            assert_eq!(
                uniform(&machine, chips, &dor(tie), &Control::default())
                    .unwrap()
                    .iter()
                    .sum::<f64>(),
                hops
            );
        }
    }
    let odd = uniform(
        &torus(&[5; 3]),
        125.0,
        &dor(TieRule::Split),
        &Control::default(),
    )
    .unwrap();
    assert!(odd.iter().all(|&load| load == 75.0));
    // SimGrid's all-to-all on 4^3 and 6^3: 48 and 216.
    assert_eq!(
        most(
            &uniform(
                &torus(&[4; 3]),
                64.0,
                &dor(TieRule::Simgrid),
                &Control::default()
            )
            .unwrap()
        ),
        48.0
    );
    // A mesh: k/4 (1 - 1/k^2 is for odd k).
    let line = machine(
        vec![axis(8, AxisKind::Line); 2],
        vec![site(1, Vec::new())],
        WanShape::Mesh,
    );
    assert_eq!(
        most(&uniform(&line, 1.0, &dor(TieRule::Split), &Control::default()).unwrap()),
        2.0
    );
}

#[test]
fn valiant_takes_a_quarter_of_k_for_every_permutation() {
    for side in [4u32, 8] {
        let machine = torus(&[side; 3]);
        // A chip that sends to itself takes no detour, so patterns without such chips.
        for pattern in [Pattern::Tornado, Pattern::BitComplement, neighbor()] {
            let load = gamma(&machine, &pattern, &Routing::Valiant);
            assert!(
                (load - f64::from(side) / 4.0).abs() < 1e-12,
                "{pattern:?} {load}"
            );
        }
    }
}

#[test]
fn total_hops_of_8_cubed() {
    let machine = torus(&[8; 3]);
    let (src, dst) = all_pairs(&machine);
    for routing in TIES.map(dor) {
        let loads = counted(&machine, &routing, &src, &dst, ByteColumn::Scalar(1.0), 2).unwrap();
        assert_eq!(loads.iter().sum::<f64>(), 1_572_864.0);
    }
}

#[test]
fn addresses_of_several_domains() {
    let machine = machine(
        vec![axis(3, AxisKind::Line), axis(3, AxisKind::Ring)],
        vec![site(4, vec![])],
        WanShape::Mesh,
    );
    let of = |pattern| destinations(&machine, &pattern).unwrap();
    assert_eq!(of(neighbor())[8], 0);
    assert_eq!(
        of(Pattern::Neighbor {
            shift: Some(vec![-1, 0])
        })[..3],
        [2, 0, 1]
    );
    assert_eq!(
        of(Pattern::Neighbor {
            shift: Some(vec![0, 0, 1])
        })[30],
        3
    );
    assert_eq!(of(Pattern::Tornado)[0], 1 + 3 + 9);
    assert_eq!(of(Pattern::Transpose)[9..15], [9, 12, 15, 10, 13, 16]);
    assert_eq!(of(Pattern::BitComplement)[0], 35);
    assert!(destinations(&machine, &Pattern::Shuffle).is_err());
    assert!(
        destinations(
            &machine,
            &Pattern::Neighbor {
                shift: Some(vec![1])
            }
        )
        .is_err()
    );
    assert!(destinations(&torus(&[2, 4]), &Pattern::Transpose).is_err());
    assert!(destinations(&torus(&[2, 4]), &Pattern::BitTranspose).is_err());
    assert_eq!(
        destinations(&torus(&[1]), &Pattern::BitReversal).unwrap(),
        [0]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn patterns_are_permutations(machine in cluster(mixed()), seed: u64) {
        for pattern in [
            Pattern::Transpose,
            Pattern::Tornado,
            Pattern::BitComplement,
            neighbor(),
            Pattern::Permutation { seed },
            Pattern::BitReversal,
            Pattern::Shuffle,
            Pattern::BitTranspose,
        ] {
            if let Ok(mut chips) = destinations(&machine, &pattern) {
                prop_assert_eq!(destinations(&machine, &pattern).unwrap(), chips.clone());
                chips.sort_unstable();
                prop_assert!(chips.into_iter().eq(0..machine.num_chips()));
            }
        }
    }
}
