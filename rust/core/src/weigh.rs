//! What things that are kept take in memory: what several share counts once. Small things count by a round number.

use crate::memory::bytes_of;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Counts bytes.
#[derive(Default)]
pub(crate) struct Scale {
    bytes: u64,
    /// Addresses of what is shared and counted already.
    seen: BTreeSet<usize>,
}

impl Scale {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// One value with what it owns beside it.
    pub(crate) fn one<T>(&mut self, beside: u64) {
        self.add(bytes_of::<T>(1) + beside);
    }

    /// What `shared` holds, the first time that it is met.
    pub(crate) fn shared<T: ?Sized>(&mut self, shared: &Arc<T>, weigh: impl FnOnce(&T, &mut Self)) {
        if self.seen.insert(Arc::as_ptr(shared).cast::<()>() as usize) {
            weigh(shared, self);
        }
    }

    /// Lists of numbers that others may share.
    pub(crate) fn lists(&mut self, lists: &Arc<[Vec<u32>]>) {
        self.shared(lists, |lists, on| {
            let each = lists
                .iter()
                .map(|list| bytes_of::<Vec<u32>>(1) + bytes_of::<u32>(list.capacity() as u64));
            on.add(each.sum());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once() {
        let lists: Arc<[Vec<u32>]> = vec![vec![1, 2], vec![3, 4]].into();
        let mut scale = Scale::default();
        scale.lists(&lists);
        assert_eq!(scale.bytes(), 2 * (24 + 8));
        scale.lists(&Arc::clone(&lists));
        assert_eq!(scale.bytes(), 2 * (24 + 8));
        scale.lists(&lists.iter().cloned().collect());
        scale.one::<u64>(2);
        assert_eq!(scale.bytes(), 4 * (24 + 8) + 10);
    }
}
