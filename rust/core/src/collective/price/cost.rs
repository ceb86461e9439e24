//! The time of a schedule under a contention model.
//!
//! A phase lasts overhead + longest latency + busiest link's bytes / bandwidth (`link_load`), or the longest of
//! its messages on an idle machine (`alpha_beta`). Where c pieces follow each other through phases or stages, the
//! first takes the sum of them; each further one arrives after what pieces cannot share: the time that the busiest
//! link needs for one piece's bytes in all phases together, or that senders need to start its messages. Latency
//! delays a piece and does not hold up the next.

use super::phase_cost::PhaseCost;
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::ledger::{Busiest, Ledger};
use crate::collective::program::schedule::{Spread, Stage, Track};
use std::sync::Arc;

/// Most pieces that a track is cut into, and most chunks that go through the stages.
pub(crate) const MOST_PIECES: u32 = 4096;
/// Most chunks through the stages that are tried when the caller does not say.
const MOST_CHUNKS: u32 = 256;
/// How many numbers of chunks that is.
pub(crate) const CHUNKINGS: usize = MOST_CHUNKS.ilog2() as usize + 1;
/// Part of the time that finer pieces must gain to be worth it.
const GAIN: f64 = 1e-9;

/// The cost of a track.
#[derive(Debug, Clone)]
pub(crate) struct TrackCost {
    pub(crate) phases: Vec<PhaseCost>,
    /// Seconds of the busiest link in all phases together; of the longest phase when links are not shared.
    pub(crate) busy: f64,
    overlap: bool,
}

/// The cost of a stage, ready to be combined with others.
#[derive(Debug)]
pub(crate) struct StageCost {
    /// What the stage does and by which algorithm.
    pub(crate) label: String,
    pub(crate) tier: &'static str,
    pub(crate) tracks: Vec<TrackCost>,
    pub(crate) busiest: Option<Busiest>,
    pub(crate) stage: Stage,
    ledger: Ledger,
    floor: Floor,
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
                _ => busy,
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

/// Seconds of `count` pieces: `first` for the first, and for each further one the longer of its bytes on the
/// busiest link and the starting of its messages.
fn pipeline(first: f64, wire: f64, overhead: f64, count: u32) -> f64 {
    if count == 1 {
        // Also where something never ends: 0 times infinity is no number.
        return first;
    }
    first + f64::from(count - 1) * f64::max(wire, overhead)
}

/// 1, 2, 4, ... up to `most`.
pub(crate) fn powers_of_two(most: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(1u32), |count| Some(count * 2))
        .take_while(move |&count| count <= most)
}

impl TrackCost {
    /// Seconds of latency and of overhead with no data.
    fn fixed(&self) -> (f64, f64) {
        self.phases.iter().fold((0.0, 0.0), |sum, phase| {
            let (latency, overhead) = phase.fixed();
            (sum.0 + latency, sum.1 + overhead)
        })
    }

    fn time(&self, scale: f64) -> f64 {
        self.best(scale).0
    }

    /// Pieces that make the track shortest with `scale` of the data.
    pub(crate) fn pieces(&self, scale: f64) -> u32 {
        self.best(scale).1
    }

    fn scaled(&self, size: f64) -> Self {
        Self {
            phases: self.phases.iter().map(|phase| phase.scaled(size)).collect(),
            busy: self.busy * size,
            overlap: self.overlap,
        }
    }

    /// Seconds with `scale` of the data in at most `most` pieces, over those with as many as are best.
    pub(crate) fn slowed(&self, scale: f64, most: u32) -> f64 {
        let best = self.time(scale);
        let waves = self.phases.iter().map(|phase| phase.slowed(scale, most));
        let pieces = self.in_pieces(scale, self.pieces(scale).min(most));
        waves.fold(pieces / best, f64::max)
    }

    fn in_pieces(&self, scale: f64, pieces: u32) -> f64 {
        let share = scale / f64::from(pieces);
        let first = self.phases.iter().map(|phase| phase.time(share)).sum();
        pipeline(first, self.busy * share, self.fixed().1, pieces)
    }

    fn best(&self, scale: f64) -> (f64, u32) {
        let with = |pieces: u32| (self.in_pieces(scale, pieces), pieces);
        let most = if self.overlap { MOST_PIECES } else { 1 };
        // More pieces only where they gain more than rounding does.
        powers_of_two(most)
            .map(with)
            .fold((f64::INFINITY, 1), |best, next| {
                if next.0 < best.0 * (1.0 - GAIN) {
                    next
                } else {
                    best
                }
            })
    }
}

impl StageCost {
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
            label,
            tier: stage.tier,
            busiest: ledger.busiest(context)?,
            floor: Floor::of(&tracks),
            tracks,
            stage: stage.clone(),
            ledger,
        })
    }

    /// Seconds with `scale` of the data that no way to cut it into pieces beats, but for rounding.
    pub(crate) fn least(&self, scale: f64) -> f64 {
        self.floor.fixed.max(self.floor.busy * scale)
    }

    /// Seconds with `scale` of the data: the longest track.
    pub(crate) fn time(&self, scale: f64) -> f64 {
        self.tracks
            .iter()
            .map(|track| track.time(scale))
            .fold(0.0, f64::max)
    }

    /// The same with `size` times the data.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        let mut ledger = Ledger::default();
        ledger.add(&self.ledger, size);
        Self {
            label: self.label.clone(),
            tier: self.tier,
            tracks: self.tracks.iter().map(|track| track.scaled(size)).collect(),
            busiest: self.busiest.as_ref().map(|busiest| busiest.scaled(size)),
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
            label: label.to_owned(),
            tier,
            busiest: all.busiest(context)?,
            floor: Floor::of(&costs),
            tracks: costs,
            stage: Stage { tier, tracks: made },
            ledger: all,
        })
    }

    /// Latency and overhead of the track that they delay most.
    pub(crate) fn fixed(&self) -> (f64, f64) {
        self.tracks
            .iter()
            .map(TrackCost::fixed)
            .fold((0.0, 0.0), |best, next| {
                if next.0 + next.1 > best.0 + best.1 {
                    next
                } else {
                    best
                }
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
        Ok(Self::with_busiest(model, stages, busiest.as_ref()))
    }

    fn with_busiest(model: Model, stages: &[Arc<StageCost>], busiest: Option<&Busiest>) -> Self {
        let tracks = stages.iter().flat_map(|stage| &stage.tracks);
        Self {
            busy: match model.by_phases() {
                Model::AlphaBeta => tracks.map(|track| track.busy).fold(0.0, f64::max),
                _ => busiest.map_or(0.0, |busiest| busiest.seconds),
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

/// The cost of stages in sequence. `chunks` fixes how many chunks of the data follow each other through
/// them; otherwise the best power of two is taken.
pub(crate) fn combine(
    context: &Context,
    model: Model,
    stages: &[Arc<StageCost>],
    chunks: Option<u32>,
) -> Result<Cost> {
    let ledger = ledger(stages);
    let busiest = ledger.busiest(context)?;
    let shared = Shared::with_busiest(model, stages, busiest.as_ref());
    let first = |share, _| stages.iter().map(|stage| stage.time(share)).sum();
    let (time, chunks) = shared.best(1.0, stages.len(), chunks, first);
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
        _ => own.busiest(context)?.map_or(0.0, |busiest| busiest.seconds),
    };
    total.add(&own, 1.0);
    Ok(TrackCost {
        phases,
        busy,
        overlap: track.overlap,
    })
}
