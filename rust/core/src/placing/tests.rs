//! What is free and what stands in, against tables of every plane and domain.

use super::{Choice, FreePlanes, replace_damaged};
use crate::machine::{Axis, AxisKind, Domain, Faults, Machine, Nic, Site, Wan, WanShape};
use crate::random::SplitMix64;
use crate::{Control, Error};
use std::num::NonZeroU32;

/// A machine of domains of `planes` planes of two chips, with faults at random.
fn machine(planes: u32, random: &mut SplitMix64) -> Machine {
    let axis = |name: &str, size: u32| Axis {
        name: name.to_owned(),
        size,
        kind: AxisKind::Ring,
        bandwidth: 1e9,
        latency: 0.0,
    };
    let sites = 1 + random.below(3);
    let site = |number: u32, domains: u32| Site {
        name: number.to_string(),
        domains,
        tiers: Vec::new(),
    };
    let sites: Vec<Site> = (0..sites).map(|at| site(at, 1 + random.below(6))).collect();
    let count = sites.len();
    let wan = Wan {
        shape: WanShape::Hub,
        bandwidth: vec![1e9; count],
        latency: vec![1e-3; count],
    };
    let nic = Nic {
        chips: 1,
        bandwidth: 1e8,
        latency: 0.0,
        overhead: 0.0,
    };
    let domain = Domain::new(vec![axis("x", 2), axis("z", planes)]).unwrap();
    let wan = (count > 1).then_some(wan);
    let whole = Machine::new(domain, 0.0, Some(nic), sites, wan).unwrap();
    let mut some = |of: u32, one_in: u32| -> Vec<u32> {
        (0..of).filter(|_| random.below(one_in) == 0).collect()
    };
    let faults = Faults {
        chips: some(whole.num_chips(), 4 * planes),
        nics: some(whole.num_chips(), 16 * planes),
        domains: some(whole.num_domains(), 8),
        sites: some(count as u32, 8),
        ..Faults::default()
    };
    whole.clone().with_faults(faults).unwrap_or(whole)
}

/// Whether each plane of each domain is taken.
type Table = Vec<Vec<bool>>;

/// The domains with a free part of `own` planes, and its first plane.
fn listed(table: &Table, own: usize, alone: bool) -> Vec<(usize, usize)> {
    let part = |planes: &Vec<bool>| {
        let mut starts = (0..planes.len()).step_by(own);
        let shut = alone && planes.contains(&true);
        starts.find(|&at| !shut && !planes[at..at + own].contains(&true))
    };
    let domains = table.iter().enumerate();
    domains
        .filter_map(|(at, planes)| Some((at, part(planes)?)))
        .collect()
}

/// Which of `left` places job `job` of 6 gets by one of three choices.
fn picks(kind: u32, job: u32, count: u32, left: u32, random: &mut SplitMix64) -> Vec<i64> {
    let begin = match kind {
        0 => 0,
        1 => job * left / (6 * count.max(1)),
        _ => random.below(left.max(1)),
    };
    let step = |at: u32| if kind == 1 { at * left / count } else { at };
    (0..count)
        .map(|at| i64::from(step(at) + begin) % i64::from(left.max(1)))
        .collect()
}

/// What is taken at first of a machine of domains of planes of two chips.
fn dead_planes(machine: &Machine, planes: u32) -> Table {
    let dead = |domain: u32, plane: u32| {
        (0..2).any(|chip| machine.is_dead_chip((domain * planes + plane) * 2 + chip))
    };
    (0..machine.num_domains())
        .map(|domain| (0..planes).map(|plane| dead(domain, plane)).collect())
        .collect()
}

#[test]
fn jobs_get_what_a_table_of_all_planes_gives() {
    let (mut random, control) = (SplitMix64::new(5), Control::default());
    let jobs = NonZeroU32::new(6).unwrap();
    let mut taken = 0;
    for _ in 0..300 {
        let planes = [1, 2, 4, 6][random.below(4) as usize];
        let (machine, alone) = (machine(planes, &mut random), random.below(2) == 0);
        let mut free = FreePlanes::new(&machine, planes, alone).unwrap();
        let mut table = dead_planes(&machine, planes);
        let broken = table.iter().filter(|planes| planes.contains(&true));
        assert_eq!(free.broken(), broken.count() as u64);
        for job in 0..6 {
            let divisors: Vec<u32> = (1..=planes).filter(|own| planes % own == 0).collect();
            let own = divisors[random.below(divisors.len() as u32) as usize];
            let places = listed(&table, own as usize, alone);
            assert_eq!(free.count(own).unwrap(), places.len() as u64);
            let left = places.len() as u32;
            let (count, kind) = (random.below(left + 2), random.below(3));
            let picks = picks(kind, job, count, left, &mut random);
            let choice = match kind {
                0 => Choice::First(count),
                1 => Choice::Even { count, job, jobs },
                _ => Choice::Listed(&picks),
            };
            let found = free.take(own, choice, &control);
            if count == 0 || count > left {
                assert!(matches!(found, Err(Error::Invalid { .. })), "{found:?}");
                continue;
            }
            let mut wanted = Vec::new();
            for pick in picks {
                let (domain, plane) = places[pick as usize];
                table[domain][plane..plane + own as usize].fill(true);
                let first = (domain as i64 * i64::from(planes) + plane as i64) * 2;
                wanted.extend(first..first + 2 * i64::from(own));
            }
            wanted.sort_unstable();
            assert_eq!(found.unwrap(), wanted);
            taken += 1;
        }
    }
    assert!(taken > 500, "{taken}");
}

#[test]
fn a_choice_that_cannot_be_is_refused_and_takes_nothing() {
    let mut random = SplitMix64::new(1);
    let machine = machine(4, &mut random)
        .with_faults(Faults::default())
        .unwrap();
    let mut free = FreePlanes::new(&machine, 4, false).unwrap();
    let (before, control) = (free.count(4).unwrap(), Control::default());
    assert!(before > 1);
    for picks in [&[][..], &[0, 0], &[-1], &[before as i64]] {
        let refused = free.take(4, Choice::Listed(picks), &control);
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{picks:?}");
    }
    for own in [0, 3, 8] {
        assert!(free.count(own).is_err() && free.take(own, Choice::First(1), &control).is_err());
    }
    control.cancel();
    let stopped = free.take(4, Choice::First(1), &control);
    assert_eq!(stopped, Err(Error::Cancelled));
    assert_eq!(free.count(4).unwrap(), before);
    assert!(FreePlanes::new(&machine, 0, false).is_err());
    assert!(FreePlanes::new(&machine, 3, false).is_err());
}

/// What stands in for damaged domains, one after the other, from a list of all that are free.
fn stand_ins(machine: &Machine, damaged: &[u32], mut free: Vec<u32>) -> Vec<u32> {
    let one = |&domain: &u32| {
        let same = |spare: &u32| machine.site_of(*spare) == machine.site_of(domain);
        let at = free.iter().position(same).unwrap_or(0);
        (at < free.len()).then(|| free.remove(at))
    };
    damaged.iter().map_while(one).collect()
}

#[test]
fn spares_are_of_the_same_site_first_and_of_the_lowest_number() {
    let (mut random, control) = (SplitMix64::new(9), Control::default());
    let (mut all, mut short) = (0, 0);
    for _ in 0..500 {
        let machine = machine(2, &mut random);
        let hurt = machine.damaged_domains();
        let is_hurt = |domain: &u32| hurt.contains(domain) || machine.is_dead_domain(*domain);
        let domains = 0..machine.num_domains();
        let (used, others): (Vec<u32>, Vec<u32>) = domains.partition(|_| random.below(2) == 0);
        let damaged: Vec<u32> = used.iter().copied().filter(is_hurt).collect();
        let free = others.into_iter().filter(|domain| !is_hurt(domain));
        let spares = stand_ins(&machine, &damaged, free.collect());
        // The group in falling order of its domains: its chips come back ascending.
        let chips_of = |&domain: &u32| (0..4).map(move |local| i64::from(4 * domain + local));
        let chips: Vec<i64> = used.iter().rev().flat_map(chips_of).collect();
        if chips.is_empty() {
            continue;
        }
        let root = random.below(chips.len() as u32) as usize;
        let found = replace_damaged(&machine, &chips, root, &control).unwrap();
        assert_eq!((&found.damaged, &found.spares), (&damaged, &spares));
        if spares.len() < damaged.len() {
            assert!(found.chips.is_empty());
            short += 1;
            continue;
        }
        let moved = |chip: &i64| {
            let at = damaged
                .iter()
                .position(|&domain| i64::from(domain) == chip / 4);
            at.map_or(*chip, |at| i64::from(4 * spares[at]) + chip % 4)
        };
        let mut wanted: Vec<i64> = chips.iter().map(moved).collect();
        assert_eq!(found.chips[found.root], wanted[root]);
        wanted.sort_unstable();
        assert_eq!(found.chips, wanted);
        all += usize::from(!damaged.is_empty());
    }
    assert!(all > 50 && short > 50, "{all} {short}");
}

#[test]
fn groups_that_cannot_be_have_no_spares() {
    let (machine, control) = (machine(2, &mut SplitMix64::new(2)), Control::default());
    for (chips, root) in [(&[0][..], 1), (&[-1], 0), (&[1 << 40], 0), (&[], 0)] {
        let refused = replace_damaged(&machine, chips, root, &control);
        assert!(
            matches!(refused, Err(Error::OutOfRange { .. })),
            "{refused:?}"
        );
    }
    control.cancel();
    let stopped = replace_damaged(&machine, &[0], 0, &control);
    assert_eq!(stopped, Err(Error::Cancelled));
}
