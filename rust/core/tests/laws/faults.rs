//! The overlay of faults: what it names, what dies with it, what it refuses.

use rainier_core::Error;
use rainier_core::machine::{
    Axis, AxisKind, Domain, End, Faults, LinkClass, Machine, Nic, Site, Tier, Wan, WanShape,
};

fn axis(name: &str, size: u32, kind: AxisKind, bandwidth: f64) -> Axis {
    Axis {
        name: name.into(),
        size,
        kind,
        bandwidth,
        latency: 1e-6,
    }
}

/// Two sites of 3 and 2 domains of 4 x 2 x 3 (ring, line, ring).
fn cluster() -> Machine {
    let axes = vec![
        axis("x", 4, AxisKind::Ring, 8e9),
        axis("y", 2, AxisKind::Line, 4e9),
        axis("z", 3, AxisKind::Ring, 2e9),
    ];
    let nic = Nic {
        chips: 1,
        bandwidth: 1e9,
        latency: 0.0,
        overhead: 0.0,
    };
    let site = |name: &str, domains: u32| Site {
        name: name.into(),
        domains,
        tiers: vec![Tier {
            group: 2,
            oversubscription: 1.0,
            latency: 0.0,
        }],
    };
    let wan = Wan {
        shape: WanShape::Mesh,
        bandwidth: vec![1e9; 4],
        latency: vec![0.0; 4],
    };
    let domain = Domain::new(axes).unwrap();
    Machine::new(
        domain,
        0.0,
        Some(nic),
        vec![site("a", 3), site("b", 2)],
        Some(wan),
    )
    .unwrap()
}

#[test]
fn what_dies_with_a_chip_domain_or_site_is_every_link_at_it() {
    let whole = cluster();
    let chips = whole.domain().chips();
    let damaged = whole
        .clone()
        .with_faults(Faults {
            links: vec![5],
            chips: vec![chips + 7],
            nics: vec![3],
            domains: vec![2],
            sites: vec![1],
            degraded: vec![(9, 0.5)],
        })
        .unwrap();
    let dead_end = |end: &End| match end {
        End::Chip(chip) => *chip == chips + 7 || *chip >= 2 * chips,
        End::Switch(name) => name.starts_with("b "),
    };
    for id in 0..whole.num_links() {
        let link = whole.link(id).unwrap();
        let nic = matches!(link.class, LinkClass::NicEgress | LinkClass::NicIngress);
        let own_nic = nic && (link.from == End::Chip(3) || link.to == End::Chip(3));
        let expected = id == 5 || own_nic || dead_end(&link.from) || dead_end(&link.to);
        assert_eq!(damaged.is_dead_link(id), expected, "{link:?}");
        assert_eq!(damaged.link(id).unwrap().dead, expected);
        assert!(!whole.is_dead_link(id));
        let factor = if id == 9 { 0.5 } else { 1.0 };
        assert_eq!(
            damaged.link_numbers(id).0,
            factor * whole.link_numbers(id).0
        );
        assert_eq!(
            damaged.link(id).unwrap().bandwidth,
            damaged.link_numbers(id).0
        );
        assert_eq!(
            damaged.link_bandwidths().unwrap()[id as usize],
            damaged.link_numbers(id).0
        );
    }
    assert_eq!(damaged.num_live_chips(), 2 * chips - 1);
    assert_eq!(damaged.damaged_domains(), [0, 1]);
    assert_eq!(damaged.damage_of(0).unwrap().unwrap().nics, [[3], [3]]);
    assert_eq!(damaged.damage_of(1).unwrap().unwrap().chips, [7]);
    assert_eq!(damaged.healthy(), whole);
}

#[test]
fn a_merge_has_the_faults_of_both_and_the_worse_factor() {
    let a = Faults {
        links: vec![1, 4],
        degraded: vec![(2, 0.5), (3, 0.25)],
        ..Faults::default()
    };
    let b = Faults {
        links: vec![2, 4],
        chips: vec![9],
        degraded: vec![(3, 0.75), (8, 0.5)],
        ..Faults::default()
    };
    let both = a.merged(&b);
    assert_eq!(both, b.merged(&a));
    assert_eq!(both.links, [1, 2, 4]);
    assert_eq!(both.chips, [9]);
    assert_eq!(both.degraded, [(3, 0.25), (8, 0.5)]);
    assert_eq!(a.merged(&a), a);
}

#[test]
fn what_is_taken_away_must_be_there() {
    let faults = Faults {
        links: vec![1, 4, 6],
        chips: vec![9],
        nics: vec![2, 3],
        domains: vec![1],
        sites: vec![1],
        degraded: vec![(2, 0.5), (3, 0.25)],
    };
    assert!(faults.without(&faults).unwrap().is_empty());
    assert_eq!(faults.without(&Faults::default()).unwrap(), faults);
    let some = Faults {
        links: vec![6, 1],
        nics: vec![3],
        degraded: vec![(3, 1.0)],
        ..Faults::default()
    };
    let rest = faults.without(&some).unwrap();
    assert_eq!((rest.links, rest.nics), (vec![4], vec![2]));
    assert_eq!(rest.degraded, [(2, 0.5)]);
    assert_eq!(
        (rest.chips, rest.domains, rest.sites),
        (vec![9], vec![1], vec![1])
    );
    for (kind, _) in faults.counts() {
        let mut other = Faults::default();
        match kind {
            "links" => other.links = vec![5],
            "chips" => other.chips = vec![5],
            "nics" => other.nics = vec![5],
            "ultraservers" => other.domains = vec![5],
            "sites" => other.sites = vec![5],
            _ => other.degraded = vec![(5, 0.5)],
        }
        let error = faults.without(&other).unwrap_err();
        assert!(
            matches!(&error, Error::Invalid { argument, .. } if argument == kind),
            "{kind}: {error}"
        );
    }
}

#[test]
fn bad_overlays_are_refused_by_name() {
    let bad = |faults: Faults| cluster().with_faults(faults).unwrap_err();
    let message = |faults: Faults| bad(faults).to_string();
    let degrade = |factor: f64| Faults {
        degraded: vec![(3, factor)],
        ..Faults::default()
    };
    for factor in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
        assert!(message(degrade(factor)).contains("above 0 and at most 1"));
    }
    let twice = Faults {
        links: vec![7, 7],
        ..Faults::default()
    };
    assert!(message(twice).contains("links: got 7"));
    let both = Faults {
        links: vec![3],
        ..degrade(0.5)
    };
    assert!(message(both).contains("either dead or slower"));
    let everything = Faults {
        sites: vec![0, 1],
        ..Faults::default()
    };
    assert!(message(everything).contains("everything is dead"));
    let outside = Faults {
        chips: vec![120],
        ..Faults::default()
    };
    assert!(matches!(bad(outside), Error::OutOfRange { high: 119, .. }));
    let alone = crate::common::torus(&[4]);
    let nic = Faults {
        nics: vec![0],
        ..Faults::default()
    };
    assert!(
        alone
            .with_faults(nic)
            .unwrap_err()
            .to_string()
            .contains("no NICs")
    );
}
