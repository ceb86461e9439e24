//! What collectives of a layout take.

use super::axes::Axis;
use crate::Control;
use crate::collective::{self, Choice, Groups, Keeper, Outcome, Request};
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, TryLockError};

/// Whoever knows what collectives take.
pub trait Prices {
    /// Seconds of a collective of so many bytes over all groups of an axis at once.
    ///
    /// # Errors
    /// Those of [`run`](crate::collective::run()).
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64>;
}

/// How collectives of a step are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Which algorithm.
    pub algorithm: Choice,
    /// Which routes.
    pub routing: Routing,
    /// Type of the numbers.
    pub dtype: Option<&'static str>,
    /// Ranks of a chip: 1 where chips are ranks.
    pub per_chip: u32,
}

impl Asked {
    /// A request of it.
    pub fn request(&self, operation: Operation, bytes: f64) -> Request {
        Request {
            algorithm: self.algorithm.clone(),
            dtype: self.dtype,
            ..Request::new(operation, bytes)
        }
    }

    /// The same by links alone, where the machine's own software has no model of a collective; `None` where that was
    /// asked for.
    pub fn by_links(&self) -> Option<Self> {
        (self.algorithm != Choice::Auto).then(|| Self {
            algorithm: Choice::Auto,
            ..self.clone()
        })
    }
}

/// One collective that was priced.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// What it does.
    pub operation: Operation,
    /// Over which chips.
    pub axis: Axis,
    /// Bytes, as the operation means them.
    pub bytes: f64,
    /// Seconds of one, alone.
    pub seconds: f64,
    /// Its algorithm.
    pub algorithm: String,
    /// The class of links that bounds it, if one does.
    pub bottleneck: String,
    /// Whether the machine's own software has no model of it, so that links alone say what it takes.
    pub by_links: bool,
}

/// An operation, size and stride of an axis, bits of the bytes.
type Key = (Operation, u32, u32, u64);

/// Most collectives that a book remembers: some hundred kilobytes.
const MOST_REMEMBERED: usize = 4096;

/// What steps of one machine have priced, as it was asked for last. Nobody waits for it.
#[derive(Debug, Default)]
pub struct Book(Mutex<Option<(Asked, HashMap<Key, Priced>)>>);

impl Book {
    fn with<T>(
        &self,
        asked: &Asked,
        work: impl FnOnce(&mut HashMap<Key, Priced>) -> T,
    ) -> Option<T> {
        let mut open = match self.0.try_lock() {
            Ok(open) => open,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if open.as_ref().is_none_or(|(known, _)| known != asked) {
            *open = Some((asked.clone(), HashMap::new()));
        }
        open.as_mut().map(|(_, prices)| work(prices))
    }
}

/// An axis of ranks as chips have it.
struct OnChips {
    axis: Axis,
    /// Groups that have the same chips.
    alike: u32,
    /// Ranks of each chip in a group.
    inside: u32,
}

impl OnChips {
    /// Bytes as links have them: of all groups that share chips, and of all ranks of a chip in what each sends alone.
    fn of_links(&self, operation: Operation, bytes: f64) -> f64 {
        let sent = match operation {
            Operation::AllToAll => f64::from(self.inside),
            _ => 1.0,
        };
        bytes * f64::from(self.alike) * sent
    }
}

/// What ends the algorithm of a collective whose own software has no model of damage.
const SLOWED: &str = ", slowed as links are";

/// The chips of an axis of ranks, of which a chip has `per_chip`.
fn on_chips(axis: &Axis, per_chip: u32) -> Result<OnChips> {
    let (axis, alike, inside) = match *axis {
        _ if per_chip == 1 => (axis.clone(), 1, 1),
        Axis::Digit { size, stride } if stride % per_chip == 0 => {
            let stride = stride / per_chip;
            (Axis::Digit { size, stride }, per_chip, 1)
        }
        Axis::Digit { size, stride: 1 } if size % per_chip == 0 => {
            let size = size / per_chip;
            (Axis::Digit { size, stride: 1 }, 1, per_chip)
        }
        Axis::Digit { size, stride } => {
            let what = format!("an axis of {size} ranks {stride} apart, {per_chip} ranks a chip");
            let instead = "let the fastest axis have all ranks of a chip, as tp=4 on Trainium2 has";
            return Err(Error::unsupported(what, instead));
        }
        Axis::Listed(_) => {
            let what = "listed groups of ranks that share chips";
            return Err(Error::unsupported(
                what,
                "list chips, with ranks_per_chip=1",
            ));
        }
    };
    Ok(OnChips {
        axis,
        alike,
        inside,
    })
}

/// Prices of a machine, by what it remembers.
pub struct Kept<'a> {
    /// Where they run.
    pub machine: &'a Machine,
    /// What calls before have prepared.
    pub keeper: &'a Keeper,
    /// What steps before have priced.
    pub book: &'a Book,
    /// How they are asked for.
    pub asked: &'a Asked,
    /// Of the call.
    pub control: &'a Control,
    /// What was priced, each once.
    pub priced: RefCell<Vec<Priced>>,
}

impl Kept<'_> {
    fn price(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<Priced> {
        let Axis::Digit { size, stride } = *axis else {
            return self.anew(operation, axis, bytes);
        };
        let key = (operation, size, stride, bytes.to_bits());
        let known = self
            .book
            .with(self.asked, |prices| prices.get(&key).cloned());
        if let Some(known) = known.flatten() {
            return Ok(known);
        }
        let priced = self.anew(operation, axis, bytes)?;
        self.book.with(self.asked, |prices| {
            if prices.len() >= MOST_REMEMBERED {
                prices.clear();
            }
            prices.insert(key, priced.clone());
        });
        Ok(priced)
    }

    fn anew(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<Priced> {
        self.control.check()?;
        let on = on_chips(axis, self.asked.per_chip)?;
        let groups = match &on.axis {
            Axis::Digit { size, stride } => self.keeper.mesh_axis(self.machine, *size, *stride)?,
            Axis::Listed(groups) => Arc::clone(groups),
        };
        if on.axis.size() == 1 {
            return self.inside(operation, axis, &groups, bytes);
        }
        // What the machine's own software takes is known of groups of all ranks of their chips.
        let own = match on.alike {
            1 => self.run_own(self.machine, operation, &groups, &on, bytes),
            _ => Err(Error::unsupported("ranks that share a chip", "by links")),
        };
        let (outcome, by_links) = match (own, self.asked.by_links()) {
            (Err(Error::Unsupported { .. }), Some(links)) => {
                let size = on.of_links(operation, bytes);
                let outcome = self.run(self.machine, &links, operation, &groups, size)?;
                match self.slowed(operation, &groups, &on, bytes, outcome.time)? {
                    Some(slowed) => (slowed, false),
                    None => (outcome, true),
                }
            }
            (Err(Error::Unsupported { .. }), None) if on.alike > 1 => {
                let size = on.of_links(operation, bytes);
                let outcome = self.run(self.machine, self.asked, operation, &groups, size)?;
                (outcome, false)
            }
            (outcome, _) => (outcome?, false),
        };
        Ok(Priced {
            operation,
            axis: axis.clone(),
            bytes,
            seconds: outcome.time,
            algorithm: outcome.algorithm,
            bottleneck: outcome
                .bottleneck
                .map(|link| link.class)
                .unwrap_or_default(),
            by_links,
        })
    }

    /// A collective as it is asked for, over groups of all ranks of their chips.
    fn run_own(
        &self,
        machine: &Machine,
        operation: Operation,
        groups: &Arc<Groups>,
        on: &OnChips,
        bytes: f64,
    ) -> Result<Outcome> {
        let of_neuron = Choice::Named("neuron".to_owned());
        let size = match (operation, machine.neuron()) {
            // Whose ranks are cores, whatever a step's are.
            (Operation::AllToAll, Some(neuron)) if self.asked.algorithm == of_neuron => {
                bytes * f64::from(on.inside) / f64::from(neuron.ranks_per_chip)
            }
            _ => on.of_links(operation, bytes),
        };
        self.run(machine, self.asked, operation, groups, size)
    }

    /// What the machine's own software takes where damage alone keeps it from having a model: its time on the machine as
    /// it was, longer by as much as links alone take longer, and never below those.
    fn slowed(
        &self,
        operation: Operation,
        groups: &Arc<Groups>,
        on: &OnChips,
        bytes: f64,
        damaged: f64,
    ) -> Result<Option<Outcome>> {
        let Some(links) = self.asked.by_links() else {
            return Ok(None);
        };
        if !self.machine.is_damaged() || on.alike > 1 {
            return Ok(None);
        }
        let machine = self.machine.healthy();
        let mut own = match self.run_own(&machine, operation, groups, on, bytes) {
            Err(Error::Unsupported { .. }) => return Ok(None),
            own => own?,
        };
        let size = on.of_links(operation, bytes);
        let healthy = self.run(&machine, &links, operation, groups, size)?.time;
        own.time = damaged.max(own.time * (damaged / healthy).max(1.0));
        own.algorithm += SLOWED;
        Ok(Some(own))
    }

    /// A collective among the ranks of each chip, of which measured all-reduces say what they take; gathering and
    /// scattering are half of one each.
    fn inside(
        &self,
        operation: Operation,
        axis: &Axis,
        groups: &Arc<Groups>,
        bytes: f64,
    ) -> Result<Priced> {
        let share = match operation {
            Operation::AllReduce => 1.0,
            Operation::AllGather | Operation::ReduceScatter => 0.5,
            other => {
                let what = format!("{} among the ranks of one chip", other.name());
                return Err(Error::unsupported(
                    what,
                    "use ranks_per_chip=1, or an axis over chips",
                ));
            }
        };
        let neuron = Asked {
            algorithm: Choice::Named("neuron".to_owned()),
            ..self.asked.clone()
        };
        let outcome = self.run(self.machine, &neuron, Operation::AllReduce, groups, bytes)?;
        Ok(Priced {
            operation,
            axis: axis.clone(),
            bytes,
            seconds: share * outcome.time,
            algorithm: outcome.algorithm,
            bottleneck: "inside a chip".to_owned(),
            by_links: false,
        })
    }

    fn run(
        &self,
        machine: &Machine,
        asked: &Asked,
        operation: Operation,
        groups: &Arc<Groups>,
        bytes: f64,
    ) -> Result<Outcome> {
        let request = asked.request(operation, bytes);
        if std::ptr::eq(machine, self.machine) {
            return self
                .keeper
                .run(machine, groups, &asked.routing, &request, self.control);
        }
        // Another machine than the one of which things are kept.
        collective::run(machine, groups, &asked.routing, &request, self.control)
    }
}

impl Prices for Kept<'_> {
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        if axis.size() == 1 || bytes == 0.0 {
            return Ok(0.0);
        }
        let is =
            |one: &Priced| one.operation == operation && one.axis == *axis && one.bytes == bytes;
        if let Some(known) = self.priced.borrow().iter().find(|one| is(one)) {
            return Ok(known.seconds);
        }
        let priced = self.price(operation, axis, bytes)?;
        let seconds = priced.seconds;
        self.priced.borrow_mut().push(priced);
        Ok(seconds)
    }
}
