//! Filling a stage: every algorithm that can do it, and where its ranks sit.

use super::stage_plan::{Place, PlannedStage, TIERS};
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Job};
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::pattern::measure::parts as sites_of;
use crate::collective::price::cost::{JoinedTrack, StageCost};
use crate::collective::price::priced::Priced;
use crate::collective::program::alternatives::Program;
use crate::collective::program::moves::Space;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Spread, Stage};
use crate::{Error, Result};
use std::sync::Arc;

/// A stage run by one algorithm, priced for one byte.
pub(super) struct StageOption {
    pub(super) name: &'static str,
    label: String,
    tier: &'static str,
    tracks: Vec<TrackOption>,
    /// The costs that sizes have asked for, by those of their tracks.
    joined: Vec<Joined>,
}

/// What runs at one placement of a stage.
struct TrackOption {
    priced: Priced,
    spread: Option<Spread>,
    place: String,
}

/// A cost of a stage, and what it is made of.
struct Joined {
    /// The addresses of the costs of its tracks, which are held.
    of: Vec<usize>,
    numbered: Numbered,
}

/// A cost, and its number among those of the stage.
#[derive(Clone)]
pub(super) struct Numbered {
    pub(super) number: u32,
    pub(super) cost: Arc<StageCost>,
}

impl StageOption {
    /// Seconds that `scale` bytes take at least, where that is had for nothing.
    pub(super) fn least(&self, scale: f64) -> f64 {
        let track = |track: &TrackOption| track.priced.least(scale);
        self.tracks.iter().map(track).fold(0.0, f64::max)
    }

    /// The cost of one byte by what is best for `scale` bytes.
    pub(super) fn at(
        &mut self,
        scene: &OnDemand,
        model: Model,
        scale: f64,
        numbers: &mut u32,
    ) -> Result<Numbered> {
        if let [only] = &self.joined[..] {
            if self.tracks.iter().all(|track| track.priced.is_fixed()) {
                return Ok(only.numbered.clone());
            }
        }
        let mut tracks = Vec::with_capacity(self.tracks.len());
        let mut of = Vec::new();
        for track in &mut self.tracks {
            let stages = track.priced.at(&|| scene.get(), scale)?;
            of.extend(stages.iter().map(|cost| Arc::as_ptr(cost) as usize));
            tracks.push(JoinedTrack {
                stages,
                spread: track.spread.clone(),
                place: track.place.clone(),
            });
        }
        if let Some(known) = self.joined.iter().find(|known| known.of == of) {
            return Ok(known.numbered.clone());
        }
        let joined = StageCost::joined(scene.get()?, model, (self.tier, &self.label), tracks)?;
        let numbered = Numbered {
            number: *numbers,
            cost: Arc::new(joined),
        };
        *numbers += 1;
        self.joined.push(Joined {
            of,
            numbered: numbered.clone(),
        });
        Ok(numbered)
    }
}

/// The algorithms that can run a stage.
pub(super) fn stage_options(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    pinned: Option<&str>,
) -> Result<Vec<StageOption>> {
    let mut options = Vec::new();
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
        let made = tracks(context, request, planned, &placements, row);
        match made.and_then(|tracks| option(context, request, planned, row, tracks)) {
            Ok(option) => options.push(option),
            Err(error @ (Error::Unsupported { .. } | Error::Unreachable { .. })) => {
                refusal = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
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
    Ok(options)
}

/// What an algorithm writes for one placement of a stage.
struct TrackProgram {
    program: Program,
    spread: Option<Spread>,
    place: String,
}

fn option(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    row: &Algorithm,
    tracks: Vec<TrackProgram>,
) -> Result<StageOption> {
    let label = format!("{} by {}", planned.operation.name(), row.name);
    let track = |track: TrackProgram| -> Result<TrackOption> {
        Ok(TrackOption {
            priced: Priced::new(context, request.model, label.clone(), track.program)?,
            spread: track.spread,
            place: track.place,
        })
    };
    Ok(StageOption {
        name: row.name,
        tier: TIERS[planned.tier],
        tracks: tracks.into_iter().map(track).collect::<Result<_>>()?,
        joined: Vec::new(),
        label,
    })
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

fn tracks(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    placements: &[(Placement, usize)],
    row: &Algorithm,
) -> Result<Vec<TrackProgram>> {
    let Groups::Grid { domains, .. } = context.groups else {
        unreachable!("stages are planned for grids only")
    };
    let tier = TIERS[planned.tier];
    if let Place::Wan = planned.place {
        let phases = row.between_sites(context, domains, planned.operation, planned.size)?;
        return Ok(vec![TrackProgram {
            program: Program::Stages(vec![Stage::of(tier, Space::WHOLE, phases)]),
            spread: None,
            place: String::new(),
        }]);
    }
    let several = placements.len() > 1 && !matches!(planned.place, Place::Leaders);
    let track = |(placement, root): &(Placement, usize)| -> Result<TrackProgram> {
        let program = row.program(&Job {
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
        Ok(TrackProgram {
            program,
            spread: spread(placement, &domains[0]),
            place: match several {
                true => format!(" ({} UltraServers)", placement.ranks()),
                false => String::new(),
            },
        })
    };
    placements.iter().map(track).collect()
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
