//! What calls before have priced of a request.

use super::contenders::Contenders;
use crate::weigh::Scale;

/// All of a request that is known and does not depend on its size.
#[derive(Default)]
pub(crate) struct Known {
    /// Its algorithms, those priced that sizes so far have asked for.
    pub(super) contenders: Option<Contenders>,
    /// The number of the last answer among them.
    pub(super) last: usize,
    /// The bound from distance alone.
    pub(super) latency: Option<f64>,
    /// The last answer had to price more than was there.
    pub(super) has_grown: bool,
}

impl Known {
    /// Whether the last answer had to price more than was there.
    pub(crate) fn has_grown(&self) -> bool {
        self.has_grown
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let mut scale = Scale::default();
        if let Some(contenders) = &self.contenders {
            contenders.weigh(&mut scale);
        }
        scale.bytes()
    }
}
