//! Prices by place and bytes: a table that is looked at some thirty times for each layout.

use crate::operation::Operation;

/// Operation, size and stride of an axis.
pub(super) type Place = (Operation, u32, u32);

/// Slots of an empty table: a power of two, as all numbers of slots.
const FEWEST: usize = 1 << 10;

/// An odd number whose bits look random (2^64 over the golden ratio).
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Copy)]
struct Slot {
    place: Place,
    bits: u64,
    /// No number where the slot is empty.
    seconds: f64,
}

const EMPTY: Slot = Slot {
    place: (Operation::Barrier, 0, 0),
    bits: 0,
    seconds: f64::NAN,
};

/// Prices, each in the first free slot from that on which its key says.
pub(super) struct Known {
    slots: Vec<Slot>,
    used: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            slots: vec![EMPTY; FEWEST],
            used: 0,
        }
    }
}

impl Known {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> u64 {
        crate::memory::bytes_of::<Slot>(self.slots.len() as u64)
    }

    /// The price of a key, if it is known.
    pub(super) fn get(&self, place: Place, bytes: f64) -> Option<f64> {
        let slot = &self.slots[self.at(place, bytes.to_bits())];
        (!slot.seconds.is_nan()).then_some(slot.seconds)
    }

    /// Adds a price that is not known yet.
    pub(super) fn insert(&mut self, place: Place, bytes: f64, seconds: f64) {
        if 2 * self.used >= self.slots.len() {
            let room = vec![EMPTY; 2 * self.slots.len()];
            let before = std::mem::replace(&mut self.slots, room);
            for slot in before.into_iter().filter(|slot| !slot.seconds.is_nan()) {
                let at = self.at(slot.place, slot.bits);
                self.slots[at] = slot;
            }
        }
        let bits = bytes.to_bits();
        let at = self.at(place, bits);
        self.used += usize::from(self.slots[at].seconds.is_nan());
        self.slots[at] = Slot {
            place,
            bits,
            seconds,
        };
    }

    /// The slot that has a key, or the free one where it would be.
    fn at(&self, place: Place, bits: u64) -> usize {
        let (operation, size, stride) = place;
        let axis = u64::from(size) << 32 | u64::from(stride);
        let mixed = (axis.wrapping_mul(MIX) ^ bits ^ operation as u64).wrapping_mul(MIX);
        let last = self.slots.len() - 1;
        let mut at = (mixed ^ mixed >> 32) as usize & last;
        loop {
            let slot = &self.slots[at];
            if slot.seconds.is_nan() || (slot.bits == bits && slot.place == place) {
                return at;
            }
            at = (at + 1) & last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_again() {
        let mut known = Known::default();
        let key = |number: u32| {
            let operation = [Operation::AllReduce, Operation::AllGather][number as usize % 2];
            ((operation, number % 7, number % 5), f64::from(number))
        };
        for number in 0..5000 {
            let (place, bytes) = key(number);
            assert_eq!(known.get(place, bytes), None);
            known.insert(place, bytes, 2.0 * bytes);
        }
        assert_eq!(known.len(), 5000);
        assert!((0..5000).all(|number| {
            let (place, bytes) = key(number);
            known.get(place, bytes) == Some(2.0 * bytes)
        }));
        assert!(known.bytes() < 5000 * 200);
    }
}
