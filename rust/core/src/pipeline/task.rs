//! What a stage does at a time.

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// A forward.
    Forward,
    /// The gradient of inputs alone.
    Backward,
    /// The gradient of weights alone.
    Weights,
    /// Both gradients, one after the other; passed on when both are done.
    Full,
    /// A forward that runs beside the `Full` that follows: both start when the inputs of both are there, and what they
    /// give is passed on when both are done.
    Paired,
}

/// A task, of which chunk and microbatch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub(super) task: Task,
    pub(super) chunk: u32,
    pub(super) microbatch: u32,
}

/// The order of work of one stage after the other.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) works: Vec<Work>,
    /// Where the work of each stage begins, and the end of all.
    pub(super) begins: Vec<usize>,
}

impl Orders {
    /// Adds a task to the stage that is being written.
    pub(super) fn add(&mut self, task: Task, chunk: u32, microbatch: u32) {
        self.works.push(Work {
            task,
            chunk,
            microbatch,
        });
    }
}
