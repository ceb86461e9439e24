//! Counting flows block by block on worker threads.

use super::cell::Cell;
use super::columns::{BLOCK, ByteColumn, Flows};
use super::grid::{Grid, Scale};
use super::kernel::{Alike, Row};
use super::near::{Near, Room};
use super::sorted::{Sorted, by_source};
use super::tally::Tally;
use super::walked::Walked;
use super::workers::{FEWER_LINKS, workers};
use super::{spread, valiant};
use crate::error::Result;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::route::{Routes, Routing, spans_below};
use crate::{Control, threads};
use std::cell::OnceCell;

/// Bytes that `flows` put on each link of the machine, by link number; `n_threads` 0 means one per core.
/// [`Control::advance`] is told of flows.
///
/// Loads are sums of integers: bit-equal for any number of threads and any order of flows, and exact before one
/// rounding to f64, if the bytes of all flows have a common unit (a power of two) that goes at most 2^122 times
/// into their total; else each flow is rounded below 2^-124 of the total. Minimal-adaptive shares are rounded
/// below 2^-118 of the total each. Valiant loads are computed in f64 from exact sums for each chip.
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) naming the first flow whose chip does not exist,
/// [`Error::Invalid`](crate::Error::Invalid) for columns of different lengths and bytes that are negative or
/// not finite, alone or in total, [`Error::Unsupported`](crate::Error::Unsupported) for machines of more than
/// [`MOST_LINKS`](super::MOST_LINKS) links, those of [`Routing::check`],
/// [`Error::Unreachable`](crate::Error::Unreachable) for the first flow that damage cuts off, and
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn link_loads(
    machine: &Machine,
    flows: &Flows,
    routing: &Routing,
    n_threads: usize,
    control: &Control,
) -> Result<Vec<f64>> {
    super::check_dense(machine, 1)?;
    routing.check(machine)?;
    let walked = Walked::of(machine, routing, control)?;
    let order = match routing.order_on_whole(machine.domain())? {
        Some(order) => order,
        // All flows inside domains are walked, or counted by their ends.
        None => routing.axis_order(machine)?,
    };
    let threads = threads::resolve(n_threads)?;
    let count = flows.count()?;
    let survey = flows.survey(control)?;
    let sorted = match &walked {
        Some(walked) if walked.searches_by_source() => by_source(machine, flows, control)?,
        _ => None,
    };
    let (given, sorted) = (flows, sorted.as_ref().map(Sorted::flows));
    let flows = sorted.as_ref().unwrap_or(flows);
    let valiant = match routing {
        Routing::MinimalAdaptive => {
            let grid = survey.share_grid();
            return spread::loads(machine, flows, walked.as_ref(), grid, threads, control);
        }
        Routing::Valiant => {
            valiant::check(machine.domain())?;
            true
        }
        _ => false,
    };
    let job = Job {
        machine,
        flows,
        near: Near {
            machine,
            order,
            valiant,
            spanning: machine.domain().axes().iter().any(spans_below),
        },
        walked: walked.as_ref(),
        count,
        threads,
        control,
    };
    let loads = match flows.bytes {
        // Halves are 1, and a flow passes a link at most twice, so no load passes 4 x flows.
        ByteColumn::Scalar(bytes) if count <= i32::MAX as usize / 4 => {
            job.run::<i32>(None, Scale(0.5, bytes))
        }
        ByteColumn::Scalar(bytes) => job.run::<i64>(None, Scale(0.5, bytes)),
        ByteColumn::PerFlow(bytes) => match survey.grid() {
            (grid, true) => job.run::<i64>(Some((bytes, grid)), grid.scale()),
            (grid, false) => job.run::<i128>(Some((bytes, grid)), grid.scale()),
        },
    };
    match (loads, &walked) {
        (Err(met), Some(walked)) => Err(walked.first_error(met, given, control)),
        (loads, _) => loads,
    }
}

struct Job<'a> {
    machine: &'a Machine,
    flows: &'a Flows<'a>,
    near: Near<'a>,
    walked: Option<&'a Walked<'a>>,
    count: usize,
    threads: usize,
    control: &'a Control,
}

struct Worker<'a, T> {
    tally: Tally<T>,
    block: Block<T>,
    /// Made when the first flow is walked.
    routes: OnceCell<Routes<'a>>,
}

/// One block of flows taken apart.
struct Block<T> {
    near: Ends<T>,
    far: Ends<T>,
    room: Room,
}

struct Ends<T> {
    src: Box<Row>,
    dst: Box<Row>,
    /// Only for flows with bytes of their own.
    half_units: Option<Box<[T; BLOCK]>>,
}

impl<T: Cell> Ends<T> {
    fn new(per_flow: bool) -> Self {
        Self {
            src: Box::new([0; BLOCK]),
            dst: Box::new([0; BLOCK]),
            half_units: per_flow.then(|| Box::new([T::default(); BLOCK])),
        }
    }
}

impl<'a> Job<'a> {
    fn run<T: Cell>(&self, bytes: Option<(&[f64], Grid)>, scale: Scale) -> Result<Vec<f64>> {
        let cells = Tally::<T>::cells(self.machine);
        let workers = workers(self.threads, self.count, cells, size_of::<T>());
        // Counters of each worker, the loads, and for Valiant routing what each chip sends and receives.
        let ends = if self.near.valiant {
            8 * u64::from(self.machine.num_chips())
        } else {
            0
        };
        let alike = if bytes.is_none() {
            self.count / workers
        } else {
            0
        };
        let paired = self.near.paired(alike);
        let pairs = paired.iter().map(|&pairs| pairs as u64).sum();
        let each = bytes_of::<T>(cells + ends).saturating_add(pairs);
        let counters = each.saturating_mul(workers as u64);
        let all = counters.saturating_add(bytes_of::<f64>(self.machine.num_links() + ends));
        let what = format_args!("the loads of {} links", self.machine.num_links());
        let _taken = self.control.take(all, what, FEWER_LINKS)?;
        let init = || {
            let mut tally = Tally::<T>::new(self.machine, self.near.valiant);
            tally.segments = self.near.segments(&paired);
            Worker {
                tally,
                block: self.new_block(bytes.is_some()),
                routes: OnceCell::new(),
            }
        };
        let blocks = self.count.div_ceil(BLOCK);
        let mut done = threads::over_blocks(workers, blocks, init, |worker, number| {
            self.count_block(worker, number, bytes)
        })?
        .into_iter();
        let mut tally = done.next().expect("there is at least one worker").tally;
        tally.settle(self.control)?;
        for mut worker in done {
            worker.tally.settle(self.control)?;
            tally.merge(worker.tally, self.control)?;
        }
        tally.loads(self.machine, scale, self.control)
    }

    fn new_block<T: Cell>(&self, per_flow: bool) -> Block<T> {
        Block {
            near: Ends::new(per_flow),
            far: Ends::new(per_flow),
            room: Room::new(self.machine.domain().axes().len()),
        }
    }

    fn count_block<T: Cell>(
        &self,
        worker: &mut Worker<'a, T>,
        number: usize,
        bytes: Option<(&[f64], Grid)>,
    ) -> Result<()> {
        self.control.check()?;
        let Worker {
            tally,
            block,
            routes,
        } = worker;
        let start = number * BLOCK;
        let total = BLOCK.min(self.count - start);
        let flows = total;
        let chips = self.machine.num_chips();
        let near = &mut block.near;
        let good = self.flows.src.copy(start, chips, &mut near.src[..flows])
            & self.flows.dst.copy(start, chips, &mut near.dst[..flows]);
        if !good {
            return Err(self.flows.bad_chip(self.machine));
        }
        if let (Some((bytes, grid)), Some(half_units)) = (bytes, &mut near.half_units) {
            for (half, &bytes) in half_units.iter_mut().zip(&bytes[start..start + flows]) {
                *half = grid.half_units(bytes);
            }
        }
        let flows = match self.walked {
            Some(walked) => self.walk(walked, routes, tally, near, flows)?,
            None => flows,
        };
        let stay = if self.machine.num_domains() > 1 {
            part(self.machine, flows, &mut block.near, &mut block.far)
        } else {
            flows
        };
        let (near, far, room) = (&block.near, &block.far, &mut block.room);
        let (src, dst) = (&near.src[..stay], &near.dst[..stay]);
        let leave = flows - stay;
        let (out, into) = (&far.src[..leave], &far.dst[..leave]);
        match (&near.half_units, &far.half_units) {
            (Some(staying), Some(leaving)) => {
                tally.cross.count(self.machine, out, into, &**leaving);
                self.near.count(tally, room, src, dst, &**staying);
            }
            _ => {
                let alike = Alike(T::scaled(1, 0));
                tally.cross.count(self.machine, out, into, alike);
                self.near.count(tally, room, src, dst, alike);
            }
        }
        self.control.advance(total as u64);
        Ok(())
    }

    /// Counts the flows that are to be walked, and keeps the others. Returns how many stay.
    fn walk<T: Cell>(
        &self,
        walked: &'a Walked<'a>,
        routes: &OnceCell<Routes<'a>>,
        tally: &mut Tally<T>,
        ends: &mut Ends<T>,
        flows: usize,
    ) -> Result<usize> {
        let mut stay = 0;
        for index in 0..flows {
            let (src, dst) = (ends.src[index], ends.dst[index]);
            if walked.has(src, dst) {
                let routes = match routes.get() {
                    Some(routes) => routes,
                    None => {
                        let made = walked.routes()?;
                        routes.get_or_init(|| made)
                    }
                };
                let half = ends
                    .half_units
                    .as_ref()
                    .map_or(T::scaled(1, 0), |half_units| half_units[index]);
                routes.walk(src, dst, self.control, &mut |link, share| {
                    // Ties split in halves are all that is not whole.
                    let half_units = if share == 1.0 { 2 } else { 1 };
                    tally.add(self.machine, link, half.times(half_units));
                })?;
                continue;
            }
            (ends.src[stay], ends.dst[stay]) = (src, dst);
            if let Some(half_units) = &mut ends.half_units {
                half_units[stay] = half_units[index];
            }
            stay += 1;
        }
        Ok(stay)
    }
}

/// Keeps the flows inside domains in `near` and moves the others to `far`. Returns how many stay.
fn part<T: Cell>(machine: &Machine, flows: usize, near: &mut Ends<T>, far: &mut Ends<T>) -> usize {
    let (mut stay, mut leave) = (0, 0);
    for index in 0..flows {
        let (src, dst) = (near.src[index], near.dst[index]);
        let same = machine.split(src).0 == machine.split(dst).0;
        (far.src[leave], far.dst[leave]) = (src, dst);
        (near.src[stay], near.dst[stay]) = (src, dst);
        if let (Some(near), Some(far)) = (&mut near.half_units, &mut far.half_units) {
            (far[leave], near[stay]) = (near[index], near[index]);
        }
        stay += usize::from(same);
        leave += usize::from(!same);
    }
    stay
}
