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
}

impl Known {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let mut scale = Scale::default();
        if let Some(contenders) = &self.contenders {
            contenders.weigh(&mut scale);
        }
        scale.bytes()
    }
}
