//! What one operation by one algorithm takes: passes, links, HBM; and how they overlap.

use super::call::Call;
use super::ground::Spot;
use crate::Result;
use crate::collective::algorithm::{ALGORITHMS, Job, find};
use crate::collective::answer::rows::steps_of;
use crate::collective::pattern::context::Context;
use crate::collective::price::cost::StageCost;
use crate::collective::price::priced::Priced;
use crate::collective::program::placement::Placement;
use crate::operation::Operation;
use std::cell::OnceCell;
use std::sync::Arc;

/// One operation by one algorithm.
pub(super) struct Part {
    /// Its stage for one byte, and how many it has.
    unit: Arc<StageCost>,
    scale: f64,
    /// The stage, made when it is asked for.
    stage: OnceCell<Arc<StageCost>>,
    /// DMA passes, or steps between nodes, that wait for each other.
    pub(super) passes: u64,
    /// Seconds of the busiest link.
    pub(super) link: f64,
    /// Bytes that a chip's HBM reads and writes.
    pub(super) hbm_bytes: f64,
    /// Seconds of latency by the links.
    latency: f64,
}

/// How the passes, the links and the HBM of a segment overlap.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Overlap {
    /// One after another.
    None,
    /// In pieces, each of which takes all passes again.
    Pieces,
    /// Steps follow each other, but for one.
    Steps,
    /// Steps between nodes: links and HBM at once.
    Nodes,
    /// Links alone.
    Links,
}

/// Parts whose bytes share links and HBM freely.
pub(super) struct Segment {
    pub(super) parts: Vec<Part>,
    pub(super) overlap: Overlap,
}

/// The time of a segment.
pub(super) struct Timing {
    pub(super) time: f64,
    /// Seconds of passes.
    pub(super) passes: f64,
    /// Seconds of the links that nothing hides.
    pub(super) link: f64,
    /// Seconds of the HBM that nothing hides.
    pub(super) hbm: f64,
    pub(super) pieces: u32,
}

/// Most pieces of a segment: descriptors are not made smaller.
const MOST_PIECES: f64 = 4096.0;

impl Part {
    /// An operation of `size` by the link schedule of `algorithm`. `links_at_once` links of each chip run together.
    pub(super) fn new(
        call: &Call,
        spot: Spot,
        operation: Operation,
        (size, links_at_once): (f64, f64),
        (algorithm, known_as): (&'static str, &str),
        (passes, hbm_bytes): (u64, f64),
    ) -> Result<Self> {
        let placement = call.ground.at(spot);
        let tier = match placement {
            Placement::Local(_) => "domain",
            Placement::Rails(_) => "site",
            _ => "machine",
        };
        // No bytes stay none.
        let (size, scale) = if size == 0.0 { (0.0, 1.0) } else { (1.0, size) };
        let price = |context: &Context| {
            let program = find(algorithm)?.program(&Job {
                context,
                placement,
                operation,
                size,
                root: 0,
                shift: call.request.shift,
                orders: &[],
                table: ALGORITHMS,
                tier,
            })?;
            let label = format!("{} by {known_as}", operation.name());
            Priced::new(context, call.request.model, label, program)
        };
        let key = (spot, operation, algorithm);
        let unit = match placement {
            Placement::Rails(_) => call.ground.stage(call.nodes, key, scale, price)?,
            _ => call.ground.stage(call.scene, key, scale, price)?,
        };
        let (latency, overhead) = unit.fixed();
        let link = (unit.time(scale) - latency - overhead).max(0.0);
        Ok(Self {
            unit,
            scale,
            stage: OnceCell::new(),
            passes,
            link: link / links_at_once / call.neuron.link_efficiency,
            hbm_bytes,
            latency,
        })
    }

    /// The stage with all of its bytes.
    pub(super) fn stage(&self) -> &Arc<StageCost> {
        self.stage
            .get_or_init(|| Arc::new(self.unit.scaled(self.scale)))
    }

    /// The same with another stage.
    pub(super) fn set_stage(&mut self, stage: StageCost) {
        (self.unit, self.scale) = (Arc::new(stage), 1.0);
        self.stage = OnceCell::from(Arc::clone(&self.unit));
    }

    /// What it does, and by which algorithm.
    pub(super) fn label(&self) -> &str {
        &self.unit.label
    }

    /// Seconds of latency and of overhead, by the links.
    pub(super) fn fixed(&self) -> (f64, f64) {
        self.unit.fixed()
    }

    /// A stage that links alone price.
    pub(super) fn by_links(stage: StageCost) -> Self {
        let stage = Arc::new(stage);
        let (latency, overhead) = stage.fixed();
        Self {
            passes: steps_of(&stage),
            link: (stage.time(1.0) - latency - overhead).max(0.0),
            hbm_bytes: 0.0,
            latency,
            scale: 1.0,
            stage: OnceCell::from(Arc::clone(&stage)),
            unit: stage,
        }
    }
}

impl Segment {
    pub(super) fn timing(&self, call: &Call) -> Timing {
        let neuron = call.neuron;
        let rate = neuron.hbm_bandwidth * neuron.hbm_efficiency;
        let step = match self.overlap {
            Overlap::Nodes => neuron.efa_step,
            _ => neuron.step,
        };
        let sum = |value: fn(&Part) -> f64| self.parts.iter().map(value).sum::<f64>();
        let count = sum(|part| part.passes as f64);
        let (link, hbm) = (sum(|part| part.link), sum(|part| part.hbm_bytes) / rate);
        let fixed = sum(|part| part.fixed().0 + part.fixed().1);
        let hidden = link.min(hbm);
        let (pieces, left) = match self.overlap {
            Overlap::None => (1.0, hidden),
            Overlap::Pieces => {
                let pieces = best_pieces(count * step, hidden);
                (pieces, hidden / pieces)
            }
            Overlap::Steps => {
                let each = self.parts.iter().map(|part| part.passes).max();
                (1.0, hidden / each.unwrap_or(1).max(1) as f64)
            }
            Overlap::Nodes | Overlap::Links => (1.0, 0.0),
        };
        let (link, hbm) = if link >= hbm {
            (link, left)
        } else {
            (left, hbm)
        };
        let passes = match self.overlap {
            Overlap::Links => fixed,
            // A step is the vendor's; fabric that takes longer on the way takes longer.
            Overlap::Nodes => (count * step).max(sum(|part| part.latency)),
            _ => pieces * count * step,
        };
        Timing {
            time: passes + link + hbm,
            passes,
            link,
            hbm,
            pieces: pieces as u32,
        }
    }
}

/// The whole number c that makes c x passes + hidden / c least.
fn best_pieces(passes: f64, hidden: f64) -> f64 {
    if hidden == 0.0 {
        return 1.0;
    }
    if passes == 0.0 {
        return MOST_PIECES;
    }
    let time = |pieces: f64| pieces * passes + hidden / pieces;
    let low = (hidden / passes).sqrt().floor().clamp(1.0, MOST_PIECES);
    let high = (low + 1.0).min(MOST_PIECES);
    if time(low) <= time(high) { low } else { high }
}

/// The parts of a call, and why they are these.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) segments: Vec<Segment>,
    pub(super) why: Vec<String>,
}

impl Plan {
    /// Says why, once.
    pub(super) fn explain(&mut self, why: String) {
        if !self.why.contains(&why) {
            self.why.push(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::best_pieces;

    #[test]
    fn pieces_are_the_best_whole_number() {
        for (passes, hidden) in [(1.0, 0.3), (1.0, 2.5), (2.0, 90.0), (0.1, 77.0)] {
            let time = |pieces: f64| pieces * passes + hidden / pieces;
            let slow = (1..=4096)
                .map(|c| time(f64::from(c)))
                .fold(f64::INFINITY, f64::min);
            assert_eq!(time(best_pieces(passes, hidden)), slow);
        }
        assert_eq!(best_pieces(0.0, 1.0), 4096.0);
        assert_eq!(best_pieces(1.0, 0.0), 1.0);
    }
}
