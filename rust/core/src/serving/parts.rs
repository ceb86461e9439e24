//! What the seconds of a pass are spent on.

/// A part of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Products with matrices that all tokens share.
    Matmul,
    /// Products with experts.
    Experts,
    /// Scores, and the cache that they read.
    Attention,
    /// Norms, activations, sums.
    Memory,
    /// Collectives of ranks that share matrices.
    Tensor,
    /// Those of ranks that share experts.
    Expert,
    /// Rows between stages.
    Pipeline,
    /// What each layer takes beside its operators.
    Layers,
    /// The product that makes scores of tokens.
    Head,
    /// What guesses tokens that a step verifies.
    Draft,
    /// Sampling, and the host.
    Host,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 11;
    /// All, in the order of results.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Matmul,
        Self::Experts,
        Self::Attention,
        Self::Memory,
        Self::Tensor,
        Self::Expert,
        Self::Pipeline,
        Self::Layers,
        Self::Head,
        Self::Draft,
        Self::Host,
    ];

    /// The name that results have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matmul => "matmul",
            Self::Experts => "experts",
            Self::Attention => "attention",
            Self::Memory => "memory_bound",
            Self::Tensor => "tp",
            Self::Expert => "ep",
            Self::Pipeline => "pp",
            Self::Layers => "layers",
            Self::Head => "head",
            Self::Draft => "draft",
            Self::Host => "host",
        }
    }
}

/// Seconds by part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts(pub [f64; Part::COUNT]);

impl Parts {
    /// Adds seconds to a part.
    pub fn add(&mut self, part: Part, seconds: f64) {
        self.0[part as usize] += seconds;
    }

    /// Seconds of a part.
    pub fn get(&self, part: Part) -> f64 {
        self.0[part as usize]
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
