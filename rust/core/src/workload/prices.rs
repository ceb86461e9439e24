//! What collectives of a layout take.

use super::axes::Axis;
use crate::Control;
use crate::collective::{self, Choice, Groups, Keeper, Outcome, Request};
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use std::cell::RefCell;
use std::collections::BTreeMap;
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

    /// Bytes as whoever answers means them, of groups with so many ranks of each chip: all-to-all has those that one rank
    /// sends; links have those of a chip, and neuron those of a core, whatever ranks are.
    pub(super) fn size(
        &self,
        machine: &Machine,
        operation: Operation,
        (bytes, ranks): (f64, u32),
    ) -> f64 {
        if operation != Operation::AllToAll {
            return bytes;
        }
        let sent = bytes * f64::from(ranks);
        match machine.neuron() {
            Some(neuron) if self.algorithm == Choice::Named("neuron".to_owned()) => {
                sent / f64::from(neuron.ranks_per_chip)
            }
            _ => sent,
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
pub struct Book(Mutex<Option<(Asked, BTreeMap<Key, Priced>)>>);

impl Book {
    fn with<T>(
        &self,
        asked: &Asked,
        work: impl FnOnce(&mut BTreeMap<Key, Priced>) -> T,
    ) -> Option<T> {
        let mut open = match self.0.try_lock() {
            Ok(open) => open,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if open.as_ref().is_none_or(|(known, _)| known != asked) {
            *open = Some((asked.clone(), BTreeMap::new()));
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

/// How much longer the machine's own software takes than links alone on the whole machine: of a damaged one it has no
/// model, and damage is taken to slow it down as it slows links. 1 where the machine is whole, or there is no model of
/// that either.
pub(super) fn over_links_when_whole(
    machine: &Machine,
    groups: &Groups,
    operation: Operation,
    sent: (f64, u32),
    (asked, control): (&Asked, &Control),
) -> Result<f64> {
    let Some(links) = asked.by_links().filter(|_| machine.is_damaged()) else {
        return Ok(1.0);
    };
    let healthy = machine.healthy();
    let time = |asked: &Asked| {
        let request = asked.request(operation, asked.size(&healthy, operation, sent));
        let outcome = collective::run(&healthy, groups, &asked.routing, &request, control)?;
        Ok(outcome.time)
    };
    match time(asked) {
        Err(Error::Unsupported { .. }) => Ok(1.0),
        own => Ok(own? / time(&links)?),
    }
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
        let sent = (bytes, on.inside);
        // What the machine's own software takes is known of groups of all ranks of their chips.
        let own = match on.alike {
            1 => self.run(self.asked, operation, &groups, sent),
            _ => Err(Error::unsupported("ranks that share a chip", "by links")),
        };
        let mut by_links = false;
        let outcome = match (own, self.asked.by_links()) {
            (Err(Error::Unsupported { .. }), links) => {
                by_links = links.is_some();
                let asked = links.as_ref().unwrap_or(self.asked);
                let of_all = (bytes * f64::from(on.alike), on.inside);
                let mut outcome = self.run(asked, operation, &groups, of_all)?;
                if on.alike == 1 {
                    let software = (self.asked, self.control);
                    outcome.time *=
                        over_links_when_whole(self.machine, &groups, operation, sent, software)?;
                }
                outcome
            }
            (outcome, _) => outcome?,
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
        let outcome = self.run(&neuron, Operation::AllReduce, groups, (bytes, 1))?;
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
        asked: &Asked,
        operation: Operation,
        groups: &Arc<Groups>,
        sent: (f64, u32),
    ) -> Result<Outcome> {
        let request = asked.request(operation, asked.size(self.machine, operation, sent));
        self.keeper
            .run(self.machine, groups, &asked.routing, &request, self.control)
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
