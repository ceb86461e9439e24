//! What a collective call answers.

use super::rows::Row;
use super::told::Told;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::ledger::{Busiest, Ledger};
use crate::collective::pattern::scene::Scene;
use crate::collective::price::bound::Bound;
use crate::collective::price::cost::{Cost, StageCost};
use crate::collective::tables::Facts;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::operation::Operation;
use crate::route::Routing;
use crate::{Control, Error, Result};
use std::sync::Arc;

/// An algorithm that was considered.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name, with choices per tier.
    pub algorithm: String,
    /// Its time in seconds, or why it does not apply.
    pub outcome: std::result::Result<f64, String>,
}

/// The busiest link of the whole collective.
#[derive(Debug, Clone, PartialEq)]
pub struct Bottleneck {
    /// Class of the link.
    pub class: String,
    /// One link that has this load.
    pub link: u64,
    /// Its bytes.
    pub bytes: f64,
    /// Seconds that it is busy over the time of the collective.
    pub utilisation: f64,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was done.
    pub operation: Operation,
    /// How: name of the algorithm, with choices per tier.
    pub algorithm: String,
    /// How to ask for the same again by name; as it was asked for where nothing moves.
    pub choice: Choice,
    /// Under which model.
    pub model: Model,
    /// Ranks of each group.
    pub ranks: usize,
    /// Groups that ran at once.
    pub groups: usize,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// Chunks that followed each other through the stages.
    pub chunks: u32,
    /// Seconds.
    pub time: f64,
    /// Seconds of it that are latency of one chunk's way.
    pub latency: f64,
    /// Seconds of it that are starting messages.
    pub overhead: f64,
    /// The busiest link; `None` when no bytes move.
    pub bottleneck: Option<Bottleneck>,
    /// All bounds, the highest first.
    pub bounds: Vec<Bound>,
    /// Everything that was considered, the fastest first, refusals last; empty where some was left out.
    pub candidates: Vec<Candidate>,
    /// Algorithms were left out since bounds say that they cannot be the fastest: [`candidates`](crate::collective::candidates()) prices
    /// them.
    pub left_out: bool,
    /// Why the algorithm chose as it did, where it has rules of its own.
    pub note: String,
    /// The parts of a runtime's answer that rest on no measurement, by name.
    pub unmeasured: Vec<String>,
    /// What tells of its stages and phases.
    pub(crate) told: Told,
    /// What was asked for, as results say it.
    pub(crate) asked: Facts,
    /// What a solver with rules of its own chose, by the names that its users have for it; empty for schedules.
    pub(crate) chosen: Facts,
    members: Arc<Groups>,
    ledger: Ledger,
    /// The solver whose own model priced it, which knows no links.
    priced_by: Option<&'static str>,
    /// Its phases say what HBM reads and writes.
    pub(crate) says_hbm: bool,
}

/// A part of a time that comes from a table rather than from links.
pub(crate) struct Priced {
    pub(crate) what: &'static str,
    pub(crate) steps: u64,
    pub(crate) latency: f64,
    pub(crate) wire: f64,
}

impl Priced {
    pub(crate) fn new(what: &'static str, steps: u64, latency: f64, wire: f64) -> Self {
        Self {
            what,
            steps,
            latency,
            wire,
        }
    }

    pub(crate) fn time(&self) -> f64 {
        self.latency + self.wire
    }
}

impl Outcome {
    /// The name of the model that gave the time.
    pub fn model_name(&self) -> &'static str {
        self.priced_by.unwrap_or(self.model.name())
    }

    /// Bytes on every link of the machine, by number; machine and routing are those of the call.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an answer of a model that knows no links; [`Error::Memory`]; [`Error::Cancelled`].
    pub fn link_loads(
        &self,
        machine: &Machine,
        routing: &Routing,
        control: &Control,
    ) -> Result<Vec<f64>> {
        if let Some(name) = self.priced_by {
            return Err(Error::unsupported(
                format!("link loads of algorithm '{name}', whose model knows no links"),
                "name an algorithm such as 'ring'",
            ));
        }
        let links = machine.num_links();
        let what = format_args!("the loads of {links} links");
        let _taken = control.take(bytes_of::<f64>(links), what, "use a smaller machine")?;
        if self.ledger == Ledger::default() {
            // Nothing moves, whether or not chips of the group could reach others.
            return Ok(vec![0.0; links as usize]);
        }
        let scene = Scene::new(machine, routing, &self.members, control)?;
        self.ledger.expand(&scene)
    }

    /// Who took part.
    pub(crate) fn members(&self) -> &Groups {
        &self.members
    }

    /// Bytes on links, compactly.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The solver whose own model priced it, which knows no links.
    pub(crate) fn priced_by(&self) -> Option<&'static str> {
        self.priced_by
    }

    /// It says what HBM reads and writes.
    pub(crate) fn says_hbm(&self) -> bool {
        self.says_hbm
    }

    /// Bytes that the HBM of the busiest chip reads and writes: as the solver says, or else counted by the same
    /// rule. What is sent is read once and what arrives is written once; a sum reads one operand more.
    pub(crate) fn hbm_bytes(&self) -> f64 {
        use Operation::{AllReduce, Reduce, ReduceScatter};
        if self.says_hbm {
            let of_hbm = self
                .told
                .phases
                .iter()
                .filter(|row| row.bottleneck == "HBM");
            return of_hbm.map(|row| row.bytes).sum();
        }
        let touches = match self.operation {
            ReduceScatter | Reduce => 3.0,
            // A half that adds up and a half that does not.
            AllReduce => 2.5,
            _ => 2.0,
        };
        touches * self.told.sent()
    }

    /// Seconds of the highest bound; 0 without any.
    pub fn lower_bound(&self) -> f64 {
        self.bounds.first().map_or(0.0, |bound| bound.seconds)
    }

    pub(crate) fn nothing(request: &Request, groups: &Arc<Groups>) -> Self {
        Self {
            operation: request.operation,
            algorithm: "none".to_owned(),
            choice: Choice::Auto,
            model: request.model,
            ranks: groups.ranks(),
            groups: groups.count(),
            size: request.size,
            chunks: 1,
            time: 0.0,
            latency: 0.0,
            overhead: 0.0,
            bottleneck: None,
            bounds: Vec::new(),
            candidates: Vec::new(),
            left_out: false,
            note: String::new(),
            unmeasured: Vec::new(),
            told: Told::default(),
            asked: request.facts(),
            chosen: Vec::new(),
            members: Arc::clone(groups),
            ledger: Ledger::default(),
            priced_by: None,
            says_hbm: false,
        }
    }

    /// The fastest candidate first, refusals last; those of the same time as they came.
    pub(crate) fn sort_candidates(&mut self) {
        self.candidates.sort_by(|a, b| {
            let time = |candidate: &Candidate| candidate.outcome.clone().unwrap_or(f64::INFINITY);
            time(a).total_cmp(&time(b))
        });
    }

    /// Fills in a time that is the sum of priced parts; where that is less than the bounds, links take the rest.
    pub(crate) fn fill_priced(
        &mut self,
        by: &'static str,
        algorithm: String,
        label: &str,
        mut parts: Vec<Priced>,
    ) {
        let sum: f64 = parts.iter().map(Priced::time).sum();
        if self.lower_bound() > sum {
            let rest = self.lower_bound() - sum;
            parts.push(Priced::new("waiting for links", 1, 0.0, rest));
        }
        self.priced_by = Some(by);
        self.algorithm = algorithm;
        self.time = sum.max(self.lower_bound());
        self.latency = parts.iter().map(|part| part.latency).sum();
        self.told.phases = parts
            .iter()
            .map(|part| Row {
                stage: label.to_owned(),
                what: part.what.to_owned(),
                tier: "machine".to_owned(),
                steps: part.steps,
                bytes: if part.what == "bytes" { self.size } else { 0.0 },
                latency: part.latency,
                serialisation: part.wire,
                time: part.time(),
                ..Row::default()
            })
            .collect();
        self.told.stages = vec![Row {
            stage: label.to_owned(),
            tier: "machine".to_owned(),
            steps: parts.iter().map(|part| part.steps).sum(),
            bytes: self.size,
            latency: self.latency,
            serialisation: (self.time - self.latency).max(0.0),
            time: self.time,
            ..Row::default()
        }];
    }

    /// Where the sum of the parts is less than the bounds, links take the rest.
    pub(crate) fn wait_for_links(&mut self) {
        let rest = self.lower_bound() - self.time;
        if rest <= 0.0 {
            return;
        }
        self.time = self.lower_bound();
        for candidate in &mut self.candidates {
            if let Ok(time) = &mut candidate.outcome {
                *time = time.max(self.time);
            }
        }
        let row = |what: &str| Row {
            stage: "waiting for links".to_owned(),
            what: what.to_owned(),
            tier: "machine".to_owned(),
            steps: 1,
            serialisation: rest,
            time: rest,
            ..Row::default()
        };
        self.told.stages.push(row(""));
        self.told.phases.push(row("waiting for links"));
        if let Some(bottleneck) = &mut self.bottleneck {
            bottleneck.utilisation *= (self.time - rest) / self.time;
        }
    }

    /// Applies the least time of a call: what is left of it is one more stage, and no schedule beats it.
    pub(crate) fn apply_launch(&mut self, launch: f64) {
        if launch <= 0.0 {
            return;
        }
        self.bounds.push(Bound {
            name: "launch".to_owned(),
            seconds: launch,
        });
        self.bounds.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        for candidate in &mut self.candidates {
            if let Ok(time) = &mut candidate.outcome {
                *time = time.max(launch);
            }
        }
        let rest = launch - self.time;
        if rest <= 0.0 {
            return;
        }
        self.time = launch;
        self.overhead += rest;
        let stage = format!("{} waits for its launch", self.operation.name());
        let phase = Row::of_overhead(&stage, "launch of the call", rest);
        self.told.phases.push(phase);
        self.told.stages.push(Row::of_overhead(&stage, "", rest));
        if let Some(bottleneck) = &mut self.bottleneck {
            bottleneck.utilisation *= (launch - rest) / launch;
        }
    }

    /// Says that these are its first stage and phase, whatever was said before.
    pub(crate) fn tell(&mut self, stage: Row, phase: Row) {
        self.told = Told {
            stages: vec![stage],
            phases: vec![phase],
            ..Told::default()
        };
    }

    /// The stages.
    pub fn stages(&self, machine: &Machine) -> Vec<Row> {
        self.told.stages(machine)
    }

    /// The phases.
    pub fn phases(&self, machine: &Machine) -> Vec<Row> {
        self.told.phases(machine)
    }

    pub(crate) fn fill(
        &mut self,
        machine: &Machine,
        algorithm: String,
        (stages, scale): (&[Arc<StageCost>], f64),
        cost: Cost,
    ) {
        self.algorithm = algorithm;
        self.chunks = cost.chunks;
        self.time = cost.time;
        let latency = stages.iter().map(|stage| stage.fixed().0).sum();
        (self.latency, self.overhead) = parts(&cost, latency);
        self.told.sheets = stages
            .iter()
            .map(|stage| Arc::clone(&stage.sheet))
            .collect();
        self.told.scale = scale;
        // Without contention no link holds anything up.
        let busiest = cost.busiest.filter(|_| self.model != Model::AlphaBeta);
        self.bottleneck = busiest.map(|busiest: Busiest| Bottleneck {
            class: busiest.class.name(machine),
            link: busiest.link,
            bytes: busiest.bytes,
            utilisation: busiest.seconds / cost.time,
        });
        self.ledger = cost.ledger;
    }
}

/// Seconds of latency and of overhead. Simulated, phases overlap: where the sums over phases are more than all of the
/// time, the parts are those that they are of the time phase by phase.
fn parts(cost: &Cost, latency: f64) -> (f64, f64) {
    let overlap = latency + cost.overhead > cost.time && cost.by_phases > cost.time;
    let scale = if overlap {
        cost.time / cost.by_phases
    } else {
        1.0
    };
    let latency = (scale * latency).min(cost.time);
    (latency, (scale * cost.overhead).min(cost.time - latency))
}
