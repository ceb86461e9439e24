//! What is served, and how its engine runs it.

use crate::error::{Error, Result, not_negative, positive};
use crate::workload::Model;

/// How an engine batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Shapes that are compiled: passes are padded, a prefill has one prompt and no token of others.
    Neuron,
    /// Shapes are what they are; prompts in pieces share steps with tokens of others.
    Continuous,
    /// The same without waiting for anything but what there is to do.
    Ideal,
}

/// Tokens that are guessed and then verified together.
#[derive(Debug, Clone, PartialEq)]
pub struct Speculation {
    /// Tokens guessed before each step.
    pub tokens: u32,
    /// Tokens that a step yields in the mean.
    pub yields: f64,
    /// What guesses them; the layout is that of the model.
    pub draft: Model,
}

/// Requests of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Tokens of the prompt and of the answer.
    pub input: f64,
    /// See `input`.
    pub output: f64,
    /// Share of all requests.
    pub share: f64,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// What is served.
    pub model: Model,
    /// Tokens of a prompt and of its answer, in the mean.
    pub input: f64,
    /// See `input`.
    pub output: f64,
    /// How long they are, where they are not alike; shares add up to 1.
    pub lengths: Vec<Length>,
    /// Bytes of a weight, of a number between operators and of a cached one; of numbers of embedding and head.
    pub weight_bytes: f64,
    /// See `weight_bytes`.
    pub activation_bytes: f64,
    /// See `weight_bytes`.
    pub cache_bytes: f64,
    /// See `weight_bytes`.
    pub head_bytes: f64,
    /// Tokens that layers with a window look back.
    pub window: Option<f64>,
    /// How it batches.
    pub engine: Engine,
    /// Whether all prompts of a batch come, are prefilled and answered together.
    pub lockstep: bool,
    /// Most tokens of a request.
    pub most_tokens: f64,
    /// Most tokens of one prefill.
    pub chunk: f64,
    /// Tokens that prefills, contexts that steps, and sequences that steps are padded to, ascending; none for powers
    /// of two from 128, the most tokens, and powers of two.
    pub prompts: Vec<f64>,
    /// See `prompts`.
    pub contexts: Vec<f64>,
    /// See `prompts`.
    pub batches: Vec<f64>,
    /// Share of a prompt that is cached already.
    pub prefix_hit: f64,
    /// Tokens that are guessed.
    pub speculation: Option<Speculation>,
    /// Tokens of the busiest rank of experts over the mean.
    pub imbalance: f64,
    /// Bytes of a rank's memory, the share of it that the engine takes, and of that the share that may be cache.
    pub bank: f64,
    /// See `bank`.
    pub taken: f64,
    /// See `bank`.
    pub cache_share: f64,
}

impl Service {
    /// Checks what no layout mends.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names it.
    pub fn check(&self) -> Result<()> {
        let named = [
            ("input", self.input),
            ("output", self.output),
            ("weight_bytes", self.weight_bytes),
            ("activation_bytes", self.activation_bytes),
            ("cache_bytes", self.cache_bytes),
            ("head_bytes", self.head_bytes),
            ("max_model_len", self.most_tokens),
            ("chunk", self.chunk),
            ("imbalance", self.imbalance),
            ("memory", self.bank),
            ("memory share", self.taken),
            ("cache share", self.cache_share),
        ];
        for (name, value) in named {
            positive(name, value)?;
        }
        not_negative("prefix_hit", self.prefix_hit)?;
        for one in &self.lengths {
            positive("input", one.input)?;
            positive("output", one.output)?;
            positive("share", one.share)?;
        }
        let all = self.lengths.iter().map(|one| one.input + one.output);
        let longest = all.fold(self.input + self.output, f64::max);
        if longest > self.most_tokens {
            let allowed = format!("must hold input and output: {longest}");
            return Err(Error::invalid("max_model_len", self.most_tokens, allowed));
        }
        Ok(())
    }

    /// Tokens of a sequence that a step of decoding takes in.
    pub(super) fn per_step(&self) -> f64 {
        let guessed = self.speculation.as_ref();
        1.0 + guessed.map_or(0.0, |guessed| f64::from(guessed.tokens))
    }

    /// Tokens of a sequence that a step of decoding yields.
    pub(super) fn yields(&self) -> f64 {
        let guessed = self.speculation.as_ref();
        guessed.map_or(1.0, |guessed| guessed.yields)
    }
}
