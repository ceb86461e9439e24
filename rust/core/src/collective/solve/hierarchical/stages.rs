//! Filling a stage: every algorithm that can do it, and where its ranks sit.

use super::crews::written;
use super::places::{placements, spread};
use super::stage_plan::{Place, PlannedStage, TIERS, is_refusal};
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Extent, Job};
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::cost::{JoinedTrack, StageCost};
use crate::collective::price::priced::Priced;
use crate::collective::program::alternatives::Program;
use crate::collective::program::least::{Least, SLACK};
use crate::collective::program::moves::Space;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Spread, Stage};
use crate::memory::bytes_of;
use crate::operation::Operation;
use crate::weigh::Scale;
use crate::{Error, Result};
use std::sync::Arc;

/// A stage, where its ranks sit, and all that can run it.
pub(super) struct StageOptions {
    planned: PlannedStage,
    /// The name that was asked for.
    pinned: Option<String>,
    placements: Vec<(Placement, usize)>,
    pub(super) all: Vec<StageOption>,
    /// How many costs it has had.
    numbers: u32,
}

/// A stage run by one algorithm; priced for one byte once it is built.
pub(super) struct StageOption {
    row: &'static Algorithm,
    label: String,
    tier: &'static str,
    least: Least,
    pub(super) state: State,
    /// The costs that sizes have asked for, by those of their tracks.
    joined: Vec<Joined>,
}

pub(super) enum State {
    Unbuilt,
    Built(Vec<TrackOption>),
    Refused(Error),
}

/// What runs at one placement of a stage.
pub(super) struct TrackOption {
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

impl StageOptions {
    /// Counts what they take.
    pub(super) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        self.placements.iter().for_each(|(one, _)| one.weigh(on));
        for option in &self.all {
            on.one::<StageOption>(option.label.len() as u64);
            if let State::Built(tracks) = &option.state {
                tracks.iter().for_each(|track| track.priced.weigh(on));
            }
            for joined in &option.joined {
                on.one::<Joined>(bytes_of::<usize>(joined.of.len() as u64));
                on.shared(&joined.numbered.cost, StageCost::weigh);
            }
        }
    }

    /// The algorithms that may run a stage, none of them built.
    pub(super) fn new(
        context: &Context,
        request: &Request,
        planned: PlannedStage,
        pinned: Option<&str>,
    ) -> Self {
        // The root's domain shares its tier with other stages; a name that is for those leaves this one open.
        let pinned = pinned.filter(|name| {
            let does =
                |row: &&Algorithm| row.name == *name && row.operations.contains(&planned.operation);
            !planned.shares_tier || ALGORITHMS.iter().any(|row| does(&row))
        });
        // Ranks that have parts of the sum still would add them again, where all take part alike.
        let anew = matches!(
            (&planned.place, planned.operation),
            (Place::Domain, Operation::Broadcast)
        );
        let offered = ALGORITHMS.iter().filter(|row| {
            pinned.map_or(row.offered, |name| name == row.name)
                && row.operations.contains(&planned.operation)
                && (row.name == "direct" || !matches!(planned.place, Place::Owners(_)))
                && !(anew && row.tier_by_tier.is_some())
        });
        let placements = placements(context, request, &planned);
        // Tracks run side by side: what one of them takes, all take at least. Crews lie on no sides that it is said of.
        let largest = placements.iter().max_by_key(|one| one.0.ranks());
        let alike = matches!(context.groups, Groups::Grid { .. });
        let extent = largest
            .filter(|_| pinned.is_none() && alike)
            .and_then(|(one, root)| Extent::new(context, request.model, one, *root));
        let option = |row: &'static Algorithm| {
            let least = extent.as_ref();
            let least = least.map(|extent| (row.least)(extent, planned.operation, ALGORITHMS));
            StageOption {
                row,
                label: format!("{} by {}", planned.operation.name(), row.name),
                tier: TIERS[planned.tier],
                least: least.unwrap_or(Least::NOTHING) * planned.size,
                state: State::Unbuilt,
                joined: Vec::new(),
            }
        };
        let all = offered.map(option).collect();
        Self {
            pinned: pinned.map(str::to_owned),
            planned,
            placements,
            all,
            numbers: 0,
        }
    }

    pub(super) fn tier(&self) -> usize {
        self.planned.tier
    }

    /// Builds an option where it is not yet; whether it runs.
    pub(super) fn build(
        &mut self,
        context: &Context,
        request: &Request,
        at: usize,
    ) -> Result<bool> {
        let option = &mut self.all[at];
        match option.state {
            State::Built(_) => return Ok(true),
            State::Refused(_) => return Ok(false),
            State::Unbuilt => {}
        }
        context.control.check()?;
        let made = tracks(
            context,
            request,
            &self.planned,
            &self.placements,
            option.row,
        );
        match made.and_then(|tracks| option.priced(context, request.model, tracks)) {
            Ok(tracks) => {
                option.state = State::Built(tracks);
                Ok(true)
            }
            Err(error) if is_refusal(&error) => {
                option.state = State::Refused(error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The cost of an option for one byte by what is best for `scale` bytes, where it runs.
    pub(super) fn at(
        &mut self,
        scene: &OnDemand,
        request: &Request,
        scale: f64,
        at: usize,
    ) -> Result<Option<Numbered>> {
        if matches!(self.all[at].state, State::Unbuilt) {
            self.build(scene.get()?, request, at)?;
        }
        let (option, numbers) = (&mut self.all[at], &mut self.numbers);
        match option.at(scene, request.model, scale, numbers) {
            Err(error) if is_refusal(&error) => {
                option.state = State::Refused(error);
                Ok(None)
            }
            other => other,
        }
    }

    /// Why no option runs; `None` where one does, or may.
    pub(super) fn refusal(&self) -> Option<Error> {
        let mut last = None;
        for option in &self.all {
            match &option.state {
                State::Refused(error) => last = Some(error.clone()),
                _ => return None,
            }
        }
        Some(last.unwrap_or_else(|| {
            Error::unsupported(
                format!(
                    "{} as the {} stage ({})",
                    self.pinned.as_deref().unwrap_or("any algorithm"),
                    TIERS[self.planned.tier],
                    self.planned.operation.name()
                ),
                "name another algorithm for this tier, or leave the choice open with hierarchical",
            )
        }))
    }

    /// What it takes at least, whichever option runs it, in pieces that follow each other.
    pub(super) fn least(&self) -> Least {
        let running = self.all.iter().filter(|option| !option.is_refused());
        let each = running.map(|option| option.least);
        each.reduce(Least::or).unwrap_or(Least::NOTHING)
    }

    /// Seconds that `scale` bytes take in it alone, in pieces that follow each other.
    pub(super) fn least_alone(&self, scale: f64) -> f64 {
        let running = self.all.iter().filter(|option| !option.is_refused());
        let each = running.map(|option| option.least_alone(scale));
        each.fold(f64::INFINITY, f64::min)
    }
}

impl StageOption {
    pub(super) fn name(&self) -> &'static str {
        self.row.name
    }

    fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused(_))
    }

    /// What it takes at least, said before it is built.
    pub(super) fn least(&self) -> Least {
        self.least
    }

    /// The same of one option, where that is had for nothing.
    fn least_alone(&self, scale: f64) -> f64 {
        let State::Built(tracks) = &self.state else {
            return (self.least.fixed + self.least.busy * scale) * (1.0 - SLACK);
        };
        let track = |track: &TrackOption| track.priced.least(scale);
        tracks.iter().map(track).fold(0.0, f64::max) * (1.0 - SLACK)
    }

    fn priced(
        &self,
        context: &Context,
        model: Model,
        tracks: Vec<TrackProgram>,
    ) -> Result<Vec<TrackOption>> {
        let track = |track: TrackProgram| -> Result<TrackOption> {
            Ok(TrackOption {
                priced: Priced::new(context, model, self.label.clone(), track.program)?,
                spread: track.spread,
                place: track.place,
            })
        };
        tracks.into_iter().map(track).collect()
    }

    /// The cost of one byte by what is best for `scale` bytes.
    fn at(
        &mut self,
        scene: &OnDemand,
        model: Model,
        scale: f64,
        numbers: &mut u32,
    ) -> Result<Option<Numbered>> {
        let State::Built(built) = &mut self.state else {
            return Ok(None);
        };
        if let [only] = &self.joined[..] {
            if built.iter().all(|track| track.priced.is_fixed()) {
                return Ok(Some(only.numbered.clone()));
            }
        }
        let mut tracks = Vec::with_capacity(built.len());
        let mut of = Vec::new();
        for track in built {
            let stages = track.priced.at(&|| scene.get(), scale)?;
            of.extend(stages.iter().map(|cost| Arc::as_ptr(cost) as usize));
            tracks.push(JoinedTrack {
                stages,
                spread: track.spread.clone(),
                place: track.place.clone(),
            });
        }
        if let Some(known) = self.joined.iter().find(|known| known.of == of) {
            return Ok(Some(known.numbered.clone()));
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
        Ok(Some(numbered))
    }
}

/// What an algorithm writes for one placement of a stage.
struct TrackProgram {
    program: Program,
    spread: Option<Spread>,
    place: String,
}

fn tracks(
    context: &Context,
    request: &Request,
    planned: &PlannedStage,
    placements: &[(Placement, usize)],
    row: &Algorithm,
) -> Result<Vec<TrackProgram>> {
    let domains = match context.groups {
        Groups::Grid { domains, .. } => domains.as_slice(),
        Groups::Scattered(_) => &[],
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
    let (mut runs, mut last) = (false, None);
    let track = |(placement, root): &(Placement, usize)| -> Result<TrackProgram> {
        let job = Job {
            context,
            placement,
            operation: planned.operation,
            size: planned.size,
            root: *root,
            shift: 0,
            orders: &request.orders,
            table: ALGORITHMS,
            tier,
        };
        let (program, refusal) = written(row, &job, planned, several)?;
        let here = refusal.is_none();
        runs |= here;
        last = refusal.or(last.take());
        let what = match planned.place {
            Place::Domain | Place::RootDomain | Place::Owners(_) => "chips",
            _ => "UltraServers",
        };
        let instead = match here {
            true => String::new(),
            false => format!(", where {} does not run", row.name),
        };
        Ok(TrackProgram {
            program,
            spread: domains.first().and_then(|first| spread(placement, first)),
            place: match several {
                true => format!(" ({} {what}{instead})", placement.ranks()),
                false => String::new(),
            },
        })
    };
    let tracks = placements.iter().map(track).collect::<Result<_>>()?;
    match last {
        Some(error) if !runs => Err(error),
        _ => Ok(tracks),
    }
}
