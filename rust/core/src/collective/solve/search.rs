//! The search for the fastest algorithm at many sizes, all that apply being priced once.

use super::asked::Asked;
use super::choose::{names, none_runs};
use super::kept::Kept;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::{Error, Result};

/// Bounds are lowered by this share, so that none is above a time that is equal but for rounding.
const SLACK: f64 = 1e-9;

/// All algorithms of a request that can run, priced for one byte.
pub(crate) struct Search {
    unit: Request,
    kept: Vec<Kept>,
    launch: f64,
    /// The number of the last answer.
    last: usize,
}

impl Search {
    /// Prices the algorithms of a request for one byte.
    pub(crate) fn new(asked: &Asked) -> Result<Self> {
        let (context, unit) = (asked.context()?, asked.request);
        let mut kept = Vec::new();
        let (mut first_refusal, mut cut_off) = (None, None);
        for name in names(unit) {
            context.control.check()?;
            match Kept::new(&context, unit, &name) {
                Ok(one) => kept.push(one),
                Err(error @ Error::Unsupported { .. }) => {
                    first_refusal.get_or_insert(error);
                }
                Err(error @ Error::Unreachable { .. }) if unit.algorithm == Choice::Auto => {
                    cut_off.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
            context.forget();
        }
        if kept.is_empty() {
            return Err(none_runs(unit, cut_off.or(first_refusal)));
        }
        Ok(Self {
            unit: unit.clone(),
            kept,
            launch: asked.machine.launch(),
            last: 0,
        })
    }

    /// Seconds of the fastest at so many bytes, and its name; infinite where none ends.
    pub(crate) fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<(f64, &str)> {
        // What was fastest before comes first: most others then cannot be faster. Of equal times the first counts.
        let first = self.last;
        let others = (0..self.kept.len()).filter(|&at| at != first);
        let mut best: Option<(f64, usize)> = None;
        for at in [first].into_iter().chain(others) {
            let kept = &mut self.kept[at];
            if best.is_some_and(|best| kept.least(bytes) * (1.0 - SLACK) > best.0) {
                continue;
            }
            let time = kept.time(scene, &self.unit, bytes)?;
            if best.is_none_or(|best| (time, at) < best) {
                best = Some((time, at));
            }
        }
        let (time, at) = best.expect("something is kept");
        self.last = at;
        Ok((time.max(self.launch), self.kept[at].answer()))
    }
}
