//! What solvers are asked.

use super::known::Known;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand, Shelf};
use crate::machine::Machine;
use crate::route::Routing;
use crate::{Control, Result};
use std::cell::RefCell;

/// What is asked: a request that is checked, and something moves.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) groups: &'a Groups,
    pub(crate) routing: &'a Routing,
    pub(crate) request: &'a Request,
    pub(crate) control: &'a Control,
    /// Bounds are to be found too, where the answer does not need them.
    pub(crate) with_bounds: bool,
    /// All that may answer is to be priced, also what cannot be the fastest.
    pub(crate) every: bool,
    /// Patterns of calls before.
    pub(crate) shelf: Option<&'a Shelf>,
    /// What calls before have priced of it, sizes apart.
    pub(crate) known: Option<&'a RefCell<Known>>,
}

impl<'a> Asked<'a> {
    /// The answer alone is asked for, and nothing is known.
    pub(crate) fn new(
        machine: &'a Machine,
        groups: &'a Groups,
        routing: &'a Routing,
        request: &'a Request,
        control: &'a Control,
    ) -> Self {
        Self {
            machine,
            groups,
            routing,
            request,
            control,
            with_bounds: false,
            every: false,
            shelf: None,
            known: None,
        }
    }

    pub(crate) fn context(&self) -> Result<Context<'a>> {
        let (machine, control) = (self.machine, self.control);
        match self.shelf {
            Some(shelf) => Context::sharing(machine, self.routing, self.groups, control, shelf),
            None => Context::new(machine, self.routing, self.groups, control),
        }
    }

    /// The same, as what is priced already takes it.
    pub(crate) fn scene(&self) -> Result<OnDemand<'a>> {
        self.context().map(OnDemand::from)
    }
}
