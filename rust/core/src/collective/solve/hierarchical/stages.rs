//! Filling a stage: every algorithm that can do it, and where its ranks sit.

use super::stage_plan::{Place, PlannedStage, TIERS};
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Job, find};
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::measure::parts as sites_of;
use crate::collective::price::cost::StageCost;
use crate::collective::program::moves::Space;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Spread, Stage, Track};
use crate::{Error, Result};
use std::sync::Arc;

/// A stage filled by one algorithm.
#[derive(Clone)]
pub(super) struct StageOption {
    pub(super) name: &'static str,
    pub(super) cost: Arc<StageCost>,
}

/// The algorithms that can run a stage, fastest first.
pub(super) fn stage_options(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    pinned: Option<&str>,
) -> Result<Vec<StageOption>> {
    let mut options: Vec<(f64, StageOption)> = Vec::new();
    let mut refusal = None;
    // The root's domain shares its tier with other stages; a name that is for those leaves this one open.
    let pinned = pinned.filter(|name| {
        let does =
            |row: &&Algorithm| row.name == *name && row.operations.contains(&planned.operation);
        !planned.shares_tier || ALGORITHMS.iter().any(|row| does(&row))
    });
    let offered = ALGORITHMS.iter().filter(|row| {
        pinned.map_or(row.offered, |name| name == row.name)
            && row.operations.contains(&planned.operation)
    });
    let placements = placements(context, request, planned);
    for row in offered {
        let label = format!("{} by {}", planned.operation.name(), row.name);
        let cost = stage(context, request, planned, &placements, row.name)
            .and_then(|stage| StageCost::new(context, request.model, &stage, label));
        match cost {
            Ok(cost) => options.push((
                cost.time(1.0),
                StageOption {
                    name: row.name,
                    cost: Arc::new(cost),
                },
            )),
            Err(error @ (Error::Unsupported { .. } | Error::Unreachable { .. })) => {
                refusal = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    options.sort_by(|a, b| a.0.total_cmp(&b.0));
    if options.is_empty() {
        return Err(refusal.unwrap_or_else(|| {
            Error::unsupported(
                format!(
                    "{} as the {} stage ({})",
                    pinned.unwrap_or("any algorithm"),
                    TIERS[planned.tier],
                    planned.operation.name()
                ),
                "name another algorithm for this tier, or leave the choice open with hierarchical",
            )
        }));
    }
    Ok(options.into_iter().map(|option| option.1).collect())
}

/// Where a stage's ranks sit, and which of them is the root: for each track that runs there.
fn placements(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
) -> Vec<(Placement, usize)> {
    let Groups::Grid { locals, domains } = context.groups else {
        unreachable!("stages are planned for grids only")
    };
    let in_domain = locals[0].len();
    let root = request.root / in_domain;
    let unrooted =
        |placements: Vec<Placement>| placements.into_iter().map(|one| (one, 0)).collect();
    match planned.place {
        Place::Domain => vec![(Placement::Local(locals.clone().into()), 0)],
        Place::RootDomain => {
            let chips = context.machine.domain().chips();
            let groups = domains
                .iter()
                .map(|set| set[root] * chips)
                .flat_map(|first| {
                    locals
                        .iter()
                        .map(move |group| group.iter().map(|local| first + local).collect())
                })
                .collect();
            vec![(Placement::Flat(groups), request.root % in_domain)]
        }
        Place::Rails => vec![(Placement::Rails(domains.clone().into()), root)],
        Place::Site => unrooted(site_placements(context, domains, None)),
        Place::SiteFromLeader => unrooted(site_placements(context, domains, Some(root))),
        Place::Leaders => leaders(context, domains, root),
        Place::Wan => Vec::new(),
    }
}

fn stage(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    placements: &[(Placement, usize)],
    name: &'static str,
) -> Result<Stage> {
    let Groups::Grid { domains, .. } = context.groups else {
        unreachable!("stages are planned for grids only")
    };
    let tier = TIERS[planned.tier];
    if let Place::Wan = planned.place {
        let phases =
            find(name)?.between_sites(context, domains, planned.operation, planned.size)?;
        return Ok(Stage::of(tier, Space::WHOLE, phases));
    }
    let several = placements.len() > 1 && !matches!(planned.place, Place::Leaders);
    let mut tracks = Vec::with_capacity(placements.len());
    for (placement, root) in placements {
        let stages = (find(name)?.build)(&Job {
            context,
            placement,
            operation: planned.operation,
            size: planned.size,
            root: *root,
            shift: 0,
            orders: &request.orders,
            table: ALGORITHMS,
            tier,
        })?;
        let mut track = one_track(stages);
        track.spread = spread(placement, &domains[0]);
        if several {
            for phase in &mut track.phases {
                phase.what = format!("{} ({} UltraServers)", phase.what, placement.ranks());
            }
        }
        tracks.push(track);
    }
    Ok(Stage { tier, tracks })
}

/// The domains of each set at each site, sets of equal size together. With `root`, the number of the root's domain
/// in each set, the leader of the site comes first.
fn site_placements(context: &Context, domains: &[Vec<u32>], root: Option<usize>) -> Vec<Placement> {
    let machine = context.machine;
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for set in domains {
        let of_sites = sites_of(machine, set).into_iter();
        for (_, part) in of_sites.filter(|(_, part)| part.len() > 1) {
            let mut part = part.to_vec();
            let leader = root.and_then(|root| part.binary_search(&set[root]).ok());
            part.rotate_left(leader.unwrap_or(0));
            parts.push(part);
        }
    }
    parts.sort_by_key(Vec::len);
    parts
        .chunk_by(|a, b| a.len() == b.len())
        .map(|alike| Placement::Rails(alike.into()))
        .collect()
}

/// The leaders of the sites that each set spans, and which of them is the root's. Sets that span equally many
/// sites and have their root at the same place go together.
fn leaders(context: &Context, domains: &[Vec<u32>], root: usize) -> Vec<(Placement, usize)> {
    let machine = context.machine;
    let mut sets: Vec<(usize, Vec<u32>)> = Vec::new();
    for set in domains {
        let mut at = 0;
        let mut leading = Vec::new();
        for (index, (_, part)) in sites_of(machine, set).into_iter().enumerate() {
            let holds_root = part.binary_search(&set[root]).is_ok();
            leading.push(if holds_root { set[root] } else { part[0] });
            if holds_root {
                at = index;
            }
        }
        if leading.len() > 1 {
            sets.push((at, leading));
        }
    }
    sets.sort_by_key(|(at, leading)| (leading.len(), *at));
    sets.chunk_by(|a, b| (a.1.len(), a.0) == (b.1.len(), b.0))
        .map(|alike| {
            let groups = alike.iter().map(|(_, leading)| leading.clone()).collect();
            (Placement::Rails(groups), alike[0].0)
        })
        .collect()
}

/// Where a placement over domains runs in the first group of the collective.
fn spread(placement: &Placement, first: &[u32]) -> Option<Spread> {
    let Placement::Rails(sets) = placement else {
        return None;
    };
    let mine = (0..).zip(sets.iter());
    let mine = mine.filter(|(_, set)| first.binary_search(&set[0]).is_ok());
    Some(Spread {
        sets: Arc::clone(sets),
        mine: mine.map(|(at, _)| at).collect(),
    })
}

fn one_track(stages: Vec<Stage>) -> Track {
    let mut tracks: Vec<Track> = stages.into_iter().flat_map(|stage| stage.tracks).collect();
    if tracks.len() == 1 {
        return tracks.remove(0);
    }
    Track {
        phases: tracks.into_iter().flat_map(|track| track.phases).collect(),
        overlap: false,
        spread: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Axis, AxisKind, Domain, Machine, Nic, Site};
    use crate::operation::Operation::AllReduce;
    use crate::route::Routing;
    use crate::{Control, Error};

    #[test]
    fn a_caller_who_stops_is_no_refusal() {
        let axis = Axis {
            name: "x".to_owned(),
            size: 8,
            kind: AxisKind::Ring,
            bandwidth: 1e9,
            latency: 0.0,
        };
        let nic = Nic {
            bandwidth: 1e9,
            latency: 0.0,
            overhead: 0.0,
        };
        let site = Site {
            name: "one".to_owned(),
            domains: 4,
            tiers: Vec::new(),
        };
        let domain = Domain::new(vec![axis]).expect("sound");
        let machine = Machine::new(domain, 0.0, Some(nic), vec![site], None).expect("sound");
        let (groups, routing) = (Groups::all(&machine).expect("small"), Routing::default());
        let control = Control::default();
        let context = Context::new(&machine, &routing, &groups, &control).expect("sound");
        let request = Request::new(AllReduce, 1e6);
        let planned = PlannedStage {
            tier: 0,
            place: Place::Domain,
            operation: AllReduce,
            size: 1e6,
            shares_tier: false,
        };
        // One that is known already still answers; that the others were stopped must not pass for a refusal.
        assert!(stage_options(&context, &request, &planned, Some("ring")).is_ok());
        control.cancel();
        let stopped = stage_options(&context, &request, &planned, None).map(|all| all.len());
        assert_eq!(stopped, Err(Error::Cancelled));
    }
}
