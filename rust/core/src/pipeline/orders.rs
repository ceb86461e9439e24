//! The order of work of every stage, by schedule. It is the same whatever times are.

use super::dual::dual_pipe;
use super::schedule::Schedule;
use super::shape::Pipeline;
use super::simple::{gpipe, interleaved, one_by_one};
use super::task::Orders;
use super::zero_bubble::{late_weights, warm_h1, warm_h2, zb_v};
use crate::control::Control;
use crate::error::Result;

/// Tasks between two looks at the cancel flag.
const STRETCH: usize = 1 << 16;

/// Most tasks that a pipeline has.
pub(super) fn count(pipeline: &Pipeline) -> u64 {
    let each = if pipeline.schedule.splits() { 3 } else { 2 };
    each * pipeline.chunks.len() as u64 * u64::from(pipeline.microbatches)
}

/// Writes the orders of all stages over those that were there.
pub(super) fn write(pipeline: &Pipeline, orders: &mut Orders, control: &Control) -> Result<()> {
    let (p, v, m) = (
        pipeline.stages,
        pipeline.virtual_stages,
        pipeline.microbatches,
    );
    orders.works.clear();
    orders.begins.clear();
    orders.works.reserve(count(pipeline) as usize);
    orders.begins.reserve(p as usize + 1);
    let mut checked = 0;
    for stage in 0..p {
        if orders.works.len() - checked > STRETCH {
            control.check()?;
            checked = orders.works.len();
        }
        orders.begins.push(orders.works.len());
        match pipeline.schedule {
            Schedule::GPipe => gpipe(orders, m, stage),
            Schedule::OneF1B => one_by_one(orders, p, m, stage),
            Schedule::Interleaved => interleaved(orders, p, v, m, stage),
            Schedule::ZbH1 => late_weights(orders, m, stage, warm_h1(p, stage), warm_h1(p, 0)),
            Schedule::ZbH2 => late_weights(orders, m, stage, warm_h2(p, stage), warm_h2(p, 0)),
            Schedule::ZbV => zb_v(orders, p, m, stage),
            Schedule::DualPipe => dual_pipe(orders, p, m, stage),
        }
    }
    orders.begins.push(orders.works.len());
    Ok(())
}
