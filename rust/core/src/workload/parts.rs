//! What the seconds of a step are spent on.

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Products with matrices.
    Matmul,
    /// Scores of attention, and values weighed by them.
    Attention,
    /// Operators that memory bounds: norms, activations, sums.
    Memory,
    /// What is computed again in the backward pass.
    Recompute,
    /// Collectives of ranks that share matrices.
    Tensor,
    /// Those of ranks that share a sequence.
    Context,
    /// Those of ranks that share experts.
    Expert,
    /// Waiting for other stages, and for rows from them.
    Bubble,
    /// Gradients and weights between replicas, as far as nothing hides them.
    Data,
    /// The optimizer.
    Optimizer,
    /// What islands trade, of one step.
    Outer,
    /// The host.
    Host,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 12;
    /// All, in the order of results.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Matmul,
        Self::Attention,
        Self::Memory,
        Self::Recompute,
        Self::Tensor,
        Self::Context,
        Self::Expert,
        Self::Bubble,
        Self::Data,
        Self::Optimizer,
        Self::Outer,
        Self::Host,
    ];

    /// The name that results have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matmul => "matmul",
            Self::Attention => "attention",
            Self::Memory => "memory_bound",
            Self::Recompute => "recompute",
            Self::Tensor => "tp",
            Self::Context => "cp",
            Self::Expert => "ep",
            Self::Bubble => "pp_bubble",
            Self::Data => "dp",
            Self::Optimizer => "optimizer",
            Self::Outer => "outer",
            Self::Host => "host",
        }
    }
}

/// Seconds by part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts(pub [f64; Part::COUNT]);

impl Parts {
    /// One part alone.
    pub fn of(part: Part, seconds: f64) -> Self {
        let mut parts = Self::default();
        parts.add(part, seconds);
        parts
    }

    /// Adds seconds to a part.
    pub fn add(&mut self, part: Part, seconds: f64) {
        self.0[part as usize] += seconds;
    }

    /// Seconds of a part.
    pub fn get(&self, part: Part) -> f64 {
        self.0[part as usize]
    }

    /// Seconds in which the chip computes: what collectives may hide behind, since those of other axes use the same links
    /// and engines.
    pub fn computed(&self) -> f64 {
        let computed = [Part::Matmul, Part::Attention, Part::Memory, Part::Recompute];
        computed.iter().map(|&part| self.get(part)).sum()
    }

    /// Seconds of all of them.
    pub fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// Adds so many times another's.
    pub fn add_times(&mut self, times: f64, other: &Self) {
        for (own, more) in self.0.iter_mut().zip(&other.0) {
            *own += times * more;
        }
    }
}
