//! What all readers of compiled programs give back: collectives in the order in which they run.

mod calls;
mod dtype;
mod groups;
mod mesh;

pub(crate) use calls::{Calls, Item, Runs, Times, put_runs};
pub(crate) use dtype::{Dtype, dtype};
pub use groups::Groups;
pub(crate) use groups::{Ids, Mode, World, as_groups, as_pairs};
pub(crate) use mesh::{Axis, Devices, Mesh, over_axes, product};

/// One collective of a program, as its text has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collective {
    /// What the text calls it.
    pub name: String,
    /// What it does: `all_reduce`, ..., `collective_permute`, `send`, `recv`, `ragged_all_to_all`.
    pub op: &'static str,
    /// The operation as the text spells it.
    pub original: String,
    /// Bytes of the operands, of one device; None where the text does not say.
    pub bytes_in: Option<u64>,
    /// Bytes of the results.
    pub bytes_out: Option<u64>,
    /// Type of the elements, as the text spells it; None where there are several.
    pub dtype: Option<String>,
    /// Which of the program's groups.
    pub groups: Option<usize>,
    /// How often it runs; None in a loop without a trip count.
    pub count: Option<u64>,
    /// Whether it starts at one place and ends at another.
    pub asynchronous: Option<bool>,
    /// The line of the text, from 1.
    pub line: u64,
    /// What is not known, and what would tell.
    pub notes: Vec<String>,
}

/// A program, as its text has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// Name of the module.
    pub name: String,
    /// Replicas and partitions, where the text says.
    pub replicas: Option<u64>,
    /// Parts that the program is cut into.
    pub partitions: Option<u64>,
    /// In the order in which they run.
    pub collectives: Vec<Collective>,
    /// Groups that the collectives refer to, each once.
    pub groups: Vec<Groups>,
    /// What holds for all of it.
    pub notes: Vec<String>,
}

/// Line numbers of offsets that mostly grow.
pub(crate) struct LineNumbers<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineNumbers<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of byte `offset`, from 1; offsets are asked for in growing order.
    pub(crate) fn of(&mut self, offset: usize) -> u64 {
        if offset < self.at {
            (self.at, self.line) = (0, 1);
        }
        self.line += memchr::memchr_iter(b'\n', &self.text[self.at..offset]).count() as u64;
        self.at = offset;
        self.line
    }
}
