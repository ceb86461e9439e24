//! Tracks in which everybody starts and ends every step at the same instant: a step for all steps that are equal.

use super::message::Message;
use super::network::{Ends, Network};
use crate::Result;
use crate::collective::pattern::context::{Context, Pattern};
use crate::collective::price::track::TrackCost;
use crate::collective::program::moves::Steps;
use crate::collective::program::schedule::{Part, Phase, Repeat, Track};
use crate::fluid::{Flow, NO_GATE};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Times closer than this are the same: what rounding can do.
const SAME: f64 = 1e-12;

/// Entries that a list of those who take part may have before it is sorted, besides as many again as it had.
const MOST_UNSORTED: usize = 1 << 16;

/// Seconds of the track, or `None` where somebody is ahead of others at the end of some step, so that the steps after
/// it do not begin together.
pub(super) fn time(network: &mut Network, track: &Track, cost: &TrackCost) -> Result<Option<f64>> {
    let stepwise = |phase: &Phase| {
        let each = |part: &Part| {
            let parts = part.moves.iter();
            parts
                .into_iter()
                .all(|moves| matches!(moves.steps, Steps::Each(_)))
        };
        matches!(phase.repeat, Repeat::Steps(_)) && phase.parts.iter().all(each)
    };
    if cost.pieces(1.0) > 1 || !track.phases.iter().all(stepwise) {
        return Ok(None);
    }
    let all = Everybody::of(network, track)?;
    let mut total = 0.0;
    // A reduce-scatter and the all-gather after it have the same steps.
    let mut known: Vec<(Vec<(*const Pattern, u64)>, f64)> = Vec::new();
    for phase in &track.phases {
        let Repeat::Steps(steps) = phase.repeat else {
            return Ok(None);
        };
        let equal = phase
            .parts
            .iter()
            .flat_map(|part| &part.moves)
            .all(|moves| {
                matches!(moves.steps, Steps::Each(own) if own == steps) && moves.factor.is_none()
            });
        let parts = phase.parts.iter();
        let messages: Vec<(*const Pattern, u64)> = parts
            .map(|part| (Arc::as_ptr(&part.pattern), part.bytes.to_bits()))
            .collect();
        let same = known.iter().find(|(other, _)| equal && *other == messages);
        if let Some((_, seconds)) = same {
            total += steps as f64 * seconds;
            continue;
        }
        let (found, count) = all.messages(network, phase)?;
        for step in 0..if equal { 1 } else { steps } {
            let Some(seconds) = one_step(network, phase, &found, step, (all.ends, count))? else {
                return Ok(None);
            };
            if equal {
                total += steps as f64 * seconds;
                known.push((messages.clone(), seconds));
            } else {
                total += seconds;
            }
        }
    }
    Ok(Some(total))
}

/// Who takes part in a track.
struct Everybody {
    /// Whom messages tell apart.
    ends: Ends,
    /// How many there are, with their lanes; `None` where that is each chip of a domain, as far as phases tell those
    /// apart.
    count: Option<usize>,
    lanes: usize,
}

impl Everybody {
    fn of(network: &mut Network, track: &Track) -> Result<Self> {
        let of_part = |part: &Part| {
            part.moves
                .iter()
                .map(|moves| moves.lane)
                .collect::<Vec<_>>()
        };
        let parts = track.phases.iter().flat_map(|phase| &phase.parts);
        let mut lanes: Vec<u32> = parts.flat_map(of_part).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let folded = |phase: &Phase| network.fold_of(phase).is_some();
        if track.phases.iter().all(folded) {
            return Ok(Self {
                ends: Ends::Local,
                count: None,
                lanes: lanes.len(),
            });
        }
        let ends = ends(network, track);
        Ok(Self {
            ends,
            count: Some(takes_part(network, track, ends)?.len()),
            lanes: lanes.len(),
        })
    }

    /// The messages of each part of a phase, and how many take part in it.
    fn messages(
        &self,
        network: &mut Network,
        phase: &Phase,
    ) -> Result<(Vec<Arc<[Message]>>, usize)> {
        let parts = phase.parts.iter();
        if let Some(count) = self.count {
            let found = parts.map(|part| network.messages(part));
            return Ok((found.collect::<Result<_>>()?, count));
        }
        // Of what repeats, once what is not the same.
        let fold = network.fold_of(phase).expect("all phases have one");
        let found = parts.map(|part| Ok(network.folded(part, &fold)?.into()));
        let count = self.lanes * fold.classes() as usize;
        Ok((found.collect::<Result<_>>()?, count))
    }
}

/// Everybody who takes part in a track, with the lane, ascending.
pub(super) fn takes_part(
    network: &mut Network,
    track: &Track,
    ends: Ends,
) -> Result<Vec<(u32, u32)>> {
    let mut all: Vec<(u32, u32)> = Vec::new();
    let mut distinct = 0;
    for part in track.phases.iter().flat_map(|phase| &phase.parts) {
        for message in network.messages(part)?.iter() {
            let lane = part.moves[message.moves as usize].lane;
            let (from, to) = told_apart(ends, message.ends);
            all.extend([(lane, from), (lane, to)]);
            // Most are there already: sorted now and then, the list stays short.
            if all.len() > 2 * distinct + MOST_UNSORTED {
                network.context.control.check()?;
                all.sort_unstable();
                all.dedup();
                distinct = all.len();
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Whom a track tells apart: nobody where its parts differ in that.
pub(super) fn ends(network: &Network, track: &Track) -> Ends {
    let mut parts = track.phases.iter().flat_map(|phase| &phase.parts);
    let first = parts.next().map_or(Ends::Nobody, |part| network.ends(part));
    if parts.all(|part| network.ends(part) == first) {
        first
    } else {
        Ends::Nobody
    }
}

pub(super) fn told_apart(ends: Ends, pair: (u32, u32)) -> (u32, u32) {
    match ends {
        Ends::Nobody => (0, 0),
        _ => pair,
    }
}

/// Seconds that a sender takes to start its messages of some parts of a phase: those over one pattern go together.
pub(super) fn overhead(context: &Context, phase: &Phase, parts: &[&Part]) -> Result<f64> {
    let mut seconds = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let before = &parts[..at];
        if !before
            .iter()
            .any(|other| Arc::ptr_eq(&other.pattern, &part.pattern))
        {
            let own = part.pattern.unit_cost(context)?.overhead;
            seconds = phase.and_of(seconds, own);
        }
    }
    Ok(seconds)
}

fn one_step(
    network: &mut Network,
    phase: &Phase,
    found: &[Arc<[Message]>],
    step: u64,
    (ends, everybody): (Ends, usize),
) -> Result<Option<f64>> {
    let mut messages = Vec::new();
    let mut parts = Vec::new();
    for (part, found) in phase.parts.iter().zip(found) {
        let before = messages.len();
        for message in found.iter() {
            network.context.control.check()?;
            let moves = &part.moves[message.moves as usize];
            let bytes = part.bytes * moves.factor(step) * message.share;
            if matches!(moves.steps, Steps::Each(own) if step < own) {
                messages.push((moves.lane, bytes, message.clone()));
            }
        }
        if messages.len() > before {
            parts.push((part, messages.len()));
        }
    }
    let together: Vec<&Part> = parts.iter().map(|entry| entry.0).collect();
    let overhead = overhead(network.context, phase, &together)?;
    let mut graph = network.graph();
    for (at, (_, bytes, message)) in messages.iter().enumerate() {
        let part = parts[parts.partition_point(|entry| entry.1 <= at)].0;
        let delay = match phase.apart {
            true => part.pattern.unit_cost(network.context)?.overhead,
            false => overhead,
        };
        network.context.control.check()?;
        let flow = Flow {
            bytes: *bytes,
            latency: message.latency,
            delay,
            waits: NO_GATE,
            ..Flow::default()
        };
        graph.flow(flow, message.path.iter().copied())?;
    }
    let times = network.run(&graph)?;
    let mut ready: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let mut until = |key: (u32, u32), time: f64| {
        let known = ready.entry(key).or_insert(0.0);
        *known = known.max(time);
    };
    for (at, (lane, _, message)) in messages.iter().enumerate() {
        let (from, to) = told_apart(ends, message.ends);
        until((*lane, from), times.sent[at]);
        until((*lane, to), times.arrived[at]);
    }
    let together = ready.len() == everybody
        && ready
            .values()
            .all(|&time| times.makespan - time <= SAME * times.makespan);
    Ok(together.then_some(times.makespan))
}
