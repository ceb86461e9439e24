//! The search for the best algorithm of each stage at one size.

use super::stages::{Key, StageOption, key};
use crate::Result;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::collective::price::cost::{Shared, StageCost};
use std::collections::HashMap;
use std::sync::Arc;

/// Share of the data that stands for one chunk of many.
const SMALL_CHUNK: f64 = 1.0 / 64.0;

/// An option of a stage at one size.
pub(super) struct Timed {
    pub(super) name: &'static str,
    /// Of one byte.
    pub(super) cost: Arc<StageCost>,
    /// Seconds with the data in one chunk, in two, in four and so on, where they were asked for.
    times: Vec<f64>,
}

/// The options of a stage, fastest first.
pub(super) fn timed(
    scene: &OnDemand,
    model: Model,
    options: &mut [StageOption],
    scale: f64,
) -> Result<Vec<Timed>> {
    let mut timed = Vec::with_capacity(options.len());
    for option in options {
        let cost = option.at(scene, model, scale)?;
        timed.push(Timed {
            name: option.name,
            times: vec![cost.time(scale)],
            cost,
        });
    }
    timed.sort_by(|a, b| a.times[0].total_cmp(&b.times[0]));
    Ok(timed)
}

impl Timed {
    /// Seconds with `share` bytes, the `doubled`th half of all of them.
    fn time(&mut self, share: f64, doubled: usize) -> f64 {
        if self.times.len() <= doubled {
            self.times.resize(doubled + 1, f64::NAN);
        }
        let known = &mut self.times[doubled];
        if known.is_nan() {
            *known = self.cost.time(share);
        }
        *known
    }
}

pub(super) struct Search<'a, 'm> {
    pub(super) scene: &'a OnDemand<'m>,
    pub(super) request: &'a Request,
    pub(super) scale: f64,
    /// How many choices to remember.
    pub(super) count: usize,
    pub(super) stages: Vec<Vec<Timed>>,
    pub(super) shared: &'a mut HashMap<Vec<Key>, Shared>,
    /// Seconds, chunks and the option of each stage, the fastest first.
    pub(super) met: Vec<(f64, u32, Vec<usize>)>,
}

impl Search<'_, '_> {
    /// Two starts: the stages that are fastest alone, and those that are fastest with one chunk of many, which
    /// pipelining favours. From each, one stage is changed at a time until nothing helps.
    pub(super) fn run(&mut self) -> Result<()> {
        for part in [1.0, SMALL_CHUNK] {
            let scale = self.scale * part;
            let quickest = |options: &Vec<Timed>| {
                let times = options.iter().map(|option| option.cost.time(scale));
                let best = times.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
                best.map_or(0, |best| best.0)
            };
            let mut picked: Vec<usize> = self.stages.iter().map(quickest).collect();
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
        let options = || self.stages.iter().zip(picked);
        let costs = options().map(|(options, &at)| &options[at].cost);
        let keys: Vec<Key> = costs.clone().map(key).collect();
        let shared = match self.shared.get(&keys) {
            Some(shared) => *shared,
            None => {
                let costs: Vec<_> = costs.map(Arc::clone).collect();
                let shared = Shared::of(self.scene.get()?, self.request.model, &costs)?;
                *self.shared.entry(keys).or_insert(shared)
            }
        };
        let (scale, stages) = (self.scale, &mut self.stages);
        let first = |share: f64, chunks: u32| -> f64 {
            let options = stages.iter_mut().zip(picked);
            match chunks.is_power_of_two() {
                true => options
                    .map(|(options, &at)| options[at].time(share, chunks.ilog2() as usize))
                    .sum(),
                false => options
                    .map(|(options, &at)| options[at].cost.time(share))
                    .sum(),
            }
        };
        let (time, chunks) = shared.best(scale, picked.len(), self.request.chunks, first);
        if self.met.iter().all(|(_, _, known)| known != picked) {
            self.met.push((time, chunks, picked.to_vec()));
            self.met.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.met.truncate(self.count);
        }
        Ok(time)
    }
}
