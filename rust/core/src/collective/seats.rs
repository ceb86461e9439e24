//! Who has which rank of an algorithm.

/// What the ranks of an algorithm stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeatKind {
    /// Local chips; the same happens in every domain.
    Local,
    /// Domains; the same happens on every local chip.
    Rails,
    /// Domains, on this one local chip of the group.
    Lane(u32),
    /// Chips of the machine.
    Chips,
    /// Ranks of the group.
    Ranks,
    /// Sites, between which members that hold the same part meet.
    Sites,
}

/// Who has which rank of an algorithm, in the first group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seats {
    pub(crate) kind: SeatKind,
    /// By rank; empty for [`SeatKind::Ranks`] and [`SeatKind::Sites`].
    pub(crate) members: Vec<u32>,
}
