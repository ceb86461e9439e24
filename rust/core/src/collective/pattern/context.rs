//! What one collective call works with: the scene, and the patterns that have been priced on it so far.

use super::kind::PatternKind;
use super::measure;
use super::scene::Scene;
use super::spacing::Spacing;
use super::unit_cost::UnitCost;
use crate::collective::ask::group::Groups;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::weigh::Scale;
use crate::{Control, Result};
use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What to do about steps that do not fit.
const SMALLER: &str = "use a smaller group or smaller UltraServers, or name one algorithm";

/// Groups, and their spacing.
type Spaced = (Arc<[Vec<u32>]>, Option<Arc<Spacing>>);

/// A scene, and prices of patterns on it.
pub(crate) struct Context<'a> {
    scene: Scene<'a>,
    /// Patterns made so far: algorithms that are tried side by side share most of theirs.
    patterns: Shelf,
    /// The spacing of groups, where they are evenly spaced.
    spacings: RefCell<Vec<Spaced>>,
    /// How many of the patterns were there when some were last forgotten.
    forgotten: Cell<usize>,
}

/// A context that is made when it is needed: of what is priced already, most sizes need none.
pub(crate) struct OnDemand<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) routing: &'a Routing,
    pub(crate) groups: &'a Groups,
    pub(crate) control: &'a Control,
    made: OnceCell<Context<'a>>,
}

impl<'a> OnDemand<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        routing: &'a Routing,
        groups: &'a Groups,
        control: &'a Control,
    ) -> Self {
        Self {
            machine,
            routing,
            groups,
            control,
            made: OnceCell::new(),
        }
    }

    pub(crate) fn get(&self) -> Result<&Context<'a>> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = Context::new(self.machine, self.routing, self.groups, self.control)?;
        Ok(self.made.get_or_init(|| made))
    }
}

impl<'a> From<Context<'a>> for OnDemand<'a> {
    fn from(context: Context<'a>) -> Self {
        Self {
            machine: context.machine,
            routing: context.routing,
            groups: context.groups,
            control: context.control,
            made: OnceCell::from(context),
        }
    }
}

/// Patterns with their prices, for calls that differ in nothing that prices look at: the same machine, domains of
/// groups, local groups of as many chips, and as many of those.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<Arc<Pattern>>>>);

impl Shelf {
    /// What stands on it; a call that panicked meanwhile left it whole.
    fn patterns(&self) -> MutexGuard<'_, Vec<Arc<Pattern>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pattern and, once asked for, its cost.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) kind: PatternKind,
    /// With what stands for its memory.
    unit_cost: OnceLock<(UnitCost, Taken)>,
}

impl Pattern {
    /// Counts what it takes, with its cost.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        self.kind.weigh(on);
        if let Some((unit_cost, _)) = self.unit_cost.get() {
            let zero_load = bytes_of::<(f64, f64)>(unit_cost.zero_load.len() as u64);
            on.add(zero_load + unit_cost.ledger.bytes());
        }
    }

    /// The cost of one byte a message.
    pub(crate) fn unit_cost(&self, scene: &Scene) -> Result<&UnitCost> {
        if let Some((unit_cost, _)) = self.unit_cost.get() {
            return Ok(unit_cost);
        }
        let mut unit_cost = measure::unit_cost(scene, &self.kind)?;
        unit_cost.busiest = unit_cost.ledger.busiest(scene)?;
        let what = format_args!("the loads of one step of a collective");
        let taken = scene
            .control
            .take(unit_cost.ledger.bytes(), what, SMALLER)?;
        Ok(&self.unit_cost.get_or_init(|| (unit_cost, taken)).0)
    }
}

impl<'a> Deref for Context<'a> {
    type Target = Scene<'a>;

    fn deref(&self) -> &Scene<'a> {
        &self.scene
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        routing: &'a Routing,
        groups: &'a Groups,
        control: &'a Control,
    ) -> Result<Self> {
        Ok(Self {
            scene: Scene::new(machine, routing, groups, control)?,
            patterns: Shelf::default(),
            spacings: RefCell::default(),
            forgotten: Cell::new(0),
        })
    }

    /// The same with the patterns of calls before.
    pub(crate) fn sharing(self, shelf: &Shelf) -> Self {
        Self {
            patterns: shelf.clone(),
            ..self
        }
    }

    /// The pattern of `kind`: one that exists already if there is one, with what is known of its cost.
    pub(crate) fn pattern(&self, kind: PatternKind) -> Arc<Pattern> {
        let mut patterns = self.patterns.patterns();
        if let Some(known) = patterns.iter().find(|pattern| pattern.kind == kind) {
            return Arc::clone(known);
        }
        let pattern = Arc::new(Pattern {
            kind,
            unit_cost: OnceLock::new(),
        });
        patterns.push(Arc::clone(&pattern));
        pattern
    }

    /// How the domains of groups are spaced, where they are evenly spaced.
    pub(crate) fn spacing(&self, groups: &Arc<[Vec<u32>]>) -> Option<Arc<Spacing>> {
        let mut known = self.spacings.borrow_mut();
        if let Some((_, found)) = known.iter().find(|(other, _)| Arc::ptr_eq(other, groups)) {
            return found.clone();
        }
        let found = Spacing::of(groups).map(Arc::new);
        known.push((Arc::clone(groups), found.clone()));
        found
    }

    /// Forgets the patterns that nobody holds any more, but for those made since the last time: what is tried next may
    /// share them. On a shelf that others have too, all stay.
    pub(crate) fn forget(&self) {
        if Arc::strong_count(&self.patterns.0) > 1 {
            return;
        }
        let mut patterns = self.patterns.patterns();
        let before = self.forgotten.get();
        let mut at = 0;
        patterns.retain(|pattern| {
            at += 1;
            at > before || Arc::strong_count(pattern) > 1
        });
        self.forgotten.set(patterns.len());
    }
}
