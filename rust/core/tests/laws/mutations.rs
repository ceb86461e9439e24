//! Schedules with one thing wrong: the verifier rejects them and says where, or they are still right, which a slow
//! executor shows that takes what may happen next in random order.

use crate::common::{axis, dor};
use rainier_core::collective::{ALGORITHMS, Choice, Groups, Operation, Request, schedule};
use rainier_core::machine::{AxisKind, Domain, Machine};
use rainier_core::route::TieRule;
use rainier_core::schedule::{Schedule, Send, verify};
use rainier_core::{Control, Error};
use std::collections::{BTreeMap, BTreeSet};

/// Random orders in which a schedule that was accepted is run.
const RUNS: u64 = 2;

/// The schedules of all algorithms on a torus; on some sizes some do not apply.
fn schedules(sizes: &[u32], names: impl Fn(&str) -> bool) -> Vec<(String, Schedule)> {
    let axes = sizes.iter().map(|&size| axis(size, AxisKind::Ring));
    let domain = Domain::new(axes.collect()).unwrap();
    let machine = Machine::new(
        domain,
        0.0,
        None,
        vec![crate::common::site(1, Vec::new())],
        None,
    )
    .unwrap();
    let groups = Groups::all(&machine).unwrap();
    let mut found = Vec::new();
    for row in ALGORITHMS.iter().filter(|row| names(row.name)) {
        for &operation in row.operations {
            let request = Request {
                algorithm: Choice::Named(row.name.to_owned()),
                root: usize::from(operation.is_rooted()),
                shift: i64::from(operation == Operation::SendRecv),
                ..Request::new(operation, 1e6)
            };
            match schedule(
                &machine,
                &groups,
                &dor(TieRule::Split),
                &request,
                &Control::default(),
            ) {
                Ok((name, made)) => found.push((format!("{name} {}", operation.name()), made)),
                Err(Error::Unsupported { .. }) => {}
                Err(error) => panic!("{}: {error}", row.name),
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// A small generator of numbers: the same every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        ((self.0 >> 33) % count as u64) as usize
    }
}

type Turn = (u32, u32, u32);

/// Runs a schedule in a random order that it allows. Contributions are counted, so that one that is added twice is
/// seen. True when everybody ends with what it must have; `None` when nothing can go on.
fn runs(schedule: &Schedule, draw: &mut Draw) -> Option<bool> {
    let (ranks, sends) = (schedule.chips.len(), &schedule.sends);
    let mut state: Vec<Vec<Vec<u32>>> = (0..ranks)
        .map(|rank| {
            let has = |from: Option<u32>, whose: usize| match from {
                Some(from) => u32::from(from as usize == rank && whose == 0),
                None => u32::from(whose == rank),
            };
            let blocks = schedule.blocks.iter();
            blocks
                .map(|block| (0..ranks).map(|whose| has(block.from, whose)).collect())
                .collect()
        })
        .collect();
    // Steps of each lane that each rank takes part in, those still to come first.
    let mut steps: BTreeMap<Turn, BTreeSet<u32>> = BTreeMap::new();
    let mut of_turn: BTreeMap<(Turn, u32), Vec<usize>> = BTreeMap::new();
    for (at, send) in sends.iter().enumerate() {
        for rank in [send.src, send.dst] {
            let turn = (send.stage, send.lane, rank);
            steps.entry(turn).or_default().insert(send.step);
            of_turn.entry((turn, send.step)).or_default().push(at);
        }
    }
    let mut carried: Vec<Option<Vec<Vec<u32>>>> = vec![None; sends.len()];
    let mut taken = vec![false; sends.len()];
    let read = |state: &[Vec<Vec<u32>>], send: &Send| -> Vec<Vec<u32>> {
        let blocks = send.blocks.iter();
        blocks
            .map(|&block| state[send.src as usize][block as usize].clone())
            .collect()
    };
    let mut opened: BTreeSet<(Turn, u32)> = BTreeSet::new();
    loop {
        let stage = (0..sends.len())
            .filter(|&at| !taken[at])
            .map(|at| sends[at].stage)
            .min();
        let Some(stage) = stage else { break };
        let done = |turn: &Turn, step: u32, carried: &[Option<_>], taken: &[bool]| {
            of_turn[&(*turn, step)].iter().all(|&at| {
                (sends[at].src != turn.2 || carried[at].is_some())
                    && (sends[at].dst != turn.2 || taken[at])
            })
        };
        // What can happen next: a rank comes to a step, a message leaves late, a message is taken.
        let mut next: Vec<(u8, usize, Turn, u32)> = Vec::new();
        for (turn, own) in steps.iter().filter(|(turn, _)| turn.0 == stage) {
            for &step in own {
                if !opened.contains(&(*turn, step)) {
                    let before = own.range(..step).next_back();
                    if before.is_none_or(|&before| {
                        opened.contains(&(*turn, before)) && done(turn, before, &carried, &taken)
                    }) {
                        next.push((0, 0, *turn, step));
                    }
                    break;
                }
            }
        }
        for (at, send) in sends.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            let comes = |rank| opened.contains(&((send.stage, send.lane, rank), send.step));
            let ready = send.after.iter().all(|&other| taken[other as usize]);
            if carried[at].is_some() && comes(send.dst) {
                next.push((2, at, (0, 0, 0), 0));
            } else if carried[at].is_none() && comes(send.src) && ready {
                next.push((1, at, (0, 0, 0), 0));
            }
        }
        if next.is_empty() {
            return None;
        }
        let (what, at, turn, step) = next[draw.below(next.len())];
        match what {
            0 => {
                opened.insert((turn, step));
                for &at in &of_turn[&(turn, step)] {
                    if sends[at].src == turn.2 && sends[at].after.is_empty() {
                        carried[at] = Some(read(&state, &sends[at]));
                    }
                }
            }
            1 => carried[at] = Some(read(&state, &sends[at])),
            _ => {
                taken[at] = true;
                let send = &sends[at];
                for (&block, value) in send.blocks.iter().zip(carried[at].as_ref().unwrap()) {
                    let here = &mut state[send.dst as usize][block as usize];
                    if send.reduce {
                        here.iter_mut().zip(value).for_each(|(a, b)| *a += b);
                    } else {
                        here.clone_from(value);
                    }
                }
            }
        }
    }
    let right = |rank: usize, at: usize| {
        let block = &schedule.blocks[at];
        let wanted: Vec<u32> = (0..ranks)
            .map(|whose| u32::from(block.from.is_none() || whose == 0))
            .collect();
        block.to.is_some_and(|to| to as usize != rank) || state[rank][at] == wanted
    };
    Some((0..ranks).all(|rank| (0..schedule.blocks.len()).all(|at| right(rank, at))))
}

/// True when the verifier rejects the schedule, naming what is wrong; if it does not, it is right in every order.
fn rejected(label: &str, schedule: &Schedule) -> bool {
    let mut draw = Draw(label.len() as u64);
    match verify(schedule, &Control::default()) {
        Ok(()) => {
            for _ in 0..RUNS {
                assert_eq!(
                    runs(schedule, &mut draw),
                    Some(true),
                    "{label} was accepted"
                );
            }
            false
        }
        Err(Error::Schedule { what }) => {
            let ends = what.contains("ends without");
            if let Some(wait) = what.strip_prefix("deadlock: ") {
                assert!(wait.starts_with("send "), "{label}: {what}");
                assert_eq!(runs(schedule, &mut draw), None, "{label}: {what}");
            } else {
                assert!(
                    what.starts_with("rank ") && what.contains(", block "),
                    "{label}: {what}"
                );
            }
            // No luck is in these: whatever the order, it is wrong. Some of them are run, for the time that it takes.
            if ends && what.len() % 5 == 0 {
                assert_ne!(runs(schedule, &mut draw), Some(true), "{label}: {what}");
            }
            true
        }
        Err(error) => panic!("{label}: {error}"),
    }
}

/// Shapes of 6 and 8 ranks: a ring, a grid, a cube.
const SHAPES: [&[u32]; 3] = [&[6], &[3, 2], &[2, 2, 2]];

fn every(mut check: impl FnMut(&str, &Schedule)) {
    for sizes in SHAPES {
        for (name, schedule) in schedules(sizes, |_| true) {
            check(&format!("{name} on {sizes:?}"), &schedule);
        }
    }
}

#[test]
fn all_of_them_are_right_in_every_order() {
    every(|label, schedule| assert!(!rejected(label, schedule)));
}

/// These run as a collective of more, of whose sends some bring what is there already or what nobody needs.
fn sends_to_spare(label: &str) -> bool {
    label.starts_with("symmetric") || label.starts_with("scatter_allgather")
}

#[test]
fn any_send_that_is_dropped_is_missed() {
    every(|label, schedule| {
        for at in 0..schedule.sends.len() {
            let mut less = schedule.clone();
            less.sends.remove(at);
            let gone = rejected(&format!("{label} without {at}"), &less);
            assert!(gone || sends_to_spare(label), "{label} without {at}");
        }
    });
}

#[test]
fn any_contribution_that_is_sent_twice_is_noticed() {
    every(|label, schedule| {
        let last = schedule.sends.iter().map(|send| send.step).max().unwrap();
        for (at, send) in schedule.sends.iter().enumerate() {
            for step in [send.step, last + 1] {
                if send.reduce {
                    let mut more = schedule.clone();
                    more.sends.push(Send {
                        step,
                        ..send.clone()
                    });
                    let seen = rejected(&format!("{label} with {at} twice"), &more);
                    assert!(seen || sends_to_spare(label), "{label} with {at} twice");
                }
            }
        }
    });
}

/// Checks all schedules that `change` makes of those of every algorithm and returns how many of them were rejected
/// and how many are still right.
fn changed(
    what: &str,
    change: impl Fn(&Schedule, usize) -> Vec<(u32, Box<dyn Fn(&mut Send)>)>,
) -> (usize, usize) {
    let (mut wrong, mut right) = (0, 0);
    every(|label, schedule| {
        for at in 0..schedule.sends.len() {
            for (to, apply) in change(schedule, at) {
                let mut other = schedule.clone();
                apply(&mut other.sends[at]);
                let label = format!("{label} with {what} of {at} {to}");
                if rejected(&label, &other) {
                    wrong += 1;
                } else {
                    right += 1;
                }
            }
        }
    });
    (wrong, right)
}

/// Two ranks beside the two of a send.
fn others(schedule: &Schedule, src: u32, dst: u32) -> impl Iterator<Item = u32> {
    let ranks = schedule.chips.len() as u32;
    let apart = (1..ranks).map(move |apart| (src + dst + apart) % ranks);
    apart
        .filter(move |&rank| rank != src && rank != dst)
        .take(2)
}

/// Right where the other source has the block by then, as in the later steps of an all-gather, or where what is sent
/// is to spare.
#[test]
fn another_source_is_noticed_or_has_the_same() {
    let (wrong, right) = changed("source", |schedule, at| {
        let Send { src, dst, .. } = schedule.sends[at];
        others(schedule, src, dst)
            .map(|rank| {
                let apply: Box<dyn Fn(&mut Send)> = Box::new(move |send| send.src = rank);
                (rank, apply)
            })
            .collect()
    });
    assert!(wrong > 2 * right, "{wrong} rejected, {right} accepted");
}

/// Right where a sum takes another way to where it is wanted, past one rank of a ring for example.
#[test]
fn another_destination_is_noticed_or_leads_there_too() {
    let (wrong, right) = changed("destination", |schedule, at| {
        let Send { src, dst, .. } = schedule.sends[at];
        others(schedule, src, dst)
            .map(|rank| {
                let apply: Box<dyn Fn(&mut Send)> = Box::new(move |send| send.dst = rank);
                (rank, apply)
            })
            .collect()
    });
    assert!(wrong > 2 * right, "{wrong} rejected, {right} accepted");
}

/// Right where the step before touches other blocks, or none of the two ranks takes part in it.
#[test]
fn an_earlier_step_is_noticed_or_does_not_matter() {
    let (wrong, right) = changed("step", |schedule, at| {
        (0..schedule.sends[at].step)
            .map(|step| {
                let apply: Box<dyn Fn(&mut Send)> = Box::new(move |send| send.step = step);
                (step, apply)
            })
            .collect()
    });
    assert!(wrong > right, "{wrong} rejected, {right} accepted");
}

/// Waiting for more does no harm unless it makes a circle: itself, or what waits for it already.
#[test]
fn sends_that_wait_in_a_circle_are_a_deadlock() {
    let (wrong, right) = changed("wait", |schedule, at| {
        // Most are still right and are run to show it: every seventh send, each waiting for one other.
        let count = schedule.sends.len();
        (0..usize::from(at % 7 == 0))
            .map(|_| ((3 * at + 1) % count) as u32)
            .map(|other| {
                let apply: Box<dyn Fn(&mut Send)> = Box::new(move |send| send.after.push(other));
                (other, apply)
            })
            .collect()
    });
    assert!(wrong > 0 && right > 0);
    for sizes in SHAPES {
        for (name, schedule) in schedules(sizes, |_| true) {
            for at in 0..schedule.sends.len() {
                let mut circle = schedule.clone();
                circle.sends[at].after.push(at as u32);
                match verify(&circle, &Control::default()) {
                    Err(Error::Schedule { what }) => {
                        assert!(what.starts_with("deadlock: send"), "{name}: {what}");
                    }
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
    }
}
