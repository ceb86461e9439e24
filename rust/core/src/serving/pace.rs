//! How fast a serving stack goes beside the operators that it runs.

use crate::error::{Result, not_negative, positive};

/// What a stack adds to operators and takes from them, as fitted to measured services.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Seconds of a layer in each pass beside operators and collectives.
    pub layer: f64,
    /// Seconds more of a layer with experts.
    pub sparse: f64,
    /// Seconds of each of its experts in a prefill.
    pub expert: f64,
    /// How many times the seconds of their own products take while decoding.
    pub decode: f64,
    /// The same of the operators of a prefill.
    pub prefill: f64,
    /// How many times the seconds that they are priced at collectives of decoding take.
    pub collective: f64,
    /// Bytes/s at which a rank reads what is cached.
    pub cache: f64,
    /// Seconds of a step for sampling and the host.
    pub step: f64,
    /// Seconds more of a step for each sequence.
    pub sequence: f64,
    /// Seconds of a request before and after its prefill.
    pub request: f64,
}

impl Pace {
    /// The same, where its numbers can be; else the name of the one that cannot.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid).
    pub fn checked(self) -> Result<Self> {
        positive("pace cache", self.cache)?;
        positive("pace decode", self.decode)?;
        positive("pace prefill", self.prefill)?;
        not_negative("pace collective", self.collective)?;
        not_negative("pace layer", self.layer)?;
        not_negative("pace sparse", self.sparse)?;
        not_negative("pace expert", self.expert)?;
        not_negative("pace step", self.step)?;
        not_negative("pace sequence", self.sequence)?;
        not_negative("pace request", self.request)?;
        Ok(self)
    }
}
