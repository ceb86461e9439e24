//! Link loads against routes walked one by one, and the laws of counting.

use crate::common::{
    TIES, all_pairs, assert_close, axis, cabled, cluster, counted, dor, machine, mixed, pairs,
    site, torus, walked,
};
use proptest::prelude::*;
use rainier_core::load::{ByteColumn, Flows, IndexColumn, SplitMix64, link_loads, uniform};
use rainier_core::machine::{AxisKind, Machine, WanShape};
use rainier_core::route::{DimensionOrder, Routing, TieRule, route};
use rainier_core::{Control, Error};

fn random_pairs() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((any::<u32>(), any::<u32>()), 0..60)
}

/// Loads by walking equal loads by counting, for alike and for different bytes.
fn agree(machine: &Machine, routing: &Routing, random: &[(u32, u32)], exact: bool) {
    let (src, dst) = pairs(machine, random);
    let scalar = counted(machine, routing, &src, &dst, ByteColumn::Scalar(3.0), 1).unwrap();
    let expected = walked(machine, routing, &src, &dst, |_| 3.0);
    assert_close(&scalar, &expected, "scalar");
    // Sums of small integers and halves are exact in both.
    let bytes: Vec<f64> = (0..src.len()).map(|flow| (flow * 7 % 13) as f64).collect();
    let many = counted(machine, routing, &src, &dst, ByteColumn::PerFlow(&bytes), 1).unwrap();
    let expected_many = walked(machine, routing, &src, &dst, |flow| bytes[flow]);
    assert_close(&many, &expected_many, "per flow");
    if exact {
        assert_eq!(scalar, expected);
        assert_eq!(many, expected_many);
    }
    let fractions: Vec<f64> = (0..src.len())
        .map(|flow| 0.1 * (flow + 1) as f64 * 1e9)
        .collect();
    let many = counted(
        machine,
        routing,
        &src,
        &dst,
        ByteColumn::PerFlow(&fractions),
        1,
    )
    .unwrap();
    let expected = walked(machine, routing, &src, &dst, |flow| fractions[flow]);
    assert_close(&many, &expected, "fractions");
    // Sum of loads = sum of bytes x hops.
    let hops = |(&src, &dst)| route(machine, routing, src, dst).unwrap().hops;
    let hop_bytes: f64 = src
        .iter()
        .zip(&dst)
        .map(hops)
        .zip(&fractions)
        .map(|(hops, bytes)| hops * bytes)
        .sum();
    let total: f64 = many.iter().sum();
    assert!((total - hop_bytes).abs() <= 1e-11 * total.max(1e-300));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn counting_is_walking_in_dimension_order(machine in cluster(mixed()), random in random_pairs(), seed: u64) {
        let mut order: Vec<usize> = (0..machine.domain().axes().len()).collect();
        let mut generator = SplitMix64::new(seed);
        for last in (1..order.len()).rev() {
            order.swap(last, generator.below(last as u32 + 1) as usize);
        }
        for tie in TIES {
            agree(&machine, &dor(tie), &random, true);
            let order = Some(order.clone());
            agree(&machine, &Routing::DimensionOrder(DimensionOrder { tie, order }), &random, true);
        }
    }

    #[test]
    fn counting_is_walking_when_spread(machine in cluster(cabled()), random in random_pairs()) {
        agree(&machine, &Routing::MinimalAdaptive, &random, false);
        agree(&machine, &Routing::Valiant, &random, false);
    }

    #[test]
    fn uniform_is_all_pairs(machine in cluster(mixed()).prop_filter("few", |machine| machine.num_chips() <= 300)) {
        let (src, dst) = all_pairs(&machine);
        let bytes = 5.0 / f64::from(machine.num_chips());
        for routing in TIES.map(dor).into_iter().chain([Routing::MinimalAdaptive, Routing::Valiant]) {
            if routing.check(&machine).is_err() {
                prop_assert!(uniform(&machine, 5.0, &routing, &Control::default()).is_err());
                continue;
            }
            let expected = counted(&machine, &routing, &src, &dst, ByteColumn::Scalar(bytes), 1).unwrap();
            assert_close(&uniform(&machine, 5.0, &routing, &Control::default()).unwrap(), &expected, "uniform");
        }
    }

    #[test]
    fn uniform_on_cables_is_all_pairs(
        machine in cluster(cabled()).prop_filter("few", |machine| machine.num_chips() <= 150),
    ) {
        let (src, dst) = all_pairs(&machine);
        let bytes = 5.0 / f64::from(machine.num_chips());
        for routing in [Routing::MinimalAdaptive, Routing::Valiant] {
            let expected = counted(&machine, &routing, &src, &dst, ByteColumn::Scalar(bytes), 1).unwrap();
            assert_close(&uniform(&machine, 5.0, &routing, &Control::default()).unwrap(), &expected, "uniform");
        }
    }
}

/// Many random flows between chips of `machine`.
fn many(machine: &Machine, flows: usize) -> (Vec<u32>, Vec<u32>, Vec<f64>) {
    let mut random = SplitMix64::new(7);
    let mut chips = || {
        (0..flows)
            .map(|_| random.below(machine.num_chips()))
            .collect()
    };
    let (src, dst) = (chips(), chips());
    let bytes = (0..flows)
        .map(|_| random.next_u64() as f64 * 1e-3)
        .collect();
    (src, dst, bytes)
}

#[test]
fn threads_and_order_do_not_change_a_bit() {
    for (shape, flows, routings) in [
        (
            &[8, 4, 6][..],
            200_000,
            vec![dor(TieRule::Split), Routing::Valiant],
        ),
        (&[4, 4, 4][..], 2_000, vec![Routing::MinimalAdaptive]),
    ] {
        let machine = torus(shape);
        let (mut src, mut dst, mut bytes) = many(&machine, flows);
        for routing in routings {
            let per_flow = |threads, src: &[u32], dst: &[u32], bytes: &[f64]| {
                counted(
                    &machine,
                    &routing,
                    src,
                    dst,
                    ByteColumn::PerFlow(bytes),
                    threads,
                )
                .unwrap()
            };
            let one = per_flow(1, &src, &dst, &bytes);
            assert_eq!(one, per_flow(2, &src, &dst, &bytes));
            assert_eq!(one, per_flow(7, &src, &dst, &bytes));
            let scalar = |threads| {
                counted(
                    &machine,
                    &routing,
                    &src,
                    &dst,
                    ByteColumn::Scalar(0.3),
                    threads,
                )
            };
            assert_eq!(scalar(1), scalar(2));
            assert_eq!(scalar(1), scalar(7));
            src.reverse();
            dst.reverse();
            bytes.reverse();
            assert_eq!(one, per_flow(1, &src, &dst, &bytes));
        }
    }
}

#[test]
fn extreme_bytes_keep_their_value() {
    let machine = torus(&[8]);
    // 4 hops with a tie, twice 1 hop.
    let (src, dst) = ([0u32, 0, 1], [4u32, 1, 2]);
    for bytes in [
        [2f64.powi(-1074); 3],
        [f64::MAX / 4.0; 3],
        [1e300, 1e-300, 0.0],
        [2f64.powi(60), 1.0, 2f64.powi(-60)],
        [0.0; 3],
    ] {
        let loads = counted(
            &machine,
            &dor(TieRule::Positive),
            &src,
            &dst,
            ByteColumn::PerFlow(&bytes),
            1,
        )
        .unwrap();
        assert_eq!(loads[0], bytes[0] + bytes[1]);
        assert_eq!(loads[1], bytes[0] + bytes[2]);
        assert_eq!(loads[3], bytes[0]);
        assert_eq!(loads[8..], [0.0; 8]);
    }
    // The sum of what floats cannot add: 2^60 + 1 - exact before one rounding, in any order.
    let bytes = [2f64.powi(53), 1.0, 1.0];
    let loads = counted(
        &machine,
        &dor(TieRule::Positive),
        &[0, 0, 0],
        &[1, 1, 1],
        ByteColumn::PerFlow(&bytes),
        1,
    );
    assert_eq!(loads.unwrap()[0], 2f64.powi(53) + 2.0);
}

#[test]
fn bad_input_is_named() {
    let machine = torus(&[4, 4]);
    let good = [0u32, 1, 2];
    let name = |src: IndexColumn, dst: IndexColumn, bytes: ByteColumn| {
        let flows = Flows { src, dst, bytes };
        let names = [
            dor(TieRule::Split),
            Routing::MinimalAdaptive,
            Routing::Valiant,
        ]
        .map(|routing| {
            let error = link_loads(&machine, &flows, &routing, 1, &Control::default()).unwrap_err();
            match error {
                Error::OutOfRange {
                    argument, value, ..
                } => format!("{argument} {value}"),
                Error::Invalid { argument, .. } => argument,
                other => panic!("{other}"),
            }
        });
        assert_eq!(names[0], names[1]);
        assert_eq!(names[0], names[2]);
        names[0].clone()
    };
    let one = ByteColumn::Scalar(1.0);
    let good = IndexColumn::U32(&good);
    assert_eq!(name(IndexColumn::I32(&[0, -1, 16]), good, one), "src[1] -1");
    assert_eq!(name(good, IndexColumn::I64(&[0, 1, 16]), one), "dst[2] 16");
    assert_eq!(
        name(good, IndexColumn::I64(&[0, 1, 1 << 32]), one),
        "dst[2] 4294967296"
    );
    assert_eq!(
        name(IndexColumn::U64(&[u64::MAX, 0, 0]), good, one),
        "src[0] 18446744073709551615"
    );
    assert_eq!(name(good, IndexColumn::U32(&[1]), one), "dst");
    assert_eq!(name(good, good, ByteColumn::PerFlow(&[1.0])), "bytes");
    assert_eq!(
        name(good, good, ByteColumn::PerFlow(&[1.0, f64::NAN, 1.0])),
        "bytes[1]"
    );
    assert_eq!(
        name(good, good, ByteColumn::PerFlow(&[1.0, 1.0, -1.0])),
        "bytes[2]"
    );
    assert_eq!(name(good, good, ByteColumn::Scalar(f64::INFINITY)), "bytes");
    assert_eq!(
        name(good, good, ByteColumn::PerFlow(&[f64::MAX; 3])),
        "bytes"
    );
    assert_eq!(name(good, good, ByteColumn::Scalar(f64::MAX)), "bytes");
}

#[test]
fn the_first_bad_flow_is_named_by_any_number_of_threads() {
    let machine = torus(&[4, 4]);
    let mut src = vec![0u32; 300_000];
    for bad in [70_000, 150_000, 299_999] {
        src[bad] = 99;
    }
    let dst = vec![0u32; src.len()];
    for threads in [1, 2, 7] {
        let error = counted(
            &machine,
            &dor(TieRule::Split),
            &src,
            &dst,
            ByteColumn::Scalar(1.0),
            threads,
        )
        .unwrap_err();
        assert!(matches!(error, Error::OutOfRange { argument, .. } if argument == "src[70000]"));
    }
}

#[test]
fn a_cancelled_job_stops_and_progress_counts_flows() {
    let machine = torus(&[4, 4]);
    let chips = [0u32, 1, 2, 3];
    let flows = Flows {
        src: IndexColumn::U32(&chips),
        dst: IndexColumn::U32(&chips),
        bytes: ByteColumn::Scalar(1.0),
    };
    for routing in [
        dor(TieRule::Split),
        Routing::MinimalAdaptive,
        Routing::Valiant,
    ] {
        let control = Control::default();
        link_loads(&machine, &flows, &routing, 1, &control).unwrap();
        assert_eq!(control.done(), 4);
        control.cancel();
        let stopped = link_loads(&machine, &flows, &routing, 1, &control);
        assert_eq!(stopped, Err(Error::Cancelled));
    }
}

#[test]
fn a_spanning_switch_may_come_before_what_it_corrects() {
    let spanning = AxisKind::Switch {
        spans_below: true,
        tiers: Vec::new(),
    };
    let axes = vec![axis(4, AxisKind::Ring), axis(2, spanning)];
    let machine = machine(axes, vec![site(1, Vec::new())], WanShape::Mesh);
    let routing = Routing::DimensionOrder(DimensionOrder {
        tie: TieRule::Split,
        order: Some(vec![1, 0]),
    });
    let (src, dst) = all_pairs(&machine);
    let loads = counted(&machine, &routing, &src, &dst, ByteColumn::Scalar(1.0), 1).unwrap();
    assert_eq!(loads, walked(&machine, &routing, &src, &dst, |_| 1.0));
}
