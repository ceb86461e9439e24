//! Hierarchical collectives: one stage per tier, each with an algorithm of its own, chunks pipelined through.
//!
//! All-reduce: reduce-scatter inside each UltraServer, then inside each site over all rails at once, all-reduce
//! between sites, and back. A tier that a group does not span has no stage.

use super::algorithm::{ALGORITHMS, Job, find};
use super::context::Context;
use super::cost::{Cost, StageCost, combine};
use super::group::Groups;
use super::operation::Operation;
use super::placement::Placement;
use super::request::Request;
use super::schedule::{Stage, Track};
use super::wan;
use crate::{Error, Result};
use std::rc::Rc;

/// Names that `algorithm=` may give per tier, in this order.
pub(crate) const TIERS: [&str; 3] = ["domain", "site", "wan"];
/// Alternatives per stage that are tried in combination.
const ALTERNATIVES: usize = 3;

/// One stage to fill with an algorithm.
struct Slot {
    tier: usize,
    place: Place,
    operation: Operation,
    size: f64,
}

/// Where a stage takes place.
enum Place {
    /// Inside each domain.
    Domain,
    /// Inside the domain of the root only.
    RootDomain,
    /// Across the domains of each site.
    Site,
    /// Across the domains of each site, from its leader: the root's domain, or the first of another site.
    SiteFromLeader,
    /// Between the leaders of the sites.
    Leaders,
    /// Across all domains, sites regardless.
    Rails,
    /// Between sites.
    Wan,
}

/// A stage filled by one algorithm.
#[derive(Clone)]
struct Filled {
    name: &'static str,
    cost: Rc<StageCost>,
}

/// The best hierarchical schedule: its name with the algorithm of each stage, its stages and cost.
pub(crate) struct Best {
    pub(crate) name: String,
    pub(crate) stages: Vec<Rc<StageCost>>,
    pub(crate) cost: Cost,
}

/// Finds the best algorithm per tier, or uses `pinned` (one name per tier that the groups span).
pub(crate) fn best(
    context: &Context,
    request: &Request,
    pinned: Option<&[String]>,
) -> Result<Best> {
    let Groups::Grid { locals, domains } = context.groups else {
        return Err(Error::unsupported(
            "hierarchical over scattered chips",
            "name groups that hold the same chips of each UltraServer, or use ring or direct",
        ));
    };
    let slots = slots(context, request, locals, domains)?;
    let pins = pins(&slots, pinned)?;
    let mut options: Vec<Vec<Filled>> = Vec::with_capacity(slots.len());
    for slot in &slots {
        options.push(fill(context, request, slot, pins[slot.tier])?);
    }
    let mut picked = vec![0; slots.len()];
    let stages = |picked: &[usize]| -> Vec<Rc<StageCost>> {
        options
            .iter()
            .zip(picked)
            .map(|(options, &at)| Rc::clone(&options[at].cost))
            .collect()
    };
    let mut best = combine(context, request.model, &stages(&picked), request.chunks)?;
    // One stage changed at a time until nothing helps: pipelining may favour another than the fastest alone.
    loop {
        let mut improved = false;
        for at in 0..slots.len() {
            for option in 0..options[at].len() {
                let mut other = picked.clone();
                other[at] = option;
                let cost = combine(context, request.model, &stages(&other), request.chunks)?;
                if cost.time < best.time {
                    (best, picked, improved) = (cost, other, true);
                }
            }
        }
        if !improved {
            break;
        }
    }
    let names: Vec<&str> = options
        .iter()
        .zip(&picked)
        .map(|(options, &at)| options[at].name)
        .collect();
    Ok(Best {
        name: format!("hierarchical({})", names.join(", ")),
        stages: stages(&picked),
        cost: best,
    })
}

/// The algorithm that the caller wants for each of [`TIERS`].
fn pins<'a>(slots: &[Slot], pinned: Option<&'a [String]>) -> Result<[Option<&'a str>; 3]> {
    let mut out = [None; 3];
    let Some(pinned) = pinned else { return Ok(out) };
    let spanned: Vec<usize> = (0..3)
        .filter(|tier| slots.iter().any(|slot| slot.tier == *tier))
        .collect();
    if pinned.len() != spanned.len() {
        let names: Vec<&str> = spanned.iter().map(|&tier| TIERS[tier]).collect();
        return Err(Error::invalid(
            "algorithm",
            format!("{} names", pinned.len()),
            format!(
                "this group spans the tiers {}: give one name for each",
                names.join(", ")
            ),
        ));
    }
    for (tier, name) in spanned.into_iter().zip(pinned) {
        find(name)?;
        out[tier] = Some(name.as_str());
    }
    Ok(out)
}

fn slots(
    context: &Context,
    request: &Request,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<Slot>> {
    use Operation::*;
    let (in_domain, across) = (locals[0].len(), domains[0].len());
    let machine = context.machine;
    let wan = domains
        .iter()
        .any(|set| machine.site_of(set[0]) != machine.site_of(set[set.len() - 1]));
    if across == 1 || (in_domain == 1 && !wan) {
        return Err(Error::unsupported(
            "hierarchical over a group that spans one tier",
            "use bucket, ring or another algorithm of that tier",
        ));
    }
    let size = request.size;
    let share = size / in_domain as f64;
    let operation = if request.operation == Barrier {
        AllReduce
    } else {
        request.operation
    };
    let slot = |tier, place, operation, size| Slot {
        tier,
        place,
        operation,
        size,
    };
    let inside = |operation| slot(0, Place::Domain, operation, size);
    let root = |operation| slot(0, Place::RootDomain, operation, size);
    let site = |operation| slot(1, Place::Site, operation, share);
    let rails = |operation, size| slot(1, Place::Rails, operation, size);
    let between = |operation| slot(2, Place::Wan, operation, size);
    let mut slots = match operation {
        AllReduce if wan => vec![
            inside(ReduceScatter),
            site(ReduceScatter),
            between(AllReduce),
            site(AllGather),
            inside(AllGather),
        ],
        AllReduce => vec![inside(ReduceScatter), site(AllReduce), inside(AllGather)],
        ReduceScatter => vec![
            inside(ReduceScatter),
            site(ReduceScatter),
            between(ReduceScatter),
        ],
        AllGather => vec![between(AllGather), site(AllGather), inside(AllGather)],
        AllToAll => vec![inside(AllToAll), rails(AllToAll, size)],
        Broadcast => vec![
            root(Scatter),
            slot(2, Place::Leaders, Broadcast, share),
            slot(1, Place::SiteFromLeader, Broadcast, share),
            inside(AllGather),
        ],
        Reduce => vec![
            inside(ReduceScatter),
            slot(1, Place::SiteFromLeader, Reduce, share),
            slot(2, Place::Leaders, Reduce, share),
            root(Gather),
        ],
        Scatter => vec![root(Scatter), rails(Scatter, share)],
        Gather => vec![rails(Gather, share), root(Gather)],
        SendRecv | Barrier => {
            return Err(Error::unsupported(
                format!("hierarchical {}", operation.name()),
                "use direct",
            ));
        }
    };
    let several_in_a_site = domains.iter().any(|set| {
        set.windows(2)
            .any(|pair| machine.site_of(pair[0]) == machine.site_of(pair[1]))
    });
    slots.retain(|slot| match slot.place {
        Place::Domain | Place::RootDomain => in_domain > 1,
        Place::Site | Place::SiteFromLeader => several_in_a_site,
        Place::Wan | Place::Leaders => wan,
        Place::Rails => true,
    });
    Ok(slots)
}

/// The algorithms that can fill a slot, fastest first.
fn fill(
    context: &Context,
    request: &Request,
    slot: &Slot,
    pinned: Option<&str>,
) -> Result<Vec<Filled>> {
    let mut options: Vec<(f64, Filled)> = Vec::new();
    let mut refusal = None;
    let offered = ALGORITHMS.iter().filter(|row| {
        // The root's domain shares the tier with the other stages there; a pinned name that does not do the
        // rooted operation leaves that stage to the search.
        let pinned = pinned.filter(|_| !matches!(slot.place, Place::RootDomain));
        pinned.is_none_or(|name| name == row.name) && row.operations.contains(&slot.operation)
    });
    for row in offered {
        let label = format!("{} by {}", slot.operation.name(), row.name);
        let cost = stage(context, request, slot, row.name)
            .and_then(|stage| StageCost::new(context, request.model, &stage, label));
        match cost {
            Ok(cost) => options.push((
                cost.time(1.0),
                Filled {
                    name: row.name,
                    cost: Rc::new(cost),
                },
            )),
            Err(error) => refusal = Some(error),
        }
    }
    options.sort_by(|a, b| a.0.total_cmp(&b.0));
    options.truncate(ALTERNATIVES);
    if options.is_empty() {
        return Err(refusal.unwrap_or_else(|| {
            Error::unsupported(
                format!(
                    "{} as the {} stage ({})",
                    pinned.unwrap_or("any algorithm"),
                    TIERS[slot.tier],
                    slot.operation.name()
                ),
                "name another algorithm for this tier, or leave the choice open with hierarchical",
            )
        }));
    }
    Ok(options.into_iter().map(|option| option.1).collect())
}

fn stage(context: &Context, request: &Request, slot: &Slot, name: &'static str) -> Result<Stage> {
    let Groups::Grid { locals, domains } = context.groups else {
        unreachable!("slots are made for grids only")
    };
    let in_domain = locals[0].len();
    let tracks = |placements: Vec<Placement>, root: usize| -> Result<Stage> {
        let mut tracks = Vec::new();
        for placement in &placements {
            let stages = (find(name)?.build)(&Job {
                context,
                placement,
                operation: slot.operation,
                size: slot.size,
                root,
                shift: 0,
                tier: TIERS[slot.tier],
            })?;
            let mut track = one_track(stages);
            if placements.len() > 1 {
                for phase in &mut track.phases {
                    phase.what = format!("{} ({} UltraServers)", phase.what, placement.ranks());
                }
            }
            tracks.push(track);
        }
        Ok(Stage {
            tier: TIERS[slot.tier],
            tracks,
        })
    };
    match slot.place {
        Place::Domain => tracks(vec![Placement::Local(locals.clone())], 0),
        Place::RootDomain => {
            let chips = context.machine.domain().chips();
            let groups = domains
                .iter()
                .map(|set| set[request.root / in_domain] * chips)
                .flat_map(|first| {
                    locals
                        .iter()
                        .map(move |group| group.iter().map(|local| first + local).collect())
                })
                .collect();
            tracks(vec![Placement::Flat(groups)], request.root % in_domain)
        }
        Place::Rails => tracks(
            vec![Placement::Rails(domains.clone())],
            request.root / in_domain,
        ),
        Place::Site => tracks(site_placements(context, domains, None), 0),
        Place::SiteFromLeader => tracks(
            site_placements(context, domains, Some(request.root / in_domain)),
            0,
        ),
        Place::Leaders => leaders(context, domains, request.root / in_domain)
            .into_iter()
            .map(|(placement, root)| tracks(vec![placement], root))
            .reduce(|all, next| {
                let mut all = all?;
                all.tracks.extend(next?.tracks);
                Ok(all)
            })
            .expect("a slot between sites is made when some set spans two"),
        Place::Wan => Ok(Stage::of(
            TIERS[2],
            wan::phases(context, domains, slot.operation, slot.size, name)?,
        )),
    }
}

/// The domains of each set at each site, sets of equal size together. With `root`, the number of the root's domain
/// in each set, the leader of the site comes first.
fn site_placements(context: &Context, domains: &[Vec<u32>], root: Option<usize>) -> Vec<Placement> {
    let machine = context.machine;
    let mut parts: Vec<Vec<u32>> = Vec::new();
    for set in domains {
        let of_sites = set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b));
        for part in of_sites.filter(|part| part.len() > 1) {
            let mut part = part.to_vec();
            let leader = root.and_then(|root| part.iter().position(|&domain| domain == set[root]));
            part.rotate_left(leader.unwrap_or(0));
            parts.push(part);
        }
    }
    parts.sort_by_key(Vec::len);
    parts
        .chunk_by(|a, b| a.len() == b.len())
        .map(|alike| Placement::Rails(alike.to_vec()))
        .collect()
}

/// The leaders of the sites that each set spans, and which of them is the root's. Sets that span equally many
/// sites and have their root at the same place go together.
fn leaders(context: &Context, domains: &[Vec<u32>], root: usize) -> Vec<(Placement, usize)> {
    let machine = context.machine;
    let mut sets: Vec<(usize, Vec<u32>)> = Vec::new();
    for set in domains {
        let of_sites = set.chunk_by(|&a, &b| machine.site_of(a) == machine.site_of(b));
        let mut at = 0;
        let mut leading = Vec::new();
        for (index, part) in of_sites.enumerate() {
            let holds_root = part.contains(&set[root]);
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

fn one_track(stages: Vec<Stage>) -> Track {
    let mut tracks: Vec<Track> = stages.into_iter().flat_map(|stage| stage.tracks).collect();
    if tracks.len() == 1 {
        return tracks.remove(0);
    }
    Track {
        phases: tracks.into_iter().flat_map(|track| track.phases).collect(),
        overlap: false,
    }
}
