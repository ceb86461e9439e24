//! Steps of decoding by how many sequences they run.

use super::cut::Cut;
use super::parts::{Part, Parts};
use super::pass::{Pass, pass};
use super::runs::Runs;
use crate::error::Result;

/// Seconds of a step of decoding in which so many sequences of a replica are alive.
pub(super) fn step(cut: &Cut, runs: &Runs, sequences: f64) -> Result<Parts> {
    let service = cut.service;
    let stages = f64::from(cut.layout.pp);
    // Stages work on as many parts of the batch at once.
    let own = service.padded_batch((sequences / stages).max(1.0));
    let context = service.context(sequences);
    let decoding = |tokens: f64| Pass {
        sequences: own,
        tokens,
        before: (context - tokens).max(0.0),
        decodes: true,
    };
    let mut parts = pass(cut, &service.model, runs, &decoding(service.per_step()))?;
    if let Some(guessed) = &service.speculation {
        let one = pass(cut, &guessed.draft, runs, &decoding(1.0))?;
        // A draft is a program of its own, which the host starts for each token.
        let each = one.sum() + runs.pace.step;
        parts.add(Part::Draft, f64::from(guessed.tokens) * each);
    }
    let host = runs.pace.step + own * runs.pace.sequence;
    parts.add(Part::Host, host);
    Ok(parts)
}

/// Seconds of steps, found at powers of two and between them by lines.
pub(super) struct Curve {
    seconds: Vec<f64>,
    padded: bool,
}

impl Curve {
    /// From one sequence to at least `most`.
    pub(super) fn new(cut: &Cut, runs: &Runs, least: f64, most: f64) -> Result<Self> {
        let last = most.max(1.0).log2().ceil() as u32;
        let first = (least.max(1.0).log2().floor() as u32).min(last);
        let mut seconds = vec![0.0; last as usize + 1];
        for power in first..=last {
            seconds[power as usize] = step(cut, runs, f64::from(power).exp2())?.sum();
        }
        let known = seconds[first as usize];
        seconds[..first as usize].fill(known);
        Ok(Self {
            seconds,
            padded: cut.service.padded_batch(3.0) > 3.0,
        })
    }

    /// Seconds of a step of so many.
    pub(super) fn at(&self, sequences: f64) -> f64 {
        let place = sequences.max(1.0).log2();
        let last = self.seconds.len() - 1;
        let above = (place.ceil() as usize).min(last);
        let high = self.seconds[above];
        if self.padded || above == 0 {
            return high;
        }
        let (from, to) = ((above as f64 - 1.0).exp2(), (above as f64).exp2());
        let low = self.seconds[above - 1];
        low + (high - low) * ((sequences.max(1.0) - from) / (to - from)).clamp(0.0, 1.0)
    }
}
