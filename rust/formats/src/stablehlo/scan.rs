//! A walk over a text, line by line: functions, loops, branches, and what moves data in them.

use super::collective::{Who, moved, row};
use super::line::{Line, MOST_OPEN};
use super::loops::Loop;
use super::meshes::{Meshes, axes};
use super::op::Op;
use super::parts::Parts;
use super::sharded;
use super::syntax::symbol;
use super::table::GroupTable;
use crate::cursor::{Cursor, words};
use crate::error::{Error, Result};
use crate::program::{Collective, Item, LineNumbers, Times, World};
use memchr::memmem;

/// Lines between two looks at whether to stop.
const STRETCH: u64 = 1 << 14;

/// What a brace that is open belongs to.
pub(super) enum Owner {
    /// Attributes, reducers, modules: nothing that changes how often what is in it runs.
    Plain,
    /// A region of a loop: its number, and 0 for the condition, 1 for the body.
    Loop(usize, usize),
    /// A branch: its number, name of the operation, part that the operation stands in.
    Branch(usize, String, usize),
    /// A computation over some axes of a mesh, of which so many were named around it.
    Manual(usize),
}

pub(super) struct Frame {
    pub(super) owner: Owner,
    part: usize,
    constants: usize,
}

/// A loop that is open: its two parts, and where its calls stand.
pub(super) struct Open<'a> {
    pub(super) seen: Loop<'a>,
    pub(super) parent: usize,
    pub(super) item: usize,
    pub(super) name: String,
    pub(super) at: usize,
}

/// Walks over a text.
pub(super) struct Scan<'a, 's> {
    pub(super) text: &'a [u8],
    stop: &'s dyn Fn() -> bool,
    lines: LineNumbers<'a>,
    pub(super) frames: Vec<Frame>,
    pub(super) constants: Vec<(&'a [u8], i64)>,
    pub(super) loops: Vec<Open<'a>>,
    /// A loop whose first region comes next.
    pub(super) coming: Option<usize>,
    /// Axes of the manual computations that are open.
    manual: Vec<String>,
    pub(super) name: &'a [u8],
    pub(super) world: World,
    pub(super) meshes: Meshes<'a>,
    pub(super) parts: Parts<'a>,
    pub(super) rows: Vec<Collective>,
    pub(super) table: GroupTable<'a>,
    /// Whether arrays are sharded, which the compiler makes collectives of.
    pub(super) sharded: bool,
}

impl<'a, 's> Scan<'a, 's> {
    pub(super) fn new(text: &'a [u8], stop: &'s dyn Fn() -> bool) -> Self {
        Self {
            text,
            stop,
            lines: LineNumbers::new(text),
            frames: Vec::new(),
            constants: Vec::new(),
            loops: Vec::new(),
            coming: None,
            manual: Vec::new(),
            name: b"",
            world: World::default(),
            meshes: Meshes::default(),
            parts: Parts::default(),
            rows: Vec::new(),
            table: GroupTable::default(),
            sharded: false,
        }
    }

    /// Walks to the end.
    pub(super) fn run(&mut self) -> Result<()> {
        let (mut start, mut lines) = (0, 0u64);
        while start < self.text.len() {
            let end =
                memchr::memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |at| start + at);
            if let Some(line) = Line::read(self.text, start, end)? {
                self.line(&line)?;
            }
            start = end + 1;
            lines += 1;
            if lines % STRETCH == 0 && (self.stop)() {
                return Err(Error::Stopped);
            }
        }
        if self.frames.is_empty() {
            return Ok(());
        }
        Err(self.wrong(
            self.text.len(),
            "must close each '{'; the text may be cut short",
        ))
    }

    fn wrong(&self, at: usize, allowed: &str) -> Error {
        Error::in_text(self.text, at, allowed)
    }

    pub(super) fn part(&self) -> usize {
        self.frames
            .last()
            .map_or(Parts::OUTSIDE, |frame| frame.part)
    }

    fn line(&mut self, line: &Line<'a>) -> Result<()> {
        let mut closed = None;
        for _ in 0..line.closes {
            closed = Some(self.close(line)?);
        }
        if self.frames.len() + line.opens.len() > MOST_OPEN {
            return Err(self.wrong(line.start, "must be at most 65536 braces deep"));
        }
        let mut owners = Vec::new();
        if line.closes == 0 {
            owners = self.operation(line)?;
        }
        for (number, &open) in line.opens.iter().enumerate() {
            let last = number + 1 == line.opens.len();
            let owner = match (&closed, last) {
                (_, false) => None,
                (Some(frame), true) => self.next_region(frame, open),
                (None, true) => owners.pop(),
            };
            self.open(owner, open);
        }
        Ok(())
    }

    /// Opens a brace; a loop's regions and branches are parts of their own.
    fn open(&mut self, owner: Option<(Owner, usize)>, at: usize) {
        let (owner, part) = owner.unwrap_or((Owner::Plain, self.part()));
        if let Owner::Branch(number, name, parent) = &owner {
            let times = Times::Branch(format!("branch {number} of {name}"));
            let to = part;
            self.parts.items[*parent].push(Item::Call { to, times, at });
        }
        self.frames.push(Frame {
            owner,
            part,
            constants: self.constants.len(),
        });
    }

    /// Closes the brace that was opened last.
    fn close(&mut self, line: &Line<'a>) -> Result<Frame> {
        let Some(frame) = self.frames.pop() else {
            return Err(self.wrong(line.start, "closes a '{' that is not open"));
        };
        self.constants.truncate(frame.constants);
        match frame.owner {
            Owner::Loop(number, 1) => self.end_loop(number),
            Owner::Manual(before) => self.manual.truncate(before),
            _ => {}
        }
        Ok(frame)
    }

    /// What a brace belongs to that follows one which closes on the same line: `}, {` and `} do {`.
    fn next_region(&mut self, closed: &Frame, open: usize) -> Option<(Owner, usize)> {
        let before = self.text[..open].trim_ascii_end();
        match &closed.owner {
            Owner::Loop(number, 0) if before.ends_with(b"do") || before.ends_with(b",") => {
                let body = self.parts.add();
                self.put_call(*number, body);
                Some((Owner::Loop(*number, 1), body))
            }
            Owner::Branch(number, name, parent) if before.ends_with(b",") => {
                let owner = Owner::Branch(number + 1, name.clone(), *parent);
                Some((owner, self.parts.add()))
            }
            _ => None,
        }
    }

    /// The operation of a line; what the brace that it leaves open belongs to.
    fn operation(&mut self, line: &Line<'a>) -> Result<Vec<(Owner, usize)>> {
        let base = line
            .op
            .strip_prefix(b"stablehlo.")
            .or_else(|| line.op.strip_prefix(b"mhlo."));
        if let Some(base) = base {
            return self.stablehlo(base, line);
        }
        match line.op {
            b"cond" | b"do" => return Ok(self.first_region(line).into_iter().collect()),
            b"module" | b"builtin.module" => self.module(line)?,
            b"func.func" | b"func" => return self.function(line),
            b"func.call" | b"call" => self.call(line)?,
            b"sdy.mesh" => self
                .meshes
                .add(Cursor::new(self.text, line.after, line.end))?,
            b"sdy.manual_computation" => return Ok(vec![self.manual(line)?]),
            b"" if self.text[line.start..].starts_with(b"^") => self.block(line),
            b"return" | b"func.return" | b"sdy.return" => {}
            op if op.starts_with(b"sdy.") => match sharded::moved(op) {
                Some(name) => {
                    let at = Cursor::new(self.text, line.after, self.text.len());
                    let (made, ids) = sharded::row(name, at, &self.meshes)?;
                    let who = ids.map(|ids| Who::Groups(ids, crate::program::Mode::Flattened, at));
                    self.keep(made, who.unwrap_or(Who::Unknown), line)?;
                }
                None => self.unknown(line)?,
            },
            _ => self.unknown(line)?,
        }
        Ok(Vec::new())
    }

    fn stablehlo(&mut self, base: &[u8], line: &Line<'a>) -> Result<Vec<(Owner, usize)>> {
        match base {
            b"constant" => self.constant(line),
            b"add" | b"subtract" => self.sum(base, line),
            b"compare" => self.compare(line),
            b"return" => self.returned(line),
            b"while" => return self.loop_head(line),
            b"case" | b"if" => {
                let kind = words(base);
                let name = format!("the {kind} {}", words(line.result));
                let owner = Owner::Branch(0, name, self.part());
                return Ok(vec![(owner, self.parts.add())]);
            }
            b"custom_call" => self.custom_call(line)?,
            b"composite" => self.named(line, b"decomposition = @")?,
            base => match moved(base) {
                Some(name) => {
                    let one = Op::read(self.text, line.after)?;
                    self.collective(name, &one, line)?;
                }
                None => self.unknown(line)?,
            },
        }
        Ok(Vec::new())
    }

    /// An operation that moves nothing, as far as is known: it has no groups then.
    fn unknown(&mut self, line: &Line<'a>) -> Result<()> {
        if !line.braced {
            return Ok(());
        }
        let text = &self.text[line.after..line.end];
        self.sharded |= memmem::find(text, b".sharding").is_some();
        let moves = [&b"replica_groups"[..], b"source_target_pairs"];
        if moves.iter().any(|word| memmem::find(text, word).is_some()) {
            let allowed = "must be a collective that is known, on a line of its own, as \"stablehlo.all_reduce\"";
            return Err(self.wrong(line.start, allowed));
        }
        Ok(())
    }

    fn collective(&mut self, op: &'static str, one: &Op<'a>, line: &Line<'a>) -> Result<()> {
        let at = Cursor::new(self.text, line.start, self.text.len());
        let (made, who) = row(op, one, at, &self.meshes)?;
        self.keep(made, who, line)
    }

    /// Keeps a row and who takes part.
    fn keep(&mut self, mut made: Collective, who: Who<'a>, line: &Line<'a>) -> Result<()> {
        made.name = words(line.result);
        made.original = words(line.op);
        made.line = self.lines.of(line.start);
        made.groups = self.table.add(who, self.world)?;
        let free = self.meshes.others(&self.manual);
        if !self.manual.is_empty() && !free.is_empty() {
            made.notes.push(format!(
                "stands in a computation over {} only: the compiler may yet divide its bytes over {}",
                self.manual.join(", "),
                free.join(", ")
            ));
        }
        let part = self.part();
        self.parts.items[part].push(Item::Collective(self.rows.len()));
        self.rows.push(made);
        Ok(())
    }

    /// `module @name attributes {mhlo.num_partitions = 8 : i32, ...}`.
    fn module(&mut self, line: &Line<'a>) -> Result<()> {
        let text = &self.text[line.after..line.end];
        if let Some(at) = memchr::memchr(b'@', text) {
            let mut name = Cursor::new(self.text, line.after + at, line.end);
            self.name = symbol(&mut name)?;
        }
        let number = |word: &[u8]| -> Result<Option<u64>> {
            let Some(at) = memmem::find(text, word) else {
                return Ok(None);
            };
            let start = line.after + at + word.len();
            let mut number = Cursor::new(self.text, start, line.end);
            match number.count()? {
                0 => Err(self.wrong(start, "must be a whole number >= 1")),
                count => Ok(Some(count)),
            }
        };
        let world = World {
            replicas: number(b"num_replicas = ")?,
            partitions: number(b"num_partitions = ")?,
        };
        if world.ranks().is_some() {
            self.world = world;
        }
        Ok(())
    }

    fn function(&mut self, line: &Line<'a>) -> Result<Vec<(Owner, usize)>> {
        let text = &self.text[line.after..line.end];
        self.sharded |= memmem::find(text, b".sharding").is_some();
        let Some(at) = memchr::memchr(b'@', text) else {
            return Err(self.wrong(line.start, "must have a name, as in 'func.func @main()'"));
        };
        let mut name = Cursor::new(self.text, line.after + at, line.end);
        let name = symbol(&mut name)?;
        // What has no body stands elsewhere.
        let has_body = !line.opens.is_empty();
        let part = self.parts.define(name, has_body);
        let Some(part) = part else {
            return Err(self.wrong(
                line.start,
                "must have a name of its own: another function has it",
            ));
        };
        Ok(vec![(Owner::Plain, part)])
    }

    fn call(&mut self, line: &Line<'a>) -> Result<()> {
        let text = &self.text[line.after..line.end];
        match memchr::memchr(b'@', text) {
            Some(at) => self.call_at(line.after + at, line),
            None => Err(self.wrong(line.start, "must name the function that it calls")),
        }
    }

    /// A call of the function whose `@` stands at `at`.
    fn call_at(&mut self, at: usize, line: &Line<'a>) -> Result<()> {
        let name = symbol(&mut Cursor::new(self.text, at, line.end))?;
        let to = self.parts.called(name, at);
        let part = self.part();
        self.parts.items[part].push(Item::Call {
            to,
            times: Times::Once,
            at,
        });
        Ok(())
    }

    /// A call of the function that follows a word.
    fn named(&mut self, line: &Line<'a>, word: &[u8]) -> Result<()> {
        match memmem::find(&self.text[line.after..line.end], word) {
            Some(at) => self.call_at(line.after + at + word.len() - 1, line),
            None => Ok(()),
        }
    }

    fn custom_call(&mut self, line: &Line<'a>) -> Result<()> {
        let text = &self.text[line.after..line.end];
        self.sharded |= memmem::find(text, b"@Sharding").is_some();
        let target = memchr::memchr(b'@', text);
        let ragged = target.is_some_and(|at| text[at + 1..].starts_with(b"ragged_all_to_all"));
        if ragged {
            let one = Op::read(self.text, line.after)?;
            return self.collective("ragged_all_to_all", &one, line);
        }
        self.named(line, b"called_computations = [@")?;
        self.unknown(line)
    }

    /// `manual_axes={"x", "y"}`.
    fn manual(&mut self, line: &Line<'a>) -> Result<(Owner, usize)> {
        let before = self.manual.len();
        let word = b"manual_axes=";
        if let Some(at) = memmem::find(&self.text[line.after..line.end], word) {
            let start = line.after + at + word.len();
            let mut list = Cursor::new(self.text, start, line.end);
            let named = axes(list.bracket()?);
            self.manual.extend(named.into_iter().map(|axis| axis.name));
        }
        Ok((Owner::Manual(before), self.part()))
    }
}
