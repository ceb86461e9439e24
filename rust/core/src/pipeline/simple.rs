//! Schedules that compute both gradients at once: GPipe, 1F1B, interleaved.

use super::task::{Orders, Task};

/// All forwards, then all backwards.
pub(super) fn gpipe(orders: &mut Orders, m: u32, stage: u32) {
    (0..m).for_each(|k| orders.add(Task::Forward, stage, k));
    (0..m).for_each(|k| orders.add(Task::Full, stage, k));
}

/// A forward for each stage from this one on; then a backward and a forward in turn, and the backwards that are left.
pub(super) fn one_by_one(orders: &mut Orders, p: u32, m: u32, stage: u32) {
    let warm = m.min(p - stage);
    (0..warm).for_each(|k| orders.add(Task::Forward, stage, k));
    for k in 0..m {
        orders.add(Task::Full, stage, k);
        if k < m - warm {
            orders.add(Task::Forward, stage, warm + k);
        }
    }
}

/// Forwards of interleaved that come before the first backward, that which the first pair begins with left out: two for
/// each stage that follows, and a round for each chunk but one (`get_pp_rank_microbatches` of Megatron-LM).
pub(super) fn warm_up(p: u32, v: u32, m: u32, stage: u32) -> u64 {
    let after = p.saturating_sub(stage).saturating_sub(1);
    let wanted = 2 * u64::from(after) + u64::from(v.saturating_sub(1)) * u64::from(p);
    wanted.min(u64::from(m) * u64::from(v))
}

/// Rounds of `p` microbatches, each through all chunks of the stage: a forward and a backward in turn after the warm-up.
pub(super) fn interleaved(orders: &mut Orders, p: u32, v: u32, m: u32, stage: u32) {
    let (mut down, mut up) = (Rounds::new(p, v), Rounds::new(p, v));
    let all = u64::from(m) * u64::from(v);
    let warm = warm_up(p, v, m, stage);
    for turn in 0..all + warm {
        if turn < all {
            let (chunk, k) = down.step();
            orders.add(Task::Forward, chunk * p + stage, k);
        }
        if turn >= warm {
            let (chunk, k) = up.step();
            orders.add(Task::Full, (v - 1 - chunk) * p + stage, k);
        }
    }
}

/// Goes through chunks and microbatches, round by round.
struct Rounds {
    p: u32,
    v: u32,
    chunk: u32,
    first: u32,
    place: u32,
}

impl Rounds {
    fn new(p: u32, v: u32) -> Self {
        Self {
            p,
            v,
            chunk: 0,
            first: 0,
            place: 0,
        }
    }

    fn step(&mut self) -> (u32, u32) {
        let now = (self.chunk, self.first + self.place);
        self.place += 1;
        if self.place == self.p {
            self.place = 0;
            self.chunk += 1;
        }
        if self.chunk == self.v {
            self.chunk = 0;
            self.first += self.p;
        }
        now
    }
}
