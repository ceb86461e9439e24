//! What the compiler's choice depends on, as numbers by part. Read from the text of programs that jax 0.10.2 with
//! libtpu 0.0.52 compiled ahead of time for each topology (`choices.csv`); bytes are those of one chip's operand, of
//! an all-gather those of its result.

use crate::machine::TpuPart;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * KIB;

/// The versions that the rules are read from.
pub(super) const VERSIONS: [(&str, &str); 2] = [("jax", "0.10.2"), ("libtpu", "0.0.52")];

/// Most bytes of an all-reduce on one ring that is a single phase.
pub(super) const SINGLE_PHASE_MOST: f64 = 8.0 * KIB;
/// Chips of the longest ring that is used in one direction by each colour.
pub(super) const ONE_WAY_MOST: u32 = 8;
/// Least bytes of the long form on one ring of at most [`ONE_WAY_MOST`] chips, counted in whole [`PAGE`]s.
pub(super) const RING_LONG_LEAST: f64 = MIB;
/// What bytes of such rings are rounded up to.
pub(super) const PAGE: f64 = 4.0 * KIB;
/// Most bytes of the short form in several axes, and on one ring of more chips.
pub(super) const SHORT_MOST: f64 = 2.0 * MIB;
/// Most bytes of a colour in a phase of the short form that is one step.
pub(super) const ONE_STEP_MOST: f64 = 64.0 * KIB;
/// Least chips of a whole slice whose all-gather is an all-reduce.
pub(super) const GATHER_LEAST_CHIPS: u32 = 64;
/// The same in three axes for operands that are no whole tiles.
pub(super) const UNEVEN_GATHER_LEAST_CHIPS: u32 = 40;
/// Most bytes of the result of an all-gather over a whole slice of two axes that is an all-reduce.
pub(super) const FLAT_GATHER_MOST: f64 = 16.0 * MIB;
/// Elements of a tile: 8 x 128.
pub(super) const TILE: f64 = 1024.0;
/// Bytes of a shard, in each colour, up to which a reduce-scatter is an all-reduce: padded to 4 KiB, it would be
/// 1.6 times as much.
pub(super) const SCATTER_MOST_SMALL: f64 = 2.5 * KIB;
/// Most chips of a square whose reduce-scatter is no all-reduce.
pub(super) const SQUARE_MOST: u32 = 8;
/// Chips from which a slice's all-to-all goes through the routers of [`Rules::routers`], and of an axis.
pub(super) const ROUTED_SLICE: u32 = 64;
/// The same for one whole axis.
pub(super) const ROUTED_AXIS: u32 = 16;

/// What one part does unlike others.
pub(super) struct Rules {
    /// The part.
    pub(super) part: TpuPart,
    /// All-reduce has a short form.
    pub(super) short: bool,
    /// Whole slices of 2x2 and 2x4 chips are one ring.
    pub(super) small_are_rings: bool,
    /// Large slices and long axes route some operations chip by chip.
    pub(super) routers: bool,
    /// Bytes from which another unit of the chip runs collectives that add up or gather.
    pub(super) handed_on_from: Option<f64>,
}

const RULES: [Rules; 5] = [
    rules(TpuPart::V4, (false, false, false), None),
    rules(TpuPart::V5e, (true, true, true), None),
    rules(TpuPart::V5p, (true, false, false), None),
    rules(TpuPart::V6e, (true, true, false), None),
    rules(TpuPart::Tpu7x, (true, false, false), Some(64.0 * KIB)),
];

const fn rules(
    part: TpuPart,
    (short, small_are_rings, routers): (bool, bool, bool),
    handed_on_from: Option<f64>,
) -> Rules {
    Rules {
        part,
        short,
        small_are_rings,
        routers,
        handed_on_from,
    }
}

impl Rules {
    /// Those of a part.
    pub(super) fn of(part: TpuPart) -> &'static Self {
        let found = RULES.iter().find(|rules| rules.part == part);
        found.unwrap_or(&RULES[0])
    }
}
