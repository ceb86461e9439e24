//! What is kept between calls, of all machines: so many bytes, those that were asked for last.
//!
//! Nobody waits: whoever asks takes what there is and puts it back, and who comes meanwhile goes without. So no call is
//! held up, a handler of signals may ask what it interrupts, and a forked child needs no lock that nobody releases.

use super::ask::group::Groups;
use super::question::Question;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// Most bytes that are kept in all: a thousand questions about instances, or dozens about a million chips.
const MOST: u64 = 32 << 20;

/// Most of one thing: what is larger takes so long to be asked about that little is gained, and drives all else out.
const MOST_EACH: u64 = MOST / 4;

/// Tries to look at the store, which takes less than a microsecond each time.
const TRIES: usize = 1000;

/// One thing that is kept.
pub(super) enum Item {
    Question(Box<Question>),
    /// Groups of so many ranks that are so far apart.
    Groups((u32, u32), Arc<Groups>),
}

impl Item {
    fn bytes(&self) -> u64 {
        match self {
            Self::Question(question) => question.bytes(),
            Self::Groups(_, groups) => groups.bytes(),
        }
    }
}

/// Of which machine, and a digest of what it is.
pub(super) type Place = (u64, u64);

struct Entry {
    kept: Item,
    bytes: u64,
    stamp: u64,
}

struct Store {
    entries: BTreeMap<Place, Vec<Entry>>,
    /// By the stamp of each entry, where it is.
    ages: BTreeMap<u64, Place>,
    bytes: u64,
    stamp: u64,
}

static STORE: Mutex<Store> = Mutex::new(Store {
    entries: BTreeMap::new(),
    ages: BTreeMap::new(),
    bytes: 0,
    stamp: 0,
});

/// `None` where others look at it all the time, or the thread that did so is not there any more.
fn store() -> Option<MutexGuard<'static, Store>> {
    let look = |_| match STORE.try_lock() {
        Ok(store) => Some(store),
        // Nothing in here panics halfway.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => {
            std::hint::spin_loop();
            None
        }
    };
    (0..TRIES).find_map(look)
}

impl Store {
    fn remove(&mut self, place: Place, at: usize) -> Item {
        let entries = self.entries.get_mut(&place).expect("it was looked up");
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            self.entries.remove(&place);
        }
        self.ages.remove(&entry.stamp);
        self.bytes -= entry.bytes;
        entry.kept
    }

    /// The thing that was put there first.
    fn oldest(&mut self) -> Option<Item> {
        let (&stamp, &place) = self.ages.first_key_value()?;
        let entries = &self.entries[&place];
        let at = entries.iter().position(|entry| entry.stamp == stamp)?;
        Some(self.remove(place, at))
    }
}

/// Takes what is kept at a place, if it `is` what is wanted.
pub(super) fn take(place: Place, is: impl Fn(&Item) -> bool) -> Option<Item> {
    let mut store = store()?;
    let at = store
        .entries
        .get(&place)?
        .iter()
        .position(|entry| is(&entry.kept))?;
    Some(store.remove(place, at))
}

/// Keeps a thing, and drops what was not asked for the longest where that is too much.
pub(super) fn put(place: Place, kept: Item) {
    let bytes = kept.bytes();
    if bytes > MOST_EACH {
        return;
    }
    let mut dropped = Vec::new();
    let Some(mut store) = store() else { return };
    store.stamp += 1;
    let stamp = store.stamp;
    store.ages.insert(stamp, place);
    store.bytes += bytes;
    store
        .entries
        .entry(place)
        .or_default()
        .push(Entry { kept, bytes, stamp });
    while store.bytes > MOST {
        dropped.extend(store.oldest());
    }
    // Others need not wait until all of it is taken apart.
    drop(store);
    drop(dropped);
}

/// Drops all of one machine.
pub(super) fn forget(owner: u64) {
    let Some(mut store) = store() else { return };
    let all = store.entries.range((owner, 0)..=(owner, u64::MAX));
    let places: Vec<Place> = all.map(|(&place, _)| place).collect();
    let mut dropped = Vec::new();
    for place in places {
        while store.entries.contains_key(&place) {
            dropped.push(store.remove(place, 0));
        }
    }
    drop(store);
    drop(dropped);
}

/// How many things are kept, and their bytes.
pub fn kept() -> (usize, u64) {
    store().map_or((0, 0), |store| (store.ages.len(), store.bytes))
}
