//! Which links flows use, and how many flows use each.

use super::messages::FEWER;
use super::ways::Ways;
use crate::Control;
use crate::error::Result;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};

/// Links of the machine for each flow up to which a table of links beats a search.
const TABLE: u64 = 64;
/// Steps that are sorted at once.
const CHUNK: usize = 1 << 20;
/// Shares of flows on links that are few: a byte tells which.
const FEW: usize = 256;

/// Links that flows use, numbered from 0 in ascending order.
pub(super) enum Names {
    /// Their numbers in the machine.
    Sorted(Vec<u64>),
    /// The new number of each link of the machine that is used.
    Table(Vec<u32>),
}

impl Names {
    #[inline]
    pub(super) fn number(&self, link: u64) -> usize {
        match self {
            Self::Sorted(names) => names.partition_point(|&name| name < link),
            Self::Table(table) => table[link as usize] as usize,
        }
    }
}

/// What a first walk finds.
pub(super) struct UsedLinks {
    pub(super) names: Names,
    /// Bytes/s of each link, and how many flows use it.
    pub(super) capacity: Vec<f64>,
    pub(super) flows: Vec<u32>,
    /// Links of all flows together.
    pub(super) steps: u64,
    /// Shares of flows that occur; none if they are many.
    pub(super) shares: Vec<f64>,
    pub(super) taken: Taken,
}

impl UsedLinks {
    pub(super) fn of(machine: &Machine, ways: &Ways, control: &Control) -> Result<Self> {
        let links = machine.num_links();
        if links > TABLE.saturating_mul(ways.flows() as u64) {
            return Self::searched(machine, ways, control);
        }
        let what = format_args!("a table of {links} links");
        let taken = control.take(2 * bytes_of::<u32>(links), what, FEWER)?;
        let mut table = vec![0; links as usize];
        let (steps, shares) = count(ways, &mut table, |link| link as usize, control)?;
        let (mut capacity, mut flows) = (Vec::new(), Vec::new());
        for (link, entry) in (0..).zip(&mut table) {
            control.check_at(link as usize)?;
            if *entry > 0 {
                capacity.push(machine.link_numbers(link).0);
                flows.push(std::mem::replace(entry, flows.len() as u32));
            }
        }
        Ok(Self {
            names: Names::Table(table),
            capacity,
            flows,
            steps,
            shares,
            taken,
        })
    }

    /// The same where flows use few of the links of the machine.
    fn searched(machine: &Machine, ways: &Ways, control: &Control) -> Result<Self> {
        let mut taken = control.take(0, format_args!("links"), FEWER)?;
        let (mut names, mut part) = (Vec::new(), Vec::new());
        for flow in 0..ways.flows() {
            ways.walk(flow, control, &mut |link, _| part.push(link))?;
            if part.len() > CHUNK || flow + 1 == ways.flows() {
                part.sort_unstable();
                part.dedup();
                let what = format_args!("the links of {} messages", ways.flows());
                taken.reserve(&mut names, part.len(), what, FEWER)?;
                names.append(&mut part);
            }
        }
        control.check()?;
        // The stable sort merges sorted parts.
        names.sort();
        names.dedup();
        let mut flows = vec![0; names.len()];
        let number = |link: u64| names.partition_point(|&name| name < link);
        let (steps, shares) = count(ways, &mut flows, number, control)?;
        Ok(Self {
            capacity: names
                .iter()
                .map(|&link| machine.link_numbers(link).0)
                .collect(),
            flows,
            names: Names::Sorted(names),
            steps,
            shares,
            taken,
        })
    }
}

/// Counts the flows on each link; how many links they have together, and which shares.
fn count(
    ways: &Ways,
    flows: &mut [u32],
    number: impl Fn(u64) -> usize,
    control: &Control,
) -> Result<(u64, Vec<f64>)> {
    let (mut steps, mut shares) = (0, vec![1.0]);
    let mut last = 1.0;
    for flow in 0..ways.flows() {
        ways.walk(flow, control, &mut |link, share| {
            flows[number(link)] += 1;
            steps += 1;
            if share != last && shares.len() <= FEW {
                last = share;
                if !shares.contains(&share) {
                    shares.push(share);
                }
            }
        })?;
    }
    if shares.len() > FEW {
        shares.clear();
    }
    Ok((steps, shares))
}
