//! A stage of a written schedule in which every rank goes on by itself, by link loads.
//!
//! Where at one step of a lane some ranks send inside their UltraServers and others leave them, ranks do not wait for the
//! slowest message of each step: one starts a step when what it sent in the step before has left and what it received
//! there has arrived. A message takes what its sender takes to start all that it sends in the step, its latency, and the
//! longest that the bytes of the step keep one of its links busy.

use super::together::RoutedSchedule;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::context::Context;
use crate::collective::price::ring::{Pace, Seconds};
use crate::schedule::{Schedule, Send};
use crate::{Control, Result};
use std::collections::BTreeMap;

/// Sends, each with its place among all sends.
pub(super) type Placed<'s> = Vec<(usize, &'s Send)>;

/// The sends of a stage by step.
pub(super) type StepSends<'s> = BTreeMap<u32, Placed<'s>>;

/// The sends of each stage of a schedule; none where ranks never go on by themselves: on one UltraServer, on single chips
/// of several, and on a machine with damage.
pub(super) fn by_stage<'s>(
    context: &Context,
    schedule: &'s Schedule,
) -> Result<BTreeMap<u32, Placed<'s>>> {
    let mut stages = BTreeMap::new();
    let several = match context.groups {
        Groups::Grid { locals, domains } => locals[0].len() > 1 && domains[0].len() > 1,
        Groups::Scattered(_) => false,
    };
    if !several || context.damaged.is_some() || context.is_fabric_damaged() {
        return Ok(stages);
    }
    for (at, send) in schedule.sends.iter().enumerate() {
        context.control.check_at(at)?;
        let own: &mut Placed = stages.entry(send.stage).or_default();
        own.push((at, send));
    }
    Ok(stages)
}

/// The sends of one stage by their steps, if in one of several steps some ranks stay inside their UltraServers while
/// others of the lane leave them.
pub(super) fn unlike<'s>(
    context: &Context,
    schedule: &Schedule,
    sends: &Placed<'s>,
) -> Result<Option<StepSends<'s>>> {
    let mut steps = StepSends::new();
    // By step, lane and sender: it sends inside, and beyond.
    let mut ways: BTreeMap<(u32, u32, u32), [bool; 2]> = BTreeMap::new();
    let domain = |rank: u32| context.machine.split(schedule.chips[rank as usize]).0;
    for (number, &(at, send)) in sends.iter().enumerate() {
        context.control.check_at(number)?;
        steps.entry(send.step).or_default().push((at, send));
        let ways = ways.entry((send.step, send.lane, send.src)).or_default();
        ways[usize::from(domain(send.src) != domain(send.dst))] = true;
    }
    let mut only: BTreeMap<(u32, u32), [bool; 2]> = BTreeMap::new();
    for (&(step, lane, _), &[stays, leaves]) in &ways {
        let only = only.entry((step, lane)).or_default();
        only[0] |= stays && !leaves;
        only[1] |= leaves && !stays;
    }
    let unlike = steps.len() > 1 && only.values().any(|&only| only == [true; 2]);
    Ok(unlike.then_some(steps))
}

/// One message: its sender and its receiver among all of their lanes, and what it takes.
struct Message {
    from: usize,
    to: usize,
    seconds: Seconds,
}

/// The pace of each of the steps: an even part of the longest chain of messages. `by_bytes`, links do not matter.
pub(super) fn pace(
    routed: &RoutedSchedule,
    bandwidth: &[f64],
    steps: &StepSends,
    by_bytes: bool,
    control: &Control,
) -> Result<Pace> {
    let mut everybody: Vec<(u32, u32)> = Vec::new();
    for (_, send) in steps.values().flatten() {
        everybody.extend([(send.lane, send.src), (send.lane, send.dst)]);
    }
    everybody.sort_unstable();
    everybody.dedup();
    let mut loads = vec![0.0; bandwidth.len()];
    let mut messages: Vec<Vec<Message>> = Vec::with_capacity(steps.len());
    for step in steps.values() {
        control.check()?;
        let paths = || step.iter().map(|&(at, send)| (routed.route(at), send));
        for (route, send) in paths() {
            for &(link, share) in &route.path {
                loads[link as usize] += share * send.bytes;
            }
        }
        let place = |lane, rank| everybody.partition_point(|other| *other < (lane, rank));
        let message = |(route, send): (&crate::schedule::SendRoute, &Send)| Message {
            from: place(send.lane, send.src),
            to: place(send.lane, send.dst),
            seconds: Seconds {
                latency: route.latency,
                overhead: route.delay,
                serial: route
                    .path
                    .iter()
                    .map(|&(link, share)| {
                        let bytes = if by_bytes {
                            share * send.bytes
                        } else {
                            loads[link as usize]
                        };
                        bytes / bandwidth[link as usize]
                    })
                    .fold(0.0, f64::max),
            },
        };
        messages.push(paths().map(message).collect());
        for (route, _) in paths() {
            route
                .path
                .iter()
                .for_each(|step| loads[step.0 as usize] = 0.0);
        }
    }
    let part = 1.0 / steps.len() as f64;
    // The longest with no data, and with all of it.
    let chain = |scale| longest(&messages, everybody.len(), scale, control);
    Ok(Pace {
        chains: vec![chain(0.0)?.times(part), chain(1.0)?.times(part)],
        apart: Vec::new(),
        alone: false,
    })
}

/// The longest chain with `scale` of the data.
fn longest(
    steps: &[Vec<Message>],
    everybody: usize,
    scale: f64,
    control: &Control,
) -> Result<Seconds> {
    let later = |a: &mut Seconds, b: Seconds| {
        if b.at(scale) > a.at(scale) {
            *a = b;
        }
    };
    let mut ready = vec![Seconds::default(); everybody];
    for step in steps {
        control.check()?;
        let before = ready.clone();
        for message in step {
            let start = before[message.from];
            later(&mut ready[message.from], start + message.seconds.stay());
            later(&mut ready[message.to], start + message.seconds);
        }
    }
    let mut last = Seconds::default();
    ready.into_iter().for_each(|end| later(&mut last, end));
    Ok(last)
}
