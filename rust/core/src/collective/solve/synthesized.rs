//! `algorithm="synthesized"`: a schedule made for the links that work, over one group inside one domain.

use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::answer::rows::Row;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::events::together::Pipeline;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::ledger::Ledger;
use crate::collective::price::bound::Bound;
use crate::collective::price::bound::bounds;
use crate::collective::price::cost::Cost;
use crate::collective::solve::{Asked, Solver};
use crate::fluid::{Graph, NO_GATE};
use crate::machine::Machine;
use crate::operation::Operation::{self, AllGather, AllReduce, ReduceScatter};
use crate::route::Routing;
use crate::schedule::{Schedule, Send, SendRoute, graph};
use crate::sim::Engine;
use crate::synthesize::{
    Network, Pace, Plan, Synthesis, SynthesisRequest, floor, live_graph, synthesize, write,
};
use crate::{Control, Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A row of the table of solvers.
pub(crate) const SOLVER: Solver = Solver {
    name: NAME,
    summary: "a schedule made for the links that work, chunk by chunk; one group in one domain, only when named",
    operations: &[AllReduce, ReduceScatter, AllGather],
    takes_chunks: true,
    on_damage: true,
    is_bounded: true,
    run,
    time: None,
    prepare: None,
    schedule: Ok(unrolled),
};

/// The name that users write.
const NAME: &str = "synthesized";

/// Most deliveries of chunks of which a schedule is written out message by message.
const MOST_WRITTEN: usize = 1 << 22;

/// Runs a request, and puts the answer into `outcome`.
///
/// # Errors
/// [`Error::Unsupported`] for several groups, groups of several domains, switches, and models and policies that have no
/// meaning here; [`Error::Unreachable`] where dead links cut the group; [`Error::Cancelled`].
fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let (context, request) = (&asked.context()?, asked.request);
    let made = Synthesized::new(context, request)?;
    let mut seconds = made.synthesis.seconds();
    if let Some(engine) = request.model.engine() {
        seconds = made.simulated(context.control, request, engine)?;
    }
    made.fill(context, request, seconds, outcome)
}

/// The schedule of a request, message by message.
///
/// # Errors
/// Those of [`run`], and [`Error::Unsupported`] for one that is too long to write out.
fn unrolled(asked: &Asked) -> Result<(String, Schedule, Pipeline)> {
    let made = Synthesized::new(&asked.context()?, asked.request)?;
    let (schedule, _) = made.written(asked.control, asked.request)?;
    Ok((NAME.to_owned(), schedule, Pipeline::default()))
}

/// What was synthesised for a request.
struct Synthesized {
    network: Network,
    synthesis: Synthesis,
}

impl Synthesized {
    fn new(context: &Context, request: &Request) -> Result<Self> {
        if request.model == Model::AlphaBeta {
            return Err(Error::unsupported(
                "synthesized with model alpha_beta",
                "it shares out links, which alpha_beta does not: use link_load, fluid or fifo",
            ));
        }
        if *context.routing == Routing::Valiant {
            return Err(Error::unsupported(
                "synthesized with Valiant routing",
                "every message of it goes over one link: leave routing at \"dor\"",
            ));
        }
        let chips = chips(context.machine, context.groups)?;
        let network = live_graph(context.machine, &chips, context.control)?;
        whole_domain_instead(context.machine, &network, context.control)?;
        let wanted = SynthesisRequest {
            operation: request.operation.as_run(),
            size: request.size,
            chunks: request.chunks,
            pace: Pace::Either,
            seed: 0,
        };
        let synthesis = synthesize(&network, &wanted, context.control)?;
        Ok(Self { network, synthesis })
    }

    /// True if no live chip of the domain is left out: messages of other algorithms may pass those.
    fn is_whole(&self, machine: &Machine) -> bool {
        let chips = machine.domain().chips();
        let first = machine.split(self.network.chips[0]).0 * chips;
        let live = (first..first + chips).filter(|&chip| !machine.is_dead_chip(chip));
        live.count() == self.network.chips.len()
    }

    /// Every message, and the place of its link.
    fn written(&self, control: &Control, request: &Request) -> Result<(Schedule, Vec<u32>)> {
        if self.synthesis.deliveries() > MOST_WRITTEN {
            return Err(Error::unsupported(
                format!(
                    "writing out a synthesized schedule of {} deliveries of chunks",
                    self.synthesis.deliveries()
                ),
                format!("take a smaller group or fewer chunks (at most {MOST_WRITTEN} deliveries)"),
            ));
        }
        let (operation, size) = (request.operation, request.size);
        write(&self.network, &self.synthesis, operation, size, control)
    }

    fn simulated(&self, control: &Control, request: &Request, engine: Engine) -> Result<f64> {
        let (schedule, links) = self.written(control, request)?;
        let mut resources = Graph::default();
        let numbers: Vec<u32> = self
            .network
            .links
            .iter()
            .map(|wire| resources.resource(wire.bandwidth, wire.latency))
            .collect();
        // Seconds that a rank takes to start what it sends in a step; what goes to one other rank goes together.
        let turn = |send: &Send| (send.stage, send.step, send.src);
        let mut seen = BTreeSet::new();
        let mut starts: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        for send in &schedule.sends {
            if seen.insert((turn(send), send.dst)) {
                *starts.entry(turn(send)).or_default() += self.network.overhead;
            }
        }
        let route = |(send, &link): (&Send, &u32)| {
            vec![SendRoute {
                path: vec![(numbers[link as usize], 1.0)],
                latency: self.network.links[link as usize].latency,
                share: 1.0,
                delay: starts[&turn(send)],
            }]
        };
        let routes: Vec<Vec<SendRoute>> = schedule.sends.iter().zip(&links).map(route).collect();
        graph(&schedule, &routes, NO_GATE, &mut resources, control)?;
        let times = engine.simulate(&resources, control)?;
        Ok(times.makespan)
    }

    /// Bytes on its links.
    fn ledger(&self, control: &Control) -> Result<Ledger> {
        let mut ledger = Ledger::default();
        let loads = self.synthesis.loads(&self.network, control)?;
        let loads = self.network.links.iter().zip(loads);
        ledger.single = loads
            .filter(|(_, bytes)| *bytes > 0.0)
            .map(|(wire, bytes)| (wire.id, bytes))
            .collect();
        ledger.single.sort_unstable_by_key(|single| single.0);
        Ok(ledger)
    }

    fn fill(
        &self,
        context: &Context,
        request: &Request,
        seconds: f64,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let (network, synthesis) = (&self.network, &self.synthesis);
        let ledger = self.ledger(context.control)?;
        let busiest = ledger.busiest(context)?;
        let class = busiest
            .as_ref()
            .map_or_else(String::new, |busiest| busiest.class.name(context.machine));
        let least = floor(
            network,
            request.operation.as_run(),
            request.size,
            context.control,
        )?;
        outcome.bounds = bounds(context, request)?;
        let is_whole = self.is_whole(context.machine);
        if is_whole {
            outcome.bounds.push(Bound {
                name: least.what.clone(),
                seconds: least.seconds,
            });
        }
        outcome
            .bounds
            .sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let cost = Cost {
            time: seconds,
            by_phases: seconds,
            overhead: 0.0,
            chunks: (synthesis.chunks() / network.ranks()).max(1),
            ledger,
            busiest,
        };
        outcome.fill(context.machine, NAME.to_owned(), (&[], 1.0), cost);
        let mut notes = self.rows(&class, outcome, context.control)?;
        // Simulated, the same steps may be shorter by a rounding.
        outcome.latency = outcome.latency.min(outcome.time);
        outcome.overhead = outcome.overhead.min(outcome.time - outcome.latency);
        if least.seconds > 0.0 {
            let above = (seconds / least.seconds - 1.0) * 100.0;
            let inside = [", inside the group,", ""][usize::from(is_whole)];
            notes.push(format!(
                "{above:.1} % above what the {}{inside} allow",
                least.what
            ));
        }
        outcome.note = notes.join("; ");
        outcome.candidates = vec![Candidate {
            algorithm: NAME.to_owned(),
            outcome: Ok(seconds),
        }];
        Ok(())
    }

    /// Writes a row for each half, and says how it goes.
    fn rows(&self, class: &str, outcome: &mut Outcome, control: &Control) -> Result<Vec<String>> {
        let (network, synthesis) = (&self.network, &self.synthesis);
        let reversed = network.reversed(control)?;
        let halves = [
            (ReduceScatter, &synthesis.scatter, &reversed),
            (AllGather, &synthesis.gather, network),
        ];
        let mut notes = Vec::new();
        for (what, plan, network) in halves {
            let Some(plan) = plan else { continue };
            self.row(what, plan, network, class, outcome, control)?;
            notes.push(match plan.least_rounds() {
                Some(least) => format!(
                    "{} in {} rounds, of which the links of one chip need {least}",
                    what.name(),
                    plan.rounds()
                ),
                None => format!("{} link by link", what.name()),
            });
        }
        Ok(notes)
    }

    fn row(
        &self,
        what: Operation,
        plan: &Plan,
        network: &Network,
        class: &str,
        outcome: &mut Outcome,
        control: &Control,
    ) -> Result<()> {
        let parts = plan.parts(network, control)?;
        let mut sent = vec![0.0; network.chips.len()];
        for (wire, bytes) in network.links.iter().zip(plan.loads(network, control)?) {
            sent[wire.from as usize] += bytes;
        }
        let sent = sent.into_iter().fold(0.0, f64::max);
        outcome.latency += parts.latency;
        outcome.overhead += parts.overhead;
        let whole = Row {
            stage: format!("{} by {NAME}", what.name()),
            tier: "domain".to_owned(),
            steps: u64::from(plan.rounds().max(1)),
            bytes: sent,
            latency: parts.latency,
            overhead: parts.overhead,
            serialisation: parts.wire,
            time: plan.makespan,
            bottleneck: class.to_owned(),
            ..Row::default()
        };
        let what = if plan.rounds() > 0 {
            "rounds of chunks"
        } else {
            "chunks link by link"
        };
        outcome.told.phases.push(Row {
            what: what.to_owned(),
            ..whole.clone()
        });
        outcome.told.stages.push(whole);
        Ok(())
    }
}

/// The chips of the one group, which are of one domain.
fn chips(machine: &Machine, groups: &Groups) -> Result<Vec<u32>> {
    if groups.count() > 1 {
        return Err(Error::unsupported(
            format!("synthesized over {} groups at once", groups.count()),
            "name the chips of one group",
        ));
    }
    let chips = groups.members(machine, 0);
    let domain = |&chip: &u32| machine.split(chip).0;
    if chips.iter().any(|chip| domain(chip) != domain(&chips[0])) {
        return Err(Error::unsupported(
            "synthesized over several UltraServers",
            "name chips of one UltraServer, or another algorithm such as hierarchical",
        ));
    }
    Ok(chips)
}

/// Refuses a group that its own links do not join while those of the whole domain do.
fn whole_domain_instead(machine: &Machine, network: &Network, control: &Control) -> Result<()> {
    let cut = match network.check(control) {
        Err(error @ Error::Unreachable { .. }) => error,
        other => return other,
    };
    let chips = machine.domain().chips();
    let first = machine.split(network.chips[0]).0 * chips;
    let all: Vec<u32> = (first..first + chips)
        .filter(|&chip| !machine.is_dead_chip(chip))
        .collect();
    if live_graph(machine, &all, control)?.check(control).is_ok() {
        return Err(Error::unsupported(
            format!("synthesized over a group that needs other chips to relay: {cut}"),
            "take all live chips of the UltraServer, or name another algorithm",
        ));
    }
    Err(cut)
}
