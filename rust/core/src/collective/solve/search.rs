//! The search for the fastest algorithm at many sizes, each that can win being priced once.

use super::asked::Asked;
use super::contenders::Contenders;
use super::neuron;
use crate::Result;
use crate::collective::pattern::context::OnDemand;
use crate::weigh::Scale;

/// The algorithms of a request, of which those are priced for one byte that sizes so far have asked for.
pub(crate) struct Search {
    body: Body,
    launch: f64,
}

enum Body {
    /// By link loads.
    Contenders {
        all: Contenders,
        /// The number of the last answer.
        last: usize,
    },
    /// As Trainium's runtime does it.
    Neuron(Box<neuron::Kept>),
}

impl Search {
    /// Prices the algorithms of a request that may be the fastest for one byte.
    pub(crate) fn new(asked: &Asked) -> Result<Self> {
        let scene = asked.scene()?;
        let all = Contenders::new(scene.get()?, asked.request)?;
        let mut search = Self {
            body: Body::Contenders { all, last: 0 },
            launch: asked.machine.launch(),
        };
        search.time(&scene, asked.request.size)?;
        Ok(search)
    }

    /// What the runtime of Trainium runs.
    pub(crate) fn of_neuron(asked: &Asked, kept: Box<neuron::Kept>) -> Self {
        Self {
            body: Body::Neuron(kept),
            launch: asked.machine.launch(),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let mut scale = Scale::default();
        match &self.body {
            Body::Contenders { all, .. } => all.weigh(&mut scale),
            Body::Neuron(kept) => kept.weigh(&mut scale),
        }
        scale.bytes()
    }

    /// Seconds of the fastest at so many bytes, and its name; infinite where none ends.
    pub(crate) fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<(f64, &str)> {
        match &mut self.body {
            Body::Contenders { all, last } => {
                let (time, at, ()) = all.fastest(scene, bytes, *last, |kept| {
                    kept.time(scene, bytes).map(|time| (time, ()))
                })?;
                *last = at;
                Ok((time.max(self.launch), all.answer(at)))
            }
            Body::Neuron(kept) => {
                let time = kept.time(scene, bytes)?;
                Ok((time.max(self.launch), kept.answer()))
            }
        }
    }
}
