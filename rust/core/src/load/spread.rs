//! Loads under minimal-adaptive routing: each share of each flow is rounded to a grid and added.
//!
//! Flows are read by the block and taken by the lengths of their boxes, whose shares are found once for each block.

use super::columns::{ByteColumn, Flows};
use super::grid::Grid;
use super::template::{self, Flow, Template};
use super::walked::Walked;
use super::workers::{FEWER_LINKS, workers};
use crate::error::Result;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::route::{Routes, outside};
use crate::{Control, threads};

/// Most flows of a block.
const BLOCK: usize = 1 << 16;

/// Flows between two checks for cancellation and reports of progress.
const STRETCH: usize = 256;

struct Worker<'a> {
    counts: Vec<i128>,
    template: Template<'a>,
    src: Vec<u32>,
    dst: Vec<u32>,
    /// Flows that stay in a whole domain: their lengths, and in the lower half their places in the block.
    near: Vec<u64>,
    /// On a damaged machine.
    routes: Option<(&'a Walked<'a>, Result<Routes<'a>>)>,
}

pub(super) fn loads(
    machine: &Machine,
    flows: &Flows,
    walked: Option<&Walked>,
    grid: Grid,
    threads: usize,
    control: &Control,
) -> Result<Vec<f64>> {
    let (links, flow_count) = (machine.num_links(), flows.src.len());
    // A flow is worth many counters here.
    let workers = workers(threads, flow_count * 256, links, size_of::<i128>());
    let block = flow_count.div_ceil(workers).clamp(1, BLOCK);
    let each = bytes_of::<i128>(links + block as u64);
    let bytes = each
        .saturating_mul(workers as u64)
        .saturating_add(bytes_of::<f64>(links));
    let _taken = control.take(
        bytes,
        format_args!("the loads of {links} links"),
        FEWER_LINKS,
    )?;
    let init = || Worker {
        counts: vec![0; links as usize],
        template: Template::new(machine.domain(), grid, control, template::MOST_LINKS),
        src: vec![0; block],
        dst: vec![0; block],
        near: Vec::with_capacity(block),
        routes: walked.map(|walked| (walked, walked.routes())),
    };
    let mut done = threads::over_blocks(
        workers,
        flow_count.div_ceil(block),
        init,
        |worker, number| count_block(machine, flows, grid, control, worker, number * block),
    )
    .map_err(|met| match walked {
        Some(walked) => walked.first_error(met, flows, control),
        None => met,
    })?
    .into_iter();
    let mut counts = done.next().expect("there is at least one worker").counts;
    for worker in done {
        control.check()?;
        for (ours, theirs) in counts.iter_mut().zip(worker.counts) {
            *ours += theirs;
        }
    }
    let scale = grid.scale();
    Ok(counts.into_iter().map(|count| scale.bytes(count)).collect())
}

/// Counts the block of flows that begins at `start`.
fn count_block(
    machine: &Machine,
    flows: &Flows,
    grid: Grid,
    control: &Control,
    worker: &mut Worker<'_>,
    start: usize,
) -> Result<()> {
    control.check()?;
    let count = worker.src.len().min(flows.src.len() - start);
    let chips = machine.num_chips();
    let good = flows.src.copy(start, chips, &mut worker.src[..count])
        & flows.dst.copy(start, chips, &mut worker.dst[..count]);
    if !good {
        return Err(flows.bad_chip(machine));
    }
    let bytes = |index: usize| match flows.bytes {
        ByteColumn::Scalar(bytes) => bytes,
        ByteColumn::PerFlow(bytes) => bytes[start + index],
    };
    worker.near.clear();
    for index in 0..count {
        if index % STRETCH == 0 {
            control.check()?;
        }
        let (src, dst) = (worker.src[index], worker.dst[index]);
        let ((from, local_src), (to, local_dst)) = (machine.split(src), machine.split(dst));
        if from == to && !worker.is_walked(src, dst) {
            let lengths = template::lengths(machine.domain(), local_src, local_dst);
            worker.near.push(u64::from(lengths) << 32 | index as u64);
        } else {
            worker.count_other(machine, (src, dst, bytes(index)), grid, control)?;
        }
    }
    control.advance((count - worker.near.len()) as u64);
    worker.near.sort_unstable();
    let Worker { counts, near, .. } = worker;
    for near in near.chunks(STRETCH) {
        control.check()?;
        for &near in near {
            let (lengths, index) = ((near >> 32) as u32, near as u32 as usize);
            let (src, dst) = (worker.src[index], worker.dst[index]);
            let (domain, src) = machine.split(src);
            let flow = Flow {
                lengths,
                src,
                dst: machine.split(dst).1,
                bytes: bytes(index),
            };
            let first = machine.domain_link(domain, 0) as usize;
            worker.template.add(flow, &mut counts[first..])?;
        }
        control.advance(near.len() as u64);
    }
    Ok(())
}

impl Worker<'_> {
    /// True for a message that goes round damage.
    fn is_walked(&self, src: u32, dst: u32) -> bool {
        self.routes
            .as_ref()
            .is_some_and(|(walked, _)| walked.has(src, dst))
    }

    /// Counts a flow that leaves its domain or is walked.
    fn count_other(
        &mut self,
        machine: &Machine,
        (src, dst, bytes): (u32, u32, f64),
        grid: Grid,
        control: &Control,
    ) -> Result<()> {
        let counts = &mut self.counts;
        if let Some((walked, routes)) = &self.routes {
            if walked.has(src, dst) {
                let routes = routes.as_ref().map_err(Clone::clone)?;
                return routes.walk(src, dst, control, &mut |link, share| {
                    counts[link as usize] += grid.units::<i128>(bytes * share);
                });
            }
        }
        let units: i128 = grid.units(bytes);
        outside(machine, src, dst, |link| counts[link as usize] += units);
        Ok(())
    }
}
