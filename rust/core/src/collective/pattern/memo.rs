//! What was found before, by a key of two numbers: a table in one piece, whose order nobody sees.

/// Found values by key.
pub(crate) struct Memo<V> {
    /// A power of two of them, at most half of them taken.
    slots: Vec<Option<([u64; 2], V)>>,
    taken: usize,
}

impl<V: Copy> Default for Memo<V> {
    fn default() -> Self {
        Self {
            slots: vec![None; 16],
            taken: 0,
        }
    }
}

impl<V: Copy> Memo<V> {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// The slot of a key, or the free one where it belongs.
    fn slot(&self, key: [u64; 2]) -> usize {
        let mixed = (key[0] ^ key[1].rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ key[1]).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mut at = (mixed >> 32) as usize & (self.slots.len() - 1);
        while self.slots[at].is_some_and(|slot| slot.0 != key) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    pub(crate) fn get(&self, key: [u64; 2]) -> Option<V> {
        self.slots[self.slot(key)].map(|slot| slot.1)
    }

    pub(crate) fn insert(&mut self, key: [u64; 2], value: V) {
        if 2 * (self.taken + 1) > self.slots.len() {
            let more = vec![None; 2 * self.slots.len()];
            let old = std::mem::replace(&mut self.slots, more);
            for slot in old.into_iter().flatten() {
                let at = self.slot(slot.0);
                self.slots[at] = Some(slot);
            }
        }
        let at = self.slot(key);
        self.taken += usize::from(self.slots[at].is_none());
        self.slots[at] = Some((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_keeps_what_a_map_keeps(entries in proptest::collection::vec((0u64..40, 0u64..40, 0u32..9), 0..400)) {
            let (mut memo, mut map) = (Memo::default(), BTreeMap::new());
            for (one, other, value) in entries {
                prop_assert_eq!(memo.get([one, other]), map.get(&[one, other]).copied());
                memo.insert([one, other], value);
                map.insert([one, other], value);
                prop_assert_eq!(memo.len(), map.len());
            }
        }
    }
}
