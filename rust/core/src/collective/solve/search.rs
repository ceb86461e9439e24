//! Times of a request at many sizes, from what is priced once.

use super::asked::Asked;
use super::contenders::Contenders;
use crate::Result;
use crate::collective::pattern::context::OnDemand;
use crate::weigh::Scale;

/// What is priced of a request but for its size.
pub(crate) trait AtSizes: Send {
    /// Seconds of the fastest at so many bytes; infinite where none ends.
    fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<f64>;

    /// The name of what answered last.
    fn answer(&self) -> &str;

    /// Counts what it takes.
    fn weigh(&self, on: &mut Scale);
}

/// A request of which all is priced that sizes so far have asked for.
pub(crate) struct Search {
    all: Box<dyn AtSizes>,
    launch: f64,
}

/// The search for the fastest algorithm, each that can win being priced once for one byte.
struct Fastest {
    contenders: Contenders,
    /// The number of the last answer.
    last: usize,
}

impl Search {
    /// Prices the algorithms of a request that may be the fastest for one byte.
    pub(crate) fn new(asked: &Asked) -> Result<Self> {
        let scene = asked.scene()?;
        let contenders = Contenders::new(scene.get()?, asked.request)?;
        Self::of(
            asked,
            &scene,
            Fastest {
                contenders,
                last: 0,
            },
        )
    }

    /// Of what answers a request; asked for one byte at once.
    pub(crate) fn of(asked: &Asked, scene: &OnDemand, all: impl AtSizes + 'static) -> Result<Self> {
        let mut search = Self {
            all: Box::new(all),
            launch: asked.machine.launch(),
        };
        search.time(scene, asked.request.size)?;
        Ok(search)
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let mut scale = Scale::default();
        self.all.weigh(&mut scale);
        scale.bytes()
    }

    /// Seconds of the fastest at so many bytes, and its name; infinite where none ends.
    pub(crate) fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<(f64, &str)> {
        let time = self.all.time(scene, bytes)?;
        Ok((time.max(self.launch), self.all.answer()))
    }
}

impl AtSizes for Fastest {
    fn time(&mut self, scene: &OnDemand, bytes: f64) -> Result<f64> {
        let ask = |kept: &mut super::kept::Kept| kept.time(scene, bytes).map(|time| (time, ()));
        let (time, at, ()) = self.contenders.fastest(scene, bytes, self.last, ask)?;
        self.last = at;
        Ok(time)
    }

    fn answer(&self) -> &str {
        self.contenders.answer(self.last)
    }

    fn weigh(&self, on: &mut Scale) {
        self.contenders.weigh(on);
    }
}
