//! What is asked of a collective but its size, with what is priced of it.

use super::answer::outcome::Outcome;
use super::ask::group::Groups;
use super::ask::request::Request;
use super::run::{Look, answered, checked};
use super::solve::{Known, Solver};
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::route::Routing;
use crate::{Control, Result};
use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Members of groups that a digest looks at.
const LOOKED_AT: usize = 64;

/// Bytes of small things.
const SMALL: u64 = 1024;

/// A request over groups of a machine, whose size is given when it is asked.
pub(super) struct Question {
    given: Arc<Groups>,
    routing: Routing,
    /// As it was asked, for one byte.
    unit: Request,
    /// Groups and request as solvers take them.
    groups: Arc<Groups>,
    request: Request,
    solver: &'static Solver,
    known: Known,
    uses: u32,
    bytes: u64,
}

impl Question {
    /// Checks what does not depend on the size of `request`.
    pub(super) fn new(
        machine: &Machine,
        given: &Arc<Groups>,
        routing: &Routing,
        unit: Request,
    ) -> Result<Self> {
        let (groups, request, solver) = checked(machine, given, routing, &unit)?;
        let groups = match groups == **given {
            true => Arc::clone(given),
            false => Arc::new(groups),
        };
        Ok(Self {
            given: Arc::clone(given),
            routing: routing.clone(),
            unit,
            groups,
            request,
            solver,
            known: Known::default(),
            uses: 0,
            bytes: 0,
        })
    }

    pub(super) fn is(&self, groups: &Arc<Groups>, routing: &Routing, unit: &Request) -> bool {
        let same = || Arc::ptr_eq(&self.given, groups) || self.given == *groups;
        self.unit == *unit && self.routing == *routing && same()
    }

    /// The answer for a size, of which what is new is remembered.
    pub(super) fn answer(
        &mut self,
        machine: &Machine,
        size: f64,
        look: Look,
        control: &Control,
    ) -> Result<Outcome> {
        let request = Request {
            size,
            ..self.request.clone()
        };
        let known = RefCell::new(std::mem::take(&mut self.known));
        let asked = (machine, &self.groups, &self.routing, &request);
        let outcome = answered(asked, self.solver, control, look, Some(&known));
        self.known = known.into_inner();
        self.uses += 1;
        // Most sizes ask for nothing new; small things that some do are counted at the second, the fourth and so on.
        if self.uses.is_power_of_two() || self.known.has_grown() {
            self.bytes = self.known.bytes() + self.own_bytes();
        }
        outcome
    }

    fn own_bytes(&self) -> u64 {
        let sorted = match Arc::ptr_eq(&self.given, &self.groups) {
            true => 0,
            false => self.groups.bytes(),
        };
        let orders = self.unit.orders.iter().map(|order| order.0.len() as u64);
        let orders: u64 = orders.map(|axes| bytes_of::<usize>(axes + 4)).sum();
        SMALL + self.given.bytes() + sorted + 2 * orders
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A number that tells questions apart, most of them.
pub(super) fn digest(groups: &Groups, routing: &Routing, unit: &Request) -> u64 {
    let mut digest = DefaultHasher::new();
    unit.operation.hash(&mut digest);
    unit.algorithm.hash(&mut digest);
    unit.model.hash(&mut digest);
    (unit.root, unit.shift, unit.chunks, unit.dtype).hash(&mut digest);
    for (axes, weight) in &unit.orders {
        (axes, weight.to_bits()).hash(&mut digest);
    }
    routing.hash(&mut digest);
    (groups.ranks(), groups.count()).hash(&mut digest);
    match groups {
        Groups::Grid { locals, domains } => {
            hash_some(locals, &mut digest);
            hash_some(domains, &mut digest);
        }
        Groups::Scattered(chips) => hash_some(chips, &mut digest),
    }
    digest.finish()
}

/// Some members of lists of equal length.
fn hash_some(lists: &[Vec<u32>], digest: &mut DefaultHasher) {
    let each = lists.first().map_or(0, Vec::len);
    let all = lists.len() * each;
    let some = (0..all).step_by(all.div_ceil(LOOKED_AT).max(1));
    some.for_each(|at| lists[at / each][at % each].hash(digest));
}
