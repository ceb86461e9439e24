//! What an answer says of a choice.

use super::choice::Choice;
use super::price::{NAME, Plan};
use super::tables::{PAGE, VERSIONS};
use crate::collective::ask::choice::Choice as Algorithm;
use crate::collective::ask::request::Request;
use crate::collective::tables::{Fact, Facts};
use crate::operation::Operation::{AllGather, AllReduce, AllToAll, ReduceScatter};

impl Plan {
    pub(super) fn name(&self) -> String {
        let choice = &self.choice;
        let by = [choice.strategy, choice.emitter];
        match by.into_iter().find(|by| !by.is_empty()) {
            Some(by) => format!("{NAME}({}, {by})", choice.remains),
            None => format!("{NAME}({})", choice.remains),
        }
    }

    /// What was chosen by which versions, what stands for it, and what is not known.
    pub(super) fn note(&self, request: &Request) -> String {
        let choice = &self.choice;
        let versions = VERSIONS.map(|(what, version)| format!("{what} {version}"));
        let by = if choice.emitter.is_empty() {
            String::new()
        } else {
            format!(" by {}", choice.emitter)
        };
        let Algorithm::Named(algorithm) = &self.stands_in.algorithm else {
            unreachable!("a schedule with a name stands in")
        };
        let priced = match &algorithm[..] {
            "bucket" => "rings in the compiler's orders of axes, equal shares, both ways",
            "ring" => "one ring, both ways",
            _ => "direct sends",
        };
        let mut note = format!(
            "{} compiles it to {}{by}; priced as {priced}",
            versions.join(", "),
            choice.remains
        );
        let unknown = self.unknown(request);
        if !unknown.is_empty() {
            note += &format!("; not known: {}", unknown.join(", "));
        }
        note
    }

    fn unknown(&self, request: &Request) -> Vec<&'static str> {
        let choice = &self.choice;
        let mut unknown = Vec::new();
        if choice.rings.windows(2).any(|pair| pair[0] != pair[1]) {
            unknown.push("the shares of its colours");
        }
        let one_phase = choice.emitter == "SinglePhaseRingSumEmitter";
        if one_phase || !choice.multistep.is_empty() {
            unknown.push("the steps inside its short form");
        }
        let sums = matches!(choice.operation, AllReduce | ReduceScatter | AllGather);
        if sums && choice.orders.is_empty() && self.group.axes.len() != 1 {
            unknown.push("the path of its ring");
        }
        let shard = request.size / f64::from(self.group.chips);
        if choice.operation == ReduceScatter && shard % PAGE != 0.0 {
            unknown.push("what padding of shards to 4 KiB takes");
        }
        if choice.operation == AllToAll {
            unknown.push("its order of messages");
        }
        unknown
    }
}

impl Choice {
    /// By the names that results have for it.
    pub(super) fn facts(&self) -> Facts {
        let text = |text: &str| match text {
            "" => Fact::Record(None),
            text => Fact::Text(text.to_owned()),
        };
        let count = |number: usize| Fact::Count(number as u64);
        let (colours, phases) = match self.rings.first() {
            Some(first) => (count(self.rings.len()), count(first.len())),
            None => (Fact::Record(None), Fact::Record(None)),
        };
        let axes = |order: &Vec<usize>| Fact::List(order.iter().map(|&axis| count(axis)).collect());
        let rings = |ring: &Vec<u32>| {
            let chips = ring.iter().map(|&chips| count(chips as usize));
            Fact::List(chips.collect())
        };
        let steps = self
            .multistep
            .iter()
            .map(|&several| Fact::Count(several.into()));
        let versions = VERSIONS.map(|(what, version)| (what, text(version)));
        vec![
            ("remains", text(self.remains)),
            ("emitter", text(self.emitter)),
            ("strategy", text(self.strategy)),
            ("colours", colours),
            ("phases", phases),
            (
                "rotations",
                Fact::List(self.rotations.iter().map(axes).collect()),
            ),
            ("rings", Fact::List(self.rings.iter().map(rings).collect())),
            ("multistep", Fact::List(steps.collect())),
            ("versions", Fact::Record(Some(versions.to_vec()))),
        ]
    }
}
