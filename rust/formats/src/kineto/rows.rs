//! What is kept of a trace.

/// What kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `record_param_comms`: the collective with its sizes, type and group.
    Params = 0,
    /// An operator of `c10d::`.
    Operator = 1,
    /// An operator that calls those: `_c10d_functional::`, `_dtensor::`, `symm_mem::`.
    Functional = 2,
    /// What a backend calls it: `nccl:all_reduce`.
    Label = 3,
    /// A kernel on the device.
    Kernel = 4,
    /// A step of the profiler.
    Step = 5,
}

impl Kind {
    /// Whether it is on a thread of the host.
    pub(super) fn of_host(self) -> bool {
        self != Self::Kernel
    }
}

/// Where something stands in the text: its first byte, and the one after its last.
pub type Span = (usize, usize);

/// One event that speaks of a collective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What kind of event.
    pub kind: Kind,
    /// Its name, by number among [`Trace::names`].
    pub name: u32,
    /// Its process and thread, by number.
    pub lane: u32,
    /// Nanoseconds after the base time; None where the event has no time.
    pub start_ns: Option<i64>,
    /// How long it takes, in nanoseconds.
    pub duration_ns: Option<i64>,
    /// Where its arguments are.
    pub args: Option<Span>,
    /// The event that it is within on its thread, by number among [`Trace::events`].
    pub within: Option<u32>,
}

/// What a trace says of collectives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order of the text.
    pub events: Vec<Event>,
    /// Names of events, each once.
    pub names: Vec<String>,
    /// How many events there are in all.
    pub count: u64,
    /// Where the other parts of the trace are, by their keys, as far as they are known ones.
    pub parts: Vec<(String, Span)>,
}
