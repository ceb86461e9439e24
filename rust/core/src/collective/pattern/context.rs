//! What one collective call works with: the scene, and the patterns that have been priced on it so far.

use super::kind::PatternKind;
use super::lines::{BoxOrder, Ordered};
use super::scene::Scene;
pub(crate) use super::shelf::{Pattern, Shelf};
use super::spacing::Spacing;
use crate::collective::ask::group::Groups;
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Result};
use std::cell::{Cell, OnceCell, RefCell};
use std::ops::Deref;
use std::sync::Arc;

/// Groups, and their spacing.
type Spaced = (Arc<[Vec<u32>]>, Option<Arc<Spacing>>);

/// Groups, an order of their ranks, and the same groups in it.
type Known = (Arc<[Vec<u32>]>, &'static str, Option<Ordered>);

/// A scene, and prices of patterns on it.
pub(crate) struct Context<'a> {
    scene: Scene<'a>,
    /// Patterns made so far: algorithms that are tried side by side share most of theirs.
    patterns: RefCell<Vec<Arc<Pattern>>>,
    /// What they cost where nothing is broken, for other calls too.
    shelf: Shelf,
    /// The spacing of groups, where they are evenly spaced.
    spacings: RefCell<Vec<Spaced>>,
    /// Groups in other orders of ranks, by those that they were and the order.
    orders: RefCell<Vec<Known>>,
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
        Self::sharing(machine, routing, groups, control, &Shelf::default())
    }

    /// The same with what calls before have found out.
    pub(crate) fn sharing(
        machine: &'a Machine,
        routing: &'a Routing,
        groups: &'a Groups,
        control: &'a Control,
        shelf: &Shelf,
    ) -> Result<Self> {
        Ok(Self {
            scene: Scene::knowing(machine, routing, groups, control, shelf.damage())?,
            patterns: RefCell::default(),
            shelf: shelf.clone(),
            spacings: RefCell::default(),
            orders: RefCell::default(),
            forgotten: Cell::new(0),
        })
    }

    /// The pattern of `kind`: one that exists already if there is one, with what is known of its cost.
    pub(crate) fn pattern(&self, kind: PatternKind) -> Arc<Pattern> {
        // Messages between listed chips go round what is broken, and are never the same on another machine.
        let listed = matches!(kind, PatternKind::Flat(_) | PatternKind::Crews { .. });
        let own = listed && self.machine.is_damaged();
        let mut patterns = self.patterns.borrow_mut();
        let known = match own {
            true => patterns.iter().find(|pattern| pattern.kind == kind),
            false => None,
        };
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let found = match own {
            true => self.shelf.apart(kind),
            false => self.shelf.find(kind),
        };
        if let Some(known) = patterns.iter().find(|pattern| pattern.is(&found)) {
            return Arc::clone(known);
        }
        let pattern = Arc::new(Pattern::new(found));
        patterns.push(Arc::clone(&pattern));
        pattern
    }

    /// Something was priced with it.
    pub(crate) fn has_patterns(&self) -> bool {
        !self.patterns.borrow().is_empty()
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

    /// Groups in another order of ranks, made once; `None` where they have none such.
    pub(crate) fn ordered(
        &self,
        groups: &Arc<[Vec<u32>]>,
        order: &'static str,
        make: impl FnOnce() -> Result<Option<Ordered>>,
    ) -> Result<Option<Ordered>> {
        let is = |known: &&Known| Arc::ptr_eq(&known.0, groups) && known.1 == order;
        if let Some((_, _, found)) = self.orders.borrow().iter().find(is) {
            return Ok(found.clone());
        }
        let made = make()?;
        let entry = (Arc::clone(groups), order, made.clone());
        self.orders.borrow_mut().push(entry);
        Ok(made)
    }

    /// How the ranks of groups that were put in order are the chips of a domain.
    pub(crate) fn box_order(&self, groups: &Arc<[Vec<u32>]>) -> Option<Arc<BoxOrder>> {
        let orders = self.orders.borrow();
        let mut made = orders.iter().filter_map(|(_, _, made)| made.as_ref());
        let found = made.find(|made| Arc::ptr_eq(&made.groups, groups))?;
        found.shape.clone()
    }

    /// Forgets the patterns that nobody holds any more, but for those made since the last time: what is tried next may
    /// share them. On a shelf that others have too, their prices stay.
    pub(crate) fn forget(&self) {
        let mut patterns = self.patterns.borrow_mut();
        let before = self.forgotten.get();
        let mut at = 0;
        patterns.retain(|pattern| {
            at += 1;
            at > before || Arc::strong_count(pattern) > 1
        });
        self.forgotten.set(patterns.len());
        self.shelf.forget();
    }
}
