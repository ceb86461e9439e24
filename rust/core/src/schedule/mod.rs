//! Schedules message by message: who sends which blocks to whom, and what each message waits for.
//!
//! A schedule has blocks of data, each with where it comes from and where it must end, and sends. Sends of one lane
//! wait, rank by rank, for the earlier steps of that lane: a rank sends what it had when all of its sends and receives
//! of earlier steps were done, and takes what arrives when it comes to that step. Lanes do not wait for each other.
//! Stages do: none starts before the one before has ended everywhere. Beyond that a send may name others that it
//! waits for.

mod graph;
mod order;
mod verify;

pub(crate) use graph::{SendRoute, graph};
pub(crate) use order::{Order, order};
pub use verify::verify;

use crate::error::{Error, Result, not_negative};
use crate::operation::Operation;

/// Most ranks times blocks times contributors that a schedule may have to be verified, in bits.
pub const MOST_STATE: u128 = 1 << 34;

/// A piece of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// The rank that has it at first; `None` where every rank has a part of its own and the sum is wanted.
    pub from: Option<u32>,
    /// The rank that must have it at last; `None` for all of them.
    pub to: Option<u32>,
    /// Its bytes.
    pub bytes: f64,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// Sending rank.
    pub src: u32,
    /// Receiving rank.
    pub dst: u32,
    /// Blocks that it carries.
    pub blocks: Vec<u32>,
    /// Bytes on the wire.
    pub bytes: f64,
    /// What arrives is added to what is there; otherwise it takes its place.
    pub reduce: bool,
    /// Stage, from 0.
    pub stage: u32,
    /// Lane; lanes of different stages have nothing to do with each other.
    pub lane: u32,
    /// Step in its lane.
    pub step: u32,
    /// Sends that it waits for besides.
    pub after: Vec<u32>,
}

/// One rank's place in one step of a lane: (stage, lane, rank, step).
pub(crate) type Turn = (u32, u32, u32, u32);

impl Send {
    /// The turn in which `rank`, one of its ends, takes part in it.
    pub(crate) fn turn(&self, rank: u32) -> Turn {
        (self.stage, self.lane, rank, self.step)
    }
}

/// A schedule of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What it does.
    pub operation: Operation,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// Rank of the root; 0 for operations without one.
    pub root: usize,
    /// Distance of a send_recv; 0 for others.
    pub shift: i64,
    /// Chips by rank.
    pub chips: Vec<u32>,
    /// The data.
    pub blocks: Vec<Block>,
    /// The messages.
    pub sends: Vec<Send>,
}

impl Schedule {
    /// Checks that every number is one that exists.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::OutOfRange`], naming the send.
    pub fn check(&self) -> Result<()> {
        let outside = |argument: String, value: u32, count: usize| Error::OutOfRange {
            argument,
            value: i128::from(value),
            low: 0,
            high: count as i128 - 1,
        };
        let (ranks, blocks) = (self.chips.len(), self.blocks.len());
        for (index, block) in self.blocks.iter().enumerate() {
            not_negative(format_args!("bytes of block {index}"), block.bytes)?;
            for rank in [block.from, block.to].into_iter().flatten() {
                if rank as usize >= ranks {
                    return Err(outside(format!("rank of block {index}"), rank, ranks));
                }
            }
        }
        let mut chips = self.chips.clone();
        chips.sort_unstable();
        if let Some(pair) = chips.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("chips", pair[0], "names this chip twice"));
        }
        for (index, send) in self.sends.iter().enumerate() {
            if send.blocks.is_empty() {
                return Err(Error::invalid(
                    format!("blocks of send {index}"),
                    "none",
                    "must name at least one block",
                ));
            }
            not_negative(format_args!("bytes of send {index}"), send.bytes)?;
            for (what, rank) in [("src", send.src), ("dst", send.dst)] {
                if rank as usize >= ranks {
                    return Err(outside(format!("{what} of send {index}"), rank, ranks));
                }
            }
            if send.src == send.dst {
                return Err(Error::invalid(
                    format!("dst of send {index}"),
                    send.dst,
                    "must differ from src: a rank has its own blocks already",
                ));
            }
            if let Some(&block) = send.blocks.iter().find(|&&block| block as usize >= blocks) {
                return Err(outside(format!("block of send {index}"), block, blocks));
            }
            if let Some(&other) = send
                .after
                .iter()
                .find(|&&other| other as usize >= self.sends.len())
            {
                let argument = format!("after of send {index}");
                return Err(outside(argument, other, self.sends.len()));
            }
        }
        Ok(())
    }

    /// The words by which an error names a send.
    pub(crate) fn name(&self, send: u32) -> String {
        let Send {
            src,
            dst,
            stage,
            lane,
            step,
            ..
        } = self.sends[send as usize];
        format!("send {send} (rank {src} to rank {dst}, stage {stage}, lane {lane}, step {step})")
    }
}
