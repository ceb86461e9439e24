//! One rank's dimensions: which chunks run in which queue, and which wait.

use super::circle::Member;
use super::plan::Phase;
use super::tree::Branch;

/// A chunk on its way through its phases.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) rank: u32,
    /// Number of the chunk at its rank, which is the tag of its messages.
    pub(super) number: u64,
    pub(super) job: u32,
    pub(super) priority: i64,
    pub(super) phases: Vec<Phase>,
    pub(super) next: usize,
    pub(super) queue: Option<u32>,
    pub(super) begun: bool,
    pub(super) part: Part,
}

/// What it does in its phase.
#[derive(Debug, Default)]
pub(super) enum Part {
    #[default]
    None,
    Circle(Member),
    Tree(Branch),
}

/// A collective of a rank, in chunks.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) rank: u32,
    pub(super) node: u32,
    pub(super) chunks: u64,
    pub(super) done: u64,
}

/// A queue: chunks that run first, then those that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) chunks: Vec<u32>,
    pub(super) running: usize,
}

impl Queue {
    /// Puts a chunk behind those that run and those of at least its priority.
    pub(super) fn insert(&mut self, place: u32, all: &[Chunk]) {
        let priority = all[place as usize].priority;
        let at = self.chunks.iter().position(|&other| {
            let other = &all[other as usize];
            !other.begun && other.priority < priority
        });
        self.chunks.insert(at.unwrap_or(self.chunks.len()), place);
    }

    /// Takes a chunk out.
    pub(super) fn remove(&mut self, place: u32) {
        if let Some(at) = self.chunks.iter().position(|&other| other == place) {
            self.chunks.remove(at);
        }
    }

    /// The next chunk that may begin, if one may.
    pub(super) fn begin(&mut self, most: usize) -> Option<u32> {
        let next = *self.chunks.get(self.running)?;
        if self.running >= most {
            return None;
        }
        self.running += 1;
        Some(next)
    }
}
