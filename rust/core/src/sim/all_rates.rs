//! Progressive filling of flows that all run at once, as `fluid/progressive_fill.rs` does it, in little memory: a flow
//! is listed once for a block of links that it passes one after the other.

use super::fluid::{Stop, Stops, Sum};
use super::messages::FEWER;
use super::pieces::Pieces;
use crate::Control;
use crate::error::{Error, Result};
use crate::memory::{Taken, bytes_of};
use std::cmp::Reverse;

/// Links of a block: a byte tells which of them a flow passes.
const BLOCK: usize = 8;
/// Entries that are listed at a time: caches hold them.
const AT_ONCE: usize = 1 << 20;
/// Entries of the heap between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// Some links of a block that a flow passes with one share.
#[derive(Clone, Copy, Default)]
struct Entry {
    flow: u32,
    links: u8,
    /// Which of the few shares it carries.
    which: u8,
}

/// What a link still has to give.
#[derive(Clone, Copy, Default)]
struct Residual {
    /// Kept to the bit, whatever is taken off: light flows beside heavy ones would get a wrong rate.
    left: Sum,
    /// Of flows that rise; rounded.
    weights: f64,
    rising: u32,
}

/// Links that flows share, and the flows on each block of them.
pub(super) struct AllRates<'a> {
    capacity: &'a [f64],
    pieces: &'a Pieces,
    /// Where the entries of each block begin.
    first: Vec<u32>,
    entries: Vec<Entry>,
    /// The share of each, unless they are few.
    shares: Vec<f64>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
}

impl<'a> AllRates<'a> {
    /// The flows on each block of links.
    pub(super) fn of(capacity: &'a [f64], pieces: &'a Pieces, control: &Control) -> Result<Self> {
        let flows = pieces.flows();
        let mut first = vec![0u64; capacity.len().div_ceil(BLOCK) + 1];
        for flow in 0..flows {
            control.check_at(flow)?;
            for (links, ..) in pieces.of_flow(flow) {
                let last = (links.end - 1) / BLOCK;
                (links.start / BLOCK..=last).for_each(|block| first[block + 1] += 1);
            }
        }
        for block in 1..first.len() {
            first[block] += first[block - 1];
        }
        let count = first[first.len() - 1];
        if count >= u64::from(u32::MAX) {
            return Err(Error::unsupported(
                format!("{flows} messages that pass {count} blocks of links"),
                "ask for fewer at once: less than 2^32",
            ));
        }
        let each = if pieces.few.is_empty() { 8 } else { 0 };
        let bytes = bytes_of::<Entry>(count)
            .saturating_add(each * count)
            .saturating_add(bytes_of::<(f64, Stop)>(flows as u64))
            .saturating_add(bytes_of::<(Residual, [u64; 7])>(capacity.len() as u64));
        let what = format_args!("the links of {flows} messages");
        let taken = control.take(bytes, what, FEWER)?;
        let count = count as usize;
        let mut rates = Self {
            capacity,
            pieces,
            first: first.into_iter().map(|first| first as u32).collect(),
            entries: vec![Entry::default(); count],
            shares: vec![0.0; if each > 0 { count } else { 0 }],
            taken,
        };
        rates.list(control)?;
        Ok(rates)
    }

    /// Lists the flows of each block, some blocks at a time.
    fn list(&mut self, control: &Control) -> Result<()> {
        let mut next = self.first.clone();
        let mut from = 0;
        while from + 1 < self.first.len() {
            let most = self.first[from] as usize + AT_ONCE;
            let until = self.first.partition_point(|first| (*first as usize) < most);
            let until = until.clamp(from + 1, self.first.len() - 1);
            for flow in 0..self.pieces.flows() {
                control.check_at(flow)?;
                for (links, share, which) in self.pieces.of_flow(flow) {
                    let last = (links.end - 1) / BLOCK;
                    let blocks = (links.start / BLOCK).max(from)..(last + 1).min(until);
                    blocks.for_each(|block| {
                        let begin = links.start.max(block * BLOCK) - block * BLOCK;
                        let end = links.end.min((block + 1) * BLOCK) - block * BLOCK;
                        let at = next[block] as usize;
                        next[block] += 1;
                        self.entries[at] = Entry {
                            flow: flow as u32,
                            links: ((1u16 << end) - (1u16 << begin)) as u8,
                            which,
                        };
                        if let Some(place) = self.shares.get_mut(at) {
                            *place = share;
                        }
                    });
                }
            }
            from = until;
        }
        Ok(())
    }

    /// The entries of a block with their shares.
    fn block(&self, block: usize) -> impl Iterator<Item = (Entry, f64)> {
        let all = self.first[block] as usize..self.first[block + 1] as usize;
        all.map(|at| {
            let entry = self.entries[at];
            let few = || self.pieces.few[usize::from(entry.which)];
            (entry, self.shares.get(at).copied().unwrap_or_else(few))
        })
    }

    /// The rates of all flows.
    pub(super) fn fill(&self, control: &Control) -> Result<Vec<f64>> {
        let mut residuals = self.empty_links(control)?;
        let caps = self.caps(control)?;
        let mut still_rising = caps.len();
        let mut stops = Stops::of(self.shared(&residuals), caps);
        let mut rates = vec![f64::INFINITY; self.pieces.flows()];
        // Flows that have stopped, a bit each: they are asked about more often than rates.
        let mut held = vec![0u64; rates.len().div_ceil(64)];
        let (mut stopped, mut pieces) = (Vec::new(), Vec::new());
        let mut popped = 0usize;
        while still_rising > 0 {
            let Some(stop) = stops.first() else {
                break;
            };
            let (key, index, is_flow) = stop;
            popped += 1;
            if popped % STRETCH == 0 {
                control.check()?;
            }
            let now = f64::from_bits(key);
            stopped.clear();
            let mut level = now;
            if is_flow {
                stopped.extend((!is_held(&held, index)).then_some(index));
            } else {
                let residual = residuals[index as usize];
                if residual.rising == 0 {
                    stops.pop(stop);
                    continue;
                }
                // Rounding may take a hair too much: levels never fall.
                level = (residual.left.value() / residual.weights).max(now);
                if level > now {
                    stops.put_off(level);
                    continue;
                }
                let weights = self.rising(index as usize, &held, &mut stopped);
                level = (residual.left.value() / weights).max(now);
            }
            stops.pop(stop);
            still_rising -= stopped.len();
            // Few at a time: all flows may stop at one link.
            for stopped in stopped.chunks(STRETCH) {
                control.check()?;
                for &flow in stopped {
                    rates[flow as usize] = level;
                    held[flow as usize / 64] |= 1 << (flow % 64);
                    // Looked up first and taken off then: memory answers several look-ups at once.
                    pieces.extend(self.pieces.of_flow(flow as usize));
                }
                for (links, share, _) in pieces.drain(..) {
                    for residual in &mut residuals[links] {
                        residual.left.add(-level * share);
                        residual.weights -= share;
                        residual.rising -= 1;
                    }
                }
            }
        }
        Ok(rates)
    }

    /// Residuals of links on which every flow rises.
    fn empty_links(&self, control: &Control) -> Result<Vec<Residual>> {
        let mut residuals = vec![Residual::default(); self.capacity.len()];
        let blocks = residuals.chunks_mut(BLOCK).zip(self.capacity.chunks(BLOCK));
        for (block, (residuals, capacity)) in blocks.enumerate() {
            control.check_at(block)?;
            for (residual, &capacity) in residuals.iter_mut().zip(capacity) {
                residual.left.add(capacity);
            }
            for (entry, share) in self.block(block) {
                for (at, residual) in residuals.iter_mut().enumerate() {
                    if entry.links >> at & 1 == 1 {
                        residual.weights += share;
                        residual.rising += 1;
                    }
                }
            }
        }
        Ok(residuals)
    }

    /// What each flow has alone, ascending, where that is finite.
    fn caps(&self, control: &Control) -> Result<Vec<Stop>> {
        let mut caps = Vec::with_capacity(self.pieces.flows());
        for flow in 0..self.pieces.flows() {
            control.check_at(flow)?;
            let mut cap = f64::INFINITY;
            for (links, share, _) in self.pieces.of_flow(flow) {
                let least = self.capacity[links].iter().copied();
                cap = cap.min(least.fold(f64::INFINITY, f64::min) / share);
            }
            if cap.is_finite() {
                caps.push((cap.to_bits(), flow as u32, true));
            }
        }
        control.check()?;
        caps.sort_unstable();
        control.check()?;
        Ok(caps)
    }

    /// When those links would be full that several flows share: whom one flow has to itself, its cap tells.
    fn shared(&self, residuals: &[Residual]) -> Vec<Reverse<Stop>> {
        let level = |(link, residual): (u32, &Residual)| {
            let level = residual.left.value() / residual.weights;
            (residual.rising > 1).then_some(Reverse((level.to_bits(), link, false)))
        };
        (0..).zip(residuals).filter_map(level).collect()
    }

    /// The flows of a link that rise, and what they weigh.
    fn rising(&self, link: usize, held: &[u64], stopped: &mut Vec<u32>) -> f64 {
        let (mut weights, mut count) = (0.0, 0);
        let block = link / BLOCK;
        stopped.resize((self.first[block + 1] - self.first[block]) as usize, 0);
        for (entry, share) in self.block(block) {
            // Without branches, which processors could only guess.
            let here = u64::from(entry.links >> (link % BLOCK) & 1);
            let rises = here & !(held[entry.flow as usize / 64] >> (entry.flow % 64));
            weights += share * rises as f64;
            stopped[count] = entry.flow;
            count += rises as usize;
        }
        stopped.truncate(count);
        weights
    }
}

fn is_held(held: &[u64], flow: u32) -> bool {
    held[flow as usize / 64] >> (flow % 64) & 1 == 1
}
