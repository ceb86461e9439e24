//! Messages along one axis of a domain that are the same on all lines of that axis: one line stands for all.

use std::sync::Arc;

/// Ranks counted along the sides of a box, side 0 fastest: every rank whose place along `side` is one of some goes to
/// the rank at another place of the same line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Along {
    pub(crate) side: usize,
    /// (from, to) places along the side.
    pub(crate) places: Vec<(u32, u32)>,
    /// One list of all ranks after another; otherwise all sends of each rank together.
    pub(crate) in_lists: bool,
}

/// How the ranks of a group are the chips of a whole domain: the axis of each side, and the position on it of each
/// place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoxOrder {
    pub(crate) sides: Vec<(usize, Vec<u32>)>,
}

impl BoxOrder {
    /// Places of each side.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        self.sides.iter().map(|side| side.1.len() as u32).collect()
    }

    /// The same messages by position on an axis.
    pub(crate) fn lines(&self, along: &Along) -> Lines {
        let (axis, positions) = &self.sides[along.side];
        let pair = |&(from, to): &(u32, u32)| (positions[from as usize], positions[to as usize]);
        Lines {
            axis: *axis,
            pairs: along.places.iter().map(pair).collect(),
            in_lists: along.in_lists,
        }
    }
}

/// Messages on every line of an axis of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) axis: usize,
    /// (from, to) positions.
    pub(crate) pairs: Vec<(u32, u32)>,
    in_lists: bool,
}

/// Groups, and the same groups in another order of ranks.
#[derive(Clone)]
pub(crate) struct Ordered {
    pub(crate) groups: Arc<[Vec<u32>]>,
    /// What they are, where one group is a whole domain.
    pub(crate) shape: Option<Arc<BoxOrder>>,
    /// Places along the sides of each box.
    pub(crate) sizes: Vec<u32>,
}
