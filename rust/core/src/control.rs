//! How a long job and its caller talk: a flag to stop and a count of work done.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    cancelled: Arc<AtomicBool>,
    done: AtomicU64,
}

impl Control {
    /// Asks the job to stop at its next check.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails with [`Error::Cancelled`] once [`Control::cancel`] was called. Jobs call it every few
    /// milliseconds of work.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(Error::Cancelled)
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
            cancelled: Arc::clone(&self.cancelled),
            done: AtomicU64::new(0),
        }
    }

    /// Units of work finished so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}
