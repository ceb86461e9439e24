//! What a step computes.

use super::model::{Kind, Model};
use crate::error::{Error, Result};

/// What is computed again in the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recompute {
    /// Nothing.
    None,
    /// Scores of attention.
    Selective,
    /// Whole layers.
    Full,
}

impl Recompute {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Selective, Self::Full];

    /// The one of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for others.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| Error::Unknown {
            argument: "recompute".to_owned(),
            value: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Selective => "selective",
            Self::Full => "full",
        }
    }
}

/// A training step of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What is trained.
    pub model: Model,
    /// Tokens of a sequence.
    pub sequence: u32,
    /// Sequences of a step.
    pub batch: u64,
    /// Tokens that one attends to on average, as the kernel computes it: in layers that look at everything, and in those
    /// with a window.
    pub attended: [f64; 2],
    /// Bytes of a number between operators.
    pub activation_bytes: f64,
    /// Bytes of a number of what experts are sent.
    pub dispatch_bytes: f64,
    /// Bytes of a weight, of its gradient, and of what the optimizer keeps of it.
    pub weight_bytes: f64,
    /// See `weight_bytes`.
    pub gradient_bytes: f64,
    /// See `weight_bytes`.
    pub optimizer_bytes: f64,
    /// What is computed again.
    pub recompute: Recompute,
    /// Whether attention is one kernel, which keeps no scores.
    pub fused_attention: bool,
    /// Whether layers drop numbers at random, and keep which.
    pub dropout: bool,
    /// Tokens of the busiest expert rank over the mean.
    pub imbalance: f64,
    /// Seconds of a step in which the host holds the chips up.
    pub host: f64,
}

impl Job {
    /// Tokens that one attends to in a layer.
    pub(super) fn attended(&self, kind: Kind) -> f64 {
        self.attended[usize::from(kind.windowed)]
    }

    /// Whether scores of attention are computed again.
    pub(super) fn scores_again(&self) -> bool {
        self.recompute == Recompute::Selective && !self.fused_attention
    }

    /// Tokens of a step.
    pub fn tokens(&self) -> f64 {
        f64::from(self.sequence) * self.batch as f64
    }
}
