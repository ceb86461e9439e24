//! Who has which rank of an algorithm.

use std::sync::Arc;

/// What the ranks of an algorithm stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RankKind {
    /// Local chips; the same happens in every domain.
    Local,
    /// Domains; the same happens on every local chip.
    Rails,
    /// Domains, on this one local chip of the group.
    Nic(u32),
    /// Chips of the machine.
    Chips,
    /// Crews, by number.
    Crews,
    /// Ranks of the group.
    Ranks,
    /// Sites, between which members that hold the same part meet.
    Sites,
}

/// Who has which rank of an algorithm, in the first group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RankMap {
    pub(crate) kind: RankKind,
    /// The groups in which the same happens, by rank; empty for [`RankKind::Ranks`].
    pub(crate) groups: Arc<[Vec<u32>]>,
}

impl RankMap {
    /// Members of the first group, by rank; empty for [`RankKind::Ranks`].
    pub(crate) fn members(&self) -> &[u32] {
        self.groups.first().map_or(&[], Vec::as_slice)
    }
}
