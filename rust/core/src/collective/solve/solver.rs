//! What answers requests: one row for each way to do so.

use super::asked::Asked;
use super::search::Search;
use crate::collective::answer::outcome::Outcome;
use crate::collective::events::together::Pipeline;
use crate::collective::pattern::damage::has_damage;
use crate::operation::Operation;
use crate::schedule::Schedule;
use crate::{Error, Result};

/// Name of the algorithm, its schedule for the first group, and the chunks and pieces that go through it.
pub(crate) type Unrolled = (String, Schedule, Pipeline);

/// Writes a schedule out, or why there is none and what to do instead.
pub(crate) type Unroll =
    std::result::Result<fn(&Asked) -> Result<Unrolled>, (&'static str, &'static str)>;

/// One way to answer requests, which `algorithm=` names.
pub struct Solver {
    /// The name that users write.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does; some of it perhaps on some machines only.
    pub operations: &'static [Operation],
    /// It sends chunks through its schedules.
    pub(crate) takes_chunks: bool,
    /// It runs on damaged domains.
    pub(crate) on_damage: bool,
    /// No time of its is below what links and ranks must do.
    pub(crate) is_bounded: bool,
    /// Answers; the outcome comes empty.
    pub(crate) run: fn(&Asked, &mut Outcome) -> Result<()>,
    /// Seconds of [`Solver::run`] alone, where they are had for less.
    pub(crate) time: Option<fn(&Asked) -> Result<f64>>,
    /// Prices all that does not depend on the size, where times at many sizes follow from that; the request is for
    /// one byte.
    pub(crate) prepare: Option<fn(&Asked) -> Result<Search>>,
    pub(crate) schedule: Unroll,
}

impl Solver {
    /// Refuses, on damaged domains, prices that are tables of whole ones.
    pub(crate) fn check_damage(&self, asked: &Asked) -> Result<()> {
        if self.on_damage || !has_damage(asked.machine, asked.groups) {
            return Ok(());
        }
        Err(Error::unsupported(
            format!(
                "{} over damaged UltraServers: it is measured on whole ones",
                self.name
            ),
            "use \"auto\" or name another algorithm",
        ))
    }

    /// Refuses an operation that it does not do.
    pub(crate) fn check_operation(&self, operation: Operation) -> Result<()> {
        if self.operations.contains(&operation.as_run()) {
            return Ok(());
        }
        let does: Vec<&str> = self.operations.iter().map(|one| one.name()).collect();
        Err(Error::unsupported(
            format!("algorithm '{}' for {}", self.name, operation.name()),
            format!("it does {}; name another algorithm", does.join(", ")),
        ))
    }
}
