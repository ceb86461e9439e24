//! What the parts of NCCL's collectives take on GPUs of one generation inside a node, as fitted to measured tables.
//!
//! NCCL's own tables are there to choose and not to predict. These figures give the time of what it chose; they
//! never change the choice.

use crate::error::{Error, Result, not_negative};

/// What the parts of a collective take inside a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NcclTiming {
    /// Seconds of a call by protocol LL before its first hop.
    pub ll_start: f64,
    /// Seconds of a hop by LL; by LL128 too.
    pub ll_hop: f64,
    /// Share by which both grow as threads are added, up to 4 KiB for each rank.
    pub ll_threads: f64,
    /// Rate of LL over what NCCL's tables have for it.
    pub ll_rate: f64,
    /// Seconds of a call by LL128 or Simple before its first hop.
    pub start: f64,
    /// Seconds of a hop by Simple, of which half a chunk's transfer hides as much.
    pub hop: f64,
    /// Share of the channels' rate that Simple, LL128 and NVLS reach.
    pub rate: f64,
    /// Bytes/s at which a GPU copies what no transfer hides: its own share, and what first fills the buffers.
    pub copy: f64,
    /// Seconds of a call by NVLS before its bytes.
    pub nvls_start: f64,
    /// Seconds of direct sends by LL before their bytes.
    pub send_ll_start: f64,
    /// Seconds of direct sends by Simple before their bytes.
    pub send_start: f64,
    /// Bytes/s of the first channel to a peer.
    pub send_rate: f64,
}

impl NcclTiming {
    pub(super) fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("ll_start", self.ll_start),
            ("ll_hop", self.ll_hop),
            ("ll_threads", self.ll_threads),
            ("start", self.start),
            ("hop", self.hop),
            ("nvls_start", self.nvls_start),
            ("send_ll_start", self.send_ll_start),
            ("send_start", self.send_start),
        ] {
            not_negative(name, value)?;
        }
        for (name, value) in [
            ("ll_rate", self.ll_rate),
            ("rate", self.rate),
            ("copy", self.copy),
            ("send_rate", self.send_rate),
        ] {
            not_negative(name, value)?;
            if value == 0.0 {
                return Err(Error::invalid(name, 0, "must be > 0"));
            }
        }
        Ok(())
    }
}
