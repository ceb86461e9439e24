//! What one phase costs: its steps one after the other, or the pieces of its wave.

use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::pattern::context::{Context, Pattern};
use crate::collective::pattern::ledger::{Busiest, Ledger};
use crate::collective::price::ring::{Pace, Seconds, pace};
use crate::collective::program::schedule::{Phase, Repeat};
use crate::memory::bytes_of;
use std::sync::Arc;

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
    /// Seconds that a window holds a message back in the whole phase: chunks that follow each other do not overlap there.
    pub(crate) held: f64,
    pub(crate) repeat: Repeat,
    /// (latency, seconds on the wire) of the messages that can be last, without overhead.
    last: Vec<(f64, f64)>,
    /// Where ranks go on by themselves: all steps together.
    pub(crate) pace: Option<Pace>,
}

impl PhaseCost {
    /// The cost of a phase; `before` is that of the phase before in its track.
    pub(crate) fn new(
        context: &Context,
        model: Model,
        phase: &Phase,
        before: Option<&Self>,
        ledger: &mut Ledger,
    ) -> Result<Self> {
        let (asked, model) = (model, model.by_phases());
        let times = match phase.repeat {
            Repeat::Steps(count) => count as f64,
            Repeat::Wave { .. } => 1.0,
        };
        let (mut latency, mut overhead, mut sent) = (0.0f64, 0.0f64, 0.0f64);
        // Without a window no message is slower than the busiest of its links.
        let window = context.machine.has_window();
        let mut slowest = 0.0f64;
        let mut last = Vec::new();
        let patterns = by_pattern(phase);
        for &(pattern, bytes) in &patterns {
            let unit_cost = pattern.unit_cost(context)?;
            context.control.check()?;
            ledger.add(&unit_cost.ledger, times * bytes);
            latency = latency.max(unit_cost.latency);
            overhead = phase.and_of(overhead, unit_cost.overhead);
            sent = phase.and_of(sent, unit_cost.sent * bytes);
            if window {
                let slopes = unit_cost.zero_load.iter().map(|pair| pair.1);
                slowest = slowest.max(slopes.fold(0.0, f64::max) * bytes);
            }
            if model == Model::AlphaBeta {
                last.extend(
                    unit_cost
                        .zero_load
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
            _ => busiest
                .as_ref()
                .map_or(0.0, |busiest| busiest.seconds)
                .max(slowest),
        };
        if model == Model::LinkLoad {
            last.push((latency, serial));
        }
        // All phases on the same rings have the same steps.
        let pace = match before.and_then(|before| before.pace.clone()) {
            Some(known) if phase.rings.is_some() => Some(known),
            _ => own_pace(context, asked, phase, &patterns)?,
        };
        Ok(Self {
            what: phase.what.clone(),
            latency,
            overhead,
            serial,
            sent: sent * times,
            busiest,
            held: slowest * times,
            repeat: phase.repeat,
            last,
            pace,
        })
    }

    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> u64 {
        let last = bytes_of::<(f64, f64)>(self.last.len() as u64);
        let chains = |pace: &Pace| pace.chains.len() + pace.apart.len();
        let chains = self.pace.as_ref().map_or(0, chains);
        let chains = bytes_of::<Seconds>(chains as u64);
        bytes_of::<Self>(1) + self.what.len() as u64 + last + chains
    }

    /// The same with `size` times the data.
    pub(super) fn scaled(&self, size: f64) -> Self {
        let last = self.last.iter();
        Self {
            serial: self.serial * size,
            sent: self.sent * size,
            held: self.held * size,
            busiest: self.busiest.as_ref().map(|busiest| busiest.scaled(size)),
            last: last
                .map(|&(latency, slope)| (latency, slope * size))
                .collect(),
            pace: self.pace.as_ref().map(|pace| pace.scaled(size)),
            ..self.clone()
        }
    }

    #[inline]
    fn step(&self, scale: f64) -> f64 {
        let longest = self
            .last
            .iter()
            .map(|&(latency, serial)| latency + scale * serial)
            .fold(0.0, f64::max);
        self.overhead + longest
    }

    /// Seconds with `scale` of the data.
    #[inline]
    pub(crate) fn time(&self, scale: f64) -> f64 {
        if let Some(pace) = &self.pace {
            return pace.time(scale);
        }
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
    pub(crate) fn slowed(&self, scale: f64, most: u32) -> f64 {
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
    pub(crate) fn wire(&self) -> f64 {
        match self.repeat {
            Repeat::Steps(count) => count as f64 * self.serial,
            Repeat::Wave { .. } => self.serial,
        }
    }

    /// Seconds with no data: what latency and overhead alone cost.
    #[inline]
    pub(crate) fn fixed(&self) -> (f64, f64) {
        if let Some(pace) = &self.pace {
            return pace.fixed();
        }
        match self.repeat {
            Repeat::Steps(count) => (count as f64 * self.latency, count as f64 * self.overhead),
            Repeat::Wave { hops, latency } => (latency, hops as f64 * self.overhead),
        }
    }

    /// The number of pieces that makes a wave shortest: of (h + c - 1)(o + b/c), the part that depends on c is
    /// (h - 1) b/c + c o, least at c = sqrt((h - 1) b / o).
    #[inline]
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

/// The pace of a phase whose ranks go on by themselves.
fn own_pace(
    context: &Context,
    model: Model,
    phase: &Phase,
    patterns: &[(&Arc<Pattern>, f64)],
) -> Result<Option<Pace>> {
    let (Some(rings), [part, ..]) = (&phase.rings, &phase.parts[..]) else {
        return Ok(None);
    };
    let step = step_loads(context, patterns)?;
    let bytes = part.bytes * part.moves.first().map_or(1.0, |moves| moves.factor(0));
    pace(context, model, rings, &step, bytes).map(Some)
}

/// The patterns of a phase, each once: parts with the same messages join theirs.
fn by_pattern(phase: &Phase) -> Vec<(&Arc<Pattern>, f64)> {
    let mut patterns: Vec<(&Arc<Pattern>, f64)> = Vec::with_capacity(phase.parts.len());
    for part in &phase.parts {
        let known = patterns
            .iter_mut()
            .find(|known| Arc::ptr_eq(known.0, &part.pattern));
        match known {
            Some(known) => known.1 += part.bytes,
            None => patterns.push((&part.pattern, part.bytes)),
        }
    }
    patterns
}

/// Whether some message of a step passes a dead link, round which nothing leads.
fn cut_off(context: &Context, patterns: &[(&Arc<Pattern>, f64)]) -> Result<bool> {
    for (pattern, _) in patterns {
        let fabric = &pattern.unit_cost(context)?.ledger.fabric;
        let dead =
            |share: f64, bandwidth: f64| f64::from(u8::from(share > 0.0 && bandwidth == 0.0));
        if fabric.peak(&context.fabric_bandwidth, dead).1 > 0.0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The busiest link of one step: that of the one pattern, or of all patterns together.
fn busiest(context: &Context, patterns: &[(&Arc<Pattern>, f64)]) -> Result<Option<Busiest>> {
    if let &[(pattern, bytes)] = patterns {
        let busiest = pattern.busiest(context)?;
        let busiest = busiest.map(|busiest| busiest.scaled(bytes));
        return Ok(busiest.filter(|busiest| busiest.bytes > 0.0));
    }
    step_loads(context, patterns)?.busiest(context)
}

/// Bytes on links in one step.
fn step_loads(context: &Context, patterns: &[(&Arc<Pattern>, f64)]) -> Result<Ledger> {
    let mut together = Ledger::default();
    for &(pattern, bytes) in patterns {
        together.add(&pattern.unit_cost(context)?.ledger, bytes);
    }
    Ok(together)
}
