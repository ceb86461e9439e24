//! What the reckoning of the core misses, seen from outside: a process that grows by more than a call may take.

use std::sync::atomic::{AtomicU64, Ordering};

static MOST_RESIDENT: AtomicU64 = AtomicU64::new(u64::MAX);
static MOST_ADDRESSES: AtomicU64 = AtomicU64::new(u64::MAX);

/// Sets by how many bytes, of memory and of address space, the process may grow during a call.
pub(crate) fn set_most(resident: u64, addresses: u64) {
    MOST_RESIDENT.store(resident, Ordering::Relaxed);
    MOST_ADDRESSES.store(addresses, Ordering::Relaxed);
}

/// How far the process has grown since the first look.
#[derive(Default)]
pub(crate) struct Growth(Option<(u64, u64)>);

impl Growth {
    /// The bytes by which the process has grown, once that is too much. Where the system does not say, it never is.
    pub(crate) fn too_much(&mut self) -> Option<u64> {
        let (addresses, resident) = sizes()?;
        let first = *self.0.get_or_insert((addresses, resident));
        let grown = (
            addresses.saturating_sub(first.0),
            resident.saturating_sub(first.1),
        );
        if grown.1 > MOST_RESIDENT.load(Ordering::Relaxed) {
            return Some(grown.1);
        }
        (grown.0 > MOST_ADDRESSES.load(Ordering::Relaxed)).then_some(grown.0)
    }
}

/// Bytes of address space and of memory that the process has.
fn sizes() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kibibytes("VmSize:")? * 1024, kibibytes("VmRSS:")? * 1024))
}
