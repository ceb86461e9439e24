//! A slow executor of schedules, which takes what may happen next in random order.

use rainier_core::schedule::{Schedule, Send};
use std::collections::BTreeMap;

/// A small generator of numbers: the same every time.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        ((self.0 >> 33) % count as u64) as usize
    }
}

/// What can happen next.
#[derive(Clone, Copy)]
enum Next {
    /// A rank comes to a step.
    Comes(usize),
    /// A message leaves, later than its rank came to its step.
    Leaves(usize),
    /// A message is taken.
    Taken(usize),
}

/// A rank's steps in a lane of a stage: which of [`Run::steps`] they are, and how many it has come to.
struct Turn {
    stage: u32,
    steps: std::ops::Range<usize>,
    come: usize,
}

/// A rank's part in a step.
struct Step {
    rank: u32,
    sends: Vec<usize>,
    /// Messages that have still to leave or to be taken before the next step.
    left: usize,
    open: bool,
}

struct Run<'a> {
    sends: &'a [Send],
    /// Contributions by rank, block and whose they are.
    state: Vec<u32>,
    blocks: usize,
    ranks: usize,
    turns: Vec<Turn>,
    steps: Vec<Step>,
    /// Where each message leaves and where it is taken.
    ends: Vec<[usize; 2]>,
    carried: Vec<Option<Vec<u32>>>,
    taken: Vec<bool>,
}

impl<'a> Run<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        let (ranks, blocks) = (schedule.chips.len(), schedule.blocks.len());
        let sends = &schedule.sends;
        let mut state = Vec::with_capacity(ranks * blocks * ranks);
        for rank in 0..ranks {
            for block in &schedule.blocks {
                state.extend((0..ranks).map(|whose| match block.from {
                    Some(from) => u32::from(from as usize == rank && whose == 0),
                    None => u32::from(whose == rank),
                }));
            }
        }
        // By stage, lane, rank and step.
        let mut parts: BTreeMap<(u32, u32, u32, u32), Vec<usize>> = BTreeMap::new();
        for (at, send) in sends.iter().enumerate() {
            for rank in [send.src, send.dst] {
                let part = (send.stage, send.lane, rank, send.step);
                parts.entry(part).or_default().push(at);
            }
        }
        let (mut turns, mut steps) = (Vec::<Turn>::new(), Vec::new());
        let mut ends = vec![[0; 2]; sends.len()];
        let mut last = None;
        for (&(stage, lane, rank, _), of_step) in &parts {
            let here = steps.len();
            if last != Some((stage, lane, rank)) {
                last = Some((stage, lane, rank));
                turns.push(Turn {
                    stage,
                    steps: here..here,
                    come: here,
                });
            }
            turns.last_mut().unwrap().steps.end = here + 1;
            for &at in of_step {
                let end = usize::from(sends[at].src != rank);
                ends[at][end] = here;
            }
            steps.push(Step {
                rank,
                sends: of_step.clone(),
                left: of_step.len(),
                open: false,
            });
        }
        Self {
            sends,
            state,
            blocks,
            ranks,
            turns,
            steps,
            ends,
            carried: vec![None; sends.len()],
            taken: vec![false; sends.len()],
        }
    }

    fn place(&self, rank: u32, block: u32) -> std::ops::Range<usize> {
        let start = (rank as usize * self.blocks + block as usize) * self.ranks;
        start..start + self.ranks
    }

    /// All that can happen next, in the stage of the first message that was not taken; `None` when all were.
    fn next(&self, found: &mut Vec<Next>) -> Option<()> {
        let waiting = || (0..self.sends.len()).filter(|&at| !self.taken[at]);
        let stage = waiting().map(|at| self.sends[at].stage).min()?;
        found.clear();
        for (at, turn) in self.turns.iter().enumerate() {
            let first = turn.come == turn.steps.start;
            if turn.stage == stage
                && turn.come < turn.steps.end
                && (first || self.steps[turn.come - 1].left == 0)
            {
                found.push(Next::Comes(at));
            }
        }
        for at in waiting() {
            let [leaves, comes] = self.ends[at];
            let ready = |other: &u32| self.taken[*other as usize];
            if self.carried[at].is_some() {
                if self.steps[comes].open {
                    found.push(Next::Taken(at));
                }
            } else if self.steps[leaves].open && self.sends[at].after.iter().all(ready) {
                found.push(Next::Leaves(at));
            }
        }
        Some(())
    }

    fn leave(&mut self, at: usize) {
        let send = &self.sends[at];
        let mut all = Vec::with_capacity(send.blocks.len() * self.ranks);
        for &block in &send.blocks {
            all.extend_from_slice(&self.state[self.place(send.src, block)]);
        }
        self.carried[at] = Some(all);
        self.steps[self.ends[at][0]].left -= 1;
    }

    fn take(&mut self, at: usize) {
        let send = &self.sends[at];
        let values = self.carried[at].clone().unwrap();
        for (&block, value) in send.blocks.iter().zip(values.chunks(self.ranks)) {
            let place = self.place(send.dst, block);
            let here = &mut self.state[place];
            if send.reduce {
                here.iter_mut().zip(value).for_each(|(a, b)| *a += b);
            } else {
                here.copy_from_slice(value);
            }
        }
        self.taken[at] = true;
        self.steps[self.ends[at][1]].left -= 1;
    }

    /// A rank comes to its next step: what waits for nothing leaves.
    fn come(&mut self, turn: usize) {
        let step = self.turns[turn].come;
        self.turns[turn].come += 1;
        self.steps[step].open = true;
        for at in self.steps[step].sends.clone() {
            if self.sends[at].src == self.steps[step].rank && self.sends[at].after.is_empty() {
                self.leave(at);
            }
        }
    }
}

/// Runs a schedule in a random order that it allows. Contributions are counted, so that one that is added twice is
/// seen. True when everybody ends with what it must have; `None` when nothing can go on.
pub(crate) fn runs(schedule: &Schedule, draw: &mut Draw) -> Option<bool> {
    let mut run = Run::new(schedule);
    let mut found = Vec::new();
    while run.next(&mut found).is_some() {
        if found.is_empty() {
            return None;
        }
        match found[draw.below(found.len())] {
            Next::Comes(turn) => run.come(turn),
            Next::Leaves(at) => run.leave(at),
            Next::Taken(at) => run.take(at),
        }
    }
    let right = |rank: u32, at: usize| {
        let block = &schedule.blocks[at];
        let counts = &run.state[run.place(rank, at as u32)];
        let wanted = |whose: usize| u32::from(block.from.is_none() || whose == 0);
        block.to.is_some_and(|to| to != rank)
            || (counts.iter().enumerate()).all(|(whose, &count)| count == wanted(whose))
    };
    let ranks = schedule.chips.len() as u32;
    Some((0..ranks).all(|rank| (0..schedule.blocks.len()).all(|at| right(rank, at))))
}
