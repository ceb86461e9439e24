//! The transformer that runs: what its operators and its memory follow from.

/// What one layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Whether it has experts.
    pub sparse: bool,
    /// Whether it looks through the window.
    pub windowed: bool,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::new(false, false),
        Self::new(true, false),
        Self::new(false, true),
        Self::new(true, true),
    ];

    const fn new(sparse: bool, windowed: bool) -> Self {
        Self { sparse, windowed }
    }

    /// Its place in [`Kind::ALL`].
    pub fn index(self) -> usize {
        usize::from(self.sparse) + 2 * usize::from(self.windowed)
    }
}

/// Sizes of latent attention.
#[derive(Debug, Clone, PartialEq)]
pub struct Latent {
    /// Numbers that queries are made of; `None` where they are made of the hidden row.
    pub q_rank: Option<u32>,
    /// Numbers that keys and values are made of.
    pub kv_rank: u32,
    /// Numbers of a head without a position, with one, and of its value.
    pub nope: u32,
    /// See `nope`.
    pub rope: u32,
    /// See `nope`.
    pub value: u32,
}

/// Experts of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Experts {
    /// How many there are.
    pub count: u32,
    /// How many a token visits.
    pub per_token: u32,
    /// Numbers inside one.
    pub width: u32,
    /// Numbers inside the MLP beside them.
    pub shared_width: u32,
}

/// Numbers that parts of the model keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers {
    /// Matrices of attention in one layer.
    pub attention: f64,
    /// What every rank of a layer keeps whole: norms, biases, sinks.
    pub every: f64,
    /// MLP of a layer without experts.
    pub mlp: f64,
    /// Router of a layer with experts.
    pub router: f64,
    /// One expert.
    pub expert: f64,
    /// The MLP beside the experts.
    pub shared: f64,
    /// Before the first layer.
    pub embedding: f64,
    /// After the last; 0 where it is the embedding.
    pub head: f64,
    /// A layer that predicts further tokens, beside what a layer has.
    pub mtp_extra: f64,
}

/// A decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Numbers in a row between layers.
    pub hidden: u32,
    /// Tokens of the vocabulary.
    pub vocab: u32,
    /// Heads of queries.
    pub heads: u32,
    /// Heads of keys and values.
    pub kv_heads: u32,
    /// Numbers of a head of plain attention.
    pub head_size: u32,
    /// Latent attention in its place.
    pub latent: Option<Latent>,
    /// Numbers inside the MLP of layers without experts.
    pub ffn: u32,
    /// Whether MLPs multiply two products.
    pub gated: bool,
    /// Experts of sparse layers.
    pub experts: Option<Experts>,
    /// Norms of a layer.
    pub norms: u32,
    /// Whether queries and keys are turned by their positions.
    pub rope: bool,
    /// Layers in order.
    pub layers: Vec<Kind>,
    /// Layers that predict further tokens, run after the last one.
    pub mtp: u32,
    /// What parts keep.
    pub numbers: Numbers,
}

impl Model {
    /// Numbers of a head in a score, and in a value.
    pub(crate) fn head_sizes(&self) -> (f64, f64) {
        match &self.latent {
            Some(latent) => (
                f64::from(latent.nope + latent.rope),
                f64::from(latent.value),
            ),
            None => (f64::from(self.head_size), f64::from(self.head_size)),
        }
    }

    /// Products that an MLP of this width starts with.
    pub(crate) fn products(&self) -> f64 {
        if self.gated { 2.0 } else { 1.0 }
    }
}
