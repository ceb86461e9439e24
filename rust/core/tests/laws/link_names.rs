//! Every link that can be named gives its own number back.

use rainier_core::Error;
use rainier_core::machine::{
    Axis, AxisKind, Domain, End, LinkClass, LinkName, Machine, Nic, Site, Tier, Wan, WanShape,
};

fn axis(name: &str, size: u32, kind: AxisKind) -> Axis {
    Axis {
        name: name.into(),
        size,
        kind,
        bandwidth: 1e9,
        latency: 0.0,
    }
}

/// Two sites of 3 and 2 domains with an axis of each kind, two fabric tiers, and a WAN.
fn cluster(shape: WanShape) -> Machine {
    let port = AxisKind::Switch {
        spans_below: false,
        tiers: vec![],
    };
    let axes = vec![
        axis("x", 3, AxisKind::Ring),
        axis("y", 2, AxisKind::Ring),
        axis("z", 3, AxisKind::Line),
        axis("m", 3, AxisKind::FullMesh),
        axis("s", 2, port),
    ];
    let tier = |group: u32| Tier {
        group,
        oversubscription: 1.0,
        latency: 0.0,
    };
    let site = |name: &str, domains: u32| Site {
        name: name.into(),
        domains,
        tiers: vec![tier(1), tier(2)],
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 1e9,
        latency: 0.0,
        overhead: 0.0,
    };
    let cells = match shape {
        WanShape::Mesh => 4,
        WanShape::Hub => 2,
    };
    let wan = Wan {
        shape,
        bandwidth: vec![1e9; cells],
        latency: vec![0.0; cells],
    };
    let sites = vec![site("a", 3), site("b", 2)];
    Machine::new(Domain::new(axes).unwrap(), 0.0, Some(nic), sites, Some(wan)).unwrap()
}

/// A chip, and how the link is called from there.
fn called(machine: &Machine, id: u64) -> Option<(u32, String, &'static str, Option<u32>)> {
    let link = machine.link(id).unwrap();
    let class = link.class.name(machine);
    let chip = |end: &End| match end {
        End::Chip(chip) => Some(*chip),
        End::Switch(_) => None,
    };
    let (from, to) = (chip(&link.from), chip(&link.to));
    match link.class {
        LinkClass::Cable(index) if link.direction.is_empty() => {
            let far = machine.domain().coordinate(to.unwrap(), index);
            Some((from.unwrap(), class, "out", Some(far)))
        }
        LinkClass::Cable(_) => Some((from.unwrap(), class, link.direction, None)),
        LinkClass::Port(index) => {
            let axis = machine.domain().axes()[index].name.clone();
            Some((from.or(to).unwrap(), axis, link.direction, None))
        }
        LinkClass::NicEgress => Some((from.unwrap(), "nic".into(), "egress", None)),
        LinkClass::NicIngress => Some((to.unwrap(), "nic".into(), "ingress", None)),
        _ => None,
    }
}

#[test]
fn every_link_at_a_chip_is_found_by_its_name() {
    let machine = cluster(WanShape::Mesh);
    let mut named = 0;
    for id in 0..machine.num_links() {
        let Some((chip, class, direction, to)) = called(&machine, id) else {
            continue;
        };
        let name = LinkName {
            class: &class,
            direction: Some(direction),
            to,
        };
        assert_eq!(machine.links_named(chip, &name).unwrap(), [id], "{name:?}");
        named += 1;
    }
    let tiers = 2 * (3 + 2 + 2 + 1);
    assert_eq!(named, machine.num_links() - tiers - 2);
}

#[test]
fn a_cable_is_two_links_that_join_the_same_chips() {
    let machine = cluster(WanShape::Mesh);
    for class in ["x", "y", "z"] {
        let name = LinkName {
            class,
            ..LinkName::default()
        };
        let links = machine.links_named(0, &name).unwrap();
        let [one, two] = [0, 1].map(|at| machine.link(links[at]).unwrap());
        assert_eq!((&one.from, &one.to), (&two.to, &two.from));
        assert_eq!((one.direction, two.direction), ("+", "-"));
    }
}

#[test]
fn bundles_and_the_wan_are_found_from_a_chip_of_the_site() {
    let chip = |machine: &Machine| 4 * machine.domain().chips();
    let machine = cluster(WanShape::Mesh);
    let find = |machine: &Machine, class, direction, to| {
        let name = LinkName {
            class,
            direction,
            to,
        };
        machine.links_named(chip(machine), &name)
    };
    let words = |id: u64| {
        let link = machine.link(id).unwrap();
        (link.class, link.from, link.to)
    };
    let switch = |name: &str| End::Switch(name.into());
    let up = find(&machine, "fabric tier 1", Some("up"), None).unwrap();
    let (class, from, to) = words(up[0]);
    assert_eq!(class, LinkClass::FabricUp(0));
    assert_eq!(
        (from, to),
        (switch("b tier 1 group 1"), switch("b tier 2 group 0"))
    );
    let out = find(&machine, "wan", Some("out"), Some(0)).unwrap();
    assert_eq!(
        words(out[0]),
        (LinkClass::Wan, switch("b core"), switch("a core"))
    );
    let hub = cluster(WanShape::Hub);
    let down = find(&hub, "wan", Some("down"), None).unwrap();
    let link = hub.link(down[0]).unwrap();
    assert_eq!((link.from, link.to), (switch("wan hub"), switch("b core")));
}

#[test]
fn what_does_not_exist_is_refused() {
    let machine = cluster(WanShape::Mesh);
    let find = |chip, class, direction, to| {
        let name = LinkName {
            class,
            direction,
            to,
        };
        machine.links_named(chip, &name).unwrap_err()
    };
    let last = machine.domain().chips() - 1;
    assert!(
        matches!(find(0, "w", None, None), Error::Unknown { known, .. } if known.contains("nic"))
    );
    assert!(matches!(
        find(0, "x", Some("up"), None),
        Error::Unknown { .. }
    ));
    assert!(matches!(
        find(0, "nic", Some("+"), None),
        Error::Unknown { .. }
    ));
    assert!(matches!(
        find(0, "z", Some("-"), None),
        Error::Invalid { .. }
    ));
    assert!(matches!(find(last, "z", None, None), Error::Invalid { .. }));
    assert!(matches!(find(0, "m", None, None), Error::Invalid { .. }));
    assert!(matches!(find(0, "m", None, Some(0)), Error::Invalid { .. }));
    assert!(matches!(find(0, "m", None, Some(3)), Error::Invalid { .. }));
    assert!(matches!(
        find(0, "wan", None, Some(0)),
        Error::Invalid { .. }
    ));
    assert!(matches!(find(0, "x", None, Some(1)), Error::Invalid { .. }));
    assert!(matches!(
        find(1 << 20, "x", None, None),
        Error::OutOfRange { .. }
    ));
}
