//! An answer as facts and tables, by the names that results have for them.

use super::outcome::{Candidate, Outcome};
use super::rows;
use super::told::Told;
use crate::collective::ask::choice::Choice;
use crate::collective::price::bound::Bound;
use crate::collective::tables::{Column, Fact, Facts, Table};
use crate::machine::Machine;

impl Outcome {
    /// What it says but for its tables, by the names that results have for it.
    pub fn facts(&self) -> Facts {
        let text = |text: &str| Fact::Text(text.to_owned());
        let bottleneck = self.bottleneck.as_ref().map(|worst| {
            vec![
                ("link_class", Fact::Text(worst.class.clone())),
                ("link", Fact::Count(worst.link)),
                ("bytes", Fact::Number(worst.bytes)),
                ("utilisation", Fact::Number(worst.utilisation)),
            ]
        });
        let answered = vec![
            ("algorithm", text(&self.algorithm)),
            ("model", text(self.model_name())),
            ("ranks", Fact::Count(self.ranks as u64)),
            ("groups", Fact::Count(self.groups as u64)),
            ("chunks", Fact::Count(u64::from(self.chunks))),
            ("steps", Fact::Count(self.told.steps())),
            ("time_s", Fact::Number(self.time)),
            ("latency_s", Fact::Number(self.latency)),
            ("overhead_s", Fact::Number(self.overhead)),
            (
                "bus_factor",
                Fact::Number(self.operation.bus_factor(self.ranks)),
            ),
            ("lower_bound_s", Fact::Number(self.lower_bound())),
            ("bottleneck", Fact::Record(bottleneck)),
            ("note", text(&self.note)),
            (
                "unmeasured",
                Fact::List(self.unmeasured.iter().map(|part| text(part)).collect()),
            ),
            ("choice", Fact::Record(Some(self.chosen_facts()))),
        ];
        self.asked.iter().cloned().chain(answered).collect()
    }

    /// What was chosen: as a solver with rules of its own says, or else how to ask for the algorithms again.
    fn chosen_facts(&self) -> Facts {
        if !self.chosen.is_empty() {
            return self.chosen.clone();
        }
        let text = |name: &String| Fact::Text(name.clone());
        let algorithm = match &self.choice {
            _ if self.told.is_empty() => text(&self.algorithm),
            Choice::Auto => text(&self.algorithm),
            Choice::Named(name) => text(name),
            Choice::Tiers(names) => Fact::List(names.iter().map(text).collect()),
        };
        vec![("algorithm", algorithm)]
    }

    /// Its tables.
    pub fn tables(&self) -> Tables {
        Tables {
            told: self.told.clone(),
            bounds: self.bounds.clone(),
            candidates: self.candidates.clone(),
        }
    }
}

/// The tables of an answer, made when they are read: until then, what answers that differ in size alone share.
#[derive(Debug, Clone)]
pub struct Tables {
    told: Told,
    bounds: Vec<Bound>,
    candidates: Vec<Candidate>,
}

impl Tables {
    /// Their names.
    pub const NAMES: [&'static str; 4] = ["bounds", "stages", "phases", "candidates"];

    /// One of them, of the machine that was asked.
    pub fn table(&self, machine: &Machine, name: &str) -> Option<Table> {
        match name {
            "bounds" => Some(self.bounds()),
            "stages" => Some(rows::table(&self.told.stages(machine), false)),
            "phases" => Some(rows::table(&self.told.phases(machine), true)),
            "candidates" => Some(self.candidates()),
            _ => None,
        }
    }

    fn bounds(&self) -> Table {
        let (names, seconds) = self
            .bounds
            .iter()
            .map(|one| (one.name.clone(), one.seconds))
            .unzip();
        vec![
            ("bound", Column::Text(names)),
            ("time_s", Column::Number(seconds)),
        ]
    }

    fn candidates(&self) -> Table {
        let all = || self.candidates.iter();
        let seconds = all().map(|one| *one.outcome.as_ref().unwrap_or(&f64::NAN));
        let reasons = all().map(|one| one.outcome.as_ref().err().cloned().unwrap_or_default());
        vec![
            (
                "algorithm",
                Column::Text(all().map(|one| one.algorithm.clone()).collect()),
            ),
            ("time_s", Column::Number(seconds.collect())),
            ("reason", Column::Text(reasons.collect())),
        ]
    }
}
