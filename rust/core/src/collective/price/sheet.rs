//! What results tell of a stage: small, and shared by all answers that its cost gives.

use super::track::TrackCost;
use crate::collective::pattern::ledger::Busiest;

/// A stage and its times, of one byte or of all data.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    /// What the stage does and by which algorithm.
    pub(crate) label: String,
    pub(crate) tier: &'static str,
    pub(crate) tracks: Vec<TrackCost>,
    pub(crate) busiest: Option<Busiest>,
}

impl Sheet {
    /// The same with `size` times the data.
    pub(crate) fn scaled(&self, size: f64) -> Self {
        Self {
            label: self.label.clone(),
            tier: self.tier,
            tracks: self.tracks.iter().map(|track| track.scaled(size)).collect(),
            busiest: self.busiest.as_ref().map(|busiest| busiest.scaled(size)),
        }
    }

    /// Seconds with `scale` of the data: the longest track.
    #[inline]
    pub(crate) fn time(&self, scale: f64) -> f64 {
        self.tracks
            .iter()
            .map(|track| track.time(scale))
            .fold(0.0, f64::max)
    }

    /// Latency and overhead of the track that they delay most.
    #[inline]
    pub(crate) fn fixed(&self) -> (f64, f64) {
        self.tracks
            .iter()
            .map(TrackCost::fixed)
            .fold((0.0, 0.0), |best, next| {
                if next.0 + next.1 > best.0 + best.1 {
                    next
                } else {
                    best
                }
            })
    }
}
