//! Max-min fair rates: no flow can go faster unless one that is no faster slows down (Bertsekas and Gallager,
//! Data Networks, 1992, section 6.5.2).
//!
//! Progressive filling: the rates of all flows rise together until a link is full; its flows keep their rate,
//! the others go on. A link is full when the common rate reaches its level, what is left of its bandwidth over the
//! shares of the flows that still rise. Levels never fall, so a heap of old levels finds the next full link: one
//! whose level has risen since is put back.

use crate::Control;
use crate::error::Result;
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::route::{Routing, route_until};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Flows or links between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// Bytes/s of each flow when all run at once and share every link fairly; infinite for a chip that sends to itself. A
/// flow that is spread over several links loads each with its share of the rate.
///
/// Sequential and the same to the bit each time. About O(hops log links) for a flow.
///
/// # Errors
/// [`Error::OutOfRange`](crate::Error::OutOfRange) for chips outside the machine,
/// [`Error::Invalid`](crate::Error::Invalid) for columns of different lengths, those of [`Routing::check`] and
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn max_min_rates(
    machine: &Machine,
    src: IndexColumn,
    dst: IndexColumn,
    routing: &Routing,
    control: &Control,
) -> Result<Vec<f64>> {
    let paths = Paths::of(machine, src, dst, routing, control)?;
    let mut links = Links::of(machine, &paths, control)?;
    let mut rates = vec![f64::INFINITY; paths.flows()];
    let mut rising: BinaryHeap<Reverse<(u64, u32)>> = (0..links.left.len() as u32)
        .map(|link| Reverse((links.level(link).to_bits(), link)))
        .collect();
    let mut popped = 0usize;
    // Levels are positive, and positive floats are ordered as their bits are.
    while let Some(Reverse((old, link))) = rising.pop() {
        popped += 1;
        if popped % STRETCH == 0 {
            control.check()?;
        }
        if links.rising[link as usize] == 0 {
            continue;
        }
        let level = links.level(link);
        if level.to_bits() > old {
            rising.push(Reverse((level.to_bits(), link)));
            continue;
        }
        for at in links.first[link as usize]..links.first[link as usize + 1] {
            let flow = links.flows[at];
            if rates[flow as usize].is_infinite() {
                rates[flow as usize] = level;
                links.settle(paths.of_flow(flow), level);
            }
        }
    }
    Ok(rates)
}

/// The links of each flow, renumbered from 0 in ascending order, and their shares.
struct Paths {
    first: Vec<usize>,
    steps: Vec<(u32, f64)>,
    /// Link numbers of the machine by new number.
    names: Vec<u64>,
}

impl Paths {
    fn of(
        machine: &Machine,
        src: IndexColumn,
        dst: IndexColumn,
        routing: &Routing,
        control: &Control,
    ) -> Result<Self> {
        if src.len() != dst.len() {
            return Err(crate::Error::invalid(
                "dst",
                format!("{} values", dst.len()),
                format!("must have as many as src ({})", src.len()),
            ));
        }
        routing.check(machine)?;
        let mut first = vec![0];
        let mut passed: Vec<(u64, f64)> = Vec::new();
        for flow in 0..src.len() {
            if flow % STRETCH == 0 {
                control.check()?;
            }
            let from = machine.check_chip(&format!("src[{flow}]"), src.value(flow))?;
            let to = machine.check_chip(&format!("dst[{flow}]"), dst.value(flow))?;
            let way = route_until(machine, routing, from, to, control)?;
            passed.extend(way.links.into_iter().zip(way.shares));
            first.push(passed.len());
        }
        let mut names: Vec<u64> = passed.iter().map(|step| step.0).collect();
        names.sort_unstable();
        names.dedup();
        let renumbered = |link: u64| names.partition_point(|&name| name < link) as u32;
        let steps = passed
            .into_iter()
            .map(|(link, share)| (renumbered(link), share))
            .collect();
        Ok(Self {
            first,
            steps,
            names,
        })
    }

    fn flows(&self) -> usize {
        self.first.len() - 1
    }

    fn of_flow(&self, flow: u32) -> &[(u32, f64)] {
        &self.steps[self.first[flow as usize]..self.first[flow as usize + 1]]
    }
}

/// What links still have to give, and to whom.
struct Links {
    /// Bytes/s that settled flows leave.
    left: Vec<f64>,
    /// Sum of the shares of the flows that still rise.
    shares: Vec<f64>,
    /// How many those are.
    rising: Vec<u32>,
    /// Flows of each link, from `first[link]` to `first[link + 1]`.
    first: Vec<usize>,
    flows: Vec<u32>,
}

impl Links {
    fn of(machine: &Machine, paths: &Paths, control: &Control) -> Result<Self> {
        let count = paths.names.len();
        let mut links = Self {
            left: paths
                .names
                .iter()
                .map(|&link| machine.link_numbers(link).0)
                .collect(),
            shares: vec![0.0; count],
            rising: vec![0; count],
            first: vec![0; count + 1],
            flows: vec![0; paths.steps.len()],
        };
        for &(link, share) in &paths.steps {
            links.shares[link as usize] += share;
            links.rising[link as usize] += 1;
        }
        for link in 0..count {
            links.first[link + 1] = links.first[link] + links.rising[link] as usize;
        }
        let mut next = links.first.clone();
        for flow in 0..paths.flows() as u32 {
            if flow as usize % STRETCH == 0 {
                control.check()?;
            }
            for &(link, _) in paths.of_flow(flow) {
                links.flows[next[link as usize]] = flow;
                next[link as usize] += 1;
            }
        }
        Ok(links)
    }

    /// The common rate at which the link is full.
    fn level(&self, link: u32) -> f64 {
        // Rounding may leave a hair less than nothing.
        self.left[link as usize].max(f64::MIN_POSITIVE) / self.shares[link as usize]
    }

    fn settle(&mut self, steps: &[(u32, f64)], rate: f64) {
        for &(link, share) in steps {
            let link = link as usize;
            self.left[link] -= rate * share;
            self.shares[link] -= share;
            self.rising[link] -= 1;
        }
    }
}
