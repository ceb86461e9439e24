//! What the compiler's choice takes, by the schedules that stand for it.

use super::choice::{Choice, choose};
use super::group::{Group, axis_of};
use super::tables::{PAGE, Rules, VERSIONS};
use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::ask::choice::Choice as Algorithm;
use crate::collective::ask::request::Request;
use crate::collective::price::bound::bounds;
use crate::collective::solve::Asked;
use crate::collective::solve::scheduled;
use crate::collective::solve::solver::Unrolled;
use crate::collective::tables::{Fact, Facts};
use crate::machine::Machine;
use crate::operation::Operation::{AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};
use crate::{Error, Result};

/// The name that users write.
pub(super) const NAME: &str = "xla";

/// Answers a request; `outcome` is the empty answer to fill.
///
/// # Errors
/// [`Error::Unsupported`] for a machine that is no slice of TPUs, and for what the compiler does not do or hands on.
pub(super) fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let plan = Plan::new(asked)?;
    let named = outcome.choice.clone();
    scheduled::run(&plan.asked(asked), outcome)?;
    outcome.choice = named;
    outcome.algorithm = plan.name();
    outcome.candidates = vec![Candidate {
        algorithm: outcome.algorithm.clone(),
        outcome: Ok(outcome.time),
    }];
    outcome.note = plan.note(asked.request);
    outcome.chosen = plan.choice.facts();
    if asked.with_bounds {
        outcome.bounds = bounds(&asked.context()?, asked.request)?;
    }
    Ok(())
}

/// Seconds of [`run`] alone.
pub(super) fn time(asked: &Asked) -> Result<f64> {
    scheduled::time(&Plan::new(asked)?.asked(asked))
}

/// The schedule that stands for the choice, where that does what was asked for and no more.
pub(super) fn schedule(asked: &Asked) -> Result<Unrolled> {
    let plan = Plan::new(asked)?;
    let operation = asked.request.operation;
    if plan.stands_in.operation != operation.as_run() {
        return Err(Error::unsupported(
            format!(
                "the schedule of xla for {}, which is an {} there",
                operation.name(),
                plan.choice.remains
            ),
            format!(
                "ask for that of {} by xla, or name an algorithm",
                plan.stands_in.operation.name()
            ),
        ));
    }
    let (_, schedule, pipeline) = scheduled::schedule(&plan.asked(asked))?;
    Ok((plan.name(), schedule, pipeline))
}

/// The choice, and the request whose time stands for it.
struct Plan {
    group: Group,
    choice: Choice,
    stands_in: Request,
}

impl Plan {
    fn new(asked: &Asked) -> Result<Self> {
        let (machine, request) = (asked.machine, asked.request);
        let rules = rules(machine)?;
        let group = Group::of(machine, asked.groups)?;
        let element = element_bytes(request)?;
        check_handed_on(rules, request)?;
        let operation = request.operation.as_run();
        let choice = choose(rules, &group, operation, request.size, element);
        let stands_in = stands_in(machine, request, &choice);
        Ok(Self {
            group,
            choice,
            stands_in,
        })
    }

    fn asked<'a>(&'a self, asked: &Asked<'a>) -> Asked<'a> {
        Asked {
            request: &self.stands_in,
            with_bounds: false,
            ..*asked
        }
    }

    fn name(&self) -> String {
        let choice = &self.choice;
        let by = [choice.strategy, choice.emitter];
        match by.into_iter().find(|by| !by.is_empty()) {
            Some(by) => format!("{NAME}({}, {by})", choice.remains),
            None => format!("{NAME}({})", choice.remains),
        }
    }

    /// What was chosen by which versions, what stands for it, and what is not known.
    fn note(&self, request: &Request) -> String {
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
    fn facts(&self) -> Facts {
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

/// The request whose time stands for a choice.
fn stands_in(machine: &Machine, request: &Request, choice: &Choice) -> Request {
    let domain = machine.domain();
    let share = 1.0 / choice.orders.len() as f64;
    let by_axis = |order: &Vec<usize>| {
        let axes = order.iter().map(|&number| axis_of(domain, number));
        (axes.collect(), share)
    };
    let algorithm = match choice.operation {
        AllToAll | SendRecv => "direct",
        _ if choice.orders.is_empty() => "ring",
        _ => "bucket",
    };
    Request {
        operation: choice.operation,
        algorithm: Algorithm::Named(algorithm.to_owned()),
        orders: choice.orders.iter().map(by_axis).collect(),
        ..request.clone()
    }
}

/// The rules of a machine's part.
fn rules(machine: &Machine) -> Result<&'static Rules> {
    let part = machine.tpu().ok_or_else(|| {
        Error::unsupported(
            "algorithm 'xla' on a machine whose chips are no TPUs",
            "use a preset such as \"tpu-v5p\" or an UltraServer with tpu=; elsewhere algorithm='auto', or 'neuron' or \
             'nccl' where the machine has them",
        )
    })?;
    Ok(Rules::of(part))
}

/// Bytes of an element; bf16 where nothing is said of the type, as in the programs that the rules are read from.
fn element_bytes(request: &Request) -> Result<f64> {
    let bytes = match request.dtype {
        Some("fp64" | "int64") => 8.0,
        Some("fp32" | "int32") => 4.0,
        Some("fp8" | "int8" | "uint8") => 1.0,
        _ => 2.0,
    };
    let sums = matches!(request.operation.as_run(), AllReduce | ReduceScatter);
    if sums && bytes == 8.0 {
        let dtype = request.dtype.unwrap_or_default();
        return Err(Error::unsupported(
            format!("{} of {dtype} by XLA on TPUs", request.operation.name()),
            "XLA rewrites types of 64 bits there and has no rewriting of all-reduce (pytorch/xla issue 1952): \
             use 32 bits",
        ));
    }
    Ok(bytes)
}

/// Refuses what the part's compiler hands on to another unit, whose text cannot be printed.
fn check_handed_on(rules: &Rules, request: &Request) -> Result<()> {
    let handed_on = matches!(
        request.operation.as_run(),
        AllReduce | ReduceScatter | AllGather
    );
    match rules.handed_on_from {
        Some(least) if handed_on && request.size >= least => Err(Error::unsupported(
            format!(
                "{} of {} bytes by XLA on {}",
                request.operation.name(),
                request.size,
                rules.part.name()
            ),
            format!(
                "from {} KiB the compiler hands it to the SparseCores, and says nothing of how they run it: \
                 use algorithm='auto' for the links alone",
                least / 1024.0
            ),
        )),
        _ => Ok(()),
    }
}
