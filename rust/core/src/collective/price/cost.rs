//! The time of a schedule under a contention model.
//!
//! A phase lasts overhead + longest latency + busiest link's bytes / bandwidth (`link_load`), or the longest of
//! its messages on an idle machine (`alpha_beta`). Where c pieces follow each other through phases or stages, the
//! first takes the sum of them; each further one arrives after what pieces cannot share: the time that the busiest
//! link needs for one piece's bytes in all phases together, or that senders need to start its messages. Latency
//! delays a piece and does not hold up the next.

use super::phase_cost::PhaseCost;
use super::sheet::Sheet;
use super::track::{TrackCost, pipeline, powers_of_two};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::ledger::{Busiest, Ledger};
use crate::collective::program::schedule::{Spread, Stage, Track};
use crate::weigh::Scale;
use std::ops::Deref;
use std::sync::Arc;

/// Most chunks through the stages that are tried when the caller does not say.
const MOST_CHUNKS: u32 = 256;
/// How many numbers of chunks that is.
pub(crate) const CHUNKINGS: usize = MOST_CHUNKS.ilog2() as usize + 1;

/// The cost of a stage, ready to be combined with others.
#[derive(Debug)]
pub(crate) struct StageCost {
    /// What results tell of it.
    pub(crate) sheet: Arc<Sheet>,
    /// The stage itself.
    pub(crate) stage: Stage,
    ledger: Ledger,
    floor: Floor,
}

impl Deref for StageCost {
    type Target = Sheet;

    fn deref(&self) -> &Sheet {
        &self.sheet
    }
}

/// What a stage takes at least: seconds of latency and overhead, and those of its busiest link.
#[derive(Debug, Clone, Copy)]
struct Floor {
    fixed: f64,
    busy: f64,
}

impl Floor {
    fn of(tracks: &[TrackCost]) -> Self {
        let most = |value: &dyn Fn(&TrackCost) -> f64| tracks.iter().map(value).fold(0.0, f64::max);
        Self {
            fixed: most(&|track| track.fixed().0 + track.fixed().1),
            busy: most(&|track| track.busy),
        }
    }
}

/// What runs one after another on one track of a stage.
pub(crate) struct JoinedTrack {
    pub(crate) stages: Vec<Arc<StageCost>>,
    /// Where in the first group it runs.
    pub(crate) spread: Option<Spread>,
    /// What tells it from the other tracks, after the words of each phase.
    pub(crate) place: String,
}

impl JoinedTrack {
    /// As one track; its phases overlap where it is one already. `busy` are the seconds of its busiest link.
    fn joined(self, model: Model, busy: f64) -> (TrackCost, Track) {
        let costs = self.stages.iter().flat_map(|stage| &stage.tracks);
        let tracks = self.stages.iter().flat_map(|stage| &stage.stage.tracks);
        let alone = costs.clone().count() == 1;
        let mut cost = TrackCost {
            busy: match model.by_phases() {
                Model::AlphaBeta => costs.clone().map(|track| track.busy).fold(0.0, f64::max),
                _ => costs.clone().map(TrackCost::held).fold(busy, f64::max),
            },
            overlap: alone && costs.clone().all(|track| track.overlap),
            phases: costs.flat_map(|track| track.phases.clone()).collect(),
        };
        let mut track = Track {
            overlap: cost.overlap,
            phases: tracks.flat_map(|track| track.phases.clone()).collect(),
            spread: self.spread,
        };
        let words = cost.phases.iter_mut().map(|phase| &mut phase.what);
        for what in words.chain(track.phases.iter_mut().map(|phase| &mut phase.what)) {
            what.push_str(&self.place);
        }
        (cost, track)
    }
}

/// The cost of stages in sequence.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    /// Seconds: phase by phase, or as simulated.
    pub(crate) time: f64,
    /// Seconds phase by phase.
    pub(crate) by_phases: f64,
    /// Seconds of it in which senders start messages and nothing else holds a chunk up.
    pub(crate) overhead: f64,
    pub(crate) chunks: u32,
    pub(crate) ledger: Ledger,
    pub(crate) busiest: Option<Busiest>,
}

impl StageCost {
    /// Counts what it takes, with its stage.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        let phases = self.tracks.iter().flat_map(|track| &track.phases);
        let phases: u64 = phases.map(PhaseCost::bytes).sum();
        on.one::<(Self, Sheet)>(self.label.len() as u64 + phases + self.ledger.bytes());
        self.stage.weigh(on);
    }

    /// The cost of one stage with all of the data.
    pub(crate) fn new(
        context: &Context,
        model: Model,
        stage: &Stage,
        label: String,
    ) -> Result<Self> {
        let mut ledger = Ledger::default();
        let mut tracks = Vec::with_capacity(stage.tracks.len());
        for track in &stage.tracks {
            tracks.push(track_cost(context, model, track, &mut ledger)?);
        }
        Ok(Self {
            floor: Floor::of(&tracks),
            sheet: Arc::new(Sheet {
                label,
                tier: stage.tier,
                busiest: ledger.busiest(context)?,
                tracks,
            }),
            stage: stage.clone(),
            ledger,
        })
    }

    /// Seconds with `scale` of the data that no way to cut it into pieces beats, but for rounding.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        self.floor.fixed.max(self.floor.busy * scale)
    }

    /// Seconds of latency and overhead, and seconds that `scale` of the data takes in however many pieces. Without
    /// contention the message that is longest on the way may not be the one that takes longest for its bytes.
    pub(crate) fn floor(&self, scale: f64, contended: bool) -> (f64, f64) {
        let track = |track: &TrackCost| {
            let (latency, overhead) = track.fixed();
            let (fixed, bytes) = (latency + overhead, track.busy * scale);
            match contended {
                true => fixed + bytes,
                false => fixed.max(bytes),
            }
        };
        let all = self.tracks.iter().map(track).fold(0.0, f64::max);
        (self.floor.fixed, all.max(self.floor.fixed))
    }

    /// The same with `size` times the data.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        let mut ledger = Ledger::default();
        ledger.add(&self.ledger, size);
        Self {
            sheet: Arc::new(self.sheet.scaled(size)),
            stage: self.stage.scaled(size),
            ledger,
            floor: Floor {
                busy: self.floor.busy * size,
                ..self.floor
            },
        }
    }

    /// Tracks that run side by side, each of what runs there one after another and where in the first group that
    /// is, as one stage.
    pub(crate) fn joined(
        context: &Context,
        model: Model,
        (tier, label): (&'static str, &str),
        tracks: Vec<JoinedTrack>,
    ) -> Result<Self> {
        let mut all = Ledger::default();
        let (mut costs, mut made) = (Vec::new(), Vec::new());
        for track in tracks {
            let own = self::ledger(&track.stages);
            all.add(&own, 1.0);
            let busy = own.busiest(context)?.map_or(0.0, |busiest| busiest.seconds);
            let (cost, track) = track.joined(model, busy);
            costs.push(cost);
            made.push(track);
        }
        Ok(Self {
            floor: Floor::of(&costs),
            sheet: Arc::new(Sheet {
                label: label.to_owned(),
                tier,
                busiest: all.busiest(context)?,
                tracks: costs,
            }),
            stage: Stage { tier, tracks: made },
            ledger: all,
        })
    }
}

/// What chunks that follow each other through stages share: the time of the busiest link, and that of senders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    /// Seconds of the busiest link in all stages together; of the longest phase when links are not shared.
    busy: f64,
    /// Seconds of starting messages.
    overhead: f64,
}

impl Shared {
    pub(crate) fn of(context: &Context, model: Model, stages: &[Arc<StageCost>]) -> Result<Self> {
        let busiest = ledger(stages).busiest(context)?;
        Ok(Self::with_busiest(model, stages, busiest.as_ref(), 1.0))
    }

    /// With `scale` of the data, with which `busiest` is as busy.
    fn with_busiest(
        model: Model,
        stages: &[Arc<StageCost>],
        busiest: Option<&Busiest>,
        scale: f64,
    ) -> Self {
        let tracks = stages.iter().flat_map(|stage| &stage.tracks);
        Self {
            busy: match model.by_phases() {
                // Without contention it is the longest phase that chunks share, as it is of one byte.
                Model::AlphaBeta => scale * tracks.map(|track| track.busy).fold(0.0, f64::max),
                _ => {
                    let held = scale * tracks.map(TrackCost::held).fold(0.0, f64::max);
                    busiest.map_or(0.0, |busiest| busiest.seconds).max(held)
                }
            },
            overhead: stages.iter().map(|stage| stage.fixed().1).sum(),
        }
    }

    /// Seconds of the fastest number of chunks, and that number: `chunks` where it is given, otherwise a power of two.
    /// With `scale` of the data; `first` says what a stage takes with so much, the chunks being so many.
    pub(crate) fn best(
        &self,
        scale: f64,
        stages: usize,
        chunks: Option<u32>,
        mut first: impl FnMut(f64, u32) -> f64,
    ) -> (f64, u32) {
        let mut with = |count: u32| {
            let share = scale / f64::from(count);
            pipeline(first(share, count), self.busy * share, self.overhead, count)
        };
        match chunks {
            Some(count) => (with(count), count),
            None if stages == 1 => (with(1), 1),
            None => powers_of_two(MOST_CHUNKS).fold((f64::INFINITY, 1), |best, count| {
                let each = f64::max(self.busy * (scale / f64::from(count)), self.overhead);
                // What follows the first chunk alone takes as long as the best.
                if count > 1 && f64::from(count - 1) * each >= best.0 {
                    return best;
                }
                let time = with(count);
                if time < best.0 { (time, count) } else { best }
            }),
        }
    }
}

fn ledger(stages: &[Arc<StageCost>]) -> Ledger {
    let mut ledger = Ledger::default();
    for stage in stages {
        ledger.add(&stage.ledger, 1.0);
    }
    ledger
}

/// The cost of stages in sequence with `scale` of their data in one chunk.
pub(crate) fn in_turn(
    context: &Context,
    model: Model,
    stages: &[Arc<StageCost>],
    scale: f64,
) -> Result<Cost> {
    let times = stages.iter().map(|stage| stage.time(scale));
    combine(context, model, stages, scale, (times.sum(), 1))
}

/// The cost of stages in sequence with `scale` of their data, of which it is known how long they take, and in how many
/// chunks.
pub(crate) fn combine(
    context: &Context,
    model: Model,
    stages: &[Arc<StageCost>],
    scale: f64,
    (time, chunks): (f64, u32),
) -> Result<Cost> {
    let mut ledger = Ledger::default();
    for stage in stages {
        ledger.add(&stage.ledger, scale);
    }
    let busiest = ledger.busiest(context)?;
    let shared = Shared::with_busiest(model, stages, busiest.as_ref(), scale);
    // Chunks after the first wait for senders or for links, whichever takes longer.
    let waiting = if shared.overhead > shared.busy / f64::from(chunks) {
        f64::from(chunks - 1) * shared.overhead
    } else {
        0.0
    };
    Ok(Cost {
        time,
        by_phases: time,
        overhead: shared.overhead + waiting,
        chunks,
        ledger,
        busiest,
    })
}

fn track_cost(
    context: &Context,
    model: Model,
    track: &Track,
    total: &mut Ledger,
) -> Result<TrackCost> {
    let mut own = Ledger::default();
    let mut phases = Vec::with_capacity(track.phases.len());
    for phase in &track.phases {
        let cost = PhaseCost::new(context, model, phase, phases.last(), &mut own)?;
        phases.push(cost);
    }
    let busy = match model.by_phases() {
        Model::AlphaBeta => phases.iter().map(PhaseCost::wire).fold(0.0, f64::max),
        _ => {
            let busiest = own.busiest(context)?.map_or(0.0, |busiest| busiest.seconds);
            let held: f64 = phases.iter().map(|phase| phase.held).sum();
            busiest.max(held)
        }
    };
    total.add(&own, 1.0);
    Ok(TrackCost {
        phases,
        busy,
        overlap: track.overlap,
    })
}
