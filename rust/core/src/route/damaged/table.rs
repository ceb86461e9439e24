//! The routes of all pairs of a domain, found at once; the last ones are kept between calls.
//!
//! As in other places that keep things, nobody waits for what is kept: who comes meanwhile goes without.

use super::balance::{NONE, along, balanced};
use super::states::{Kind, States};
use crate::Control;
use crate::error::Result;
use crate::machine::{Damage, Domain};
use crate::memory::bytes_of;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Most bytes that are kept.
const MOST_KEPT: u64 = 1 << 26;

/// Most tables that are kept: they are looked through one by one.
const MOST_TABLES: usize = 256;

/// Tries to look at what is kept.
const TRIES: usize = 1000;

/// What to ask instead.
const SMALLER: &str = "use a smaller UltraServer, or \"dor\"";

/// The next hops of all states towards all chips.
#[derive(Debug)]
pub(super) struct Table {
    states: States,
    next: Vec<u16>,
}

/// What a table is of.
#[derive(Debug, PartialEq)]
struct Key {
    domain: Domain,
    links: Vec<u64>,
    chips: Vec<u32>,
    kind: Kind,
}

/// Those asked for last at the end.
type Kept = Vec<(Key, Arc<Table>)>;

static KEPT: Mutex<Kept> = Mutex::new(Kept::new());

fn kept() -> Option<MutexGuard<'static, Kept>> {
    for _ in 0..TRIES {
        match KEPT.try_lock() {
            Ok(kept) => return Some(kept),
            Err(TryLockError::Poisoned(kept)) => return Some(kept.into_inner()),
            Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
        }
    }
    None
}

/// Room for one table that the threads of a call share: one finds it, the others wait.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Option<Arc<Table>>>);

impl Shared {
    pub(super) fn table(
        &self,
        domain: &Domain,
        damage: &Damage,
        kind: Kind,
        control: &Control,
    ) -> Result<Arc<Table>> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        control.check()?;
        if let Some(table) = &*table {
            return Ok(Arc::clone(table));
        }
        let found = Table::of(domain, damage, kind, control)?;
        Ok(Arc::clone(table.insert(found)))
    }
}

impl Table {
    /// That of a domain with this damage.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for domains too large for it, and those of `control`.
    pub(super) fn of(
        domain: &Domain,
        damage: &Damage,
        kind: Kind,
        control: &Control,
    ) -> Result<Arc<Self>> {
        let is_of = |key: &Key| {
            (key.kind, &key.links, &key.chips) == (kind, &damage.links, &damage.chips)
                && key.domain == *domain
        };
        if let Some(mut kept) = kept() {
            if let Some(at) = kept.iter().position(|entry| is_of(&entry.0)) {
                let entry = kept.remove(at);
                let table = Arc::clone(&entry.1);
                kept.push(entry);
                return Ok(table);
            }
        }
        let (states, _hops) = States::of(domain, damage, kind, control)?;
        let chips = u64::from(domain.chips());
        // Next hops, and of each state what one search needs.
        let count = states.count() as u64;
        let bytes = bytes_of::<u16>(chips * count) + bytes_of::<[u64; 3]>(count);
        let what = format_args!("the routes of all pairs of {chips} chips");
        let _taken = control.take(bytes, what, SMALLER)?;
        let next = balanced(&states, domain.links(), control)?;
        let table = Arc::new(Self { states, next });
        if let Some(mut kept) = kept() {
            let key = Key {
                domain: domain.clone(),
                links: damage.links.clone(),
                chips: damage.chips.clone(),
                kind,
            };
            kept.push((key, Arc::clone(&table)));
            let mut bytes: u64 = kept.iter().map(|entry| entry.1.bytes()).sum();
            while bytes > MOST_KEPT || kept.len() > MOST_TABLES {
                bytes -= kept.remove(0).1.bytes();
            }
        }
        Ok(table)
    }

    fn bytes(&self) -> u64 {
        self.states.bytes() + bytes_of::<u16>(self.next.len() as u64)
    }

    /// Appends the links of a route; false, and nothing, if there is none.
    pub(super) fn path(&self, src: u32, dst: u32, steps: &mut Vec<(u64, f64)>) -> bool {
        let count = self.states.count();
        let next = &self.next[dst as usize * count..][..count];
        let start = self.states.start(src);
        along(&self.states, next, start, |_, link| {
            steps.push((u64::from(link), 1.0));
        });
        next[start as usize] != NONE
    }
}
