//! What a pattern costs at one byte a message.

use super::ledger::{Busiest, Ledger};

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
    /// The busiest link.
    pub(crate) busiest: Option<Busiest>,
    /// (latency, seconds per byte) of messages that are alone on their route; dominated ones left out.
    pub(crate) zero_load: Vec<(f64, f64)>,
}

impl UnitCost {
    /// Notes a message that takes `latency` + bytes x `seconds_per_byte` on an idle machine.
    pub(crate) fn note_zero_load(&mut self, latency: f64, seconds_per_byte: f64) {
        self.latency = self.latency.max(latency);
        let dominated =
            |&(other, slope): &(f64, f64)| other >= latency && slope >= seconds_per_byte;
        if self.zero_load.iter().any(dominated) {
            return;
        }
        self.zero_load
            .retain(|&(other, slope)| other > latency || slope > seconds_per_byte);
        self.zero_load.push((latency, seconds_per_byte));
    }
}
