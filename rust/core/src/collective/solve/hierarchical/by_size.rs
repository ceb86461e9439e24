//! Programs between crews in which the share of each crew is as large as its members are many: then every rank has the
//! same part of the data.
//!
//! Algorithms are written for equal shares. What a message carries says what it weighs with others, step by step.

use crate::collective::algorithm::{Algorithm, Job};
use crate::collective::pattern::crews::Crews;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::pairs::Pairs;
use crate::collective::program::alternatives::Program;
use crate::collective::program::moves::{Carry, Moves, Sends, Space, Steps};
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Part, Phase, Repeat, Stage};
use crate::operation::Operation::{AllGather, AllReduce, Gather, ReduceScatter, Scatter};
use crate::{Error, Result};
use std::sync::Arc;

/// Most steps that are told apart, and most messages in all of them.
const MOST_STEPS: u64 = 256;
const MOST_MESSAGES: usize = 1 << 23;

/// Most crews of which another order is tried.
const MOST_TURNED: usize = 64;

/// What an algorithm writes for a job: between crews in whichever order of them is faster, the largest first or last.
pub(super) fn program(row: &Algorithm, job: &Job) -> Result<Program> {
    let written = |job: &Job| row.program(job).and_then(|program| by_size(job, program));
    let first = written(job)?;
    let Some(turned) = turned(job) else {
        return Ok(first);
    };
    let second = written(&Job {
        placement: &turned,
        ..*job
    })?;
    Ok(Program::Fastest {
        cases: vec![first, second],
        gain: 0.0,
    })
}

fn turned(job: &Job) -> Option<Placement> {
    let Placement::Crews(sets, crews) = job.placement else {
        return None;
    };
    let size = |set: &Vec<u32>, at: usize| crews.len(set[at]);
    let uneven = sets
        .iter()
        .any(|set| size(set, 0) != size(set, set.len() - 1));
    let tried = uneven && !job.operation.is_rooted() && sets[0].len() <= MOST_TURNED;
    let turned = |set: &Vec<u32>| set.iter().rev().copied().collect();
    tried.then(|| job.placement.with(sets.iter().map(turned).collect()))
}

/// The program of a job, where it is one between crews, with such shares: where ranks must end with equal parts, or
/// where that is faster.
fn by_size(job: &Job, program: Program) -> Result<Program> {
    let Placement::Crews(sets, crews) = job.placement else {
        return Ok(program);
    };
    let even = |set: &Vec<u32>| set.iter().all(|&crew| crews.len(crew) == crews.len(set[0]));
    if sets.iter().all(even) {
        return Ok(program);
    }
    match job.operation {
        ReduceScatter | AllGather | Scatter | Gather => sized(job, crews, &program),
        AllReduce => Ok(match sized(job, crews, &program) {
            Err(Error::Unsupported { .. }) => program,
            other => Program::Fastest {
                cases: vec![program, other?],
                gain: 0.0,
            },
        }),
        _ => Ok(program),
    }
}

fn refused() -> Error {
    Error::unsupported(
        "shares by the number of chips in each UltraServer with this algorithm",
        "use ring or direct between UltraServers, or a group of as many chips in each",
    )
}

fn sized(job: &Job, crews: &Arc<Crews>, program: &Program) -> Result<Program> {
    match program {
        Program::Stages(stages) => {
            let mut left = MOST_MESSAGES;
            let stages = stages
                .iter()
                .map(|stage| of_stage(job, crews, stage, &mut left));
            stages.collect::<Result<_>>().map(Program::Stages)
        }
        Program::Sequence(all) => {
            let all = all.iter().map(|one| sized(job, crews, one));
            all.collect::<Result<_>>().map(Program::Sequence)
        }
        _ => Err(refused()),
    }
}

fn of_stage(job: &Job, crews: &Arc<Crews>, stage: &Stage, left: &mut usize) -> Result<Stage> {
    let mut stage = stage.clone();
    for track in &mut stage.tracks {
        let phases = track
            .phases
            .iter()
            .map(|phase| steps(job, crews, phase, left));
        track.phases = phases.collect::<Result<Vec<_>>>()?.concat();
    }
    Ok(stage)
}

/// The steps of a phase as phases of their own.
fn steps(job: &Job, crews: &Arc<Crews>, phase: &Phase, left: &mut usize) -> Result<Vec<Phase>> {
    let Repeat::Steps(count) = phase.repeat else {
        return Err(refused());
    };
    let shared = phase.space.shares as usize == job.placement.ranks();
    if !shared || !phase.portions.is_empty() || count > MOST_STEPS {
        return Err(refused());
    }
    let step = |step: u64| -> Result<Phase> {
        job.context.control.check()?;
        let mut parts = Vec::new();
        for moves in phase.parts.iter().flat_map(|part| &part.moves) {
            parts.extend(part(job, crews, phase.space, (moves, step), left)?);
        }
        let what = match count {
            1 => phase.what.clone(),
            _ => format!("{}, step {}", phase.what, step + 1),
        };
        Ok(Phase {
            space: phase.space,
            apart: phase.apart,
            ..Phase::steps(what, parts, 1)
        })
    };
    (0..count).map(step).collect()
}

/// The messages of one step, with the bytes that they carry.
fn part(
    job: &Job,
    crews: &Arc<Crews>,
    space: Space,
    (moves, step): (&Moves, u64),
    left: &mut usize,
) -> Result<Option<Part>> {
    let all = moves.sends.list(space.shares);
    let now = |at: usize| match &moves.steps {
        Steps::Each(count) => step < *count,
        Steps::Once(own) => u64::from(own[at]) == step,
    };
    let (mut sends, mut carried) = (Vec::new(), Vec::new());
    for (at, &(from, to)) in all.iter().enumerate() {
        job.context.control.check_at(at)?;
        let shares = if now(at) {
            (moves.carry)(step, from, to)
        } else {
            Vec::new()
        };
        if !shares.is_empty() {
            *left = left.checked_sub(1 + shares.len()).ok_or_else(refused)?;
            sends.push((from, to));
            carried.push(shares);
        }
    }
    if sends.is_empty() {
        return Ok(None);
    }
    let groups = &moves.rank_map.groups;
    let mut weights = Vec::with_capacity(groups.len() * sends.len());
    for set in groups.iter() {
        let members = |share: &u32| f64::from(crews.len(set[(share % space.shares) as usize]));
        let ranks: f64 = (0..space.shares).map(|share| members(&share)).sum();
        let each = carried
            .iter()
            .map(|shares| shares.iter().map(members).sum::<f64>());
        weights.extend(each.map(|members| members / ranks / f64::from(space.slices)));
    }
    let sends = Sends::from(sends);
    let pattern = job.context.pattern(PatternKind::Crews {
        pairs: Pairs::of(groups, &sends, None),
        weights: Some(weights.into()),
        crews: Arc::clone(crews),
    });
    let carry = Arc::clone(&moves.carry);
    let carry: Carry = Arc::new(move |_, from, to| carry(step, from, to));
    let moves = Moves {
        sends,
        steps: Steps::Each(1),
        carry,
        factor: None,
        ..moves.clone()
    };
    Ok(Some(Part::new(&pattern, job.size, moves)))
}
