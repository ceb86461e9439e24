//! What stages did, as a timeline has it.

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A forward.
    Forward,
    /// A gradient of inputs.
    Backward,
    /// A gradient of weights.
    Weights,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Weights => "weights",
        }
    }
}

/// What a stage did from when to when. Of a forward beside a backward (`DualPipe`) the forward is written first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Stage.
    pub stage: u32,
    /// What it did.
    pub kind: Kind,
    /// Chunk of the model.
    pub chunk: u32,
    /// Microbatch.
    pub microbatch: u32,
    /// Seconds from the start of the step.
    pub start: f64,
    /// Seconds from the start of the step.
    pub end: f64,
}

impl Event {
    /// What stands where none is written yet.
    pub(super) const NOTHING: Self = Self {
        stage: 0,
        kind: Kind::Forward,
        chunk: 0,
        microbatch: 0,
        start: 0.0,
        end: 0.0,
    };
}
