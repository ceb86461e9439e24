//! A request prepared for many sizes: all is priced once that does not depend on the size.

use super::ask::group::Groups;
use super::ask::request::Request;
use super::pattern::context::OnDemand;
use super::run::{checked, nothing_moves, run};
use super::solve::{Asked, Search};
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use crate::{Control, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request over groups of a machine, whose time at a size is arithmetic on what is kept here. Simulated models and
/// solvers with models of their own are run for each size.
///
/// # Examples
/// ```
/// use rainier_core::collective::{Groups, Operation, Prepared, Request};
/// # use rainier_core::Control;
/// # use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
/// # use rainier_core::route::Routing;
/// # let axis = Axis { name: "x".into(), size: 4, kind: AxisKind::Ring, bandwidth: 1e9, latency: 0.0 };
/// # let site = Site { name: "one".into(), domains: 1, tiers: Vec::new() };
/// # let machine = Machine::new(Domain::new(vec![axis])?, 0.0, None, vec![site], None)?;
/// let groups = Groups::all(&machine)?;
/// let request = Request::new(Operation::AllReduce, 1.0);
/// let control = Control::default();
/// let prepared = Prepared::new(machine.into(), groups.into(), Routing::default(), request, &control)?;
/// let times = prepared.times(&[1e6, 2e6], &control)?;
/// assert_eq!(times.seconds[1], 2.0 * times.seconds[0]);
/// assert!(prepared.bytes() > 0);
/// # Ok::<(), rainier_core::Error>(())
/// ```
pub struct Prepared {
    machine: Arc<Machine>,
    groups: Arc<Groups>,
    routing: Routing,
    request: Request,
    /// What is priced; `None` while a call has it.
    search: Mutex<Option<Search>>,
    /// How that is made; `None` where each size is run.
    prepare: Option<fn(&Asked) -> Result<Search>>,
}

/// Times at sizes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// Seconds.
    pub seconds: Vec<f64>,
    /// The algorithm, as a number in `names`.
    pub algorithms: Vec<u32>,
    /// Names of algorithms.
    pub names: Vec<String>,
}

impl Prepared {
    /// Prices what `request` asks for; its size does not matter.
    ///
    /// # Errors
    /// Those of [`run`](super::run()) that do not depend on the size.
    pub fn new(
        machine: Arc<Machine>,
        groups: Arc<Groups>,
        routing: Routing,
        request: Request,
        control: &Control,
    ) -> Result<Self> {
        let moves = request.operation != Operation::Barrier;
        let unit = Request {
            size: f64::from(u8::from(moves)),
            ..request.clone()
        };
        let (of, sorted, solver) = checked(&machine, &groups, &routing, &unit)?;
        let asked = Asked::new(&machine, &of, &routing, &sorted, control);
        let many = moves && sorted.model.engine().is_none() && !nothing_moves(&of, &sorted);
        let prepare = solver.prepare.filter(|_| many);
        let search = match prepare {
            Some(prepare) => {
                solver.check_damage(&asked)?;
                Some(prepare(&asked)?)
            }
            None => None,
        };
        let (groups, request) = match prepare {
            Some(_) => (Arc::new(of), sorted),
            None => (groups, request),
        };
        Ok(Self {
            machine,
            groups,
            routing,
            request,
            search: Mutex::new(search),
            prepare,
        })
    }

    /// busbw / algbw of its operation, over the ranks that take part.
    pub fn bus_factor(&self) -> f64 {
        self.request.operation.bus_factor(self.groups.ranks())
    }

    /// Bytes that it keeps so far: algorithms are priced when a size asks for them. Nothing while a call has them.
    pub fn bytes(&self) -> u64 {
        self.groups.bytes() + self.slot().as_ref().map_or(0, Search::bytes)
    }

    /// Seconds and algorithm at each size, as [`run`](super::run()) answers.
    ///
    /// # Errors
    /// Those of [`run`](super::run()).
    pub fn times(&self, sizes: &[f64], control: &Control) -> Result<Times> {
        let mut times = Times::default();
        let mut take = |(seconds, name): (f64, &str)| {
            let known = times.names.iter().position(|known| known == name);
            let number = known.unwrap_or_else(|| {
                times.names.push(name.to_owned());
                times.names.len() - 1
            });
            times.seconds.push(seconds);
            times.algorithms.push(number as u32);
        };
        let Some(prepare) = self.prepare else {
            for &size in sizes {
                control.check()?;
                let (seconds, name) = self.run(size, control)?;
                take((seconds, &name));
                control.advance(1);
            }
            return Ok(times);
        };
        // Nobody waits for another: a call that comes while one has what is priced prices it again.
        let taken = self.slot().take();
        let mut search = match taken {
            Some(search) => search,
            None => prepare(&self.asked(control))?,
        };
        let evaluated = self.evaluate(&mut search, sizes, control, take);
        self.slot().get_or_insert(search);
        evaluated.map(|()| times)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Search>> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked<'a>(&'a self, control: &'a Control) -> Asked<'a> {
        let (machine, groups) = (&self.machine, &self.groups);
        Asked::new(machine, groups, &self.routing, &self.request, control)
    }

    /// Gives `take` seconds and algorithm of each size.
    fn evaluate(
        &self,
        search: &mut Search,
        sizes: &[f64],
        control: &Control,
        mut take: impl FnMut((f64, &str)),
    ) -> Result<()> {
        let (machine, groups) = (&*self.machine, &*self.groups);
        let scene = OnDemand::new(machine, &self.routing, groups, control);
        for &size in sizes {
            control.check()?;
            let request = Request {
                size,
                ..self.request.clone()
            };
            request.validate(machine, groups.ranks())?;
            let (seconds, name) = search.time(&scene, size)?;
            if size == 0.0 || !seconds.is_finite() {
                // No bytes have no busiest link; and what never ends has a reason to be told.
                let (seconds, name) = self.run(size, control)?;
                take((seconds, &name));
            } else {
                take((seconds, name));
            }
            control.advance(1);
        }
        Ok(())
    }

    /// One size as a call of its own.
    fn run(&self, size: f64, control: &Control) -> Result<(f64, String)> {
        let request = Request {
            size,
            ..self.request.clone()
        };
        let outcome = run(
            &self.machine,
            &self.groups,
            &self.routing,
            &request,
            control,
        )?;
        Ok((outcome.time, outcome.algorithm))
    }
}
