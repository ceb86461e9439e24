//! Memory is reckoned before it is taken. An allocation that the system refuses ends the process, so whatever grows
//! with the input is counted first and refused as [`Error::Memory`] where the call would hold more than it may.
//!
//! A call draws from its budget (it travels in [`Control`](crate::Control)); a `Taken` stands for the bytes of one
//! allocation and gives them back when it is dropped. What small things take is not counted: the limit leaves room.

use crate::error::{Error, Result};
use crate::watch::Watch;
use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes from which on the system is asked whether it has as much.
const LARGE: u64 = 1 << 24;

static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Bytes that one call may take; without end until [`set_limit`] was called.
pub fn limit() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the bytes that each call which begins from now on may take.
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Bytes of so many values.
pub const fn bytes_of<T>(count: u64) -> u64 {
    count.saturating_mul(size_of::<T>() as u64)
}

/// Refuses what takes more than a whole call may, where no budget is at hand.
///
/// # Errors
/// [`Error::Memory`].
pub fn check(bytes: u64, what: Arguments, instead: &str) -> Result<()> {
    Arc::new(Budget::default())
        .take(bytes, what, instead)
        .map(drop)
}

/// What one call may take and what it holds.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    taken: AtomicU64,
    /// The job was asked to stop: kept here, so that all parts of a job share one allocation.
    pub(crate) cancelled: AtomicBool,
    /// Who is asked whether it shall stop, where nobody waits for it.
    pub(crate) watch: Option<Watch>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            limit: limit(),
            taken: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            watch: None,
        }
    }
}

impl Budget {
    /// That of a job whose caller looks around at its checks.
    pub(crate) fn watched(watch: Watch) -> Self {
        Self {
            watch: Some(watch),
            ..Self::default()
        }
    }

    /// Bytes for `what`, until the answer is dropped.
    pub(crate) fn take(
        self: &Arc<Self>,
        bytes: u64,
        what: Arguments,
        instead: &str,
    ) -> Result<Taken> {
        let mut taken = Taken {
            budget: Arc::clone(self),
            bytes: 0,
        };
        taken.grow_to(bytes, what, instead)?;
        Ok(taken)
    }
}

/// Bytes that a call holds.
#[derive(Debug)]
pub(crate) struct Taken {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Taken {
    /// Holds `bytes` in all from now on, if they fit.
    pub(crate) fn grow_to(&mut self, bytes: u64, what: Arguments, instead: &str) -> Result<()> {
        let more = bytes.saturating_sub(self.bytes);
        let before = self.budget.taken.fetch_add(more, Ordering::Relaxed);
        let fits = before
            .checked_add(more)
            .is_some_and(|all| all <= self.budget.limit);
        if fits && is_there(more) {
            self.bytes += more;
            return Ok(());
        }
        self.budget.taken.fetch_sub(more, Ordering::Relaxed);
        Err(refused(
            before.saturating_add(more),
            fits,
            self.budget.limit,
            what,
            instead,
        ))
    }

    /// Gives back what is above `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.taken.fetch_sub(less, Ordering::Relaxed);
        self.bytes -= less;
    }

    /// Makes room for `more` values in the one list that this stands for.
    pub(crate) fn reserve<T>(
        &mut self,
        list: &mut Vec<T>,
        more: usize,
        what: Arguments,
        instead: &str,
    ) -> Result<()> {
        if list.capacity() - list.len() >= more {
            return Ok(());
        }
        // Both copies are there while the list moves.
        let room = (list.len() + more).max(2 * list.capacity());
        let both = bytes_of::<T>(list.capacity() as u64 + room as u64);
        self.grow_to(both, what, instead)?;
        if list.try_reserve_exact(room - list.len()).is_err() {
            return Err(refused(both, true, self.budget.limit, what, instead));
        }
        self.shrink_to(bytes_of::<T>(room as u64));
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// Whether the system gives so much; it is not touched, and given back at once.
fn is_there(bytes: u64) -> bool {
    if bytes < LARGE {
        return true;
    }
    let mut asked = Vec::<u8>::new();
    let given = usize::try_from(bytes).is_ok_and(|bytes| asked.try_reserve_exact(bytes).is_ok());
    drop(std::hint::black_box(asked));
    given
}

fn refused(bytes: u64, fits: bool, limit: u64, what: Arguments, instead: &str) -> Error {
    let (why, raise) = if fits {
        ("more than the system gives".to_owned(), "")
    } else {
        (
            format!("one call may take {limit}"),
            ", or raise memory_limit",
        )
    };
    Error::Memory {
        what: what.to_string(),
        bytes,
        why,
        instead: format!("{instead}{raise}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limit: u64) -> Arc<Budget> {
        Arc::new(Budget {
            limit,
            ..Budget::default()
        })
    }

    #[test]
    fn what_a_call_holds_is_bounded_and_given_back() {
        let budget = budget(100);
        let first = budget
            .take(60, format_args!("a list"), "ask less")
            .expect("fits");
        let error = budget
            .take(60, format_args!("a list"), "ask less")
            .expect_err("too much");
        assert!(error.to_string().contains("120 bytes"), "{error}");
        drop(first);
        let mut second = budget
            .take(60, format_args!("a list"), "ask less")
            .expect("fits");
        second
            .grow_to(100, format_args!("a list"), "ask less")
            .expect("fits");
        second.shrink_to(10);
        assert_eq!(budget.taken.load(Ordering::Relaxed), 10);
        assert!(
            budget
                .take(u64::MAX, format_args!("all"), "ask less")
                .is_err()
        );
        assert_eq!(budget.taken.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn lists_grow_as_far_as_they_may() {
        let budget = budget(1 << 12);
        let mut taken = budget.take(0, format_args!(""), "").expect("nothing");
        let mut list = Vec::<u64>::new();
        let met = (0..).find_map(|value| {
            let room = taken.reserve(&mut list, 1, format_args!("a list"), "ask less");
            list.push(value);
            room.err()
        });
        assert!(met.is_some_and(|met| matches!(met, Error::Memory { .. })));
        assert!(list.len() > 100 && list.capacity() * 8 <= 1 << 13);
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let error = budget(u64::MAX)
            .take(1 << 62, format_args!("the world"), "ask less")
            .expect_err("no system has as much");
        assert!(error.to_string().contains("system"), "{error}");
    }
}
