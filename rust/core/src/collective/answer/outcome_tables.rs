//! An answer as facts and tables, by the names that results have for them.

use super::outcome::Outcome;
use super::rows;
use crate::collective::ask::choice::Choice;
use crate::collective::tables::{Column, Fact, Facts, Table, Tables};

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
            (
                "steps",
                Fact::Count(self.stages.iter().map(|row| row.steps).sum()),
            ),
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
            ("choice", Fact::Record(Some(self.chosen_facts()))),
        ];
        self.asked.iter().cloned().chain(answered).collect()
    }

    /// What was considered, as a table.
    pub(crate) fn candidates_table(&self) -> Table {
        let candidates = self.candidates.iter();
        let names = candidates.clone().map(|one| one.algorithm.clone());
        let seconds = candidates
            .clone()
            .map(|one| *one.outcome.as_ref().unwrap_or(&f64::NAN));
        let reasons = candidates.map(|one| one.outcome.as_ref().err().cloned().unwrap_or_default());
        vec![
            ("algorithm", Column::Text(names.collect())),
            ("time_s", Column::Number(seconds.collect())),
            ("reason", Column::Text(reasons.collect())),
        ]
    }

    /// What was chosen: as a solver with rules of its own says, or else how to ask for the algorithms again.
    fn chosen_facts(&self) -> Facts {
        if !self.chosen.is_empty() {
            return self.chosen.clone();
        }
        let text = |name: &String| Fact::Text(name.clone());
        let algorithm = match &self.choice {
            _ if self.stages.is_empty() => text(&self.algorithm),
            Choice::Auto => text(&self.algorithm),
            Choice::Named(name) => text(name),
            Choice::Tiers(names) => Fact::List(names.iter().map(text).collect()),
        };
        vec![("algorithm", algorithm)]
    }

    /// Its tables.
    pub fn tables(&self) -> Tables {
        let bounds = self.bounds.iter();
        let bounds: Table = vec![
            (
                "bound",
                Column::Text(bounds.clone().map(|bound| bound.name.clone()).collect()),
            ),
            (
                "time_s",
                Column::Number(bounds.map(|bound| bound.seconds).collect()),
            ),
        ];
        Tables::of(vec![
            ("bounds", bounds),
            ("stages", rows::table(&self.stages, false)),
            ("phases", rows::table(&self.phases, true)),
            ("candidates", self.candidates_table()),
        ])
    }
}
