//! Schedules of arXiv 2401.10241, which compute gradients of weights when there is nothing better to do.

use super::task::{Orders, Task};

/// Forwards before the first backward of ZB-H1: those of 1F1B.
pub(super) fn warm_h1(p: u32, stage: u32) -> u32 {
    p - stage
}

/// Forwards before the first backward of ZB-H2: as many as fill the wait for it where all times are equal.
pub(super) fn warm_h2(p: u32, stage: u32) -> u32 {
    2 * (p - stage) - 1
}

/// ZB-H1 and ZB-H2, of `warm` forwards first and `hold` microbatches held at most.
///
/// Weights are late by as much as the stage holds less than the first one: every stage comes to hold `hold`, and the
/// later a stage, the more weights it has left for the end. The paper draws both schedules (its figure 3) and says
/// that much in words; the order of ZB-H1 is also that of `ScheduleInterleavedZeroBubble` of `PyTorch` with one chunk.
pub(super) fn late_weights(orders: &mut Orders, m: u32, stage: u32, warm: u32, hold: u32) {
    let late = hold - warm;
    (0..m.min(warm)).for_each(|k| orders.add(Task::Forward, stage, k));
    for k in 0..m {
        orders.add(Task::Backward, stage, k);
        if k >= late {
            orders.add(Task::Weights, stage, k - late);
        }
        if k < m.saturating_sub(warm) {
            orders.add(Task::Forward, stage, warm + k);
        }
    }
    (m.saturating_sub(late)..m).for_each(|k| orders.add(Task::Weights, stage, k));
}

/// ZB-V in the order that its authors wrote by hand (`handcrafted_zb_v.py` of their release v0.1.0, which
/// `ScheduleZBVZeroBubble` of `PyTorch` has too): that for at least `2p - 1` microbatches, those above `m` left out.
pub(super) fn zb_v(orders: &mut Orders, p: u32, m: u32, stage: u32) {
    let all = m.max(2 * p - 1);
    let mut v = V {
        orders,
        m,
        chunks: [stage, 2 * p - 1 - stage],
        forwards: [0; 2],
        backwards: [0; 2],
        weights: [0; 2],
    };
    (0..2 * (p - stage) - 1).for_each(|_| v.forward(0));
    for _ in 0..stage {
        v.forward(1);
        v.forward(0);
    }
    for _ in 0..p - stage {
        v.forward(1);
        v.both(1);
    }
    while v.forwards[1] < v.forwards[0] || v.forwards[0] < all {
        if v.forwards[0] < all {
            v.forward(0);
        }
        v.both(0);
        v.forward(1);
        v.both(1);
    }
    for _ in 0..stage {
        v.backward(0);
        v.backward(1);
    }
    (0..p - stage).for_each(|_| v.both(0));
    for side in [1, 0] {
        while v.weights[side] < v.backwards[side] {
            v.weights(side);
        }
    }
}

/// What a stage of ZB-V has done, by the side of the V.
struct V<'a> {
    orders: &'a mut Orders,
    m: u32,
    chunks: [u32; 2],
    forwards: [u32; 2],
    backwards: [u32; 2],
    weights: [u32; 2],
}

impl V<'_> {
    fn forward(&mut self, side: usize) {
        self.add(Task::Forward, side, self.forwards[side]);
        self.forwards[side] += 1;
    }

    fn backward(&mut self, side: usize) {
        self.add(Task::Backward, side, self.backwards[side]);
        self.backwards[side] += 1;
    }

    fn weights(&mut self, side: usize) {
        self.add(Task::Weights, side, self.weights[side]);
        self.weights[side] += 1;
    }

    fn both(&mut self, side: usize) {
        self.backward(side);
        self.weights(side);
    }

    fn add(&mut self, task: Task, side: usize, microbatch: u32) {
        if microbatch < self.m {
            self.orders.add(task, self.chunks[side], microbatch);
        }
    }
}
