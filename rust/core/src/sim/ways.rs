//! The links of flows of which only the rates are asked: walked as often as they are needed where that is quick, and
//! kept where it is a search.

use super::messages::{FEWER, Paths, STRETCH, same_length};
use crate::Control;
use crate::error::Result;
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::{Overlay, Routes, Routing};

/// The ways of flows.
pub(super) enum Ways<'a> {
    /// By dimension order on whole machines: a link comes once on a way.
    Walked {
        routes: Routes<'a>,
        ends: Vec<[u32; 2]>,
        #[expect(dead_code, reason = "held for its drop")]
        taken: Taken,
    },
    /// Each link of a way once.
    Kept(Paths),
}

impl<'a> Ways<'a> {
    /// The ways of flows; `overlay` has the damage of the machine.
    pub(super) fn of(
        machine: &'a Machine,
        src: IndexColumn,
        dst: IndexColumn,
        routing: &'a Routing,
        overlay: &'a Overlay,
        control: &Control,
    ) -> Result<Self> {
        if machine.is_damaged() || !matches!(routing, Routing::DimensionOrder(_)) {
            let mut paths = Paths::of(machine, src, dst, routing, false, control)?;
            paths.merge(control)?;
            return Ok(Self::Kept(paths));
        }
        same_length(src, dst)?;
        let routes = Routes::new(machine, routing, overlay)?;
        let flows = src.len();
        let what = format_args!("the ends of {flows} messages");
        let taken = control.take(bytes_of::<[u32; 2]>(flows as u64), what, FEWER)?;
        let mut ends = Vec::with_capacity(flows);
        for flow in 0..flows {
            if flow % STRETCH == 0 {
                control.check()?;
            }
            ends.push([
                machine.check_chip(format_args!("src[{flow}]"), src.value(flow))?,
                machine.check_chip(format_args!("dst[{flow}]"), dst.value(flow))?,
            ]);
        }
        Ok(Self::Walked {
            routes,
            ends,
            taken,
        })
    }

    pub(super) fn flows(&self) -> usize {
        match self {
            Self::Walked { ends, .. } => ends.len(),
            Self::Kept(paths) => paths.flows(),
        }
    }

    /// Calls `visit` with the links of a flow, numbered as in the machine, and its share on each.
    #[inline]
    pub(super) fn walk(
        &self,
        flow: usize,
        control: &Control,
        visit: &mut impl FnMut(u64, f64),
    ) -> Result<()> {
        match self {
            Self::Walked { routes, ends, .. } => {
                let [src, dst] = ends[flow];
                routes.walk(src, dst, control, visit)
            }
            Self::Kept(paths) => {
                let steps = paths.of_flow(flow).iter();
                steps.for_each(|&(link, share)| visit(link, share));
                Ok(())
            }
        }
    }
}
