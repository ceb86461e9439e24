//! Prices of collectives by axis and bytes: requests are prepared once for an axis, and each size is asked for once.

use super::known::{Known, Place};
use crate::Control;
use crate::collective::{Groups, Prepared};
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::Taken;
use crate::operation::Operation;
use crate::workload::axes::Axis;
use crate::workload::prices::{Asked, Prices, over_links_when_whole};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most bytes of prepared requests: those that were asked for longest ago make room.
const MOST_PREPARED: u64 = 32 << 20;

/// Most prices that are remembered.
const MOST_PRICES: usize = 1 << 18;

/// Prices between two looks at what is taken.
const STRETCH: usize = 1 << 12;

/// What answers for a place: as it is asked for, and by links where the machine's software has no model.
struct Answers {
    own: Option<Prepared>,
    links: Option<Prepared>,
    used: u64,
    bytes: u64,
}

/// Prices of one machine, for one thread.
pub(super) struct Table<'a> {
    machine: Arc<Machine>,
    asked: &'a Asked,
    /// Of the job, but for its count of work done.
    control: Control,
    kept: RefCell<Kept>,
}

struct Kept {
    answers: BTreeMap<(u8, u32, u32), Answers>,
    prices: Known,
    asked: u64,
    bytes: u64,
    taken: Taken,
}

/// What to do where prices do not fit.
const FEWER: &str = "name fewer values of an option, or use fewer threads";

impl<'a> Table<'a> {
    pub(super) fn new(machine: Arc<Machine>, asked: &'a Asked, control: &Control) -> Result<Self> {
        let taken = control.take(0, format_args!("prices of collectives"), FEWER)?;
        Ok(Self {
            machine,
            asked,
            control: control.part(),
            kept: RefCell::new(Kept {
                answers: BTreeMap::new(),
                prices: Known::default(),
                asked: 0,
                bytes: 0,
                taken,
            }),
        })
    }

    /// Prepares a place.
    fn prepared(&self, (operation, size, stride): Place) -> Result<Answers> {
        self.control.check()?;
        let groups = Arc::new(Groups::mesh_axis(&self.machine, size, stride)?);
        let prepare = |asked: &Asked| {
            let (machine, groups) = (Arc::clone(&self.machine), Arc::clone(&groups));
            let request = asked.request(operation, 1.0);
            Prepared::new(
                machine,
                groups,
                asked.routing.clone(),
                request,
                &self.control,
            )
        };
        let (own, links) = match (prepare(self.asked), self.asked.by_links()) {
            (Err(Error::Unsupported { .. }), Some(links)) => (None, Some(prepare(&links)?)),
            (own, _) => (Some(own?), None),
        };
        let mut answers = Answers {
            own,
            links,
            used: 0,
            bytes: 0,
        };
        answers.bytes = answers.bytes();
        Ok(answers)
    }

    fn price(&self, place: Place, bytes: f64) -> Result<f64> {
        let mut kept = self.kept.borrow_mut();
        if let Some(known) = kept.prices.get(place, bytes) {
            return Ok(known);
        }
        kept.asked += 1;
        let now = kept.asked;
        let number = (place.0 as u8, place.1, place.2);
        let known = kept.answers.remove(&number);
        let mut answers = match known {
            Some(answers) => answers,
            None => {
                let answers = self.prepared(place)?;
                kept.bytes += answers.bytes;
                kept.make_room();
                answers
            }
        };
        answers.used = now;
        let seconds = self.ask(&answers, place, bytes)?;
        kept.answers.insert(number, answers);
        if kept.prices.len() >= MOST_PRICES {
            kept.prices = Known::default();
        }
        kept.prices.insert(place, bytes, seconds);
        if kept.prices.len() % STRETCH == 0 {
            kept.reckon()?;
        }
        Ok(seconds)
    }

    fn ask(&self, answers: &Answers, place: Place, bytes: f64) -> Result<f64> {
        let sent = self.asked.size(&self.machine, place.0, (bytes, 1));
        let time = |prepared: &Prepared, bytes: f64| -> Result<f64> {
            Ok(prepared.times(&[bytes], &self.control)?.seconds[0])
        };
        match (&answers.own, &answers.links, self.asked.by_links()) {
            (Some(own), _, by_links) => match (time(own, sent), by_links) {
                // Of this size alone there is no model.
                (Err(Error::Unsupported { .. }), Some(links)) => {
                    let (operation, size, stride) = place;
                    let groups = Groups::mesh_axis(&self.machine, size, stride)?;
                    let request = links.request(operation, bytes);
                    let (machine, routing) = (&self.machine, &links.routing);
                    let outcome =
                        crate::collective::run(machine, &groups, routing, &request, &self.control)?;
                    Ok(outcome.time * self.over_links(&groups, place, bytes)?)
                }
                (seconds, _) => seconds,
            },
            (None, Some(links), _) => {
                let seconds = time(links, bytes)?;
                if !self.machine.is_damaged() {
                    return Ok(seconds);
                }
                let groups = Groups::mesh_axis(&self.machine, place.1, place.2)?;
                Ok(seconds * self.over_links(&groups, place, bytes)?)
            }
            (None, None, _) => unreachable!("one of both answers"),
        }
    }
}

impl Table<'_> {
    fn over_links(&self, groups: &Groups, (operation, ..): Place, bytes: f64) -> Result<f64> {
        let software = (self.asked, &self.control);
        over_links_when_whole(&self.machine, groups, operation, (bytes, 1), software)
    }
}

impl Answers {
    fn bytes(&self) -> u64 {
        let both = [&self.own, &self.links].into_iter().flatten();
        both.map(Prepared::bytes).sum()
    }
}

impl Kept {
    /// Drops what was asked for longest ago.
    fn make_room(&mut self) {
        while self.bytes > MOST_PREPARED {
            let oldest = self.answers.iter().min_by_key(|(_, one)| one.used);
            let Some((&place, bytes)) = oldest.map(|(place, one)| (place, one.bytes)) else {
                return;
            };
            self.answers.remove(&place);
            self.bytes -= bytes;
        }
    }

    fn reckon(&mut self) -> Result<()> {
        let prices = self.prices.bytes();
        let what = format_args!("prices of collectives");
        self.taken.grow_to(prices + self.bytes, what, FEWER)
    }
}

impl Prices for Table<'_> {
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        if axis.size() == 1 || bytes == 0.0 {
            return Ok(0.0);
        }
        match *axis {
            Axis::Digit { size, stride } => self.price((operation, size, stride), bytes),
            Axis::Listed(_) => Err(Error::unsupported(
                "a search of layouts whose groups are listed",
                "use an order whose groups are evenly spaced",
            )),
        }
    }
}
