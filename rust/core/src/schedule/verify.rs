//! Proof that a schedule does what it says, by running it on sets of contributions.
//!
//! It runs in one order that the schedule allows. Whatever messages take, the outcome is that of this order, because
//! what touches a block of a rank must not depend on luck: who reads it waits for all that wrote it, who writes it
//! waits for all that read it, and of two that write one waits for the other unless both add.

use super::order::Access::{self, Read, Write};
use super::{MOST_STATE, Order, Schedule, order};
use crate::Control;
use crate::error::{Error, Result};
use crate::memory::Taken;
use crate::operation::Operation;
use std::collections::BTreeMap;

/// Sends between two looks at the cancel flag.
const STRETCH: usize = 1 << 10;

/// Runs the schedule symbolically and checks that every rank ends with exactly the contributions that it must have,
/// each once, that nothing is read before what it needs has been written or written before it has been read, and
/// that no sends wait for each other in a circle.
///
/// # Errors
/// [`Error::Schedule`] naming the first rank and block that are wrong, or the sends that wait for each other; those of
/// [`Schedule::check`]; [`Error::Unsupported`] where the state would not fit in memory; [`Error::Cancelled`].
pub fn verify(schedule: &Schedule, control: &Control) -> Result<()> {
    schedule.check()?;
    let order = order(schedule, control)?;
    let mut state = State::of(schedule, &order, control)?;
    let sorted = |levels: &[u32]| -> Vec<u32> {
        let mut sends: Vec<u32> = (0..levels.len() as u32).collect();
        sends.sort_by_key(|&send| (levels[send as usize], send));
        sends
    };
    let (reads, writes) = (sorted(&order.reads), sorted(&order.writes));
    let mut reads = reads.into_iter().peekable();
    let mut carried: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut ran = 0usize;
    for alike in writes.chunk_by(|&a, &b| order.writes[a as usize] == order.writes[b as usize]) {
        // All that is read at a level, or before, is read before what is written at it.
        let level = order.writes[alike[0] as usize];
        while let Some(send) = reads.next_if(|&send| order.reads[send as usize] <= level) {
            ran += 1;
            if ran % STRETCH == 0 {
                control.check()?;
            }
            carried.insert(send, state.read(send)?);
        }
        for send in alike {
            let values = carried.remove(send).unwrap_or_default();
            state.write(*send, &values)?;
        }
    }
    state.finish()
}

/// Which contributions each rank has of each block.
struct State<'a> {
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
    schedule: &'a Schedule,
    order: &'a Order,
    control: &'a Control,
    blocks: usize,
    /// 64-bit words of one set.
    words: usize,
    sets: Vec<u64>,
    /// The send that wrote each block of each rank last, and the one that read it last.
    writers: Vec<u32>,
    readers: Vec<u32>,
    /// Those that did so before, where the last one does not stand for them.
    others: BTreeMap<usize, Vec<Access>>,
}

const NOBODY: u32 = u32::MAX;

impl<'a> State<'a> {
    fn of(schedule: &'a Schedule, order: &'a Order, control: &'a Control) -> Result<Self> {
        let (ranks, blocks) = (schedule.chips.len(), schedule.blocks.len());
        let summed = schedule.blocks.iter().any(|block| block.from.is_none());
        let words = if summed { ranks.div_ceil(64) } else { 1 };
        let bits = ranks as u128 * blocks as u128 * words as u128 * 64;
        if bits > MOST_STATE {
            return Err(Error::unsupported(
                format!("verifying {ranks} ranks with {blocks} blocks"),
                "verify the same algorithm on a smaller group",
            ));
        }
        let bytes = (ranks * blocks * (words + 1) * 8) as u64;
        let what = format_args!("verifying {ranks} ranks with {blocks} blocks");
        let smaller = "verify the same algorithm on a smaller group";
        let taken = control.take(bytes, what, smaller)?;
        let mut state = Self {
            taken,
            schedule,
            order,
            control,
            blocks,
            words,
            sets: vec![0; ranks * blocks * words],
            writers: vec![NOBODY; ranks * blocks],
            readers: vec![NOBODY; ranks * blocks],
            others: BTreeMap::new(),
        };
        for (index, block) in schedule.blocks.iter().enumerate() {
            match block.from {
                Some(rank) => state.set_mut(rank, index as u32)[0] = 1,
                None => {
                    for rank in 0..ranks as u32 {
                        state.set_mut(rank, index as u32)[rank as usize / 64] = 1 << (rank % 64);
                    }
                }
            }
        }
        Ok(state)
    }

    fn at(&self, rank: u32, block: u32) -> usize {
        rank as usize * self.blocks + block as usize
    }

    fn set(&self, rank: u32, block: u32) -> &[u64] {
        let at = self.at(rank, block) * self.words;
        &self.sets[at..at + self.words]
    }

    fn set_mut(&mut self, rank: u32, block: u32) -> &mut [u64] {
        let at = self.at(rank, block) * self.words;
        &mut self.sets[at..at + self.words]
    }

    /// What a send carries.
    fn read(&mut self, send: u32) -> Result<Vec<u64>> {
        let message = &self.schedule.sends[send as usize];
        let mut values = Vec::with_capacity(message.blocks.len() * self.words);
        for &block in &message.blocks {
            let at = self.at(message.src, block);
            if let Some(writer) = self.unordered(at, Read(send))? {
                return Err(wrong(format!(
                    "rank {}, block {block}: {} carries what {} brings, and does not wait for it",
                    message.src,
                    self.schedule.name(send),
                    self.schedule.name(writer.send())
                )));
            }
            values.extend(self.set(message.src, block));
            self.note(at, Read(send));
        }
        Ok(values)
    }

    fn write(&mut self, send: u32, values: &[u64]) -> Result<()> {
        let message = &self.schedule.sends[send as usize];
        let (dst, words, operation) = (message.dst, self.words, self.schedule.operation);
        for (index, &block) in message.blocks.iter().enumerate() {
            let value = &values[index * words..][..words];
            let at = self.at(dst, block);
            if let Some(other) = self.unordered(at, Write(send))? {
                let does = match other {
                    Read(_) => "changes what may not have left yet with",
                    Write(_) => "and this one come in no order:",
                };
                return Err(wrong(format!(
                    "rank {dst}, block {block}: {} {does} {}",
                    self.schedule.name(send),
                    self.schedule.name(other.send())
                )));
            }
            let here = self.set_mut(dst, block);
            if message.reduce {
                // A buffer that nothing has come to yet holds anything. Others send sums of which all but one are zero.
                if GATHERING.contains(&operation) && here.iter().all(|&word| word == 0) {
                    return Err(wrong(format!(
                        "rank {dst}, block {block}: {} adds to what the rank does not have; send it without reduce",
                        self.schedule.name(send)
                    )));
                }
                if let Some(twice) = common(here, value) {
                    let whose = self.schedule.blocks[block as usize].from.unwrap_or(twice);
                    return Err(wrong(format!(
                        "rank {dst}, block {block}: {} adds the contribution of rank {whose} a second time",
                        self.schedule.name(send)
                    )));
                }
                here.iter_mut().zip(value).for_each(|(a, b)| *a |= b);
            } else {
                here.copy_from_slice(value);
            }
            self.note(at, Write(send));
        }
        Ok(())
    }

    /// Something that touched the block before, must not come after `now`, and yet may.
    fn unordered(&self, at: usize, now: Access) -> Result<Option<Access>> {
        let last = |sends: &[u32], access: fn(u32) -> Access| {
            Some(sends[at]).filter(|&send| send != NOBODY).map(access)
        };
        let before = last(&self.writers, Write)
            .into_iter()
            .chain(last(&self.readers, Read))
            .chain(self.others.get(&at).into_iter().flatten().copied());
        for other in before {
            let reduce = |access: Access| self.schedule.sends[access.send() as usize].reduce;
            let commutes = match (other, now) {
                (Read(_), Read(_)) => true,
                (Write(_), Write(_)) => reduce(other) && reduce(now),
                _ => false,
            };
            if !commutes
                && !in_turn(self.schedule, other, now)
                && !self.order.follows(other, now, self.control)?
            {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    /// Notes that `now` has touched the block.
    fn note(&mut self, at: usize, now: Access) {
        let (last, access): (_, fn(u32) -> Access) = match now {
            Read(_) => (&mut self.readers[at], Read),
            Write(_) => (&mut self.writers[at], Write),
        };
        let before = std::mem::replace(last, now.send());
        if before != NOBODY
            && before != now.send()
            && !in_turn(self.schedule, access(before), now)
            && !same_time(self.schedule, access(before), now)
        {
            self.others.entry(at).or_default().push(access(before));
        }
    }

    /// Checks that everything has arrived where it must be.
    fn finish(&self) -> Result<()> {
        let schedule = self.schedule;
        let ranks = schedule.chips.len() as u32;
        for rank in 0..ranks {
            for (index, block) in schedule.blocks.iter().enumerate() {
                if block.to.is_some_and(|to| to != rank) {
                    continue;
                }
                let set = self.set(rank, index as u32);
                let missing = match block.from {
                    Some(from) => (set[0] != 1).then_some(from),
                    None => {
                        (0..ranks).find(|&from| set[from as usize / 64] >> (from % 64) & 1 == 0)
                    }
                };
                if let Some(from) = missing {
                    return Err(wrong(format!(
                        "rank {rank}, block {index}: ends without the contribution of rank {from}"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Operations in which no rank has a part of a sum to begin with.
const GATHERING: [Operation; 4] = [
    Operation::AllGather,
    Operation::AllToAll,
    Operation::Gather,
    Operation::SendRecv,
];

fn wrong(what: String) -> Error {
    Error::Schedule { what }
}

/// The first bit that two sets share.
fn common(a: &[u64], b: &[u64]) -> Option<u32> {
    a.iter()
        .zip(b)
        .enumerate()
        .find(|(_, (a, b))| *a & *b != 0)
        .map(|(word, (a, b))| word as u32 * 64 + (a & b).trailing_zeros())
}

/// True when the stages or the lane put `earlier` before `later`, both of them at one rank.
fn in_turn(schedule: &Schedule, earlier: Access, later: Access) -> bool {
    let (a, b) = (
        &schedule.sends[earlier.send() as usize],
        &schedule.sends[later.send() as usize],
    );
    if a.stage != b.stage || a.lane != b.lane {
        return a.stage < b.stage;
    }
    // In a step of its own a rank sends what it had before, so that what comes in that step is later.
    let had = matches!((earlier, later), (Read(_), Write(_))) && a.after.is_empty();
    a.step < b.step || (a.step == b.step && had)
}

/// True when both are what a rank had when it came to a step.
fn same_time(schedule: &Schedule, one: Access, other: Access) -> bool {
    let (a, b) = (
        &schedule.sends[one.send() as usize],
        &schedule.sends[other.send() as usize],
    );
    let read = matches!((one, other), (Read(_), Read(_)));
    let together = (a.stage, a.lane, a.step) == (b.stage, b.lane, b.step);
    read && together && a.after.is_empty() && b.after.is_empty()
}
