//! Worker threads. They live for one call only (scoped), so a forked child never inherits a pool whose
//! threads do not exist, and nothing runs between calls. Starting a few costs tens of microseconds;
//! callers keep small jobs on their own thread.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

/// Most threads that a caller may ask for.
pub const MAX_THREADS: usize = 1024;

/// The number of workers for `wanted`: 0 means one per core.
///
/// # Errors
/// [`Error::Invalid`] above [`MAX_THREADS`].
pub fn resolve(wanted: usize) -> Result<usize> {
    if wanted > MAX_THREADS {
        return Err(Error::invalid(
            "n_threads",
            wanted,
            format!("must be 1 to {MAX_THREADS}"),
        ));
    }
    if wanted > 0 {
        return Ok(wanted);
    }
    Ok(std::thread::available_parallelism().map_or(1, usize::from))
}

/// Runs `work(state, block)` for every block number below `blocks`, each block once, on `threads`
/// workers with a state of their own made by `init`. Returns the states in no promised order: combine them
/// only by operations that do not care (integer sums).
///
/// # Errors
/// The first error that any worker met; the others stop at their next block.
pub(crate) fn over_blocks<S: Send>(
    threads: usize,
    blocks: usize,
    init: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let next = AtomicUsize::new(0);
    let run = || -> Result<S> {
        let mut state = init();
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return Ok(state);
            }
            if let Err(error) = work(&mut state, block) {
                next.store(blocks, Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    if threads <= 1 || blocks <= 1 {
        return Ok(vec![run()?]);
    }
    std::thread::scope(|scope| {
        let wanted = threads.min(blocks);
        // Where the system gives no more threads, those that it gave and this one do the work.
        let workers: Vec<_> = (0..wanted)
            .map_while(|_| Builder::new().spawn_scoped(scope, run).ok())
            .collect();
        let own = (workers.len() < wanted).then(run);
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .chain(own)
            .collect()
    })
}
