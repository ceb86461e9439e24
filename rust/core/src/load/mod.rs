//! Bytes that many messages put on every link, exactly: the same bits for any number of threads.

mod cell;
mod columns;
mod cross;
mod direct;
mod grid;
mod job;
mod kernel;
mod near;
mod pattern;
mod segments;
mod sorted;
mod spread;
mod tally;
mod template;
mod uniform;
mod uniform_adaptive;
mod unreachable;
mod valiant;
mod walked;
mod workers;

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory;

/// Most links of a machine whose loads are asked for, and most chips of one whose destinations are: an array of
/// so many numbers takes 4 GiB.
pub const MOST_LINKS: u64 = 1 << 29;

/// Refuses machines whose answer would not fit into memory: `each` values of 8 bytes for every link or chip.
fn check_dense(machine: &Machine, each: u64) -> Result<()> {
    let numbers = machine.num_links().max(u64::from(machine.num_chips()));
    if numbers <= MOST_LINKS {
        let what = format_args!(
            "arrays over the {} links and {} chips of this machine",
            machine.num_links(),
            machine.num_chips()
        );
        return memory::check(numbers * 8 * each, what, "use a smaller machine");
    }
    Err(Error::unsupported(
        format!(
            "an array over the {} links and {} chips of this machine",
            machine.num_links(),
            machine.num_chips()
        ),
        format!("use a machine of at most {MOST_LINKS} of each, or routes of single messages"),
    ))
}

pub use crate::random::SplitMix64;
pub use columns::{ByteColumn, Flows, IndexColumn};
pub use job::link_loads;
pub use pattern::{Pattern, destinations};
pub use uniform::uniform;
pub use unreachable::unreachable;
