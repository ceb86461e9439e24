//! The time of a track, whose data may be cut into pieces that follow each other through its phases.

use super::phase_cost::PhaseCost;

/// Most pieces that a track is cut into, and most chunks that go through the stages.
pub(crate) const MOST_PIECES: u32 = 4096;
/// Part of the time that finer pieces must gain to be worth it.
const GAIN: f64 = 1e-9;

/// The cost of a track.
#[derive(Debug, Clone)]
pub(crate) struct TrackCost {
    pub(crate) phases: Vec<PhaseCost>,
    /// Seconds of the busiest link in all phases together; of the longest phase when links are not shared.
    pub(crate) busy: f64,
    pub(super) overlap: bool,
}

/// Seconds of `count` pieces: `first` for the first, and for each further one the longer of its bytes on the
/// busiest link and the starting of its messages.
#[inline]
pub(super) fn pipeline(first: f64, wire: f64, overhead: f64, count: u32) -> f64 {
    if count == 1 {
        // Also where something never ends: 0 times infinity is no number.
        return first;
    }
    first + f64::from(count - 1) * f64::max(wire, overhead)
}

/// 1, 2, 4, ... up to `most`.
#[inline]
pub(crate) fn powers_of_two(most: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(1u32), |count| Some(count * 2))
        .take_while(move |&count| count <= most)
}

impl TrackCost {
    /// Seconds of latency and of overhead with no data.
    #[inline]
    /// Seconds that a window holds messages back: those of all phases, which may use the same connections.
    pub(super) fn held(&self) -> f64 {
        self.phases.iter().map(|phase| phase.held).sum()
    }

    pub(super) fn fixed(&self) -> (f64, f64) {
        self.phases.iter().fold((0.0, 0.0), |sum, phase| {
            let (latency, overhead) = phase.fixed();
            (sum.0 + latency, sum.1 + overhead)
        })
    }

    #[inline]
    pub(super) fn time(&self, scale: f64) -> f64 {
        self.best(scale).0
    }

    /// Pieces that make the track shortest with `scale` of the data.
    pub(crate) fn pieces(&self, scale: f64) -> u32 {
        self.best(scale).1
    }

    pub(super) fn scaled(&self, size: f64) -> Self {
        Self {
            phases: self.phases.iter().map(|phase| phase.scaled(size)).collect(),
            busy: self.busy * size,
            overlap: self.overlap,
        }
    }

    /// Seconds with `scale` of the data in at most `most` pieces, over those with as many as are best.
    pub(crate) fn slowed(&self, scale: f64, most: u32) -> f64 {
        let best = self.time(scale);
        let waves = self.phases.iter().map(|phase| phase.slowed(scale, most));
        let pieces = self.in_pieces(scale, self.pieces(scale).min(most), self.fixed().1);
        waves.fold(pieces / best, f64::max)
    }

    #[inline]
    fn in_pieces(&self, scale: f64, pieces: u32, overhead: f64) -> f64 {
        let share = scale / f64::from(pieces);
        let first = self.phases.iter().map(|phase| phase.time(share)).sum();
        pipeline(first, self.busy * share, overhead, pieces)
    }

    #[inline]
    fn best(&self, scale: f64) -> (f64, u32) {
        let (most, overhead) = match self.overlap {
            true => (MOST_PIECES, self.fixed().1),
            false => (1, 0.0),
        };
        let mut best = (f64::INFINITY, 1);
        for pieces in powers_of_two(most) {
            // More pieces only where they gain more than rounding does.
            let wanted = best.0 * (1.0 - GAIN);
            // What follows the first alone takes as long, and longer with still more of them.
            let share = scale / f64::from(pieces);
            if pieces > 1 && pipeline(0.0, self.busy * share, overhead, pieces) >= wanted {
                break;
            }
            let time = self.in_pieces(scale, pieces, overhead);
            if time < wanted {
                best = (time, pieces);
            }
        }
        best
    }
}
