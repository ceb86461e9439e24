//! What one message between sites may have on the way, which holds it back over long links.

use super::Machine;
use crate::error::{Error, Result, positive};

impl Machine {
    /// The same machine where a message between sites has at most `window` bytes on the way.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not a finite number of bytes above zero.
    pub fn with_window(self, window: f64) -> Result<Self> {
        positive("window", window)?;
        Ok(Self {
            window: Some(window),
            ..self
        })
    }

    /// Bytes/s of a message over links of so many, and `latency` seconds one way: between sites no more than the window in
    /// the time that there and back takes.
    pub(crate) fn windowed(&self, bandwidth: f64, latency: f64) -> f64 {
        self.window
            .map_or(bandwidth, |window| bandwidth.min(window / (2.0 * latency)))
    }

    /// Whether messages between sites are held back by a window.
    pub(crate) fn has_window(&self) -> bool {
        self.window.is_some()
    }

    /// Refuses to share links among messages that a window holds back, too.
    pub(crate) fn refuse_window(&self) -> Result<()> {
        if self.has_window() {
            return Err(Error::unsupported(
                "messages that share links in time on a machine whose WAN has a window",
                "use model=\"link_load\" or \"alpha_beta\", or a Wan without window",
            ));
        }
        Ok(())
    }
}
