//! What one collective call works with: the scene, and the patterns that have been priced on it so far.

use super::kind::PatternKind;
use super::measure;
use super::scene::Scene;
use super::unit_cost::UnitCost;
use crate::collective::ask::group::Groups;
use crate::machine::Machine;
use crate::memory::Taken;
use crate::route::Routing;
use crate::{Control, Result};
use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

/// What to do about steps that do not fit.
const SMALLER: &str = "use a smaller group or smaller UltraServers, or name one algorithm";

/// A scene, and prices of patterns on it.
pub(crate) struct Context<'a> {
    scene: Scene<'a>,
    /// Patterns made so far: algorithms that are tried side by side share most of theirs.
    patterns: Shelf,
    /// How many of the patterns were there when some were last forgotten.
    forgotten: Cell<usize>,
}

/// Patterns with their prices, for calls that differ in nothing that prices look at: the same machine, domains of
/// groups, local groups of as many chips, and as many of those.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Rc<RefCell<Vec<Rc<Pattern>>>>);

/// A pattern and, once asked for, its cost.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) kind: PatternKind,
    /// With what stands for its memory.
    unit_cost: OnceCell<(UnitCost, Taken)>,
}

impl Pattern {
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
    pub(crate) fn pattern(&self, kind: PatternKind) -> Rc<Pattern> {
        let mut patterns = self.patterns.0.borrow_mut();
        if let Some(known) = patterns.iter().find(|pattern| pattern.kind == kind) {
            return Rc::clone(known);
        }
        let pattern = Rc::new(Pattern {
            kind,
            unit_cost: OnceCell::new(),
        });
        patterns.push(Rc::clone(&pattern));
        pattern
    }

    /// Forgets the patterns that nobody holds any more, but for those made since the last time: what is tried next may
    /// share them. On a shelf that others have too, all stay.
    pub(crate) fn forget(&self) {
        if Rc::strong_count(&self.patterns.0) > 1 {
            return;
        }
        let mut patterns = self.patterns.0.borrow_mut();
        let before = self.forgotten.get();
        let mut at = 0;
        patterns.retain(|pattern| {
            at += 1;
            at > before || Rc::strong_count(pattern) > 1
        });
        self.forgotten.set(patterns.len());
    }
}
