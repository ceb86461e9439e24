//! Loads under minimal-adaptive routing: each share of each flow is rounded to a grid and added.

use super::columns::{ByteColumn, Flows};
use super::grid::Grid;
use super::walked::Walked;
use super::workers::{FEWER_LINKS, workers};
use crate::error::Result;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::route::{Routes, Scratch, outside, spread};
use crate::{Control, threads};

/// Flows that are read and checked together; each may visit millions of links.
const BLOCK: usize = 256;

/// Links visited between two checks for cancellation.
const STRETCH: u32 = 1 << 15;

struct Worker<'a> {
    counts: Vec<i128>,
    scratch: Scratch,
    visits: u32,
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
    let counters = bytes_of::<i128>(links).saturating_mul(workers as u64);
    let bytes = counters.saturating_add(bytes_of::<f64>(links));
    let _taken = control.take(
        bytes,
        format_args!("the loads of {links} links"),
        FEWER_LINKS,
    )?;
    let init = || Worker {
        counts: vec![0; links as usize],
        scratch: Scratch::default(),
        visits: 0,
        routes: walked.map(|walked| (walked, walked.routes())),
    };
    let mut done = threads::over_blocks(
        workers,
        flow_count.div_ceil(BLOCK),
        init,
        |worker, number| count_block(machine, flows, grid, control, worker, number),
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

fn count_block(
    machine: &Machine,
    flows: &Flows,
    grid: Grid,
    control: &Control,
    worker: &mut Worker<'_>,
    number: usize,
) -> Result<()> {
    control.check()?;
    let start = number * BLOCK;
    let count = BLOCK.min(flows.src.len() - start);
    let (mut src, mut dst) = ([0; BLOCK], [0; BLOCK]);
    let chips = machine.num_chips();
    let good = flows.src.copy(start, chips, &mut src[..count])
        & flows.dst.copy(start, chips, &mut dst[..count]);
    if !good {
        return Err(flows.bad_chip(machine));
    }
    for (index, (&src, &dst)) in src[..count].iter().zip(&dst).enumerate() {
        let bytes = match flows.bytes {
            ByteColumn::Scalar(bytes) => bytes,
            ByteColumn::PerFlow(bytes) => bytes[start + index],
        };
        count_flow(machine, grid, control, worker, (src, dst, bytes))?;
    }
    control.advance(count as u64);
    Ok(())
}

fn count_flow(
    machine: &Machine,
    grid: Grid,
    control: &Control,
    worker: &mut Worker<'_>,
    (src, dst, bytes): (u32, u32, f64),
) -> Result<()> {
    let ((from, local_src), (to, local_dst)) = (machine.split(src), machine.split(dst));
    let Worker {
        counts,
        scratch,
        visits,
        routes,
    } = worker;
    if let Some((walked, routes)) = routes {
        if walked.has(src, dst) {
            let routes = routes.as_ref().map_err(Clone::clone)?;
            return routes.walk(src, dst, control, &mut |link, share| {
                counts[link as usize] += grid.units::<i128>(bytes * share);
            });
        }
    }
    if from != to {
        let units: i128 = grid.units(bytes);
        outside(machine, src, dst, |link| counts[link as usize] += units);
        return Ok(());
    }
    let first = machine.domain_link(from, 0);
    spread(
        machine.domain(),
        local_src,
        local_dst,
        scratch,
        |link, share| {
            counts[(first + link) as usize] += grid.units::<i128>(bytes * share);
            *visits += 1;
            if *visits >= STRETCH {
                *visits = 0;
                control.check()?;
            }
            Ok(())
        },
    )
}
