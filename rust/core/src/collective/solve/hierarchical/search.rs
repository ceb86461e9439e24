//! The search for the best algorithm of each stage at one size.

use super::stages::{Numbered, StageOption};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::collective::price::cost::{CHUNKINGS, Shared, StageCost};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chunks of which one stands for one of many.
const SMALL_CHUNKS: u32 = 64;

/// The numbers of the costs of all stages.
pub(super) type Key = u128;

/// Bits of a number in a [`Key`]: no collective has more than five stages.
const BITS: u32 = 24;

/// An option of a stage at one size.
pub(super) struct Timed {
    pub(super) name: &'static str,
    number: u32,
    /// Of one byte.
    pub(super) cost: Arc<StageCost>,
    /// Seconds with the data in one chunk, in two, in four and so on; no number where they were not asked for.
    times: [f64; CHUNKINGS],
}

/// The options of a stage, fastest first.
pub(super) fn timed(
    scene: &OnDemand,
    model: Model,
    options: &mut [StageOption],
    scale: f64,
    numbers: &mut u32,
) -> Result<Vec<Timed>> {
    let mut timed = Vec::with_capacity(options.len());
    for option in options {
        let Numbered { number, cost } = option.at(scene, model, scale, numbers)?;
        let mut times = [f64::NAN; CHUNKINGS];
        times[0] = cost.time(scale);
        timed.push(Timed {
            name: option.name,
            number,
            cost,
            times,
        });
    }
    timed.sort_by(|a, b| a.times[0].total_cmp(&b.times[0]));
    Ok(timed)
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
    pub(super) stages: Vec<Vec<Timed>>,
    pub(super) shared: &'a mut BTreeMap<Key, Shared>,
    /// Seconds, chunks and the option of each stage, the fastest first.
    pub(super) met: Vec<(f64, u32, Vec<usize>)>,
}

impl Search<'_, '_> {
    /// Two starts: the stages that are fastest alone, and those that are fastest with one chunk of many, which
    /// pipelining favours. From each, one stage is changed at a time until nothing helps.
    pub(super) fn run(&mut self) -> Result<()> {
        for chunks in [1, SMALL_CHUNKS] {
            let share = self.scale / f64::from(chunks);
            let quickest = |options: &mut Vec<Timed>| {
                let times = options.iter_mut().map(|option| option.time(share, chunks));
                let best = times.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
                best.map_or(0, |best| best.0)
            };
            let mut picked: Vec<usize> = self.stages.iter_mut().map(quickest).collect();
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
        for option in (0..self.stages[at].len()).filter(|&option| option != before) {
            picked[at] = option;
            let next = self.attempt(picked)?;
            if next < time {
                return Ok(Some(next));
            }
        }
        picked[at] = before;
        Ok(None)
    }

    fn attempt(&mut self, picked: &[usize]) -> Result<f64> {
        self.scene.control.check()?;
        let options = || self.stages.iter().zip(picked).map(|(all, &at)| &all[at]);
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
                .map(|(options, &at)| options[at].time(share, chunks))
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
