//! How much is written out, and who is told of it.

use crate::Result;

/// Most messages that are written out, and most blocks that they may carry together.
pub(super) const MOST_SENDS: usize = 1 << 22;
pub(super) const MOST_CARRIED: usize = 1 << 27;

/// Most ranks of a group whose schedule is written out message by message.
pub(crate) const MOST_RANKS_WRITTEN: usize = 4096;

/// Called with step, sender, receiver, blocks and the part of the phase's bytes of every message.
pub(super) type Visit<'a> = dyn FnMut(u64, u32, u32, Vec<u32>, f64) -> Result<()> + 'a;
