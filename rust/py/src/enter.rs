//! The one door from Python into the core. Every call that computes goes through it: the GIL is released, and core
//! errors become exceptions. A job of one thread looks for signals at its own checks; one of several, or one that
//! reports progress, runs beside its caller, who watches it.

use crate::error::{raise, to_py};
use crate::shortage::Growth;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rainier_core::{Control, Result, Watcher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// How often the waiting thread looks for Ctrl-C. Jobs look at the cancel flag every few milliseconds, so an
/// interrupt is answered within about twice this.
const WATCH: Duration = Duration::from_millis(50);
/// How often a job looks for Ctrl-C at its own checks: where they are rarer, at each of them.
const OWN_WATCH: Duration = Duration::from_millis(20);
/// How often the waiting thread looks at the memory of the process: more often, as memory goes fast.
const LOOKS: u32 = 5;
/// Progress is reported at most this often.
const REPORT_EVERY: u32 = 2;

/// Runs a job that is known to take less than about 10 ms, without the GIL.
pub(crate) fn quick<T: Send>(
    py: Python<'_>,
    job: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(job).map_err(|error| to_py(py, &error))
}

/// Runs a job of one thread, which checks its control every few milliseconds however long it takes: without the GIL, on
/// the thread of the caller, since a thread of its own takes longer than a small collective. KeyboardInterrupt is
/// raised soon after Ctrl-C, as by [`watched`].
pub(crate) fn here<T: Send>(
    py: Python<'_>,
    job: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    let caller = Arc::new(Caller::default());
    let control = Control::watched_by(Arc::clone(&caller) as Arc<dyn Watcher>);
    let outcome = py.detach(|| job(&control));
    if let Some(error) = caller.looks().met.take() {
        return Err(error);
    }
    outcome.map_err(|error| to_py(py, &error))
}

/// Looks after the job that runs on its thread.
struct Caller(Mutex<Looks>);

struct Looks {
    /// When signals were looked for last.
    looked: Instant,
    growth: Growth,
    /// Whether signals come to this thread, once that was asked.
    signals: Option<bool>,
    /// Why the job was stopped.
    met: Option<PyErr>,
}

impl Default for Caller {
    fn default() -> Self {
        Self(Mutex::new(Looks {
            looked: Instant::now(),
            growth: Growth::default(),
            signals: None,
            met: None,
        }))
    }
}

impl Caller {
    fn looks(&self) -> std::sync::MutexGuard<'_, Looks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Caller {
    fn stops(&self) -> bool {
        let mut looks = self.looks();
        let seen = match looks.growth.too_much() {
            Some(bytes) => Python::attach(|py| Err(too_large(py, bytes))),
            // Others may hold the GIL for long, and on threads without signals it is not needed.
            None if looks.looked.elapsed() < OWN_WATCH || looks.signals == Some(false) => Ok(()),
            None => Python::attach(|py| {
                looks.looked = Instant::now();
                if looks.signals.is_none() {
                    looks.signals = Some(is_main(py)?);
                }
                py.check_signals()
            }),
        };
        looks.met = seen.err();
        looks.met.is_some()
    }
}

/// Whether this is Python's main thread, to which alone it delivers signals.
fn is_main(py: Python<'_>) -> PyResult<bool> {
    static THREADING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let import = || py.import("threading").map(Bound::unbind);
    let threading = THREADING.get_or_try_init(py, import)?.bind(py);
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    threading.call_method0("get_ident")?.eq(main)
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
        let spawned = Builder::new().spawn_scoped(scope, move || {
            // Wakes the caller however the job ends, a panic included.
            let _wake = Wake { finished, waiting };
            job(control)
        });
        // Not on this thread: nothing would see Ctrl-C.
        let worker = spawned.map_err(|error| no_thread(py, &error))?;
        let mut interrupted = None;
        let mut ticks = 0u32;
        let mut growth = Growth::default();
        loop {
            let grown = py.detach(|| wait(finished, &mut growth));
            if finished.load(Ordering::Acquire) {
                break;
            }
            ticks += 1;
            let mut seen = match grown {
                Some(bytes) => Err(too_large(py, bytes)),
                None => py.check_signals(),
            };
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

/// Waits until the job has ended, for [`WATCH`], or until the process has grown too much: by how many bytes.
fn wait(finished: &AtomicBool, growth: &mut Growth) -> Option<u64> {
    for _ in 0..LOOKS {
        // Returns at once where the job has ended already; looking at memory takes as long as a short job.
        std::thread::park_timeout(WATCH / LOOKS);
        if finished.load(Ordering::Acquire) {
            return None;
        }
        let grown = growth.too_much();
        if grown.is_some() {
            return grown;
        }
    }
    None
}

fn no_thread(py: Python<'_>, error: &std::io::Error) -> PyErr {
    let message = format!(
        "a thread to compute on: the system gives none ({error}); end other threads, or raise its limits on them and on memory"
    );
    raise(py, "Unsupported", &message)
}

fn too_large(py: Python<'_>, bytes: u64) -> PyErr {
    let message = format!(
        "this call: the process grew by {bytes} bytes while it ran, more than one call may take ({}); ask for less at once, or raise memory_limit",
        rainier_core::memory::limit()
    );
    raise(py, "Unsupported", &message)
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
