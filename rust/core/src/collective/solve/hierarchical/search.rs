//! The search for the best algorithm of each stage at one size.

use super::stages::{Numbered, StageOptions};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::collective::price::cost::{CHUNKINGS, Shared, StageCost};
use crate::collective::program::least::SLACK;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chunks of which one stands for one of many.
const SMALL_CHUNKS: u32 = 64;

/// The numbers of the costs of all stages.
pub(super) type Key = u128;

/// Bits of a number in a [`Key`]: no collective has more than five stages.
const BITS: u32 = 24;

/// An option of a stage at one size.
struct Timed {
    number: u32,
    /// Of one byte.
    cost: Arc<StageCost>,
    /// Seconds with the data in one chunk, in two, in four and so on; no number where they were not asked for.
    times: [f64; CHUNKINGS],
    least: Floor,
}

/// What an option takes at least at one size: latency and overhead, and those with its bytes in pieces.
#[derive(Clone, Copy)]
struct Floor {
    fixed: f64,
    all: f64,
}

/// A stage at one size.
pub(super) struct Stage<'a> {
    options: &'a mut StageOptions,
    /// By option, where it was needed and runs.
    timed: Vec<Option<Timed>>,
    /// Those, the fastest first.
    order: Vec<usize>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(options: &'a mut StageOptions) -> Self {
        Self {
            timed: options.all.iter().map(|_| None).collect(),
            order: Vec::new(),
            options,
        }
    }

    pub(super) fn name(&self, at: usize) -> &'static str {
        self.options.all[at].name()
    }

    pub(super) fn cost(&self, at: usize) -> Arc<StageCost> {
        Arc::clone(&self.seen(at).cost)
    }

    fn seen(&self, at: usize) -> &Timed {
        self.timed[at].as_ref().expect("what is picked was timed")
    }

    /// Builds and times an option, where it runs.
    fn ready(&mut self, scene: &OnDemand, request: &Request, scale: f64, at: usize) -> Result<()> {
        if self.timed[at].is_some() {
            return Ok(());
        }
        let Some(Numbered { number, cost }) = self.options.at(scene, request, scale, at)? else {
            return Ok(());
        };
        let mut times = [f64::NAN; CHUNKINGS];
        times[0] = cost.time(scale);
        let contended = request.model.by_phases() != Model::AlphaBeta;
        let (fixed, all) = cost.floor(scale, contended);
        let least = Floor { fixed, all };
        let slower = |other: &usize| {
            let other = (self.seen(*other).times[0], *other);
            other.0.total_cmp(&times[0]).then(other.1.cmp(&at)).is_lt()
        };
        let place = self.order.partition_point(slower);
        self.order.insert(place, at);
        self.timed[at] = Some(Timed {
            number,
            cost,
            times,
            least,
        });
        Ok(())
    }

    /// Seconds of an option with `share` bytes, which is one of so many chunks.
    fn time(&mut self, at: usize, share: f64, chunks: u32) -> f64 {
        let timed = self.timed[at].as_mut().expect("what is picked was timed");
        timed.time(share, chunks)
    }

    /// The option that is the fastest alone with `share` bytes; of equal ones the first in order.
    fn quickest(
        &mut self,
        scene: &OnDemand,
        request: &Request,
        scale: f64,
        chunks: u32,
    ) -> Result<usize> {
        let share = scale / f64::from(chunks);
        let mut best = self.quickest_seen(share, chunks);
        let unseen = (0..self.timed.len()).filter(|&at| self.timed[at].is_none());
        let least = |at: usize| self.options.all[at].least().at(share);
        let mut unseen: Vec<(f64, usize)> = unseen.map(|at| (least(at), at)).collect();
        unseen.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (least, at) in unseen {
            if best.is_some_and(|best| least > best.0) {
                break;
            }
            self.ready(scene, request, scale, at)?;
            best = self.quickest_seen(share, chunks);
        }
        match best {
            Some((_, at)) => Ok(at),
            None => Err(self.options.refusal().expect("none of the options ran")),
        }
    }

    fn quickest_seen(&mut self, share: f64, chunks: u32) -> Option<(f64, usize)> {
        let order = self.order.clone().into_iter();
        let times = order.map(|at| (self.time(at, share, chunks), at));
        times.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// What an option takes at least, whether it was timed or not.
    fn floor(&self, at: usize, scale: f64) -> Floor {
        match &self.timed[at] {
            Some(timed) => timed.least,
            None => {
                let least = self.options.all[at].least();
                Floor {
                    fixed: least.fixed,
                    all: least.fixed + least.busy * scale,
                }
            }
        }
    }
}

impl Timed {
    /// Seconds with `share` bytes, which is one of so many chunks.
    fn time(&mut self, share: f64, chunks: u32) -> f64 {
        let known = match chunks.is_power_of_two() {
            true => self.times.get_mut(chunks.ilog2() as usize),
            false => None,
        };
        match known {
            Some(known) if known.is_nan() => {
                *known = self.cost.time(share);
                *known
            }
            Some(known) => *known,
            None => self.cost.time(share),
        }
    }
}

pub(super) struct Search<'a, 'm> {
    pub(super) scene: &'a OnDemand<'m>,
    pub(super) request: &'a Request,
    pub(super) scale: f64,
    /// How many choices to remember.
    pub(super) count: usize,
    pub(super) stages: Vec<Stage<'a>>,
    pub(super) shared: &'a mut BTreeMap<Key, Shared>,
    /// Seconds, chunks and the option of each stage, the fastest first.
    pub(super) met: Vec<(f64, u32, Vec<usize>)>,
}

impl Search<'_, '_> {
    /// Two starts: the stages that are fastest alone, and those that are fastest with one chunk of many, which
    /// pipelining favours. From each, one stage is changed at a time until nothing helps.
    pub(super) fn run(&mut self) -> Result<()> {
        let (scene, request, scale) = (self.scene, self.request, self.scale);
        if self.count > 1 {
            // Of several choices those that come close count too.
            for stage in &mut self.stages {
                for at in 0..stage.timed.len() {
                    stage.ready(scene, request, scale, at)?;
                }
            }
        }
        for chunks in [1, SMALL_CHUNKS] {
            let stages = self.stages.iter_mut();
            let quickest = stages.map(|stage| stage.quickest(scene, request, scale, chunks));
            let mut picked: Vec<usize> = quickest.collect::<Result<_>>()?;
            let mut time = self.attempt(&picked)?;
            let mut improved = true;
            while improved {
                improved = false;
                for at in 0..picked.len() {
                    if let Some(next) = self.better(&mut picked, at, time)? {
                        (time, improved) = (next, true);
                    }
                }
            }
        }
        Ok(())
    }

    /// Changes one stage to the first option that is faster than `time`, if there is one.
    fn better(&mut self, picked: &mut [usize], at: usize, time: f64) -> Result<Option<f64>> {
        let before = picked[at];
        for option in 0..self.stages[at].timed.len() {
            // Whether another size has built it already makes no difference.
            let unknown = self.stages[at].timed[option].is_none();
            picked[at] = option;
            if unknown && self.least(picked) < time {
                self.stages[at].ready(self.scene, self.request, self.scale, option)?;
            }
        }
        for option in self.stages[at].order.clone() {
            picked[at] = option;
            if option == before || (self.count == 1 && self.least(picked) >= time) {
                continue;
            }
            let next = self.attempt(picked)?;
            if next < time {
                return Ok(Some(next));
            }
        }
        picked[at] = before;
        Ok(None)
    }

    /// Seconds that a choice takes at least, however many chunks follow each other: latency and overhead of all stages,
    /// and the bytes of one.
    fn least(&self, picked: &[usize]) -> f64 {
        let floors = self.stages.iter().zip(picked);
        let floors = floors.map(|(stage, &at)| stage.floor(at, self.scale));
        let (fixed, bytes) = floors.fold((0.0, 0.0), |(fixed, bytes), floor| {
            (
                fixed + floor.fixed,
                f64::max(bytes, floor.all - floor.fixed),
            )
        });
        (fixed + bytes) * (1.0 - SLACK)
    }

    fn attempt(&mut self, picked: &[usize]) -> Result<f64> {
        self.scene.control.check()?;
        let options = || {
            self.stages
                .iter()
                .zip(picked)
                .map(|(stage, &at)| stage.seen(at))
        };
        let key = options().fold(0, |key: Key, option| key << BITS | Key::from(option.number));
        let shared = match self.shared.get(&key) {
            Some(shared) => *shared,
            None => {
                let costs: Vec<_> = options().map(|option| Arc::clone(&option.cost)).collect();
                let shared = Shared::of(self.scene.get()?, self.request.model, &costs)?;
                *self.shared.entry(key).or_insert(shared)
            }
        };
        let (scale, stages) = (self.scale, &mut self.stages);
        let first = |share: f64, chunks: u32| -> f64 {
            let options = stages.iter_mut().zip(picked);
            options
                .map(|(stage, &at)| stage.time(at, share, chunks))
                .sum()
        };
        let (time, chunks) = shared.best(scale, picked.len(), self.request.chunks, first);
        let full = self.met.len() == self.count;
        if full && self.met.last().is_some_and(|last| last.0 <= time) {
            return Ok(time);
        }
        if self.met.iter().all(|(_, _, known)| known != picked) {
            self.met.push((time, chunks, picked.to_vec()));
            self.met.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.met.truncate(self.count);
        }
        Ok(time)
    }
}
