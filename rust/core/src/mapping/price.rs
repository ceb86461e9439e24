//! What collectives take at a place: bounded first, priced when that may matter, each once.

use super::layout::groups;
use super::parts::Parts;
use super::question::{Call, Question};
use super::space::Space;
use super::tree::Places;
use crate::collective::{Groups, Model, Request, least_time, seconds};
use crate::machine::Machine;
use crate::threads::over_blocks;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Algorithms whose prices need not obey what links and ranks must do: tables, and switches that add up.
const UNBOUNDED: [&str; 3] = ["nccl", "neuron", "in_switch"];

/// Bounds are lowered by this share, so that none is above a time that is equal but for rounding.
const SLACK: f64 = 1e-9;

/// What is known of a collective at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Price {
    /// No less than this.
    AtLeast(f64),
    /// This; infinite where it has no model.
    Exactly(f64),
}

/// Prices by collective and place.
pub(super) struct Prices<'a> {
    question: &'a Question<'a>,
    space: &'a Space,
    places: &'a Places,
    parts: Parts,
    /// Different collectives: what is asked, with all numbers filled in.
    requests: Vec<Request>,
    /// By axis: (collective, count).
    calls: Vec<Vec<(usize, f64)>>,
    known: BTreeMap<(usize, u32), Price>,
    /// The first refusal, in the order in which prices are asked for.
    pub(super) refusal: Option<Error>,
}

impl<'a> Prices<'a> {
    pub(super) fn new(
        question: &'a Question,
        space: &'a Space,
        places: &'a Places,
    ) -> Result<Self> {
        let mut requests: Vec<Request> = Vec::new();
        let mut number =
            |request: Request| match requests.iter().position(|known| *known == request) {
                Some(known) => known,
                None => {
                    requests.push(request);
                    requests.len() - 1
                }
            };
        let axis = |calls: &Vec<Call>| {
            let call = |call: &Call| (number(question.request(call)), call.count as f64);
            calls.iter().map(call).collect()
        };
        let calls = question.calls.iter().map(axis).collect();
        let parts = match obeys_links(question) && question.asked.model.engine().is_none() {
            true => Parts::of(question.machine, &space.dimensions)?,
            false => Parts::whole(question.machine),
        };
        Ok(Self {
            question,
            space,
            places,
            parts,
            requests,
            calls,
            known: BTreeMap::new(),
            refusal: None,
        })
    }

    /// Bounds the collectives of an axis at all of these places.
    pub(super) fn bound(
        &mut self,
        axis: usize,
        places: impl Iterator<Item = u32>,
        control: &Control,
    ) -> Result<()> {
        let bounded = self.question.asked.model != Model::AlphaBeta && obeys_links(self.question);
        for place in places {
            control.check()?;
            for &(call, _) in &self.calls[axis] {
                if self.known.contains_key(&(call, place)) {
                    continue;
                }
                let least = if bounded {
                    self.least(call, place, control)?
                } else {
                    0.0
                };
                self.known
                    .insert((call, place), Price::AtLeast(least * (1.0 - SLACK)));
            }
        }
        Ok(())
    }

    fn least(&self, call: usize, place: u32, control: &Control) -> Result<f64> {
        let (machine, groups) = self.on_part(place)?;
        let (routing, request) = (self.question.routing, &self.requests[call]);
        least_time(machine, &groups, routing, request, &control.part())
    }

    /// The groups of a place, on the smallest part of the machine that holds them.
    fn on_part(&self, place: u32) -> Result<(&Machine, Groups)> {
        let (dimensions, place) = (&self.space.dimensions, &self.places.all[place as usize]);
        let machine = self.parts.smallest(dimensions, place);
        Ok((machine, groups(machine, dimensions, place)?))
    }

    /// Seconds that the collectives of an axis take at least, all together.
    pub(super) fn seconds(&self, axis: usize, place: u32) -> f64 {
        let calls = self.calls[axis].iter();
        let each = calls.map(|(call, count)| match self.known[&(*call, place)] {
            // No count makes something of nothing, nor nothing of what has no model.
            Price::AtLeast(seconds) | Price::Exactly(seconds) => count * seconds,
        });
        each.sum()
    }

    /// The collectives of an axis at a place whose times are not known.
    pub(super) fn open(&self, axis: usize, place: u32) -> impl Iterator<Item = (usize, u32)> + '_ {
        let open = move |call: &usize| matches!(self.known[&(*call, place)], Price::AtLeast(_));
        let calls = self.calls[axis].iter().map(|(call, _)| *call);
        calls.filter(open).map(move |call| (call, place))
    }

    /// Finds the times of collectives at places; the same whatever the number of threads.
    pub(super) fn price(
        &mut self,
        wanted: &[(usize, u32)],
        threads: usize,
        control: &Control,
    ) -> Result<()> {
        let times = Mutex::new(vec![None; wanted.len()]);
        let work = |_: &mut (), at: usize| {
            control.check()?;
            let (call, place) = wanted[at];
            let (machine, groups) = self.on_part(place)?;
            let (routing, request) = (self.question.routing, &self.requests[call]);
            let time = match seconds(machine, &groups, routing, request, &control.part()) {
                Err(error @ Error::Unsupported { .. }) => Err(error),
                time => Ok(time?),
            };
            times.lock().expect("no worker panics with it")[at] = Some(time);
            Ok(())
        };
        over_blocks(threads, wanted.len(), || (), work)?;
        let times = times.into_inner().expect("no worker panics with it");
        for (&key, time) in wanted.iter().zip(times) {
            let time = time.expect("each block is done").unwrap_or_else(|error| {
                self.refusal.get_or_insert(error);
                f64::INFINITY
            });
            self.known.insert(key, Price::Exactly(time));
        }
        Ok(())
    }

    /// How many collectives at places were priced.
    pub(super) fn priced(&self) -> u64 {
        let exact = |price: &&Price| matches!(price, Price::Exactly(_));
        self.known.values().filter(exact).count() as u64
    }
}

/// Whether all collectives are bounded by links and ranks.
fn obeys_links(question: &Question) -> bool {
    let mut names = question.asked.algorithm.names();
    !names.any(|name| UNBOUNDED.contains(&name))
}
