//! What an algorithm is, and what it is given to do.

use super::extent::Extent;
use super::sites::Sites;
use crate::collective::pattern::context::Context;
use crate::collective::program::alternatives::{Cheapest, Program};
use crate::collective::program::least::Least;
use crate::collective::program::placement::Placement;
use crate::collective::program::schedule::{Phase, Stage};
use crate::operation::Operation;
use crate::{Error, Result};
use std::sync::Arc;

/// One operation over one placement.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) placement: &'a Placement,
    pub(crate) operation: Operation,
    /// Bytes, as the operation defines them.
    pub(crate) size: f64,
    /// Rank of the root in each group.
    pub(crate) root: usize,
    /// Distance of a send_recv.
    pub(crate) shift: i64,
    /// Orders of domain axes that a bucket takes, and their shares; empty to let it choose.
    pub(crate) orders: &'a [(Vec<usize>, f64)],
    /// The table of algorithms, for those that are made of others.
    pub(crate) table: &'static [Algorithm],
    /// Name of the tier that the placement spans.
    pub(crate) tier: &'static str,
}

/// A job without its context, for what is made when a size asks for it.
pub(super) struct OwnedJob {
    placement: Placement,
    operation: Operation,
    size: f64,
    root: usize,
    shift: i64,
    orders: Vec<(Vec<usize>, f64)>,
    table: &'static [Algorithm],
    tier: &'static str,
}

impl OwnedJob {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            placement: job.placement.clone(),
            operation: job.operation,
            size: job.size,
            root: job.root,
            shift: job.shift,
            orders: job.orders.to_vec(),
            table: job.table,
            tier: job.tier,
        }
    }

    pub(super) fn job<'a>(&'a self, context: &'a Context) -> Job<'a> {
        Job {
            context,
            placement: &self.placement,
            operation: self.operation,
            size: self.size,
            root: self.root,
            shift: self.shift,
            orders: &self.orders,
            table: self.table,
            tier: self.tier,
        }
    }
}

/// One algorithm: its name, what it is in a line, which operations it does, and how.
pub struct Algorithm {
    /// The name that users write.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does.
    pub operations: &'static [Operation],
    /// Made of other algorithms, and so not offered to those that are.
    pub(crate) composed: bool,
    /// Tried where none is named.
    pub(crate) offered: bool,
    /// Over several domains its messages are listed one by one, so that it is tried there for few ranks.
    pub(crate) listed: bool,
    /// Switches reduce in it, which bounds for ranks that reduce do not allow for.
    pub(crate) in_switch: bool,
    /// It takes weights of the orders of axes.
    pub(crate) takes_orders: bool,
    /// What it takes at least, said before it is built.
    pub(crate) least: LeastOf,
    /// Over the chips of one domain, a list of chips, or domains.
    pub(super) build: Build,
    /// Over all chips of several domains as one flat group.
    pub(crate) across: Option<Across>,
    /// Another way to do that, taken where it is faster.
    pub(crate) or_across: Option<OrAcross>,
    /// Between sites, as the stage of a hierarchical collective.
    pub(crate) between_sites: Option<BetweenSites>,
    /// Where it is the same as another operation tier by tier: that operation.
    pub(crate) tier_by_tier: Option<fn(Operation) -> Result<Operation>>,
}

/// What an algorithm writes.
#[derive(Clone, Copy)]
pub(super) enum Build {
    /// The same stages for every size.
    Stages(fn(&Job) -> Result<Vec<Stage>>),
    /// Alternatives, between which the size decides.
    Alternatives(fn(&Job) -> Result<Program>),
}

/// What an operation takes at least; the rows are those that an algorithm may be made of.
pub(crate) type LeastOf = fn(&Extent, Operation, &'static [Algorithm]) -> Least;

/// The job is that inside a domain; then the local chips of each group and the domains of each set.
pub(crate) type Across = fn(&Job, &[Vec<u32>], &[Vec<u32>]) -> Result<Vec<Stage>>;

/// What that takes at least, where it can be said.
pub(crate) type LeastAcross = fn(&Job, &[Vec<u32>], &[Vec<u32>]) -> Option<Least>;

/// The same another way: what it takes at least, where there is one.
#[derive(Clone, Copy)]
pub(crate) struct OrAcross {
    pub(super) least: LeastAcross,
    pub(super) build: Across,
}

/// The phases between sites; `None` for an operation that it does not do there.
pub(crate) type BetweenSites = fn(&Sites, Operation, f64) -> Option<Vec<Phase>>;

impl Algorithm {
    /// What it writes for a job.
    pub(crate) fn program(&self, job: &Job) -> Result<Program> {
        match self.build {
            Build::Stages(build) => build(job).map(Program::Stages),
            Build::Alternatives(build) => build(job),
        }
    }

    pub(super) const fn new(
        name: &'static str,
        summary: &'static str,
        operations: &'static [Operation],
        build: Build,
    ) -> Self {
        Self {
            name,
            summary,
            operations,
            composed: false,
            offered: true,
            listed: false,
            in_switch: false,
            takes_orders: false,
            least: |_, _, _| Least::NOTHING,
            build,
            across: None,
            or_across: None,
            between_sites: None,
            tier_by_tier: None,
        }
    }

    pub(super) const fn at_least(self, least: LeastOf) -> Self {
        Self { least, ..self }
    }

    /// It runs only where it is named.
    pub(super) const fn when_named(self) -> Self {
        Self {
            offered: false,
            ..self
        }
    }

    /// It is offered to algorithms that are made of others, for an operation that they need.
    pub(super) fn is_part(&self, operation: Operation) -> bool {
        !self.composed && self.offered && self.operations.contains(&operation)
    }

    pub(super) const fn across(self, across: Across) -> Self {
        Self {
            across: Some(across),
            ..self
        }
    }

    /// The same, by a list of messages.
    pub(super) const fn across_by_list(self, across: Across) -> Self {
        Self {
            listed: true,
            ..self.across(across)
        }
    }

    pub(super) const fn or_across(self, or_across: OrAcross) -> Self {
        Self {
            or_across: Some(or_across),
            ..self
        }
    }

    pub(super) const fn sites(self, between_sites: BetweenSites) -> Self {
        Self {
            between_sites: Some(between_sites),
            ..self
        }
    }

    /// The phases between the sites that each set of domains spans.
    pub(crate) fn between_sites(
        &self,
        context: &Context,
        domains: &[Vec<u32>],
        operation: Operation,
        size: f64,
    ) -> Result<Vec<Phase>> {
        let sites = Sites::of(context, domains);
        let phases = self
            .between_sites
            .and_then(|phases| phases(&sites, operation, size));
        phases.ok_or_else(|| {
            Error::unsupported(
                format!("{} {} between sites", self.name, operation.name()),
                "use direct, or for all_reduce mesh or ring_one_way",
            )
        })
    }

    /// What it writes over a grid of several domains with several chips in each.
    pub(crate) fn flat(
        &self,
        job: &Job,
        locals: &[Vec<u32>],
        domains: &[Vec<u32>],
    ) -> Result<Program> {
        let across = self.across.ok_or_else(|| not_across(self.name))?;
        let other = self.or_across.and_then(|other| {
            let least = (other.least)(job, locals, domains)?;
            Some((least, other.build))
        });
        let Some((least, build)) = other else {
            return across(job, locals, domains).map(Program::Stages);
        };
        let owned = OwnedJob::of(job);
        let grid = (locals.to_vec(), domains.to_vec());
        let make = move |context: &Context, which: usize| {
            let build = [across, build][which];
            build(&owned.job(context), &grid.0, &grid.1).map(Program::Stages)
        };
        Ok(Program::Cheapest(Cheapest {
            leasts: vec![Least::NOTHING, least],
            make: Arc::new(make),
        }))
    }

    /// Refuses an operation that it does not do.
    pub(crate) fn check_operation(&self, operation: Operation) -> Result<()> {
        match self.operations.contains(&operation) {
            true => Ok(()),
            false => Err(unsupported(self.name, operation)),
        }
    }
}

/// The refusal of an operation that an algorithm does not do.
pub(crate) fn unsupported(algorithm: &str, operation: Operation) -> Error {
    Error::unsupported(
        format!("{algorithm} does no {}", operation.name()),
        format!(
            "rf.algorithms(\"{}\") lists those that do",
            operation.name()
        ),
    )
}

/// Most steps that are each a phase of their own.
const MOST_STEPS: u32 = 4096;

/// Refuses more steps than an algorithm writes out one by one.
pub(super) fn few_steps(algorithm: &str, ranks: u32, steps: u32) -> Result<()> {
    if steps <= MOST_STEPS {
        return Ok(());
    }
    Err(Error::unsupported(
        format!("{algorithm} over {ranks} ranks, {steps} steps that are each unlike the others"),
        format!("it takes at most {MOST_STEPS}; use a smaller group, ring_one_way or direct"),
    ))
}

/// The refusal of a flat group over several domains.
pub(super) fn not_across(algorithm: &str) -> Error {
    Error::unsupported(
        format!("{algorithm} over chips of several UltraServers"),
        format!(
            "use hierarchical, which can run {algorithm} inside each UltraServer or across them"
        ),
    )
}
