//! A schedule message by message, and the groups that run it side by side.

use super::pipeline::Pipeline;
use crate::machine::Machine;
use crate::schedule::Schedule;
use crate::{Error, Result};
use std::sync::Arc;

/// Most messages of all groups of one request that are written out.
pub(crate) const MOST_WRITTEN: usize = 1 << 20;

/// A schedule and the groups that run it side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The name of the algorithm that made it.
    pub algorithm: String,
    /// The messages of one group.
    pub schedule: Arc<Schedule>,
    /// The chunks and pieces in which they go: as many as link loads favour, or fewer where so many messages are too
    /// many to simulate.
    pub pipeline: Pipeline,
    /// Chips of each group, in the order of the schedule's ranks.
    pub groups: Vec<Vec<u32>>,
}

impl Written {
    /// Messages of all groups, in the chunks and pieces of a pipeline.
    pub(super) fn messages(&self, pipeline: &Pipeline) -> usize {
        let of_group = pipeline.messages(&self.schedule);
        of_group.saturating_mul(self.groups.len())
    }

    /// Checks every number against the machine.
    pub(super) fn check(&self, machine: &Machine) -> Result<()> {
        self.schedule.check()?;
        let ranks = self.schedule.chips.len();
        for group in &self.groups {
            if group.len() != ranks {
                return Err(Error::invalid(
                    "groups",
                    format!("{} chips", group.len()),
                    format!("must have one for each of the {ranks} ranks of the schedule"),
                ));
            }
            for (rank, &chip) in group.iter().enumerate() {
                machine.check_chip(format_args!("group[{rank}]"), i128::from(chip))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn too_many(messages: usize) -> Error {
    Error::unsupported(
        format!(
            "writing out {messages} messages or more: at most {MOST_WRITTEN} are simulated at once"
        ),
        "use model \"link_load\", or smaller groups",
    )
}

/// The same refusal, which names the model that needs no list of messages.
pub(crate) fn or_link_load(error: Error) -> Error {
    match error {
        Error::Unsupported { what, instead } => {
            Error::unsupported(what, format!("{instead}, or use model \"link_load\""))
        }
        other => other,
    }
}
