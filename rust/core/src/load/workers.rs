//! How many threads pay.

/// Bytes that the counters of all workers may take together.
const TALLY_BYTES: u64 = 1 << 30;

/// What to do about counters that do not fit.
pub(super) const FEWER_LINKS: &str = "use a smaller machine, or fewer threads";

/// Flows that make another worker worth while.
const FLOWS_PER_WORKER: usize = 1 << 15;

/// Workers worth starting when each has `cells` counters of `size` bytes and there are `flows`.
pub(super) fn workers(threads: usize, flows: usize, cells: u64, size: usize) -> usize {
    let by_memory = TALLY_BYTES / (cells * size as u64).max(1);
    let by_merging = flows as u64 * 8 / cells.max(1);
    let by_flows = flows / FLOWS_PER_WORKER;
    threads
        .min(by_flows)
        .min(by_memory.min(by_merging).min(1 << 20) as usize)
        .max(1)
}
