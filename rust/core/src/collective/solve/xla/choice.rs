//! What is left of a collective in the compiled text, and how it runs.

use super::group::Group;
use super::orders::{self, Orders, Rotations};
use super::tables::{
    FLAT_GATHER_MOST, GATHER_LEAST_CHIPS, ONE_STEP_MOST, ONE_WAY_MOST, PAGE, RING_LONG_LEAST,
    ROUTED_AXIS, ROUTED_SLICE, Rules, SCATTER_MOST_SMALL, SHORT_MOST, SINGLE_PHASE_MOST,
    SQUARE_MOST, TILE, UNEVEN_GATHER_LEAST_CHIPS,
};
use crate::operation::Operation;

/// The choice of the compiler, in its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    /// The operation that remains in the text.
    pub(super) remains: &'static str,
    /// The same as an operation of ours.
    pub(super) operation: Operation,
    /// What writes its program; empty where the text names none.
    pub(super) emitter: &'static str,
    /// How it uses the rings; empty where the text names none.
    pub(super) strategy: &'static str,
    /// Chips of the ring of each phase, colour by colour; empty where the text has no colours.
    pub(super) rings: Vec<Vec<u32>>,
    /// The orders of axes that the text prints, colour by colour; empty for one ring.
    pub(super) rotations: Orders,
    /// The orders of axes that are run, each both ways; empty for one ring and where there are none.
    pub(super) orders: Orders,
    /// Of each phase of a short form, whether it takes several steps.
    pub(super) multistep: Vec<bool>,
}

const LONG: &str = "RotatedPincerEmitter";
const SHORT: &str = "RotatedPincerShortEmitter";

impl Choice {
    fn of(remains: &'static str, operation: Operation, emitter: &'static str) -> Self {
        Self {
            remains,
            operation,
            emitter,
            strategy: "",
            rings: Vec::new(),
            rotations: Vec::new(),
            orders: Vec::new(),
            multistep: Vec::new(),
        }
    }

    /// All chips of the group on one ring.
    fn on_ring(self, group: &Group, strategy: &'static str, colours: usize) -> Self {
        Self {
            strategy,
            rings: vec![vec![group.chips]; colours],
            ..self
        }
    }

    fn rotated(self, rotations: Rotations) -> Self {
        Self {
            strategy: rotations.strategy,
            rings: rotations.rings,
            rotations: rotations.printed,
            orders: rotations.orders,
            ..self
        }
    }

    /// Which phases take several steps: those whose colours have more bytes than fit in one.
    fn stepped(self, bytes: f64) -> Self {
        let colours = self.rings.len() as f64;
        let mut left = bytes / colours;
        let phases = self.rings[0].iter().map(|&ring| {
            let several = left > ONE_STEP_MOST;
            left /= f64::from(ring);
            several
        });
        Self {
            multistep: phases.collect(),
            ..self
        }
    }
}

/// What becomes of an operation that XLA has, of `bytes` whose elements have `element` bytes each.
pub(super) fn choose(
    rules: &Rules,
    group: &Group,
    operation: Operation,
    bytes: f64,
    element: f64,
) -> Choice {
    match operation {
        Operation::AllGather => all_gather(rules, group, bytes, element),
        Operation::ReduceScatter => reduce_scatter(rules, group, bytes),
        Operation::AllToAll => {
            let routed = rules.routers && is_routed(group);
            let emitter = if routed {
                "NetRouterEmitter"
            } else {
                "AllToAllEmitter"
            };
            Choice::of("all-to-all", Operation::AllToAll, emitter)
        }
        Operation::SendRecv => Choice::of("collective-permute", Operation::SendRecv, ""),
        _ => all_reduce(rules, group, bytes),
    }
}

fn all_reduce(rules: &Rules, group: &Group, bytes: f64) -> Choice {
    let by = |emitter| Choice::of("all-reduce", Operation::AllReduce, emitter);
    if !group.is_ring(rules) {
        if rules.short && bytes <= SHORT_MOST {
            return by(SHORT).rotated(orders::short(group)).stepped(bytes);
        }
        return by(LONG).rotated(orders::long(group));
    }
    if bytes <= SINGLE_PHASE_MOST {
        return by("SinglePhaseRingSumEmitter");
    }
    let one_way = group.chips <= ONE_WAY_MOST;
    if one_way && (bytes / PAGE).ceil() * PAGE >= RING_LONG_LEAST {
        return by(LONG).on_ring(group, "UniDirection1DRingStrategy", 2);
    }
    if rules.short && (one_way || bytes <= SHORT_MOST) {
        let short = by(SHORT).on_ring(group, "StrategyRing", 1);
        return short.stepped(bytes);
    }
    by(LONG).on_ring(group, "StrategyRing", 1)
}

fn all_gather(rules: &Rules, group: &Group, bytes: f64, element: f64) -> Choice {
    let operand = bytes / f64::from(group.chips);
    let whole_tiles = operand / element % TILE == 0.0;
    let becomes = match (group.whole, group.slice_axes) {
        (true, 3) if whole_tiles => group.chips >= GATHER_LEAST_CHIPS,
        (true, 3) => group.chips >= UNEVEN_GATHER_LEAST_CHIPS,
        (true, 2) => group.chips >= GATHER_LEAST_CHIPS && bytes <= FLAT_GATHER_MOST,
        _ => false,
    };
    if becomes {
        return all_reduce(rules, group, bytes);
    }
    let gather = |emitter| Choice::of("all-gather", Operation::AllGather, emitter);
    let cube = group.axes.iter().all(|axis| axis.1 == 2);
    if whole_tiles && cube && group.axes.len() > 1 {
        let emitter = match group.axes.len() {
            2 => "2DAllGatherNonMajorDim",
            _ => "3DAllGatherNonMajorDim",
        };
        // The text prints no orders for it.
        return Choice {
            orders: orders::short(group).orders,
            ..gather(emitter)
        };
    }
    let short = group.chips <= ONE_WAY_MOST;
    gather(match (whole_tiles, short) {
        (true, true) => "1DAllGatherNonMajorDim",
        (true, false) => "1DAllGatherNonMajorDimImbalanced",
        (false, _) if rules.routers && is_routed(group) => "AllGatherWithNetRouterEmitter",
        (false, true) if operand / element > TILE / 2.0 => "1DAllGatherOnMajorDim",
        (false, _) => "1DAllGatherOnMajorDimImbalanced",
    })
}

fn reduce_scatter(rules: &Rules, group: &Group, bytes: f64) -> Choice {
    let square = group.slice_axes == 2 && group.is_square() && group.chips > SQUARE_MOST;
    if group.whole && (group.slice_axes == 3 || square) {
        return all_reduce(rules, group, bytes);
    }
    let pair = !group.is_ring(rules) && group.chips == 4;
    let colours = if pair { 2 } else { 1 };
    let shard = bytes / f64::from(group.chips);
    if shard / colours as f64 <= SCATTER_MOST_SMALL {
        return all_reduce(rules, group, bytes);
    }
    let emitter = "SingleInputAllReduceScatterFusion";
    let scatter = Choice::of("reduce-scatter", Operation::ReduceScatter, emitter);
    if !pair {
        return scatter.on_ring(group, "StrategyRing", 1);
    }
    let mut rotations = orders::short(group);
    rotations.strategy = "StrategySubgroupND";
    rotations.printed.reverse();
    scatter.rotated(rotations)
}

/// Whether chips of a part with routers go through them.
fn is_routed(group: &Group) -> bool {
    let axis = matches!(group.axes[..], [(_, chips)] if chips >= ROUTED_AXIS);
    axis || (group.whole && group.chips >= ROUTED_SLICE)
}
