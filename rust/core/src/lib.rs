//! The arithmetic of `rainier_fast`: torus routing, link loads and the cost of collectives on clusters of
//! accelerator domains. No Python, no unsafe code, no I/O. Bandwidths are bytes/s, times are seconds.
#![forbid(unsafe_code)]

pub mod astra_sim;
pub mod collective;
mod control;
mod error;
pub mod load;
pub mod machine;
pub mod mapping;
pub mod memory;
mod operation;
pub mod pipeline;
pub mod placing;
mod random;
pub mod route;
pub mod schedule;
pub mod serving;
pub mod sim;
pub mod synthesize;
pub mod threads;
mod watch;
mod weigh;
pub mod workload;

pub use control::Control;
pub use error::{Error, Result};
pub use sim::{fifo, fluid};
pub use watch::Watcher;
