//! Who looks around while a job runs on the thread of its caller: at the job's own checks, but not at each of them.

use std::fmt::{Debug, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// How often a watcher looks.
const EVERY: Duration = Duration::from_millis(10);

/// Most checks of which one reads the clock, which takes as long as a small step of a job.
const STRIDE: u64 = 8;

/// Where checks between two readings take longer than this, each of the next reads the clock.
const SMALL: Duration = Duration::from_millis(1);

/// Looks whether a job shall go on. It is called on the thread that began the job, about every 10 ms.
pub trait Watcher: Send + Sync {
    /// True once the job shall stop.
    fn stops(&self) -> bool;
}

/// A watcher, and when it looks again.
pub(crate) struct Watch {
    watcher: Arc<dyn Watcher>,
    owner: ThreadId,
    start: Instant,
    /// Checks until the clock is read, and how many that were the last time.
    left: AtomicU64,
    stride: AtomicU64,
    /// When it was read last and when the watcher looks next: nanoseconds from the start.
    read: AtomicU64,
    next: AtomicU64,
}

impl Watch {
    pub(crate) fn new(watcher: Arc<dyn Watcher>) -> Self {
        Self {
            watcher,
            owner: std::thread::current().id(),
            start: Instant::now(),
            left: AtomicU64::new(1),
            stride: AtomicU64::new(1),
            read: AtomicU64::new(0),
            next: AtomicU64::new(nanos(EVERY)),
        }
    }

    /// Lets the watcher look if it is time.
    pub(crate) fn stops(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        if left > 1 {
            self.left.store(left - 1, Ordering::Relaxed);
            return false;
        }
        let now = nanos(self.start.elapsed());
        let quick = now - self.read.swap(now, Ordering::Relaxed).min(now) < nanos(SMALL);
        let stride = match quick {
            true => STRIDE.min(2 * self.stride.load(Ordering::Relaxed)),
            false => 1,
        };
        self.stride.store(stride, Ordering::Relaxed);
        self.left.store(stride, Ordering::Relaxed);
        if now < self.next.load(Ordering::Relaxed) || std::thread::current().id() != self.owner {
            return false;
        }
        let stops = self.watcher.stops();
        let next = self.start.elapsed() + EVERY;
        self.next.store(nanos(next), Ordering::Relaxed);
        stops
    }
}

impl Debug for Watch {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Nanoseconds; those of five centuries fit.
fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
