//! What an answer tells of its stages and phases: rows are made when somebody reads them.

use super::rows::{Row, rows, sent_by, stage_row, steps_of};
use crate::collective::price::sheet::Sheet;
use crate::machine::Machine;
use std::sync::Arc;

/// Sheets of stages, and rows after those of these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Of one byte, shared by answers that differ in size.
    pub(crate) sheets: Vec<Arc<Sheet>>,
    /// Bytes.
    pub(crate) scale: f64,
    pub(crate) stages: Vec<Row>,
    pub(crate) phases: Vec<Row>,
}

impl Told {
    /// It has no stage.
    pub(crate) fn is_empty(&self) -> bool {
        self.sheets.is_empty() && self.stages.is_empty()
    }

    fn sheets(&self) -> impl Iterator<Item = Sheet> + '_ {
        self.sheets.iter().map(|sheet| sheet.scaled(self.scale))
    }

    /// The same as rows, to be put right.
    pub(crate) fn rows(&mut self, machine: &Machine) -> &mut Self {
        *self = Self {
            stages: self.stages(machine),
            phases: self.phases(machine),
            ..Self::default()
        };
        self
    }

    /// A row for each stage.
    pub(crate) fn stages(&self, machine: &Machine) -> Vec<Row> {
        let sheets = self.sheets().map(|sheet| stage_row(machine, &sheet));
        sheets.chain(self.stages.iter().cloned()).collect()
    }

    /// A row for each phase.
    pub(crate) fn phases(&self, machine: &Machine) -> Vec<Row> {
        let sheets = self.sheets().flat_map(|sheet| rows(machine, &sheet));
        sheets.chain(self.phases.iter().cloned()).collect()
    }

    /// Steps of all stages.
    pub(crate) fn steps(&self) -> u64 {
        let sheets = self.sheets.iter().map(|sheet| steps_of(sheet));
        sheets.chain(self.stages.iter().map(|row| row.steps)).sum()
    }

    /// Bytes that the busiest senders of all stages send.
    pub(crate) fn sent(&self) -> f64 {
        let sheets = self.sheets().map(|sheet| sent_by(&sheet));
        sheets.chain(self.stages.iter().map(|row| row.bytes)).sum()
    }
}
