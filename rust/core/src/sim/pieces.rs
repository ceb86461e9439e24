//! The ways of flows of which only the rates are asked, in pieces: links whose numbers follow each other.

use super::lines::Lines;
use super::messages::{FEWER, same_length};
use crate::Control;
use crate::error::{Error, Result};
use crate::load::IndexColumn;
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::route::{Routes, Run};
use std::ops::Range;

/// Shares of flows on links that are few; a piece says which it has.
pub(super) const FEW: usize = 16;
/// Pieces of a way by line at most, or nearly: rings both ways and past their end, and what is between domains.
const MOST_PIECES: usize = 128;
/// Links of a piece at most.
const LONGEST: u32 = (1 << 28) - 1;

/// Links that a flow passes with one share.
#[derive(Clone, Copy)]
struct Piece {
    /// The number of the first link.
    first: u32,
    /// How many there are, and above these bits which share it is.
    links: u32,
}

/// The pieces of all flows.
pub(super) struct Pieces {
    /// Where those of each flow end.
    ends: Vec<u32>,
    pieces: Vec<Piece>,
    /// The shares that occur, if they are few, or one for each piece.
    pub(super) few: Vec<f64>,
    each: Vec<f64>,
    /// Links that flows pass, each time.
    pub(super) steps: u64,
    /// Of `pieces`, of `each` and of the others.
    taken: [Taken; 3],
}

impl Pieces {
    /// The pieces of flows, by line where their routes are in order, or link by link.
    pub(super) fn of(
        routes: &Routes,
        [src, dst]: [IndexColumn; 2],
        by_line: bool,
        lines: &mut Lines,
        control: &Control,
    ) -> Result<Self> {
        same_length(src, dst)?;
        let flows = src.len();
        let mut pieces = Self::new(flows, control)?;
        let mut steps = Vec::new();
        for flow in 0..flows {
            control.check_at(flow)?;
            let from = chip(routes.machine, "src", flow, src)?;
            let to = chip(routes.machine, "dst", flow, dst)?;
            match routes.order().filter(|_| by_line) {
                Some(order) => {
                    pieces.reserve(MOST_PIECES)?;
                    lines.reserve(MOST_PIECES)?;
                    routes.runs(order, from, to, &mut |run| pieces.run(&run, lines));
                }
                None => {
                    steps.clear();
                    routes.walk(from, to, control, &mut |link, share| {
                        steps.push((link, share))
                    })?;
                    pieces.reserve(steps.len())?;
                    lines.reserve(steps.len())?;
                    pieces.steps(&mut steps, lines);
                }
            }
            pieces.end()?;
        }
        Ok(pieces)
    }

    fn new(flows: usize, control: &Control) -> Result<Self> {
        let what = format_args!("the ways of {flows} messages");
        let take = |bytes| control.take(bytes, what, FEWER);
        Ok(Self {
            ends: Vec::with_capacity(flows),
            pieces: Vec::new(),
            few: vec![1.0],
            each: Vec::new(),
            steps: 0,
            taken: [take(0)?, take(0)?, take(bytes_of::<u32>(flows as u64))?],
        })
    }

    fn run(&mut self, run: &Run, lines: &mut Lines) {
        let number = lines.number(run.first, run.stride, run.cables);
        for span in run.spans() {
            self.push(
                number + u64::from(span.start),
                span.end - span.start,
                run.share,
            );
        }
    }

    /// The steps of a flow, which may come to a link more than once.
    fn steps(&mut self, steps: &mut [(u64, f64)], lines: &mut Lines) {
        steps.sort_unstable_by_key(|step| step.0);
        for same in steps.chunk_by(|one, other| one.0 == other.0) {
            let share = same.iter().map(|step| step.1).sum();
            self.push(lines.number(same[0].0, 1, 1), 1, share);
        }
    }

    /// Adds a piece; its first number fits if all links do, which whoever numbers them checks.
    fn push(&mut self, mut first: u64, mut links: u32, share: f64) {
        while links > 0 {
            let part = links.min(LONGEST);
            let which = self.which(share);
            self.pieces.push(Piece {
                first: first as u32,
                links: part | which << LONGEST.count_ones(),
            });
            self.steps += u64::from(part);
            first += u64::from(part);
            links -= part;
        }
    }

    /// Which share of the few it is; takes it down if they are many.
    fn which(&mut self, share: f64) -> u32 {
        if !self.few.is_empty() {
            if let Some(which) = self.few.iter().position(|few| *few == share) {
                return which as u32;
            }
            if self.few.len() < FEW {
                self.few.push(share);
                return self.few.len() as u32 - 1;
            }
            let few = std::mem::take(&mut self.few);
            let shares = self.pieces.iter().map(|piece| few[piece.which()]);
            self.each.extend(shares);
        }
        self.each.push(share);
        0
    }

    /// Makes room for a flow of so many pieces.
    fn reserve(&mut self, more: usize) -> Result<()> {
        let what = format_args!("the ways of the first {} messages", self.ends.len() + 1);
        self.taken[0].reserve(&mut self.pieces, more, what, FEWER)?;
        // All shares are copied once if they turn out to be many.
        let each = match self.few.is_empty() || self.few.len() + more > FEW {
            true => self.pieces.len() - self.each.len() + more,
            false => 0,
        };
        self.taken[1].reserve(&mut self.each, each, what, FEWER)
    }

    /// A flow has all its pieces.
    fn end(&mut self) -> Result<()> {
        let end = u32::try_from(self.pieces.len()).map_err(|_| {
            Error::unsupported(
                format!("messages over {} stretches of links", self.pieces.len()),
                "ask for fewer at once: less than 2^32",
            )
        })?;
        self.ends.push(end);
        Ok(())
    }

    pub(super) fn flows(&self) -> usize {
        self.ends.len()
    }

    /// The links of a flow, in stretches, its share on them, and which of the few that is.
    #[inline]
    pub(super) fn of_flow(&self, flow: usize) -> impl Iterator<Item = (Range<usize>, f64, u8)> {
        let first = if flow == 0 { 0 } else { self.ends[flow - 1] };
        (first as usize..self.ends[flow] as usize).map(|at| {
            let piece = self.pieces[at];
            let (first, which) = (piece.first as usize, piece.which());
            let share = match self.each.get(at) {
                Some(share) => *share,
                None => self.few[which],
            };
            (
                first..first + (piece.links & LONGEST) as usize,
                share,
                which as u8,
            )
        })
    }
}

impl Piece {
    fn which(self) -> usize {
        (self.links >> LONGEST.count_ones()) as usize
    }
}

/// An end of a flow.
fn chip(machine: &Machine, name: &str, flow: usize, column: IndexColumn) -> Result<u32> {
    machine.check_chip(format_args!("{name}[{flow}]"), column.value(flow))
}
