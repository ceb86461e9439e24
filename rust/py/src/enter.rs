//! The one door from Python into the core. Every call that computes goes through it: the GIL is released, a
//! long job runs on a thread of its own while the caller watches for signals and reports progress, and core
//! errors become exceptions.

use crate::error::to_py;
use pyo3::prelude::*;
use rainier_core::{Control, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the waiting thread looks for Ctrl-C. Jobs look at the cancel flag every few milliseconds, so an
/// interrupt is answered within about twice this.
const WATCH: Duration = Duration::from_millis(50);
/// Progress is reported at most this often.
const REPORT_EVERY: u32 = 2;

/// Runs a job that is known to take less than about 10 ms, without the GIL.
pub(crate) fn quick<T: Send>(
    py: Python<'_>,
    job: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(job).map_err(|error| to_py(py, &error))
}

/// Runs a job that may take long: releases the GIL, raises KeyboardInterrupt soon after Ctrl-C (when called on
/// the main thread: Python delivers signals only there), calls `progress(done, total)` if given.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    total: u64,
    progress: Option<&Bound<'_, PyAny>>,
    job: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    let control = Control::default();
    let finished = AtomicBool::new(false);
    let waiting = std::thread::current();
    let outcome = std::thread::scope(|scope| {
        let (control, finished) = (&control, &finished);
        let worker = scope.spawn(move || {
            // Wakes the caller however the job ends, a panic included.
            let _wake = Wake { finished, waiting };
            job(control)
        });
        let mut interrupted = None;
        let mut ticks = 0u32;
        loop {
            py.detach(|| {
                if !finished.load(Ordering::Acquire) {
                    std::thread::park_timeout(WATCH);
                }
            });
            if finished.load(Ordering::Acquire) {
                break;
            }
            ticks += 1;
            let mut seen = py.check_signals();
            if let (Ok(()), Some(report)) = (&seen, progress) {
                if ticks % REPORT_EVERY == 0 {
                    seen = report.call1((control.done(), total)).map(|_| ());
                }
            }
            if let Err(error) = seen {
                control.cancel();
                interrupted = Some(error);
                break;
            }
        }
        let joined = py.detach(|| worker.join());
        match (interrupted, joined) {
            (Some(error), _) => Err(error),
            (None, Ok(result)) => result.map_err(|error| to_py(py, &error)),
            (None, Err(panic)) => std::panic::resume_unwind(panic),
        }
    })?;
    if let Some(report) = progress {
        report.call1((total, total))?;
    }
    Ok(outcome)
}

/// Tells the waiting thread that the job has ended.
struct Wake<'a> {
    finished: &'a AtomicBool,
    waiting: std::thread::Thread,
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.waiting.unpark();
    }
}
