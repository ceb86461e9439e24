//! Proof that a schedule does what it says, by running it on sets of contributions.

use super::{MOST_STATE, Schedule, order};
use crate::Control;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Sends between two looks at the cancel flag.
const STRETCH: usize = 1 << 10;

/// Runs the schedule symbolically and checks that every rank ends with exactly the contributions that it must have,
/// each once, that nothing is read before what it waits for has written it, and that no sends wait for each other in
/// a circle.
///
/// # Errors
/// [`Error::Schedule`] naming the first rank and block that are wrong, or the sends that wait for each other; those of
/// [`Schedule::check`]; [`Error::Unsupported`] where the state would not fit in memory; [`Error::Cancelled`].
pub fn verify(schedule: &Schedule, control: &Control) -> Result<()> {
    schedule.check()?;
    let order = order(schedule)?;
    let mut state = State::of(schedule)?;
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
            carried.insert(send, state.read(schedule, send)?);
        }
        let mut written = BTreeSet::new();
        for send in alike {
            let values = carried.remove(send).unwrap_or_default();
            state.write(schedule, *send, &values, &mut written)?;
        }
    }
    state.finish(schedule)
}

/// Which contributions each rank has of each block.
struct State {
    blocks: usize,
    /// 64-bit words of one set.
    words: usize,
    sets: Vec<u64>,
    /// The send that wrote each block of each rank last.
    writers: Vec<u32>,
    /// Those that wrote it before, where the last one does not stand for them.
    others: BTreeMap<usize, Vec<u32>>,
}

const NOBODY: u32 = u32::MAX;

impl State {
    fn of(schedule: &Schedule) -> Result<Self> {
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
        let mut state = Self {
            blocks,
            words,
            sets: vec![0; ranks * blocks * words],
            writers: vec![NOBODY; ranks * blocks],
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
    fn read(&self, schedule: &Schedule, send: u32) -> Result<Vec<u64>> {
        let message = &schedule.sends[send as usize];
        let mut values = Vec::with_capacity(message.blocks.len() * self.words);
        for &block in &message.blocks {
            let at = self.at(message.src, block);
            let last = Some(&self.writers[at]).filter(|writer| **writer != NOBODY);
            let mut writers = last
                .into_iter()
                .chain(self.others.get(&at).into_iter().flatten());
            if let Some(&writer) = writers.find(|&&writer| !waits_for(schedule, send, writer)) {
                return Err(wrong(format!(
                    "rank {}, block {block}: {} carries what {} brings, and does not wait for it",
                    message.src,
                    schedule.name(send),
                    schedule.name(writer)
                )));
            }
            values.extend(self.set(message.src, block));
        }
        Ok(values)
    }

    fn write(
        &mut self,
        schedule: &Schedule,
        send: u32,
        values: &[u64],
        written: &mut BTreeSet<(u32, u32)>,
    ) -> Result<()> {
        let message = &schedule.sends[send as usize];
        let (dst, words) = (message.dst, self.words);
        for (index, &block) in message.blocks.iter().enumerate() {
            let value = &values[index * words..][..words];
            if !message.reduce && !written.insert((dst, block)) {
                return Err(wrong(format!(
                    "rank {dst}, block {block}: {} replaces what another send of the same time brings",
                    schedule.name(send)
                )));
            }
            let here = self.set_mut(dst, block);
            if message.reduce {
                if let Some(twice) = common(here, value) {
                    let whose = schedule.blocks[block as usize].from.unwrap_or(twice);
                    return Err(wrong(format!(
                        "rank {dst}, block {block}: {} adds the contribution of rank {whose} a second time",
                        schedule.name(send)
                    )));
                }
                here.iter_mut().zip(value).for_each(|(a, b)| *a |= b);
            } else {
                here.copy_from_slice(value);
            }
            let at = self.at(dst, block);
            let before = std::mem::replace(&mut self.writers[at], send);
            if before != NOBODY && !in_lane(schedule, before, send) {
                self.others.entry(at).or_default().push(before);
            }
        }
        Ok(())
    }

    /// Checks that everything has arrived where it must be.
    fn finish(&self, schedule: &Schedule) -> Result<()> {
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

/// True when both belong to one lane or to stages that follow each other.
fn in_lane(schedule: &Schedule, earlier: u32, later: u32) -> bool {
    let (a, b) = (
        &schedule.sends[earlier as usize],
        &schedule.sends[later as usize],
    );
    a.stage < b.stage || (a.stage == b.stage && a.lane == b.lane)
}

/// True when `send` cannot start before `earlier` has arrived at its sender: by stage, by lane, or because it says so.
fn waits_for(schedule: &Schedule, send: u32, earlier: u32) -> bool {
    let before = |later: u32| {
        let (a, b) = (
            &schedule.sends[earlier as usize],
            &schedule.sends[later as usize],
        );
        let in_lane = a.lane == b.lane && a.step < b.step && (a.dst == b.src || a.src == b.src);
        a.stage < b.stage || (a.stage == b.stage && in_lane)
    };
    if before(send) {
        return true;
    }
    // What a send waits for by name, and so on backwards.
    let mut seen = BTreeSet::new();
    let mut open: Vec<u32> = schedule.sends[send as usize].after.clone();
    while let Some(other) = open.pop() {
        if other == earlier || before(other) {
            return true;
        }
        if seen.insert(other) {
            open.extend(&schedule.sends[other as usize].after);
        }
    }
    false
}
