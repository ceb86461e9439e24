//! How a long job and its caller talk: a flag to stop, a count of work done, and the memory that the job may take.

use crate::error::{Error, Result};
use crate::memory::{Budget, Taken};
use crate::watch::{Watch, Watcher};
use std::fmt::Arguments;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Small steps between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// Shared between a job and the thread that waits for it.
///
/// ```
/// let control = rainier_core::Control::default();
/// control.advance(10);
/// assert_eq!(control.done(), 10);
/// control.cancel();
/// assert!(control.check().is_err());
/// ```
#[derive(Debug, Default)]
pub struct Control {
    done: AtomicU64,
    budget: Arc<Budget>,
}

impl Control {
    /// One for a job on the thread of its caller: `watcher` looks around at its checks, and says when it is to stop.
    #[must_use]
    pub fn watched_by(watcher: Arc<dyn Watcher>) -> Self {
        Self {
            done: AtomicU64::new(0),
            budget: Arc::new(Budget::watched(Watch::new(watcher))),
        }
    }

    /// Asks the job to stop at its next check.
    pub fn cancel(&self) {
        self.budget.cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails with [`Error::Cancelled`] once [`Control::cancel`] was called. Jobs call it every few
    /// milliseconds of work.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// True once it was cancelled: for loops that cannot fail. Whoever runs one checks when it has ended.
    pub(crate) fn is_cancelled(&self) -> bool {
        let asked = self.budget.cancelled.load(Ordering::Relaxed);
        if asked
            || self
                .budget
                .watch
                .as_ref()
                .is_none_or(|watch| !watch.stops())
        {
            return asked;
        }
        self.cancel();
        true
    }

    /// [`Control::check`] at some of the steps of a long loop, of which each takes less than a microsecond or so.
    pub(crate) fn check_at(&self, step: usize) -> Result<()> {
        if step % STRETCH == 0 {
            self.check()
        } else {
            Ok(())
        }
    }

    /// Adds `units` of finished work.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// One for a part of the job: it stops with the whole, and counts its work for itself.
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            done: AtomicU64::new(0),
            budget: Arc::clone(&self.budget),
        }
    }

    /// Takes `bytes` for `what`, until the answer is dropped; counted before they are allocated.
    ///
    /// # Errors
    /// [`Error::Memory`], with the bytes, the limit and `instead`, where the job would hold more than
    /// [`memory::limit`](crate::memory::limit) was when it began.
    pub(crate) fn take(&self, bytes: u64, what: Arguments, instead: &str) -> Result<Taken> {
        self.budget.take(bytes, what, instead)
    }

    /// Units of work finished so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// How often a watcher looks.
    const EVERY: Duration = Duration::from_millis(10);

    /// Stops a job at its third look.
    #[derive(Default)]
    struct Third(AtomicU64);

    impl Watcher for Third {
        fn stops(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) == 2
        }
    }

    #[test]
    fn a_watcher_looks_every_ten_milliseconds_and_stops_the_job() {
        let watcher = Arc::new(Third::default());
        let control = Control::watched_by(watcher.clone());
        let (start, mut checks) = (Instant::now(), 0u64);
        // Small steps, and large ones.
        while control.part().check().is_ok() {
            checks += 1;
            if start.elapsed() > EVERY {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        assert!(start.elapsed() >= 3 * EVERY && checks > 100);
        assert_eq!(watcher.0.load(Ordering::Relaxed), 3);
        assert_eq!(control.check(), Err(Error::Cancelled));
    }

    #[test]
    fn other_threads_of_a_job_do_not_look() {
        let watcher = Arc::new(Third::default());
        let control = Control::watched_by(watcher.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(2 * EVERY);
                (0..100).for_each(|_| assert!(control.check().is_ok()));
            });
        });
        assert_eq!(watcher.0.load(Ordering::Relaxed), 0);
        (0..100).for_each(|_| assert!(control.check().is_ok()));
        assert_eq!(watcher.0.load(Ordering::Relaxed), 1);
    }
}
