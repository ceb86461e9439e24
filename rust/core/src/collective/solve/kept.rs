//! An algorithm priced for one byte, from which its time at any size follows.

use super::candidate::PricedCandidate;
use super::ground::Ground;
use super::hierarchical::{Picked, Tiers};
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Extent, row};
use crate::collective::ask::choice::Choice;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::cost::combine;
use crate::collective::price::priced::Priced;
use crate::collective::program::least::{Least, SLACK};
use crate::weigh::Scale;
use crate::{Error, Result};

/// An algorithm of a request, of which all is priced, once it is built, that does not depend on the size.
pub(super) struct Kept {
    name: String,
    body: Body,
    /// The name of the last answer, where it depends on the size.
    answer: String,
}

enum Body {
    /// One algorithm over the whole group, and what it takes at least.
    Unbuilt(&'static Algorithm, Least),
    /// One algorithm over the whole group.
    Whole(Priced),
    /// One for each tier.
    Tiers(Tiers),
    /// The same under the name of an operation that it stands for.
    TierByTier(Tiers),
}

/// A request of one byte, and how many times as much its size is. No bytes stay none.
pub(super) fn unit(request: &Request) -> (Request, f64) {
    let (size, scale) = match request.size {
        0.0 => (0.0, 1.0),
        size => (1.0, size),
    };
    let unit = Request {
        size,
        ..request.clone()
    };
    (unit, scale)
}

impl Kept {
    /// An algorithm by its name, of which only the least is known yet; `unit` is the request for one byte.
    pub(super) fn new(
        context: &Context,
        unit: &Request,
        name: &str,
        extent: Option<&Extent>,
    ) -> Result<Self> {
        let kept = |body| Self {
            name: name.to_owned(),
            body,
            answer: String::new(),
        };
        let Some(row) = row(name) else {
            let pinned = match &unit.algorithm {
                Choice::Tiers(names) => Some(names.as_slice()),
                _ => None,
            };
            return Ok(kept(Body::Tiers(Tiers::new(context, unit, pinned)?)));
        };
        if let (Some(to), Groups::Grid { domains, .. }) = (row.tier_by_tier, context.groups) {
            if domains[0].len() > 1 {
                let whole = Request {
                    operation: to(unit.operation)?,
                    root: 0,
                    ..unit.clone()
                };
                return Ok(kept(Body::TierByTier(Tiers::new(context, &whole, None)?)));
            }
        }
        let operation = unit.operation.as_run();
        let least = extent.map(|extent| (row.least)(extent, operation, ALGORITHMS));
        let least = least.unwrap_or(Least::NOTHING) * unit.size;
        Ok(kept(Body::Unbuilt(row, least)))
    }

    /// Counts what it takes.
    pub(super) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>((self.name.len() + self.answer.len()) as u64);
        match &self.body {
            Body::Unbuilt(..) => {}
            Body::Whole(priced) => priced.weigh(on),
            Body::Tiers(tiers) | Body::TierByTier(tiers) => tiers.weigh(on),
        }
    }

    /// What the least does not say is known.
    pub(super) fn is_built(&self) -> bool {
        match &self.body {
            Body::Unbuilt(..) => false,
            Body::Whole(_) => true,
            Body::Tiers(tiers) | Body::TierByTier(tiers) => tiers.is_built(),
        }
    }

    /// Builds it and prices it for one byte; stages of tiers are built as they are needed.
    pub(super) fn build(
        &mut self,
        context: &Context,
        unit: &Request,
        ground: &Ground,
    ) -> Result<()> {
        let Body::Unbuilt(row, _) = self.body else {
            return Ok(());
        };
        let program = ground.program(context, unit, row)?;
        let label = format!("{} by {}", unit.operation.name(), self.name);
        let priced = Priced::new(context, unit.model, label, program)?;
        // Only hierarchical schedules send chunks through their stages.
        if unit.chunks.is_some_and(|chunks| chunks != 1) {
            return Err(Error::unsupported(
                format!("chunks with {}", self.name),
                "only hierarchical pipelines chunks through its stages",
            ));
        }
        self.body = Body::Whole(priced);
        Ok(())
    }

    /// Seconds that `scale` times the bytes take at least, where that is had for nothing, but for rounding.
    pub(super) fn least(&self, scale: f64) -> f64 {
        match &self.body {
            Body::Unbuilt(_, least) => least.at(scale),
            Body::Whole(priced) => priced.least(scale) * (1.0 - SLACK),
            Body::Tiers(tiers) | Body::TierByTier(tiers) => tiers.least(scale),
        }
    }

    /// Seconds of it that some link is busy, whatever waits for what; of one that is built it has the loads.
    pub(super) fn busiest(&self, scale: f64) -> f64 {
        match &self.body {
            Body::Unbuilt(_, least) => least.busy * scale * (1.0 - SLACK),
            Body::Whole(_) => 0.0,
            Body::Tiers(tiers) | Body::TierByTier(tiers) => tiers.busiest(scale),
        }
    }

    /// Seconds at `scale` times the bytes.
    pub(super) fn time(&mut self, scene: &OnDemand, scale: f64) -> Result<f64> {
        if let Body::Whole(priced) = &mut self.body {
            return priced.time(&|| scene.get(), scale);
        }
        let mut picked = self.at(scene, scale, 1)?;
        let best = picked.swap_remove(0);
        self.answer = best.name;
        Ok(best.time)
    }

    /// The name of its last answer.
    pub(super) fn answer(&self) -> &str {
        match self.body {
            Body::Unbuilt(..) | Body::Whole(_) => &self.name,
            Body::Tiers(_) | Body::TierByTier(_) => &self.answer,
        }
    }

    /// Its best choices at `scale` times the bytes, at most `count` of them, the fastest first.
    pub(super) fn at(&mut self, scene: &OnDemand, scale: f64, count: usize) -> Result<Vec<Picked>> {
        match &mut self.body {
            Body::Unbuilt(..) => unreachable!("what is asked is built before"),
            Body::Whole(priced) => {
                let costs = priced.at(&|| scene.get(), scale)?;
                Ok(vec![Picked {
                    name: self.name.clone(),
                    choice: Choice::Named(self.name.clone()),
                    time: costs.iter().map(|cost| cost.time(scale)).sum(),
                    chunks: 1,
                    costs,
                }])
            }
            Body::Tiers(tiers) => tiers.at(scene, scale, count),
            Body::TierByTier(tiers) => {
                let mut picked = tiers.at(scene, scale, 1)?;
                for picked in &mut picked {
                    picked.name = format!("{} {}", self.name, picked.name);
                    picked.choice = Choice::Named(self.name.clone());
                }
                Ok(picked)
            }
        }
    }
}

impl Picked {
    /// With the costs of `scale` times the bytes.
    pub(super) fn priced(
        self,
        context: &Context,
        request: &Request,
        scale: f64,
    ) -> Result<PricedCandidate> {
        let taken = (self.time, self.chunks);
        let cost = combine(context, request.model, &self.costs, scale, taken)?;
        Ok(PricedCandidate {
            name: self.name,
            choice: self.choice,
            costs: self.costs,
            scale,
            cost,
        })
    }
}
