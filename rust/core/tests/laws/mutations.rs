//! Schedules with one thing wrong: the verifier rejects them and says where, or they are still right, which a slow
//! executor shows that takes what may happen next in random order.

use crate::common::{axis, dor};
use crate::executor::{Draw, runs};
use rainier_core::collective::{ALGORITHMS, Choice, Groups, Operation, Request, schedule};
use rainier_core::machine::{AxisKind, Domain, Machine};
use rainier_core::route::TieRule;
use rainier_core::schedule::{Schedule, Send, verify};
use rainier_core::{Control, Error};

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
