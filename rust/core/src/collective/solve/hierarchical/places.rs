//! Where the ranks of a stage sit.

use super::stage_plan::{Place, PlannedStage};
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::measure::parts as sites_of;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::Spread;
use std::sync::Arc;

/// Where a stage's ranks sit, and which of them is the root: for each track that runs there.
pub(super) fn placements(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
) -> Vec<(Placement, usize)> {
    let (locals, domains) = match (context.groups, context.crews()) {
        (Groups::Grid { locals, domains }, _) => (locals, domains),
        (_, Some(crews)) => return super::crews::placements(context, request, planned, crews),
        _ => unreachable!("stages are planned for grids and crews only"),
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
        Place::Wan | Place::Speakers(_) | Place::Owners(_) => Vec::new(),
    }
}

/// The domains of each set at each site, sets of equal size together. With `root`, the number of the root's domain
/// in each set, the leader of the site comes first.
pub(in crate::collective::solve) fn site_placements(
    context: &Context,
    domains: &[Vec<u32>],
    root: Option<usize>,
) -> Vec<Placement> {
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
pub(super) fn spread(placement: &Placement, first: &[u32]) -> Option<Spread> {
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
