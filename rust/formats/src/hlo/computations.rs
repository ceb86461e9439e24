//! A first look over a text, line by line: its computations, and in each what moves data or calls others. All that is
//! read of other lines is the name of their operation.

use super::instruction::{Instruction, attributes};
use super::names::hash;
use super::opcodes::{Opcode, opcode};
use crate::cursor::{Cursor, is_name, words};
use crate::error::{Error, Result};
use crate::program::World;
use memchr::memmem;

/// Lines between two looks at whether to stop.
const STRETCH: u64 = 1 << 14;

/// What a computation does that is of interest, and where its line begins.
pub(super) enum Found<'a> {
    /// Moves data; the number of the line.
    Collective(usize, u64),
    /// Calls the computation of this name, and hash of it, as its own code.
    Fusion(usize, &'a [u8], u64),
    /// Calls others, as the instruction says.
    Call(usize, Opcode),
}

/// A computation.
pub(super) struct Computation<'a> {
    pub(super) name: &'a [u8],
    pub(super) hash: u64,
    /// Where its first instruction begins, and where it ends.
    pub(super) body: (usize, usize),
    pub(super) found: Vec<Found<'a>>,
}

/// A text at first look.
#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) name: &'a [u8],
    pub(super) world: World,
    pub(super) computations: Vec<Computation<'a>>,
    /// The number of the one that runs.
    pub(super) entry: Option<usize>,
    /// Operations that are not known, each once.
    pub(super) unknown: Vec<&'a [u8]>,
}

/// Looks over a text.
pub(super) struct Scan<'a, 's> {
    text: &'a [u8],
    stop: &'s dyn Fn() -> bool,
    calls: memmem::Finder<'static>,
    module: Module<'a>,
    /// Computations that are written out within an instruction of the one that is open.
    inline: usize,
    open: bool,
    headed: bool,
    /// Number of the line, from 1.
    line: u64,
}

impl<'a, 's> Scan<'a, 's> {
    pub(super) fn new(text: &'a [u8], stop: &'s dyn Fn() -> bool) -> Self {
        Self {
            text,
            stop,
            calls: memmem::Finder::new(b"calls="),
            module: Module::default(),
            inline: 0,
            open: false,
            headed: false,
            line: 1,
        }
    }

    /// The module that the text is.
    pub(super) fn run(mut self) -> Result<Module<'a>> {
        let mut start = 0;
        while start < self.text.len() {
            let end =
                memchr::memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |at| start + at);
            if self.open {
                self.inside(start, end)?;
            } else {
                self.outside(start, end)?;
            }
            start = end + 1;
            self.line += 1;
            if self.line % STRETCH == 0 && (self.stop)() {
                return Err(Error::Stopped);
            }
        }
        if self.open {
            let end = self.text.len();
            return Err(self.wrong(end, "must close the computation that is open, with '}'"));
        }
        Ok(self.module)
    }

    fn wrong(&self, at: usize, allowed: &str) -> Error {
        Error::in_text(self.text, at, allowed)
    }

    /// A line in a computation.
    fn inside(&mut self, start: usize, end: usize) -> Result<()> {
        let mut at = start;
        while at < end && matches!(self.text[at], b' ' | b'\t' | b'\r') {
            at += 1;
        }
        let line = &self.text[at..end];
        if line.first() == Some(&b'}') {
            self.closing(line, start);
            return Ok(());
        }
        if line.ends_with(b"={") {
            self.inline += 1;
        }
        let rest = line.strip_prefix(b"ROOT ").unwrap_or(line);
        let rest = rest.strip_prefix(b"%").unwrap_or(rest);
        let Some(space) = memchr::memchr(b' ', rest) else {
            return Ok(());
        };
        // What is no instruction goes on with the one before, or is a constant's numbers.
        let Some(shape) = rest[space..].strip_prefix(b" = ") else {
            return Ok(());
        };
        let Some(after) = after_shape(shape) else {
            return Err(self.wrong(end - shape.len(), "must be a shape and an operation"));
        };
        let length = after.iter().position(|byte| !is_name(*byte));
        let length = length.unwrap_or(after.len());
        if after.get(length) != Some(&b'(') {
            let at = end - after.len();
            return Err(self.wrong(at, "must be an operation and its operands in parentheses"));
        }
        self.keep(start, end, &after[..length], after)
    }

    /// A line that begins with a closing brace.
    fn closing(&mut self, line: &'a [u8], start: usize) {
        let rest = line[1..].trim_ascii();
        let ends = rest.is_empty() || rest.starts_with(b", ") || rest.starts_with(b"//");
        if !ends {
            return; // of a constant's numbers
        }
        if self.inline > 0 {
            self.inline -= 1;
            return;
        }
        self.open = false;
        if let Some(last) = self.module.computations.last_mut() {
            last.body.1 = start;
        }
    }

    /// Keeps what is of interest of an instruction: its line, operation, and what follows the shape.
    fn keep(&mut self, start: usize, end: usize, name: &'a [u8], after: &'a [u8]) -> Result<()> {
        let kind = opcode(name);
        let found = match kind {
            Opcode::Local | Opcode::Waits => return Ok(()),
            Opcode::Collective(..) => Found::Collective(start, self.line),
            Opcode::Fusion => match self.calls.find(after) {
                Some(at) => {
                    let mut callee = Cursor::new(self.text, end - after.len() + at + 6, end);
                    callee.eat(b"%");
                    let name = callee.name();
                    Found::Fusion(start, name, hash(name))
                }
                None => {
                    let fusion = Instruction::read(self.text, start, self.text.len())?;
                    match fusion.computations("calls")?.first() {
                        Some((callee, _)) => Found::Fusion(start, callee, hash(callee)),
                        None => return Err(self.wrong(start, "must say what it calls: calls=")),
                    }
                }
            },
            Opcode::CustomCall if memmem::find(after, b"called_computations=").is_none() => {
                return Ok(());
            }
            Opcode::Unknown => return self.unknown(name, after, end),
            _ => Found::Call(start, kind),
        };
        if let Some(last) = self.module.computations.last_mut() {
            last.found.push(found);
        }
        Ok(())
    }

    /// An operation that is not known: refused if it has groups, else noted.
    fn unknown(&mut self, name: &'a [u8], after: &'a [u8], end: usize) -> Result<()> {
        let moves = [
            &b"replica_groups="[..],
            b"source_target_pairs=",
            b"channel_id=",
        ];
        if moves.iter().any(|word| memmem::find(after, word).is_some()) {
            let allowed = "must be a collective that is known, as all-reduce or all-gather-start";
            return Err(self.wrong(end - after.len(), allowed));
        }
        if !self.module.unknown.contains(&name) && self.module.unknown.len() < 8 {
            self.module.unknown.push(name);
        }
        Ok(())
    }

    /// A line outside of computations: the module's head, the head of a computation, or tables of places.
    fn outside(&mut self, start: usize, end: usize) -> Result<()> {
        let mut at = Cursor::new(self.text, start, end);
        at.blanks();
        let line = at.rest().trim_ascii_end();
        if line.is_empty() {
            return Ok(());
        }
        if at.eat(b"HloModule") {
            return self.head(at);
        }
        if line.last() == Some(&b'{') {
            let entry = at.eat(b"ENTRY");
            at.blanks();
            at.eat(b"%");
            let name = at.name();
            at.blanks();
            if !name.is_empty() && matches!(at.peek(), b'(' | b'{' | b'-') {
                return self.begin(name, entry, start, end);
            }
            return Err(self.wrong(
                start,
                "must be the head of a computation, as in '%name (x: f32[2]) -> f32[2] {'",
            ));
        }
        let tables = line[0].is_ascii_digit() || line.iter().all(u8::is_ascii_alphabetic);
        if tables || line.starts_with(b"//") {
            return Ok(());
        }
        let allowed =
            "must be the head of a module or of a computation, or a table of source lines";
        Err(self.wrong(start, allowed))
    }

    fn begin(&mut self, name: &'a [u8], entry: bool, start: usize, end: usize) -> Result<()> {
        if entry && self.module.entry.is_some() {
            return Err(self.wrong(start, "must be the only ENTRY computation"));
        }
        if entry {
            self.module.entry = Some(self.module.computations.len());
        }
        self.open = true;
        self.module.computations.push(Computation {
            name,
            hash: hash(name),
            body: ((end + 1).min(self.text.len()), end),
            found: Vec::new(),
        });
        Ok(())
    }

    /// `HloModule name, key=value, ...`.
    fn head(&mut self, mut at: Cursor<'a>) -> Result<()> {
        if self.headed {
            return Err(at.wrong("must be one module: cut the text at each HloModule"));
        }
        self.headed = true;
        at.blanks();
        self.module.name = at.take(|byte| !matches!(byte, b',' | b' ' | b'\r'));
        for (key, mut value) in attributes(&mut at)? {
            let start = value;
            let slot = match key {
                b"num_partitions" => &mut self.module.world.partitions,
                b"replica_count" => &mut self.module.world.replicas,
                _ => continue,
            };
            *slot = Some(value.count()?);
            if *slot == Some(0) || value.at != value.end {
                return Err(start.wrong(format!("{}: must be a whole number >= 1", words(key))));
            }
        }
        Ok(())
    }
}

/// What follows a shape and a space; None where there is no shape.
fn after_shape(shape: &[u8]) -> Option<&[u8]> {
    if shape.first() != Some(&b'(') {
        return memchr::memchr(b' ', shape).map(|space| &shape[space + 1..]);
    }
    let mut depth = 0usize;
    for (at, byte) in shape.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return shape[at + 1..].strip_prefix(b" ");
                }
            }
            _ => {}
        }
    }
    None
}
