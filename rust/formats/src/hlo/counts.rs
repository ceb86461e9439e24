//! How often each collective runs, and in which order: the computations and what they call.

use super::collective::{GroupTable, Place, row};
use super::computations::{Computation, Found, Module};
use super::instruction::Instruction;
use super::names::{Names, hash};
use super::opcodes::{Opcode, opcode};
use super::operands::Shapes;
use super::shape::bytes;
use crate::cursor::{Cursor, words};
use crate::error::{Error, Result};
use crate::program::{Calls, Collective, Item, LineNumbers, Program, Runs, Times, put_runs};
use memchr::memmem;

/// Names of the computations in which TPU's compiler hides a reduce-scatter.
const FUSED: &[u8] = b"all-reduce-scatter";

/// A computation that is one all-reduce of which each takes its part.
struct FusedScatter {
    part: usize,
    place: usize,
    start: usize,
    callee: usize,
}

struct Builder<'a, 'm> {
    text: &'a [u8],
    module: &'m Module<'a>,
    names: Names<'a>,
    table: GroupTable<'a>,
    rows: Vec<Collective>,
    parts: Vec<Vec<Item>>,
    /// Called by an async-start.
    started: Vec<bool>,
    fused: Vec<FusedScatter>,
    /// Stands in rows of fusions.
    hidden: Vec<bool>,
    /// Arrays are in tiles, as on TPUs.
    tiled: bool,
    /// There are transfers to the host.
    hosted: bool,
}

/// The collectives of a module.
pub(super) fn collectives<'a>(
    text: &'a [u8],
    module: &Module<'a>,
    entry: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Program> {
    let names = module.computations.iter().map(|one| (one.name, one.hash));
    let names = Names::new(names.collect()).map_err(|number| {
        let again = &module.computations[number];
        let allowed = format!(
            "the computation before this is named {} like another",
            words(again.name)
        );
        Error::in_text(text, again.body.0, allowed)
    })?;
    let mut build = Builder {
        text,
        module,
        names,
        table: GroupTable::new(module.world),
        rows: Vec::new(),
        parts: Vec::new(),
        started: vec![false; module.computations.len()],
        fused: Vec::new(),
        hidden: vec![false; module.computations.len()],
        tiled: false,
        hosted: false,
    };
    for (part, computation) in module.computations.iter().enumerate() {
        if part % 256 == 0 && stop() {
            return Err(Error::Stopped);
        }
        let items = build.items(part, computation)?;
        build.parts.push(items);
    }
    build.scatters()?;
    build.finish(entry)
}

impl<'a> Builder<'a, '_> {
    /// What a computation does, in order.
    fn items(&mut self, part: usize, computation: &Computation<'a>) -> Result<Vec<Item>> {
        if computation.found.is_empty() {
            return Ok(Vec::new());
        }
        let read = |start: &usize| Instruction::read(self.text, *start, computation.body.1);
        let starts = computation.found.iter().filter_map(|found| match found {
            Found::Collective(start, _) => Some(start),
            _ => None,
        });
        let moving: Vec<Instruction<'a>> = starts.map(read).collect::<Result<_>>()?;
        let shapes = Shapes::find(self.text, computation.body, &moving)?;
        let mut moving = moving.iter();
        let mut items = Vec::new();
        for found in &computation.found {
            match found {
                Found::Collective(start, line) => {
                    let Some(one) = moving.next() else { continue };
                    let Opcode::Collective(op, starts) = opcode(one.opcode) else {
                        continue;
                    };
                    let place = Place {
                        text: self.text,
                        start: *start,
                        op,
                        starts,
                        shapes: &shapes,
                    };
                    let mut made = row(one, &place, &mut self.table)?;
                    made.line = *line;
                    self.tiled |= one.shape.arrays.iter().any(|array| array.tiled);
                    self.hosted |= one.is_true("is_host_transfer");
                    items.push(Item::Collective(self.rows.len()));
                    self.rows.push(made);
                }
                Found::Fusion(start, callee, hash) => {
                    let to = self.computation(callee, *hash, *start)?;
                    // What is called stands before its caller, and most of it moves nothing.
                    if self.parts.get(to).is_some_and(Vec::is_empty) {
                        continue;
                    }
                    if callee.starts_with(FUSED) {
                        self.fused.push(FusedScatter {
                            part,
                            place: items.len(),
                            start: *start,
                            callee: to,
                        });
                    }
                    items.push(Item::Call {
                        to,
                        times: Times::Once,
                        at: *start,
                    });
                }
                Found::Call(start, kind) => {
                    let call = Instruction::read(self.text, *start, computation.body.1)?;
                    self.call(&call, *kind, *start, &mut items)?;
                }
            }
        }
        Ok(items)
    }

    fn computation(&self, name: &[u8], hash: u64, at: usize) -> Result<usize> {
        self.names.number(name, hash).ok_or_else(|| {
            let allowed = format!(
                "must call computations of the text; {} is not there",
                words(name)
            );
            Error::in_text(self.text, at, allowed)
        })
    }

    /// The calls of a while, conditional, call, custom-call or async-start.
    fn call(
        &mut self,
        call: &Instruction<'a>,
        kind: Opcode,
        start: usize,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        let name = words(call.name);
        let (keys, needed): (&[&str], bool) = match kind {
            Opcode::While => (&["condition", "body"], true),
            Opcode::Conditional => (
                &[
                    "true_computation",
                    "false_computation",
                    "branch_computations",
                ],
                true,
            ),
            Opcode::Call => (&["to_apply", "calls"], true),
            Opcode::CustomCall => (&["called_computations"], false),
            _ => (&["calls"], true),
        };
        let mut called = Vec::new();
        for key in keys {
            called.extend(call.computations(key)?.into_iter().map(|one| (*key, one)));
        }
        let missing = called.is_empty() || (kind == Opcode::While && called.len() != 2);
        if needed && missing {
            let allowed = format!(
                "must say which computations it calls: {}=",
                keys.join("=, ")
            );
            return Err(Error::in_text(self.text, start, allowed));
        }
        let trips = if kind == Opcode::While {
            trip_count(call)
        } else {
            None
        };
        let branches = called.len();
        for (branch, (key, (callee, at))) in called.into_iter().enumerate() {
            let to = self.computation(callee, hash(callee), at)?;
            self.started[to] |= kind == Opcode::AsyncStart;
            let times = match kind {
                // The condition is looked at once more than the body runs.
                Opcode::While if key == "condition" => {
                    Times::Loop(trips.and_then(|trips| trips.checked_add(1)), name.clone())
                }
                Opcode::While => Times::Loop(trips, name.clone()),
                Opcode::Conditional => {
                    Times::Branch(format!("branch {branch} of the {branches} of {name}"))
                }
                _ => Times::Once,
            };
            items.push(Item::Call {
                to,
                times,
                at: start,
            });
        }
        Ok(())
    }

    /// Puts in the place of fusions that are a reduce-scatter rows that say so.
    fn scatters(&mut self) -> Result<()> {
        let mut lines = LineNumbers::new(self.text);
        for fused in std::mem::take(&mut self.fused) {
            let [Item::Collective(inner)] = self.parts[fused.callee][..] else {
                continue;
            };
            if self.rows[inner].op != "all_reduce" {
                continue;
            }
            let one = Instruction::read(self.text, fused.start, self.text.len())?;
            let mut made = self.rows[inner].clone();
            let at = Cursor::new(self.text, fused.start, self.text.len());
            made.bytes_out = bytes(&one.shape.arrays, at)?;
            made.notes.push(format!(
                "runs fused as a reduce-scatter: the all-reduce {} and the part of it that each device takes; bytes_in is its operand with its padding",
                made.name
            ));
            made.name = words(one.name);
            made.op = "reduce_scatter";
            made.original = "all-reduce-scatter".to_owned();
            made.line = lines.of(fused.start);
            self.hidden[fused.callee] = true;
            self.parts[fused.part][fused.place] = Item::Collective(self.rows.len());
            self.rows.push(made);
        }
        Ok(())
    }

    /// Follows the calls, and puts all in order.
    fn finish(mut self, entry: usize) -> Result<Program> {
        let calls = Calls {
            text: self.text,
            parts: &self.parts,
        };
        let mut followed = calls.follow(entry)?;
        let nowhere = unreached(&self.parts, &followed.runs);
        // What a fused row stands for is not another collective.
        followed
            .order
            .extend(nowhere.iter().filter(|(_, part)| !self.hidden[*part]));
        let mut collectives = Vec::with_capacity(followed.order.len());
        for (number, part) in followed.order {
            let mut made = std::mem::take(&mut self.rows[number]);
            if self.started[part] {
                made.asynchronous = Some(true);
            }
            let computation = words(self.module.computations[part].name);
            put_runs(&mut made, followed.runs[part].as_ref(), &computation);
            collectives.push(made);
        }
        let notes = program_notes(self.tiled, self.hosted, &collectives);
        Ok(Program {
            collectives,
            groups: self.table.groups,
            notes,
            ..Program::default()
        })
    }
}

/// Collectives in computations that the entry does not reach.
fn unreached(parts: &[Vec<Item>], runs: &[Option<Runs>]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (part, items) in parts.iter().enumerate() {
        if runs[part].is_none() {
            found.extend(items.iter().filter_map(|item| match item {
                Item::Collective(number) => Some((*number, part)),
                Item::Call { .. } => None,
            }));
        }
    }
    found
}

/// `"known_trip_count":{"n":"12"}`, with or without backslashes.
fn trip_count(call: &Instruction<'_>) -> Option<u64> {
    let config = call.attribute("backend_config")?.rest();
    let at = memmem::find(config, b"known_trip_count")?;
    let rest = &config[at + 16..];
    let digits = rest.iter().take(24).position(u8::is_ascii_digit)?;
    let mut number = Cursor::new(rest, digits, rest.len());
    number.count().ok()
}

/// What holds for all of a program.
fn program_notes(tiled: bool, hosted: bool, collectives: &[Collective]) -> Vec<String> {
    let mut notes = vec![
        "ranks are positions in the program (replica times partitions plus partition), not numbers of chips".to_owned(),
    ];
    let reduces = collectives.iter().any(|one| one.op == "all_reduce");
    if tiled && reduces {
        notes.push("TPU's compiler runs some all-gathers and reduce-scatters of a program as all-reduces of the whole array: these are the collectives as they run, not as the program has them".to_owned());
    }
    if hosted {
        notes.push(
            "of a program on several slices: this text, its ranks and its groups are of one slice"
                .to_owned(),
        );
    }
    notes
}
