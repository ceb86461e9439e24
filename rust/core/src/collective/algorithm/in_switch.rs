//! In-switch reduction (NVLink SHARP, known as NVLS): the switch adds up what ranks send, and copies what one sends to
//! all, so that a rank sends its buffer once and receives it once.
//!
//! Each rank is responsible for its share: it pulls the sum of that share from the switch, which reads it from all
//! other ranks, and in an all-gather pushes it once for all. What the switch can do beyond links is not in the model;
//! measured gains over a ring are about 30 %, not the factor of two that links alone would allow.

use super::job::{Job, unsupported};
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::moves::{Moves, Sends, Space};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::machine::{AxisKind, Domain, Generation};
use crate::operation::Operation;
use crate::{Error, Result};

pub(crate) fn in_switch(job: &Job) -> Result<Vec<Stage>> {
    let machine = job.context.machine;
    let reduces = machine
        .gpu()
        .is_some_and(|gpu| gpu.generation != Generation::Ampere);
    if !reduces {
        return Err(Error::unsupported(
            "in_switch on a machine that does not say that its switch reduces",
            "use direct or ring, or define the UltraServer with gpu=Gpu(\"hopper\") or later",
        ));
    }
    let everywhere = match job.placement {
        Placement::Local(groups) => Some(groups),
        _ => None,
    };
    let groups = everywhere
        .filter(|groups| {
            groups
                .iter()
                .all(|group| on_one_switch(machine.domain(), group))
        })
        .ok_or_else(|| {
            Error::unsupported(
                "in_switch over chips that do not share one switch",
                "use hierarchical with in_switch inside each UltraServer",
            )
        })?;
    let ranks = job.placement.ranks() as u32;
    let share = job.size / f64::from(ranks);
    let part = |gather: bool| {
        let pattern = job.context.pattern(PatternKind::InSwitch {
            groups: groups.to_vec(),
            gather,
        });
        let carry = move |_: u64, from: u32, to: u32| vec![if gather { from } else { to }];
        let moves = Moves::new(job.placement, Sends::All, carry).reducing(!gather);
        Part::new(&pattern, share, moves)
    };
    let phase = match job.operation {
        Operation::AllReduce => both(job, [part(false), part(true)])?,
        Operation::ReduceScatter => {
            Phase::steps("reduce-scatter in the switch", vec![part(false)], 1)
        }
        Operation::AllGather => Phase::steps("all-gather by the switch", vec![part(true)], 1),
        other => return Err(unsupported("in_switch", other)),
    };
    let space = Space::new(1, ranks);
    Ok(vec![Stage::of(job.tier, space, vec![phase])])
}

/// Sums come down while copies go up: pieces keep both directions busy.
fn both(job: &Job, parts: [Part; 2]) -> Result<Phase> {
    let ranks = job.placement.ranks();
    let (mut latency, mut waves) = (0.0, Vec::new());
    for (step, mut part) in (0..).zip(parts) {
        latency += part.pattern.unit_cost(job.context)?.latency;
        let moves = part.moves.drain(..);
        let once = |moves: Moves| moves.once(move || vec![step; ranks * (ranks - 1)]);
        part.moves = moves.map(once).collect();
        waves.push(part);
    }
    let what = "reduce-scatter and all-gather in the switch";
    Ok(Phase::wave(what, waves, 2, latency))
}

/// True when the chips differ along one axis only, which is a single switch.
fn on_one_switch(domain: &Domain, group: &[u32]) -> bool {
    let differs = |axis: &usize| {
        let at = |chip: u32| domain.coordinate(chip, *axis);
        group.iter().any(|&chip| at(chip) != at(group[0]))
    };
    let axes: Vec<usize> = (0..domain.axes().len()).filter(differs).collect();
    matches!(&axes[..], [axis] if matches!(
        &domain.axes()[*axis].kind,
        AxisKind::Switch { spans_below: false, tiers } if tiers.is_empty()
    ))
}
