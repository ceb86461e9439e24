//! What collectives take at a place: bounded first, priced when that may matter, each once.

use super::FEWER;
use super::alike::families;
use super::digit::Place;
use super::layout::groups;
use super::parts::Parts;
use super::question::{Call, Question};
use super::space::Space;
use super::tree::Places;
use crate::collective::{
    Groups, Model, Operation, Outcome, Request, Shelf, is_bounded, least_time, seconds, unbounded,
};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::threads::over_blocks;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Bounds are lowered by this share, so that none is above a time that is equal but for rounding.
const SLACK: f64 = 1e-9;

/// Families whose patterns are kept from round to round: best layouts differ little from round to round.
const MOST_SHELVES: usize = 8;

/// A collective, and a place.
pub(super) type Key = (usize, u32);

/// What is known of a collective at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Price {
    /// No less than this.
    AtLeast(f64),
    /// This; infinite where it has no model.
    Exactly(f64),
}

/// The patterns of families, those that were asked for last at the end.
#[derive(Default)]
struct Shelves(Vec<(usize, Shelf)>);

impl Shelves {
    /// Those of these families; of others, few are kept.
    fn of(&mut self, families: impl Iterator<Item = usize>) -> Vec<Shelf> {
        let mut asked = Vec::new();
        for family in families {
            let known = self.0.iter().position(|known| known.0 == family);
            let shelf = known.map(|at| self.0.remove(at).1).unwrap_or_default();
            self.0.push((family, shelf.clone()));
            asked.push(shelf);
        }
        self.0.drain(..self.0.len().saturating_sub(MOST_SHELVES));
        asked
    }
}

/// One collective of an axis, as it runs once.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Seconds.
    pub seconds: f64,
    /// The algorithm, with choices per tier.
    pub algorithm: String,
    /// What bounds it: a class of links, "latency", or nothing.
    pub bottleneck: String,
}

impl Part {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let waits = outcome.latency + outcome.overhead > outcome.time / 2.0;
        let bottleneck = match &outcome.bottleneck {
            Some(link) if !waits => link.class.clone(),
            _ if outcome.time > 0.0 => "latency".to_owned(),
            _ => String::new(),
        };
        Self {
            seconds: outcome.time,
            algorithm: outcome.algorithm.clone(),
            bottleneck,
        }
    }
}

/// Prices by collective and place.
pub(super) struct Prices<'a> {
    question: &'a Question<'a>,
    space: &'a Space,
    places: &'a Places,
    parts: Parts,
    /// By place, the number of its family.
    families: Vec<usize>,
    /// By place, the number of that whose ranks are in order: most collectives cost the same there.
    in_order: Vec<u32>,
    /// Different collectives: what is asked, with all numbers filled in.
    requests: Vec<Request>,
    /// By axis: (collective, count).
    calls: Vec<Vec<(usize, f64)>>,
    known: BTreeMap<Key, Price>,
    /// The patterns of families that were priced last.
    shelves: Shelves,
    /// By collective and family.
    bounds: BTreeMap<(usize, usize), f64>,
    /// The first refusal, in the order in which prices are asked for.
    pub(super) refusal: Option<Error>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
}

impl<'a> Prices<'a> {
    pub(super) fn new(
        question: &'a Question,
        space: &'a Space,
        places: &'a Places,
        control: &Control,
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
        let parts = match is_bounded(&question.asked.algorithm)
            && question.asked.model.engine().is_none()
        {
            true => Parts::of(question.machine, &space.dimensions)?,
            false => Parts::whole(question.machine),
        };
        // A price of each collective at each place, and what is alike.
        let known = (requests.len() as u64 + 1).saturating_mul(places.all.len() as u64);
        let what = format_args!("the prices of {} collectives at places of axes", known);
        let taken = control.take(bytes_of::<[u64; 8]>(known), what, FEWER)?;
        Ok(Self {
            question,
            space,
            places,
            parts,
            families: families(space, &places.all),
            in_order: places.without_order(
                &space.dimensions,
                question.routing.is_translation_invariant(),
            ),
            requests,
            calls,
            known: BTreeMap::new(),
            shelves: Shelves::default(),
            bounds: BTreeMap::new(),
            refusal: None,
            taken,
        })
    }

    /// Bounds the collectives of an axis at all of these places.
    pub(super) fn bound(
        &mut self,
        axis: usize,
        places: impl Iterator<Item = u32>,
        control: &Control,
    ) -> Result<()> {
        let bounded = self.question.asked.model != Model::AlphaBeta
            && is_bounded(&self.question.asked.algorithm);
        for place in places {
            control.check()?;
            for at in 0..self.calls[axis].len() {
                let key = self.key(self.calls[axis][at].0, place);
                if !self.known.contains_key(&key) {
                    let least = match bounded {
                        true => self.least(key, control)? * (1.0 - SLACK),
                        false => 0.0,
                    };
                    self.known.insert(key, Price::AtLeast(least));
                }
            }
        }
        Ok(())
    }

    /// Where a collective costs what it does at a place.
    fn key(&self, call: usize, place: u32) -> Key {
        let operation = self.requests[call].operation;
        match operation == Operation::SendRecv || operation.is_rooted() {
            true => (call, place),
            false => (call, self.in_order[place as usize]),
        }
    }

    /// A bound; of places that use several domains, one for all of a family.
    fn least(&mut self, (call, place): Key, control: &Control) -> Result<f64> {
        let (family, at) = (
            (call, self.families[place as usize]),
            &self.places.all[place as usize],
        );
        let mut pairs = self.space.dimensions.iter().zip(at);
        let across = pairs.any(|(dimension, digits)| !dimension.inside && !digits.is_empty());
        if let (true, Some(&least)) = (across, self.bounds.get(&family)) {
            return Ok(least);
        }
        let (machine, groups) = self.on_part(at)?;
        let (routing, request) = (self.question.routing, &self.requests[call]);
        let least = least_time(machine, &groups, routing, request, &control.part(), across)?;
        if across {
            self.bounds.insert(family, least);
        }
        Ok(least)
    }

    /// The groups of a place, on the smallest part of the machine that holds them.
    fn on_part(&self, place: &Place) -> Result<(&Machine, Groups)> {
        let dimensions = &self.space.dimensions;
        let machine = self.parts.smallest(dimensions, place);
        Ok((machine, groups(machine, dimensions, place)?))
    }

    /// Seconds that the collectives of an axis take at least, all together.
    pub(super) fn seconds(&self, axis: usize, place: u32) -> f64 {
        let calls = self.calls[axis].iter();
        let each = calls.map(|(call, count)| match self.known[&self.key(*call, place)] {
            // No count makes something of nothing, nor nothing of what has no model.
            Price::AtLeast(seconds) | Price::Exactly(seconds) => count * seconds,
        });
        each.sum()
    }

    /// The collectives of an axis at a place whose times are not known, with the seconds that they take at least as
    /// often as they run.
    pub(super) fn open(&self, axis: usize, place: u32) -> impl Iterator<Item = (Key, f64)> + '_ {
        let calls = self.calls[axis].iter();
        calls.filter_map(move |&(call, count)| {
            let key = self.key(call, place);
            match self.known[&key] {
                Price::AtLeast(seconds) => Some((key, count * seconds)),
                Price::Exactly(_) => None,
            }
        })
    }

    /// Whether a collective is priced in no time: one message a rank.
    pub(super) fn is_cheap(&self, (call, _): Key) -> bool {
        self.requests[call].operation == Operation::SendRecv
    }

    /// Finds the times of collectives at places; the same whatever the number of threads.
    pub(super) fn price(
        &mut self,
        wanted: &[Key],
        threads: usize,
        control: &Control,
    ) -> Result<()> {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable_by_key(|&(call, place)| (call, self.families[place as usize], place));
        wanted.dedup();
        let family = |key: &Key| (key.0, self.families[key.1 as usize]);
        let families: Vec<&[Key]> = wanted.chunk_by(|a, b| family(a) == family(b)).collect();
        let numbers = families.iter().map(|keys| family(&keys[0]).1);
        let shelves = self.shelves.of(numbers);
        let times = Mutex::new(vec![Vec::new(); families.len()]);
        let work = |_: &mut (), at: usize| {
            let time = |&key: &Key| {
                control.check()?;
                match self.time(key, &shelves[at], control) {
                    Err(error @ Error::Unsupported { .. }) => Ok(Err(error)),
                    time => time.map(Ok),
                }
            };
            let found = families[at].iter().map(time).collect::<Result<_>>()?;
            times.lock().expect("no worker panics with it")[at] = found;
            Ok(())
        };
        over_blocks(threads, families.len(), || (), work)?;
        let times = times.into_inner().expect("no worker panics with it");
        for (&key, time) in wanted.iter().zip(times.into_iter().flatten()) {
            let time = time.unwrap_or_else(|error| {
                self.refusal.get_or_insert(error);
                f64::INFINITY
            });
            self.known.insert(key, Price::Exactly(time));
        }
        Ok(())
    }

    fn time(&self, (call, place): Key, shelf: &Shelf, control: &Control) -> Result<f64> {
        let (machine, groups) = self.on_part(&self.places.all[place as usize])?;
        let (routing, request) = (self.question.routing, &self.requests[call]);
        seconds(machine, &groups, routing, request, &control.part(), shelf)
    }

    /// One collective of an axis just where it is, with what bounds it there.
    ///
    /// # Errors
    /// Those of the collective.
    pub(super) fn part(
        &self,
        axis: usize,
        number: usize,
        place: &Place,
        control: &Control,
    ) -> Result<Part> {
        let request = &self.requests[self.calls[axis][number].0];
        let (machine, groups) = self.on_part(place)?;
        let routing = self.question.routing;
        let outcome = unbounded(machine, &groups, routing, request, control)?;
        Ok(Part::of(&outcome))
    }

    /// How many collectives at places were priced.
    pub(super) fn priced(&self) -> u64 {
        let exact = |price: &&Price| matches!(price, Price::Exactly(_));
        self.known.values().filter(exact).count() as u64
    }
}
