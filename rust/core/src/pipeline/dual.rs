//! `DualPipe`, in the eight steps of `DualPipe.step` (deepseek-ai/DualPipe@3da1bbe, dualpipe/dualpipe.py).
//!
//! Directions are as a stage sees them: 0 comes from its nearer end, 1 from the other. Stages that mirror each other do
//! the same. Two things of that code are left out: that outputs of a forward in the second step wait for the forward
//! after it, and that a stage that waits for one input may wait for the next as well.

use super::task::{Orders, Task, Work};

/// Writes the order of one stage.
pub(super) fn dual_pipe(orders: &mut Orders, p: u32, m: u32, stage: u32) {
    let depth = stage.min(p - 1 - stage);
    let before_middle = p / 2 - 1 - depth;
    let looked = orders.works.len();
    let mut both = Both {
        orders,
        ways: ways(p, m, stage),
        forwards: [0; 2],
        backwards: [0; 2],
        looked,
    };
    // 1 and 2: forwards of the nearer end, then of both.
    (0..2 * before_middle).for_each(|_| both.forward(0));
    for _ in 0..=depth {
        both.forward(0);
        both.forward(1);
    }
    // 3: backwards of the far end, split; weights before the next forward.
    for _ in 0..before_middle {
        both.split(1);
        both.late_weights();
        both.forward(1);
    }
    // 4: a forward beside a backward, each way in turn. The first two of the middle stages stay apart.
    for turn in 0..m / 2 + depth + 1 - p {
        if turn == 0 && before_middle == 0 {
            both.forward(0);
            both.full(1);
        } else {
            both.pair(0, 1);
        }
        both.pair(1, 0);
    }
    // 5: the last forwards of the far end.
    for _ in 0..before_middle {
        both.full(1);
        both.pair(1, 0);
    }
    // 6: backwards of both, the later half of them split.
    let half = depth.div_ceil(2);
    for turn in 0..=depth {
        both.either(1, turn > half || (turn == half && depth % 2 == 1));
        both.either(0, turn >= half);
    }
    // 7 and 8: the last backwards of the nearer end, and weights.
    for _ in 0..before_middle {
        both.late_weights();
        both.split(0);
    }
    (0..=depth).for_each(|_| both.late_weights());
}

/// The chunk of each direction, and its first microbatch: half of them enter at stage 0, half at the last.
fn ways(p: u32, m: u32, stage: u32) -> [(u32, u32); 2] {
    let (near, far) = (stage.min(p - 1 - stage), stage.max(p - 1 - stage));
    if stage < p / 2 {
        [(near, 0), (far, m / 2)]
    } else {
        [(near, m / 2), (far, 0)]
    }
}

/// What a stage of `DualPipe` has done, by direction.
struct Both<'a> {
    orders: &'a mut Orders,
    ways: [(u32, u32); 2],
    forwards: [u32; 2],
    backwards: [u32; 2],
    /// Work before this has its weights computed.
    looked: usize,
}

impl Both<'_> {
    fn next_forward(&mut self, way: usize) -> (u32, u32) {
        let (chunk, first) = self.ways[way];
        self.forwards[way] += 1;
        (chunk, first + self.forwards[way] - 1)
    }

    fn next_backward(&mut self, way: usize) -> (u32, u32) {
        let (chunk, first) = self.ways[way];
        self.backwards[way] += 1;
        (chunk, first + self.backwards[way] - 1)
    }

    fn forward(&mut self, way: usize) {
        let (chunk, k) = self.next_forward(way);
        self.orders.add(Task::Forward, chunk, k);
    }

    fn full(&mut self, way: usize) {
        let (chunk, k) = self.next_backward(way);
        self.orders.add(Task::Full, chunk, k);
    }

    fn split(&mut self, way: usize) {
        let (chunk, k) = self.next_backward(way);
        self.orders.add(Task::Backward, chunk, k);
    }

    fn either(&mut self, way: usize, split: bool) {
        if split {
            self.split(way);
        } else {
            self.full(way);
        }
    }

    fn pair(&mut self, forward: usize, backward: usize) {
        let (chunk, k) = self.next_forward(forward);
        self.orders.add(Task::Paired, chunk, k);
        self.full(backward);
    }

    /// Weights of the backward that was split longest ago.
    fn late_weights(&mut self) {
        let split = |work: &Work| work.task == Task::Backward;
        if let Some(place) = self.orders.works[self.looked..].iter().position(split) {
            let of = self.orders.works[self.looked + place];
            self.looked += place + 1;
            self.orders.add(Task::Weights, of.chunk, of.microbatch);
        }
    }
}
