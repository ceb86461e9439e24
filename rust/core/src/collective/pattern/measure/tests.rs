//! Compact costs against the same pattern written out message by message.

use super::fabric::site_bytes;
use super::{by_site, whole};
use crate::Control;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::kind::{PatternKind, SiteShare};
use crate::collective::pattern::scene::Scene;
use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site, Tier, Wan, WanShape};
use crate::route::{Routing, route, walk};

fn machine(sites: &[u32], shape: WanShape) -> Machine {
    let axis = |name: &str, size, kind| Axis {
        name: name.to_owned(),
        size,
        kind,
        bandwidth: 100e9,
        latency: 1e-6,
    };
    let domain = Domain::new(vec![
        axis("x", 4, AxisKind::Ring),
        axis("y", 3, AxisKind::Line),
    ])
    .expect("sound");
    let nic = Nic {
        chips: 1,
        bandwidth: 25e9,
        latency: 7e-6,
        overhead: 1e-6,
    };
    let tier = |group, oversubscription| Tier {
        group,
        oversubscription,
        latency: 1e-6,
    };
    let site = |&domains: &u32| Site {
        name: format!("of {domains}"),
        domains,
        tiers: vec![tier(2, 1.5), tier(4, 4.0)],
    };
    let cells = match shape {
        WanShape::Mesh => sites.len() * sites.len(),
        WanShape::Hub => sites.len(),
    };
    let wan = Wan {
        shape,
        bandwidth: vec![1e10; cells],
        latency: (0..cells).map(|cell| 1e-3 * (cell + 1) as f64).collect(),
    };
    Machine::new(
        domain,
        0.0,
        Some(nic),
        sites.iter().map(site).collect(),
        Some(wan),
    )
    .expect("sound")
}

fn everyone(machine: &Machine) -> Groups {
    Groups::all(machine).expect("small enough")
}

/// Every message of a pattern: (from, to, bytes).
fn written_out(machine: &Machine, groups: &Groups, kind: &PatternKind) -> Vec<(u32, u32, f64)> {
    let Groups::Grid { locals, domains } = groups else {
        unreachable!("tests use grids")
    };
    let chips = machine.domain().chips();
    let at = |domain: u32, local: u32| domain * chips + local;
    let everywhere: Vec<u32> = domains.concat();
    let mut out = Vec::new();
    match kind {
        PatternKind::InSwitch { .. } => {
            unreachable!("sums in a switch are no messages between chips")
        }
        PatternKind::Local(pairs) => {
            for &domain in &everywhere {
                out.extend(
                    pairs
                        .list()
                        .iter()
                        .map(|&(a, b)| (at(domain, a), at(domain, b), 1.0)),
                );
            }
        }
        PatternKind::LocalAll => {
            for &domain in &everywhere {
                let pairs = (0..chips)
                    .flat_map(|a| (0..chips).filter(move |&b| b != a).map(move |b| (a, b)));
                out.extend(pairs.map(|(a, b)| (at(domain, a), at(domain, b), 1.0)));
            }
        }
        PatternKind::Rails(pairs) => {
            for &(from, to) in pairs.list().iter() {
                out.extend(
                    locals
                        .concat()
                        .iter()
                        .map(|&local| (at(from, local), at(to, local), 1.0)),
                );
            }
        }
        PatternKind::NicPairs { pairs, nics } => {
            for &(from, to) in nics {
                out.extend(
                    pairs
                        .list()
                        .iter()
                        .map(|&(a, b)| (at(a, from), at(b, to), 1.0)),
                );
            }
        }
        PatternKind::Star {
            sets,
            locals,
            outward,
        } => {
            for (set, root) in sets {
                for &domain in set.iter().filter(|&domain| domain != root) {
                    for (group, centre) in locals {
                        let ends = group
                            .iter()
                            .map(|&leaf| (at(*root, *centre), at(domain, leaf)));
                        out.extend(
                            ends.map(|(a, b)| if *outward { (a, b, 1.0) } else { (b, a, 1.0) }),
                        );
                    }
                }
            }
        }
        PatternKind::Exchange { sets, spread } => {
            for set in sets.iter() {
                for &a in set {
                    for &b in set.iter().filter(|&&b| b != a) {
                        for group in locals {
                            for &from in group {
                                if *spread {
                                    let each = 1.0 / group.len() as f64;
                                    out.extend(
                                        group.iter().map(|&to| (at(a, from), at(b, to), each)),
                                    );
                                } else {
                                    out.push((at(a, from), at(b, from), 1.0));
                                }
                            }
                        }
                    }
                }
            }
        }
        PatternKind::Sites { sets, share } => {
            for set in sets.iter() {
                let sites = by_site(machine, set);
                let there = |site: usize| -> Vec<u32> {
                    set.iter()
                        .copied()
                        .filter(|&domain| machine.site_of(domain) == sites[site].0)
                        .collect()
                };
                for a in 0..sites.len() {
                    for b in 0..sites.len() {
                        let bytes = site_bytes(&sites, *share, a, b);
                        let (senders, receivers) = (there(a), there(b));
                        let (na, nb) = (senders.len() as f64, receivers.len() as f64);
                        for (i, &from) in senders.iter().enumerate() {
                            for (j, &to) in receivers.iter().enumerate() {
                                let low = f64::max(i as f64 / na, j as f64 / nb);
                                let high = f64::min((i + 1) as f64 / na, (j + 1) as f64 / nb);
                                if high <= low || bytes == 0.0 {
                                    continue;
                                }
                                for group in locals {
                                    let each = bytes * (high - low) / group.len() as f64;
                                    out.extend(
                                        group
                                            .iter()
                                            .map(|&local| (at(from, local), at(to, local), each)),
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
        PatternKind::Shift { shift, .. } => {
            let pairs = groups.shifted(machine, *shift);
            out.extend(pairs.into_iter().map(|(a, b)| (a, b, 1.0)));
        }
        PatternKind::Flat(pairs) => out.extend(pairs.list().iter().map(|&(a, b)| (a, b, 1.0))),
        PatternKind::Within { .. } | PatternKind::Crews { .. } => {
            unreachable!("crews are looked at beside what they cost")
        }
    }
    out
}

fn check(machine: &Machine, groups: &Groups, kind: &PatternKind) {
    let (routing, control) = (Routing::default(), Control::default());
    let scene = Scene::new(machine, &routing, groups, &control).expect("sound");
    let unit_cost = whole(&scene, kind).expect("measurable");
    let mut loads = vec![0.0; machine.num_links() as usize];
    let (mut latency, mut zero_load) = (0.0f64, 0.0f64);
    let mut sent = vec![0.0; machine.num_chips() as usize];
    for (from, to, bytes) in written_out(machine, groups, kind) {
        walk(machine, &routing, from, to, &mut |link, share| {
            loads[link as usize] += bytes * share
        })
        .expect("connected");
        let found = route(machine, &routing, from, to).expect("connected");
        latency = latency.max(found.latency);
        zero_load = zero_load.max(found.latency + 1e6 * bytes / found.bandwidth);
        sent[from as usize] += bytes;
    }
    let compact = unit_cost.ledger.expand(&scene).expect("not cancelled");
    for (link, (a, b)) in compact.iter().zip(&loads).enumerate() {
        assert!(
            (a - b).abs() <= 1e-12 * b.abs().max(1.0),
            "{kind:?} link {link}: {a} is not {b}"
        );
    }
    let most = sent.into_iter().fold(0.0, f64::max);
    assert!(
        (unit_cost.sent - most).abs() <= 1e-12 * most,
        "{kind:?} sent {} is not {most}",
        unit_cost.sent
    );
    assert!(
        (unit_cost.latency - latency).abs() <= 1e-12,
        "{kind:?} latency {} is not {latency}",
        unit_cost.latency
    );
    let last = unit_cost
        .zero_load
        .iter()
        .map(|pair| pair.0 + 1e6 * pair.1)
        .fold(0.0, f64::max);
    assert!(
        (last - zero_load).abs() <= 1e-12 * zero_load.max(1.0),
        "{kind:?} alone {last} is not {zero_load}"
    );
    let busiest = unit_cost
        .ledger
        .busiest(&scene)
        .expect("not cancelled")
        .expect("bytes move");
    let brute = loads
        .iter()
        .zip(machine.link_bandwidths().expect("small"))
        .map(|(bytes, bandwidth)| bytes / bandwidth)
        .fold(0.0, f64::max);
    assert!(
        (busiest.seconds - brute).abs() <= 1e-12 * brute,
        "{kind:?} busiest"
    );
    assert!((loads[busiest.link as usize] - busiest.bytes).abs() <= 1e-12 * busiest.bytes);
}

fn kinds(groups: &Groups) -> Vec<PatternKind> {
    let Groups::Grid { locals, domains } = groups else {
        unreachable!("tests use grids")
    };
    let neighbours: Vec<(u32, u32)> = locals
        .iter()
        .flat_map(|group| {
            (0..group.len()).map(move |at| (group[at], group[(at + 1) % group.len()]))
        })
        .filter(|(a, b)| a != b)
        .collect();
    let pairs: Vec<(u32, u32)> = domains
        .iter()
        .flat_map(|set| (0..set.len()).map(move |at| (set[at], set[(at + 1) % set.len()])))
        .collect();
    let mut kinds = vec![
        PatternKind::LocalAll,
        PatternKind::Rails(pairs.clone().into()),
        PatternKind::NicPairs {
            pairs: pairs.into(),
            nics: locals
                .iter()
                .map(|group| (group[0], group[group.len() - 1]))
                .collect(),
        },
        PatternKind::Exchange {
            sets: domains.clone().into(),
            spread: false,
        },
        PatternKind::Exchange {
            sets: domains.clone().into(),
            spread: true,
        },
    ];
    // As rooted stages name them: the leader first.
    for turn in 1..domains[0].len() {
        let mut turned = domains.clone();
        turned.iter_mut().for_each(|set| set.rotate_left(turn));
        kinds.push(PatternKind::exchange(&turned.into(), turn % 2 == 0));
    }
    for outward in [true, false] {
        kinds.push(PatternKind::Star {
            sets: domains.iter().map(|set| (set.clone(), set[1])).collect(),
            locals: locals
                .iter()
                .map(|group| (group.clone(), group[2]))
                .collect(),
            outward,
        });
    }
    for shift in [1, 2, 4, 5, 8, -1, -7, 4 * domains[0].len() as i64 - 2] {
        kinds.push(PatternKind::Shift {
            locals: locals.clone().into(),
            domains: domains.clone().into(),
            shift,
        });
    }
    if !neighbours.is_empty() {
        kinds.push(PatternKind::Local(neighbours.into()));
    }
    for share in [
        SiteShare::Equal,
        SiteShare::Next,
        SiteShare::Receiver,
        SiteShare::Sender,
    ] {
        let sets = domains.clone().into();
        kinds.push(PatternKind::Sites { sets, share });
    }
    kinds
}

#[test]
fn compact_costs_are_those_of_the_messages() {
    for shape in [WanShape::Mesh, WanShape::Hub] {
        let machine = machine(&[4, 2, 6], shape);
        let parts = Groups::Grid {
            locals: vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]],
            domains: vec![vec![0, 1, 4, 7], vec![2, 3, 5, 11]],
        };
        for groups in [everyone(&machine), parts] {
            for kind in kinds(&groups) {
                // Every chip of a domain to every other makes no sense for part of a domain.
                let partial = groups != everyone(&machine);
                if !(partial && kind == PatternKind::LocalAll) {
                    check(&machine, &groups, &kind);
                }
            }
        }
        let flat = PatternKind::Flat(vec![(0, 1), (0, 143), (5, 77), (140, 3)].into());
        check(&machine, &everyone(&machine), &flat);
    }
}
