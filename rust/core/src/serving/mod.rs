//! What serving a transformer takes on a machine, in closed form.
//!
//! A **service** says what requests are and how the engine runs them; a **layout**, on how many ranks. A request is
//! prefilled once and then decoded token by token, with others; both are a **pass** through all layers, whose seconds
//! are the sum of **parts** on one rank. How often which pass runs follows from how many requests there are.
//!
//! - `service`, `pace`: what is asked and how fast the stack goes beside its operators; `cut`: a layout that fits both;
//!   `runs`: all that a pass runs on
//! - `shapes`: what an engine pads passes to
//! - `pass`: operators of a pass, `traffic` its collectives, `parts` their seconds; `memory`: what a rank holds
//! - `lengths`: how long requests are; `prompts`: prefills by length
//! - `curve`: steps of decoding by batch; `balance`: how many run at once, `open` where they
//!   come at a rate; `spread`: p50 and p90; `serve`: all of it
//!   together; `events`: the same request by request

mod attention;
mod balance;
mod curve;
mod cut;
mod events;
mod lengths;
mod memory;
mod open;
mod pace;
mod parts;
mod pass;
mod prompts;
mod runs;
mod serve;
mod service;
mod shapes;
mod spread;
#[cfg(test)]
mod tests;
mod traffic;

pub use cut::Cut;
pub use events::{Load, Moments, Request, events};
pub use memory::Held;
pub use pace::Pace;
pub use parts::{Part, Parts};
pub use runs::Runs;
pub use serve::{Demand, Served, serve};
pub use service::{Engine, Length, Service, Speculation};
pub use spread::Quantiles;
