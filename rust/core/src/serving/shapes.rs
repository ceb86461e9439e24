//! What an engine pads passes to (AWS Neuron SDK, vllm-neuron design pages; docs/serving.md).

use super::service::{Engine, Service};

/// The least shape that prompts are padded to where none is named.
const LEAST_PROMPT: f64 = 128.0;

/// The first of ascending buckets that holds `value`; the value itself beyond the last.
fn held(buckets: &[f64], value: f64) -> f64 {
    let holds = |bucket: &&f64| **bucket >= value;
    buckets.iter().find(holds).copied().unwrap_or(value)
}

fn power_of_two(value: f64) -> f64 {
    value.max(1.0).log2().ceil().exp2()
}

impl Service {
    /// Pieces in which a prompt is prefilled: tokens as they run, and tokens before.
    pub(super) fn pieces(&self) -> Vec<(f64, f64)> {
        self.pieces_of(self.input)
    }

    /// The same of a prompt of another length.
    pub(super) fn pieces_of(&self, input: f64) -> Vec<(f64, f64)> {
        let cached = self.prefix_hit * input;
        let left = (input - cached).max(1.0);
        // No piece is longer than the longest shape.
        let longest = self
            .prompts
            .last()
            .map_or(self.chunk, |last| last.min(self.chunk));
        let count = (left / longest).ceil().max(1.0);
        let mut pieces = Vec::with_capacity(count as usize);
        let mut done = 0.0;
        while done < left {
            let own = (left - done).min(longest);
            pieces.push((self.padded_prompt(own), cached + done));
            done += own;
        }
        pieces
    }

    fn padded_prompt(&self, tokens: f64) -> f64 {
        match (self.engine, self.prompts.is_empty()) {
            (Engine::Neuron, false) => held(&self.prompts, tokens),
            (Engine::Neuron, true) => power_of_two(tokens.max(LEAST_PROMPT)).min(self.chunk),
            _ => tokens,
        }
    }

    /// Tokens whose cache a step reads for each of so many sequences.
    pub(super) fn context(&self, sequences: f64) -> f64 {
        match self.engine {
            Engine::Neuron if self.contexts.is_empty() => self.most_tokens,
            Engine::Neuron => {
                // The furthest of so many, which are anywhere in their answers.
                let share = sequences / (sequences + 1.0) * (1.0 - 1e-12);
                let holds = |bucket: &&f64| self.within(**bucket - self.per_step()) >= share;
                let found = self.contexts.iter().find(holds).copied();
                found.unwrap_or(self.most_tokens).min(self.most_tokens)
            }
            _ => self.mean_context(),
        }
    }

    /// Sequences that a step runs where so many are alive.
    pub(super) fn padded_batch(&self, sequences: f64) -> f64 {
        match (self.engine, self.batches.is_empty()) {
            (Engine::Neuron, false) => held(&self.batches, sequences),
            (Engine::Neuron, true) => power_of_two(sequences),
            _ => sequences,
        }
    }

    /// Requests of a replica that run at once where memory holds so many: at most what the largest step has room for.
    pub(super) fn admitted(&self, fits: f64, stages: f64) -> f64 {
        match (self.engine, self.batches.last()) {
            (Engine::Neuron, Some(most)) => fits.min(most * stages),
            _ => fits,
        }
    }

    /// Tokens that a request has memory for, in the mean: all that it may ever have, where none is taken back.
    pub(super) fn reserved(&self) -> f64 {
        match self.engine {
            Engine::Neuron => self.most_tokens,
            _ => self.mean_context(),
        }
    }

    /// Prompts that one pass prefills where so many requests run.
    pub(super) fn together(&self, running: f64) -> f64 {
        if self.lockstep {
            return running.max(1.0);
        }
        let own = (1.0 - self.prefix_hit) * self.input;
        match self.engine {
            Engine::Neuron => 1.0,
            _ => (self.chunk / own.max(1.0))
                .floor()
                .clamp(1.0, running.max(1.0)),
        }
    }
}
