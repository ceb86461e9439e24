//! The search for the fastest algorithm at many sizes, all that apply being priced once.

use super::choose::{names, none_runs};
use super::kept::Kept;
use super::solver::Asked;
use crate::collective::ask::choice::Choice;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::{Error, Result};

/// All algorithms of a request that can run, priced for one byte.
pub(crate) struct Search {
    unit: Request,
    kept: Vec<Kept>,
    launch: f64,
    /// The name of the last answer, where it is that of a choice per tier.
    name: String,
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
            name: String::new(),
        })
    }

    /// Seconds of the fastest at so many bytes, and its name; infinite where none ends.
    pub(crate) fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<(f64, &str)> {
        let mut best: Option<(f64, usize)> = None;
        for (at, kept) in self.kept.iter_mut().enumerate() {
            let time = kept.time(scene, &self.unit, bytes, &mut self.name)?;
            if best.is_none_or(|best| time < best.0) {
                best = Some((time, at));
            }
        }
        let (time, at) = best.expect("something is kept");
        let name = self.kept[at].name(&self.name);
        Ok((time.max(self.launch), name))
    }
}
