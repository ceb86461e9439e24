//! The search for the fastest algorithm at many sizes, each that can win being priced once.

use super::asked::Asked;
use super::contenders::Contenders;
use crate::Result;
use crate::collective::pattern::context::OnDemand;
use crate::weigh::Scale;

/// The algorithms of a request, of which those are priced for one byte that sizes so far have asked for.
pub(crate) struct Search {
    contenders: Contenders,
    launch: f64,
    /// The number of the last answer.
    last: usize,
}

impl Search {
    /// Prices the algorithms of a request that may be the fastest for one byte.
    pub(crate) fn new(asked: &Asked) -> Result<Self> {
        let scene = asked.scene()?;
        let mut search = Self {
            contenders: Contenders::new(scene.get()?, asked.request)?,
            launch: asked.machine.launch(),
            last: 0,
        };
        search.time(&scene, asked.request.size)?;
        Ok(search)
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let mut scale = Scale::default();
        self.contenders.weigh(&mut scale);
        scale.bytes()
    }

    /// Seconds of the fastest at so many bytes, and its name; infinite where none ends.
    pub(crate) fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<(f64, &str)> {
        let (time, at, ()) = self.contenders.fastest(scene, bytes, self.last, |kept| {
            kept.time(scene, bytes).map(|time| (time, ()))
        })?;
        self.last = at;
        Ok((time.max(self.launch), self.contenders.answer(at)))
    }
}
