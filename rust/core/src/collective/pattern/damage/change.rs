//! What a damage makes of a local pattern, beside what it is in a whole domain.

use crate::collective::pattern::changes::Changes;
use crate::memory::bytes_of;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a damage makes of a local pattern, one byte a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) loads: Arc<Changes>,
    /// (latency, seconds per byte) of the messages that go another way; dominated ones left out.
    pub(super) notes: Vec<(f64, f64)>,
    /// Messages of the busiest sender; 0 where every rank is where it was.
    pub(super) sent: f64,
}

impl Change {
    fn bytes(&self) -> u64 {
        bytes_of::<(u32, f64)>((self.loads.len() + self.notes.len()) as u64) + ENTRY
    }
}

/// Bytes of one entry, but for its lists.
const ENTRY: u64 = 128;

/// Changes by the number of the pattern.
#[derive(Default)]
pub(super) struct KnownChanges(Mutex<BTreeMap<u32, Change>>);

impl KnownChanges {
    pub(super) fn get(&self, pattern: u32) -> Option<Change> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&pattern).cloned()
    }

    /// Keeps one, if there is room for so many bytes.
    pub(super) fn keep(&self, pattern: u32, change: &Change, room: impl FnOnce(u64) -> bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&pattern) && room(change.bytes()) {
            known.insert(pattern, change.clone());
        }
    }
}
