//! The time of a schedule under a contention model.
//!
//! A phase lasts overhead + longest latency + busiest link's bytes / bandwidth (`link_load`), or the longest of
//! its messages on an idle machine (`alpha_beta`). Where c pieces follow each other through phases or stages, the
//! first takes the sum of them; each further one arrives after what pieces cannot share: the time that the busiest
//! link needs for one piece's bytes in all phases together, or that senders need to start its messages. Latency
//! delays a piece and does not hold up the next.

use super::context::{Context, Pattern};
use super::ledger::{Busiest, Ledger};
use super::model::Model;
use super::schedule::{Phase, Repeat, Stage, Track};
use crate::Result;
use std::rc::Rc;

/// Most pieces that a track is cut into, and most chunks that go through the stages.
pub(crate) const MOST_PIECES: u32 = 4096;
/// Most chunks through the stages that are tried when the caller does not say.
const MOST_CHUNKS: u32 = 256;
/// Part of the time that finer pieces must gain to be worth it.
const GAIN: f64 = 1e-9;
/// Most pieces of a wave: a message is not cut below bytes, and no latency asks for fewer.
const MOST_WAVE: f64 = 1048576.0;

/// The cost of one phase with all of the data.
#[derive(Debug, Clone)]
pub(crate) struct PhaseCost {
    pub(crate) what: String,
    pub(crate) latency: f64,
    pub(crate) overhead: f64,
    /// Seconds of one step on the wire.
    pub(crate) serial: f64,
    /// Bytes that the busiest sender sends in the whole phase.
    pub(crate) sent: f64,
    pub(crate) busiest: Option<Busiest>,
    pub(crate) repeat: Repeat,
    /// (latency, seconds on the wire) of the messages that can be last, without overhead.
    last: Vec<(f64, f64)>,
}

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
    /// The stage itself.
    pub(crate) stage: Stage,
    ledger: Ledger,
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

impl PhaseCost {
    fn new(context: &Context, model: Model, phase: &Phase, ledger: &mut Ledger) -> Result<Self> {
        let model = model.by_phases();
        let times = match phase.repeat {
            Repeat::Steps(count) => count as f64,
            Repeat::Wave { .. } => 1.0,
        };
        let (mut latency, mut overhead, mut sent) = (0.0f64, 0.0, 0.0f64);
        let mut last = Vec::new();
        let patterns = by_pattern(phase);
        for &(pattern, bytes) in &patterns {
            let unit = pattern.unit(context)?;
            ledger.add(&unit.ledger, times * bytes);
            latency = latency.max(unit.latency);
            overhead += unit.overhead;
            sent += unit.sent * bytes;
            if model == Model::AlphaBeta {
                last.extend(
                    unit.alone
                        .iter()
                        .map(|&(latency, slope)| (latency, slope * bytes)),
                );
            }
        }
        let busiest = busiest(context, &patterns)?;
        if cut_off(context, &patterns)? {
            // However short its messages are, and whatever the model: it never ends.
            overhead = f64::INFINITY;
        }
        let serial = match model {
            Model::AlphaBeta => last.iter().map(|pair| pair.1).fold(0.0, f64::max),
            _ => busiest.as_ref().map_or(0.0, |busiest| busiest.seconds),
        };
        if model == Model::LinkLoad {
            last.push((latency, serial));
        }
        Ok(Self {
            what: phase.what.clone(),
            latency,
            overhead,
            serial,
            sent: sent * times,
            busiest,
            repeat: phase.repeat,
            last,
        })
    }

    fn step(&self, scale: f64) -> f64 {
        let longest = self
            .last
            .iter()
            .map(|&(latency, serial)| latency + scale * serial)
            .fold(0.0, f64::max);
        self.overhead + longest
    }

    /// Seconds with `scale` of the data.
    pub(crate) fn time(&self, scale: f64) -> f64 {
        match self.repeat {
            Repeat::Steps(count) => count as f64 * self.step(scale),
            Repeat::Wave { hops, latency } => {
                let pieces = self.wave_pieces(hops, scale);
                let each = self.overhead + scale * self.serial / pieces;
                latency + (hops as f64 + pieces - 1.0) * each
            }
        }
    }

    /// Seconds with `scale` of the data in at most `most` pieces, over those with as many as are best.
    fn slowed(&self, scale: f64, most: u32) -> f64 {
        let Repeat::Wave { hops, latency } = self.repeat else {
            return 1.0;
        };
        let best = self.wave_pieces(hops, scale);
        let time = |pieces: f64| {
            let each = self.overhead + scale * self.serial / pieces;
            latency + (hops as f64 + pieces - 1.0) * each
        };
        time(best.min(f64::from(most))) / time(best)
    }

    /// Seconds on the wire of the phase's busiest link, all steps together.
    fn wire(&self) -> f64 {
        match self.repeat {
            Repeat::Steps(count) => count as f64 * self.serial,
            Repeat::Wave { .. } => self.serial,
        }
    }

    /// Seconds with no data: what latency and overhead alone cost.
    pub(crate) fn fixed(&self) -> (f64, f64) {
        match self.repeat {
            Repeat::Steps(count) => (count as f64 * self.latency, count as f64 * self.overhead),
            Repeat::Wave { hops, latency } => (latency, hops as f64 * self.overhead),
        }
    }

    /// The number of pieces that makes a wave shortest: of (h + c - 1)(o + b/c), the part that depends on c is
    /// (h - 1) b/c + c o, least at c = sqrt((h - 1) b / o).
    pub(crate) fn wave_pieces(&self, hops: u64, scale: f64) -> f64 {
        let wire = scale * self.serial;
        if hops <= 1 || wire == 0.0 {
            return 1.0;
        }
        if self.overhead == 0.0 {
            return MOST_WAVE;
        }
        // The best whole number is next to the best real one.
        let best = ((hops - 1) as f64 * wire / self.overhead)
            .sqrt()
            .clamp(1.0, MOST_WAVE);
        let varies = |pieces: f64| (hops - 1) as f64 * wire / pieces + pieces * self.overhead;
        let (low, high) = (best.floor(), best.ceil());
        if varies(low) <= varies(high) {
            low
        } else {
            high
        }
    }
}

/// The patterns of a phase, each once: parts with the same messages join theirs.
fn by_pattern(phase: &Phase) -> Vec<(&Rc<Pattern>, f64)> {
    let mut patterns: Vec<(&Rc<Pattern>, f64)> = Vec::with_capacity(phase.parts.len());
    for part in &phase.parts {
        let known = patterns
            .iter_mut()
            .find(|known| Rc::ptr_eq(known.0, &part.pattern));
        match known {
            Some(known) => known.1 += part.bytes,
            None => patterns.push((&part.pattern, part.bytes)),
        }
    }
    patterns
}

/// Whether some message of a step passes a dead link, round which nothing leads.
fn cut_off(context: &Context, patterns: &[(&Rc<Pattern>, f64)]) -> Result<bool> {
    for (pattern, _) in patterns {
        let fabric = &pattern.unit(context)?.ledger.fabric;
        let dead =
            |share: f64, bandwidth: f64| f64::from(u8::from(share > 0.0 && bandwidth == 0.0));
        if fabric.peak(&context.fabric_bandwidth, dead).1 > 0.0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The busiest link of one step: that of the one pattern, or of all patterns together.
fn busiest(context: &Context, patterns: &[(&Rc<Pattern>, f64)]) -> Result<Option<Busiest>> {
    if let &[(pattern, bytes)] = patterns {
        let scaled = |busiest: &Busiest| Busiest {
            seconds: busiest.seconds * bytes,
            bytes: busiest.bytes * bytes,
            ..busiest.clone()
        };
        let busiest = pattern.unit(context)?.busiest.as_ref().map(scaled);
        return Ok(busiest.filter(|busiest| busiest.bytes > 0.0));
    }
    let mut together = Ledger::default();
    for &(pattern, bytes) in patterns {
        together.add(&pattern.unit(context)?.ledger, bytes);
    }
    Ok(together.busiest(context))
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
            busiest: ledger.busiest(context),
            tracks,
            stage: stage.clone(),
            ledger,
        })
    }

    /// Seconds with `scale` of the data: the longest track.
    pub(crate) fn time(&self, scale: f64) -> f64 {
        self.tracks
            .iter()
            .map(|track| track.time(scale))
            .fold(0.0, f64::max)
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

/// The cost of stages in sequence. `chunks` fixes how many chunks of the data follow each other through
/// them; otherwise the best power of two is taken.
pub(crate) fn combine(
    context: &Context,
    model: Model,
    stages: &[Rc<StageCost>],
    chunks: Option<u32>,
) -> Result<Cost> {
    let mut ledger = Ledger::default();
    for stage in stages {
        ledger.add(&stage.ledger, 1.0);
    }
    let busiest = ledger.busiest(context);
    let tracks = || stages.iter().flat_map(|stage| &stage.tracks);
    let busy = match model.by_phases() {
        Model::AlphaBeta => tracks().map(|track| track.busy).fold(0.0, f64::max),
        _ => busiest.as_ref().map_or(0.0, |busiest| busiest.seconds),
    };
    let overhead: f64 = stages.iter().map(|stage| stage.fixed().1).sum();
    let with = |count: u32| {
        let share = 1.0 / f64::from(count);
        let first = stages.iter().map(|stage| stage.time(share)).sum();
        pipeline(first, busy * share, overhead, count)
    };
    let (time, chunks) = match chunks {
        Some(count) => (with(count), count),
        None if stages.len() == 1 => (with(1), 1),
        None => powers_of_two(MOST_CHUNKS)
            .map(|count| (with(count), count))
            .fold((f64::INFINITY, 1), |best, next| {
                if next.0 < best.0 { next } else { best }
            }),
    };
    // Chunks after the first wait for senders or for links, whichever takes longer.
    let waiting = if overhead > busy / f64::from(chunks) {
        f64::from(chunks - 1) * overhead
    } else {
        0.0
    };
    Ok(Cost {
        time,
        by_phases: time,
        overhead: overhead + waiting,
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
        phases.push(PhaseCost::new(context, model, phase, &mut own)?);
    }
    let busy = match model.by_phases() {
        Model::AlphaBeta => phases.iter().map(PhaseCost::wire).fold(0.0, f64::max),
        _ => own.busiest(context).map_or(0.0, |busiest| busiest.seconds),
    };
    total.add(&own, 1.0);
    Ok(TrackCost {
        phases,
        busy,
        overlap: track.overlap,
    })
}
