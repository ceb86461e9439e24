#![allow(clippy::unwrap_used, reason = "tests may panic")]

use super::report::routing_reports;
use crate::Control;
use crate::machine::{Axis, AxisKind, Domain, Faults, Machine, Site};
use crate::random::SplitMix64;
use crate::route::{DimensionOrder, Routing, TieRule};

fn torus(shape: &[u32], kind: &AxisKind) -> Machine {
    let axis = |(&size, name): (&u32, &str)| Axis {
        name: name.into(),
        size,
        kind: kind.clone(),
        bandwidth: 1e9,
        latency: 0.0,
    };
    let axes = shape.iter().zip(["x", "y", "z", "w"]).map(axis);
    let site = Site {
        name: String::new(),
        domains: 1,
        tiers: vec![],
    };
    Machine::new(
        Domain::new(axes.collect()).unwrap(),
        0.0,
        None,
        vec![site],
        None,
    )
    .unwrap()
}

fn policies() -> [Routing; 5] {
    [
        Routing::default(),
        Routing::WildFirst,
        Routing::Shortest,
        Routing::UpDown,
        Routing::Balanced,
    ]
}

/// The 500 random damaged tori: what is promised holds.
#[test]
fn promised_freedom_from_deadlock_holds_on_500_damaged_tori() {
    let mut random = SplitMix64::new(41);
    let (mut promised, mut cycles, mut wild) = (0, 0, 0);
    for _ in 0..500 {
        let axes = 2 + random.below(3);
        let most = [6, 4, 3][axes as usize - 2];
        let shape: Vec<u32> = (0..axes).map(|_| 2 + random.below(most - 1)).collect();
        let whole = torus(&shape, &AxisKind::Ring);
        let percent = random.below(21);
        let cables = random.below(2) == 0;
        let mut links = Vec::new();
        for link in 0..whole.num_links() {
            if random.below(100) < percent {
                links.push(link);
                if cables {
                    links.push(super::links::reverse(whole.domain(), link));
                }
            }
        }
        links.sort_unstable();
        links.dedup();
        let machine = whole
            .with_faults(Faults {
                links,
                ..Faults::default()
            })
            .unwrap();
        for routing in policies() {
            let report =
                &routing_reports(&machine, &routing, None, &Control::default()).unwrap()[0];
            assert!(!report.promised || report.cycle.is_empty(), "{report:?}");
            if routing == Routing::UpDown {
                assert!(report.promised && report.virtual_channels <= 1);
            }
            if routing == Routing::WildFirst {
                assert!(report.promised && report.virtual_channels <= 2 + report.wild_hops);
                wild += report.wild;
            }
            promised += u32::from(report.promised);
            cycles += u32::from(!report.cycle.is_empty());
            for pair in report.cycle.windows(2) {
                assert_ne!(pair[0], pair[1]);
            }
        }
    }
    // The check can fail: shortest paths and other orders of the axes do make cycles.
    assert!(
        promised > 1000 && cycles > 100 && wild > 1000,
        "{promised} {cycles} {wild}"
    );
}

#[test]
fn a_ring_needs_its_dateline() {
    let ring = torus(&[6], &AxisKind::Ring);
    let routing = Routing::DimensionOrder(DimensionOrder {
        tie: TieRule::Positive,
        order: None,
    });
    let report = &routing_reports(&ring, &routing, None, &Control::default()).unwrap()[0];
    assert_eq!((report.virtual_channels, report.promised), (2, true));
    assert!(report.cycle.is_empty());
    // Without it the six links of one direction wait for each other.
    let domain = ring.domain();
    let mut waiting = super::deadlock::Waiting::new(domain);
    for chip in 0..6u64 {
        let steps: Vec<(u64, f64)> = (0..3).map(|hop| ((chip + hop) % 6, 1.0)).collect();
        waiting.add(&steps, super::FoundBy::UpDown);
    }
    assert_eq!(waiting.used(), 1);
    assert_eq!(waiting.cycle().unwrap().len(), 6);
}

/// Ties decide whether the messages half way round close a ring of waiting.
#[test]
fn rings_of_four_need_one_channel_by_rules_that_leave_gaps() {
    let with = |shape: &[u32], tie| {
        let routing = Routing::DimensionOrder(DimensionOrder { tie, order: None });
        let machine = torus(shape, &AxisKind::Ring);
        let report = &routing_reports(&machine, &routing, None, &Control::default()).unwrap()[0];
        assert!(report.cycle.is_empty() && report.promised);
        (report.virtual_channels, report.damaged.load)
    };
    let cube = [4, 4, 4];
    assert_eq!(with(&cube, TieRule::Parity), (1, 32.0));
    assert_eq!(with(&cube, TieRule::Dateline), (1, 48.0));
    assert_eq!(with(&cube, TieRule::Simgrid), (1, 48.0));
    assert_eq!(with(&cube, TieRule::Split), (2, 32.0));
    assert_eq!(with(&cube, TieRule::Positive), (2, 48.0));
    // As good as a split on rings whose length is a multiple of 4, not on others.
    assert_eq!(with(&[8, 8], TieRule::Parity).1, 64.0);
    assert_eq!(with(&[6, 6], TieRule::Parity).1, 30.0);
    assert_eq!(with(&[6, 6], TieRule::Split).1, 27.0);
}

#[test]
fn healthy_reports_are_closed_forms() {
    for routing in policies() {
        let report = &routing_reports(
            &torus(&[4, 4], &AxisKind::Ring),
            &routing,
            None,
            &Control::default(),
        )
        .unwrap()[0];
        assert_eq!((report.pairs, report.cut), (240, 0));
        assert_eq!(report.damaged, report.healthy);
        if routing != Routing::UpDown {
            // Mean distance along a ring of 4 is 1; of all 256 pairs 2, of the 240 that differ 32 / 15.
            assert!((report.damaged.mean - 32.0 / 15.0).abs() < 1e-12);
            assert_eq!(report.damaged.longest, 4);
        }
        assert_eq!(report.promised, routing != Routing::Shortest);
    }
    let report = &routing_reports(
        &torus(&[4, 4], &AxisKind::Ring),
        &Routing::default(),
        None,
        &Control::default(),
    )
    .unwrap()[0];
    // 16 chips, 4 x 4 messages x 1 hop an axis over 2 links a chip.
    assert_eq!(report.damaged.load, 8.0);
    let line = torus(&[5], &AxisKind::Line);
    let report =
        &routing_reports(&line, &Routing::default(), None, &Control::default()).unwrap()[0];
    assert_eq!((report.virtual_channels, report.damaged.longest), (1, 4));
}
