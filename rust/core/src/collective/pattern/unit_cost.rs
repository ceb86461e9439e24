//! What a pattern costs at one byte a message.

use super::alone::note;
use super::ledger::Ledger;
use crate::memory::bytes_of;

/// What a pattern costs when each message has one byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitCost {
    /// Bytes on links.
    pub(crate) ledger: Ledger,
    /// Longest route's latency in seconds.
    pub(crate) latency: f64,
    /// Seconds that the busiest sender spends on starting its messages.
    pub(crate) overhead: f64,
    /// Bytes that the busiest sender sends.
    pub(crate) sent: f64,
    /// (latency, seconds per byte) of messages that are alone on their route; dominated ones left out.
    pub(crate) zero_load: Vec<(f64, f64)>,
}

impl UnitCost {
    /// Bytes of its lists.
    pub(crate) fn bytes(&self) -> u64 {
        self.ledger.bytes() + bytes_of::<(f64, f64)>(self.zero_load.len() as u64)
    }

    /// Notes a message that takes `latency` + bytes x `seconds_per_byte` on an idle machine.
    pub(crate) fn note_zero_load(&mut self, latency: f64, seconds_per_byte: f64) {
        self.latency = self.latency.max(latency);
        note(&mut self.zero_load, latency, seconds_per_byte);
    }
}
