//! Where the ranks of a stage sit in groups that hold other chips of one domain than of another.

use super::by_size::program;
use super::stage_plan::{Place, PlannedStage, is_refusal};
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Job, by_owners};
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::crews::Crews;
use crate::collective::program::alternatives::{Cheapest, Program};
use crate::collective::program::least::Least;
use crate::collective::program::placement::Placement;
use crate::machine::AxisKind;
use crate::{Error, Result};
use std::sync::Arc;

/// Refuses several groups whose crews would share links of a domain unlike each other: they are priced side by side.
pub(super) fn check(context: &Context, crews: &Crews) -> Result<()> {
    let private = |kind: &AxisKind| matches!(kind, AxisKind::Switch { .. } | AxisKind::FullMesh);
    let axes = context.machine.domain().axes();
    if crews.of_groups.len() == 1 || axes.len() == 1 && private(&axes[0].kind) {
        return Ok(());
    }
    let several = crews.all.iter().filter(|crew| crew.locals.len() > 1);
    let mut sizes: Vec<(u32, usize)> = several
        .map(|crew| (crew.domain, crew.locals.len()))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    match sizes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        true => Err(Error::unsupported(
            "hierarchical over several groups that have unlike numbers of chips in one UltraServer",
            "name one group, or use ring or direct",
        )),
        false => Ok(()),
    }
}

/// Where a stage's ranks sit, and which of them is the root.
pub(super) fn placements(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    crews: &Arc<Crews>,
) -> Vec<(Placement, usize)> {
    let root = |crew: u32| {
        let ranks = &crews.get(crew).ranks;
        ranks.iter().position(|&rank| rank as usize == request.root)
    };
    match planned.place {
        Place::Domain | Place::Owners(_)
            if crews.of_groups.len() > 1 || context.machine.is_damaged() =>
        {
            let all = (0..crews.all.len() as u32).filter(|&crew| crews.len(crew) > 1);
            listed(context, crews, all.map(|crew| (crew, 0)))
        }
        Place::Domain | Place::Owners(_) => inside(crews),
        Place::RootDomain => {
            let all = 0..crews.all.len() as u32;
            let all = all.filter_map(|crew| Some((crew, root(crew)?)));
            listed(context, crews, all.filter(|&(crew, _)| crews.len(crew) > 1))
        }
        _ => {
            let taking_part = match planned.place {
                Place::Speakers(count) => Arc::new(crews.speakers(count)),
                _ => Arc::clone(crews),
            };
            let sets = crews.of_groups.iter().filter(|set| set.len() > 1);
            let at_root = |set: &Vec<u32>| set.iter().position(|&crew| root(crew).is_some());
            // Algorithms tell ranks apart: the largest come first, wherever they are, and mirror images are alike.
            let ordered = |set: &Vec<u32>| {
                let mut set = set.clone();
                set.sort_by_key(|&crew| std::cmp::Reverse(crews.len(crew)));
                let root = at_root(&set).filter(|_| planned.operation.is_rooted());
                (root.unwrap_or(0), set)
            };
            let mut sets: Vec<(usize, Vec<u32>)> = sets.map(ordered).collect();
            sets.sort_by_key(|(root, set)| (set.len(), *root));
            sets.chunk_by(|a, b| (a.1.len(), a.0) == (b.1.len(), b.0))
                .map(|alike| {
                    let groups = alike.iter().map(|(_, set)| set.clone()).collect();
                    (
                        Placement::Crews(groups, Arc::clone(&taking_part)),
                        alike[0].0,
                    )
                })
                .collect()
        }
    }
}

/// The crews of one group in domains that are whole, those with the same chips together.
fn inside(crews: &Crews) -> Vec<(Placement, usize)> {
    let classes = crews.classes(|crew| crews.len(crew) > 1);
    let placement = |class: Vec<u32>| {
        let locals: Arc<[Vec<u32>]> = vec![crews.get(class[0]).locals.clone()].into();
        match class == crews.alike {
            true => (Placement::Local(locals), 0),
            false => (Placement::Within(locals, crews.domains(&class).into()), 0),
        }
    };
    classes.into_iter().map(placement).collect()
}

/// Crews and the members that are their roots, chip by chip: those of as many members together.
fn listed(
    context: &Context,
    crews: &Crews,
    all: impl Iterator<Item = (u32, usize)>,
) -> Vec<(Placement, usize)> {
    let mut all: Vec<(u32, usize)> = all.collect();
    let alike = |&(crew, root): &(u32, usize)| (crews.len(crew), root);
    all.sort_by_key(alike);
    let chips = |&(crew, _): &(u32, usize)| {
        let crew = crews.get(crew);
        let first = crew.domain * context.machine.domain().chips();
        crew.locals.iter().map(|local| first + local).collect()
    };
    all.chunk_by(|a, b| alike(a) == alike(b))
        .map(|some| (Placement::Flat(some.iter().map(chips).collect()), some[0].1))
        .collect()
}

/// What an algorithm writes for one placement of a stage. Where it does not run there but may at others, what is cheapest,
/// and why it does not.
pub(super) fn written(
    row: &Algorithm,
    job: &Job,
    planned: &PlannedStage,
    several: bool,
) -> Result<(Program, Option<Error>)> {
    if let Place::Owners(count) = planned.place {
        return Ok((Program::Stages(by_owners(job, count)?), None));
    }
    match program(row, job) {
        Err(error) if is_refusal(&error) && several && job.context.crews().is_some() => {
            Ok((cheapest(job), Some(error)))
        }
        made => Ok((made?, None)),
    }
}

/// The cheapest of all algorithms that run a job.
fn cheapest(job: &Job) -> Program {
    let operation = job.operation;
    let rows = ALGORITHMS.iter();
    let rows: Vec<_> = rows
        .filter(|row| row.offered && row.operations.contains(&operation))
        .collect();
    let placement = job.placement.clone();
    let (size, root, table, tier) = (job.size, job.root, job.table, job.tier);
    Program::Cheapest(Cheapest {
        leasts: vec![Least::NOTHING; rows.len()],
        make: Arc::new(move |context, which| {
            rows[which].program(&Job {
                context,
                placement: &placement,
                operation,
                size,
                root,
                shift: 0,
                orders: &[],
                table,
                tier,
            })
        }),
    })
}
