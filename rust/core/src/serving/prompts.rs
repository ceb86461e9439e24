//! Seconds of prefills by how long prompts are.

use super::cut::Cut;
use super::parts::Parts;
use super::pass::{Pass, pass};
use super::runs::Runs;
use super::service::Engine;
use crate::error::Result;
use std::collections::BTreeMap;

/// Tokens to which prompts of other lengths than the mean are rounded up where shapes are free.
const ROUNDED: f64 = 64.0;

/// One prompt by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prompt {
    /// Seconds by part.
    pub parts: Parts,
    /// Their sum.
    pub seconds: f64,
    /// Pieces that it goes in, and tokens that they are padded to.
    pub pieces: f64,
    /// See `pieces`.
    pub padded: f64,
}

/// Prompts that were priced.
pub(super) struct Prompts<'a> {
    cut: &'a Cut<'a>,
    runs: &'a Runs<'a>,
    known: BTreeMap<u64, Prompt>,
}

impl<'a> Prompts<'a> {
    pub(super) fn new(cut: &'a Cut<'a>, runs: &'a Runs<'a>) -> Self {
        let known = BTreeMap::new();
        Self { cut, runs, known }
    }

    /// A prompt of so many tokens.
    pub(super) fn of(&mut self, input: f64) -> Result<Prompt> {
        let service = self.cut.service;
        let own = match service.engine {
            Engine::Neuron => input,
            _ if input == service.input => input,
            _ => ((input / ROUNDED).ceil() * ROUNDED).min(service.most_tokens),
        };
        if let Some(&known) = self.known.get(&own.to_bits()) {
            return Ok(known);
        }
        let pieces = service.pieces_of(own);
        let parts = together(self.cut, self.runs, &pieces, 1.0)?;
        let found = Prompt {
            parts,
            seconds: parts.sum(),
            pieces: pieces.len() as f64,
            padded: pieces.iter().map(|piece| piece.0).sum(),
        };
        self.known.insert(own.to_bits(), found);
        Ok(found)
    }
}

/// Seconds of prefilling so many prompts in one pass for each piece.
pub(super) fn together(
    cut: &Cut,
    runs: &Runs,
    pieces: &[(f64, f64)],
    prompts: f64,
) -> Result<Parts> {
    let mut parts = Parts::default();
    for &(tokens, before) in pieces {
        let one = Pass {
            sequences: prompts,
            tokens,
            before,
            decodes: false,
        };
        parts.add_times(1.0, &pass(cut, &cut.service.model, runs, &one)?);
    }
    Ok(parts)
}
