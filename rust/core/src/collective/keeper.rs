//! Collectives of one machine: what calls before have priced is kept for those that differ in size alone.

use super::answer::outcome::Outcome;
use super::answer::outcome_tables::Tables;
use super::ask::group::Groups;
use super::ask::request::Request;
use super::question::{Question, digest};
use super::run::{Look, outcome};
use super::solve::is_kept;
use super::store::{self, Item, Place};
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Remembers, for one machine, what its collectives cost but for their size: of all machines together so many bytes,
/// those asked for last. What it remembers goes with it.
///
/// # Examples
/// ```
/// use rainier_core::Control;
/// use rainier_core::collective::{Groups, Keeper, Operation, Request, run};
/// # use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
/// # use rainier_core::route::Routing;
/// # let axis = Axis { name: "x".into(), size: 4, kind: AxisKind::Ring, bandwidth: 1e9, latency: 0.0 };
/// # let site = Site { name: "one".into(), domains: 1, tiers: Vec::new() };
/// # let machine = Machine::new(Domain::new(vec![axis])?, 0.0, None, vec![site], None)?;
/// let keeper = Keeper::default();
/// let (groups, routing, control) = (keeper.all(&machine)?, Routing::default(), Control::default());
/// for size in [1e6, 2e6] {
///     let request = Request::new(Operation::AllReduce, size);
///     let kept = keeper.run(&machine, &groups, &routing, &request, &control)?;
///     assert_eq!(kept.time, run(&machine, &groups, &routing, &request, &control)?.time);
/// }
/// # Ok::<(), rainier_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Keeper(u64);

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Default for Keeper {
    fn default() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        store::forget(self.0);
    }
}

impl Keeper {
    /// As [`run`](super::run()) answers, to the bit.
    ///
    /// # Errors
    /// Those of [`run`](super::run()).
    pub fn run(
        &self,
        machine: &Machine,
        groups: &Arc<Groups>,
        routing: &Routing,
        request: &Request,
        control: &Control,
    ) -> Result<Outcome> {
        self.answer((machine, groups, routing, request), Look::BOUNDS, control)
    }

    /// As [`candidates`](super::candidates()) answers.
    ///
    /// # Errors
    /// Those of [`run`](super::run()).
    pub fn candidates(
        &self,
        machine: &Machine,
        groups: &Arc<Groups>,
        routing: &Routing,
        request: &Request,
        control: &Control,
    ) -> Result<Tables> {
        let asked = (machine, groups, routing, request);
        let outcome = self.answer(asked, Look::EVERY, control)?;
        Ok(outcome.tables())
    }

    fn answer(
        &self,
        (machine, groups, routing, request): (&Machine, &Arc<Groups>, &Routing, &Request),
        look: Look,
        control: &Control,
    ) -> Result<Outcome> {
        request.validate(machine, groups.ranks())?;
        if request.size == 0.0 || !is_kept(request)? {
            return outcome(machine, groups, routing, request, control, look);
        }
        let unit = Request {
            size: 1.0,
            ..request.clone()
        };
        let place = (self.0, digest(groups, routing, &unit));
        let is = |kept: &Item| match kept {
            Item::Question(question) => question.is(groups, routing, &unit),
            Item::Groups(..) => false,
        };
        let mut question = match store::take(place, is) {
            Some(Item::Question(question)) => question,
            _ => Box::new(Question::new(machine, groups, routing, unit)?),
        };
        let answer = question.answer(machine, request.size, look, control)?;
        store::put(place, Item::Question(question));
        Ok(answer)
    }

    /// [`Groups::all`], made once.
    ///
    /// # Errors
    /// Those of [`Groups::all`].
    pub fn all(&self, machine: &Machine) -> Result<Arc<Groups>> {
        self.groups((machine.num_chips(), 0), || Groups::all(machine))
    }

    /// [`Groups::mesh_axis`], made once.
    ///
    /// # Errors
    /// Those of [`Groups::mesh_axis`].
    pub fn mesh_axis(&self, machine: &Machine, size: u32, stride: u32) -> Result<Arc<Groups>> {
        self.groups((size, stride), || Groups::mesh_axis(machine, size, stride))
    }

    fn groups(&self, apart: (u32, u32), make: impl Fn() -> Result<Groups>) -> Result<Arc<Groups>> {
        let place: Place = (self.0, u64::from(apart.0) << 32 | u64::from(apart.1));
        let is = |kept: &Item| matches!(kept, Item::Groups(known, _) if *known == apart);
        let groups = match store::take(place, is) {
            Some(Item::Groups(_, groups)) => groups,
            _ => Arc::new(make()?),
        };
        store::put(place, Item::Groups(apart, Arc::clone(&groups)));
        Ok(groups)
    }
}
