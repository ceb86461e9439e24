//! What a walk over a text sees of its loops: their variables, how these change, and constants.

use super::line::Line;
use super::loops::{Loop, Side};
use super::scan::{Frame, Open, Owner, Scan};
use super::syntax::ssa;
use crate::cursor::{Cursor, words};
use crate::error::Result;
use crate::program::{Item, Times};
use memchr::memmem;

/// Constants, and sums of a loop's body, among which a loop's own are looked for.
const NEAR: usize = 4096;

impl<'a> Scan<'a, '_> {
    /// Puts the call of a loop's body in its place, before it is known how often.
    pub(super) fn put_call(&mut self, number: usize, to: usize) {
        let open = &self.loops[number];
        let times = Times::Loop(None, open.name.clone());
        let (parent, at) = (open.parent, open.at);
        self.parts.items[parent].push(Item::Call { to, times, at });
    }

    /// Says how often a loop runs, now that all of it was seen.
    pub(super) fn end_loop(&mut self, number: usize) {
        let open = &self.loops[number];
        let Some(trips) = open.seen.trips() else {
            return;
        };
        let counts = [trips.checked_add(1), Some(trips)];
        let items = self.parts.items[open.parent][open.item..].iter_mut();
        for (item, count) in items.zip(counts) {
            if let Item::Call { times, .. } = item {
                *times = Times::Loop(count, open.name.clone());
            }
        }
        self.loops[number].seen = Loop::default();
    }

    /// `stablehlo.while(%iterArg = %c, %iterArg_0 = %arg1)`, or with quotes and without new names.
    pub(super) fn loop_head(&mut self, line: &Line<'a>) -> Result<Vec<(Owner, usize)>> {
        let mut at = Cursor::new(self.text, line.after, line.end);
        let mut seen = Loop::default();
        at.blanks();
        at.expect("(")?;
        at.blanks();
        while !at.eat(b")") {
            let mut value = ssa(&mut at);
            at.blanks();
            if at.eat(b"=") {
                at.blanks();
                seen.names[0].push(value);
                value = ssa(&mut at);
            }
            if value.is_empty() {
                return Err(at.wrong("must be a value, as '%0'"));
            }
            seen.starts.push(self.known(value));
            at.blanks();
            at.eat(b",");
            at.blanks();
        }
        seen.names[1] = seen.names[0].clone();
        let parent = self.part();
        self.loops.push(Open {
            seen,
            parent,
            item: self.parts.items[parent].len(),
            name: words(line.result),
            at: line.start,
        });
        let number = self.loops.len() - 1;
        if line.opens.is_empty() {
            self.coming = Some(number);
            return Ok(Vec::new());
        }
        Ok(vec![self.condition(number)])
    }

    fn condition(&mut self, number: usize) -> (Owner, usize) {
        let part = self.parts.add();
        self.put_call(number, part);
        (Owner::Loop(number, 0), part)
    }

    /// `cond {`, where a loop came before.
    pub(super) fn first_region(&mut self, line: &Line<'a>) -> Option<(Owner, usize)> {
        let number = self.coming.take().filter(|_| line.op == b"cond")?;
        Some(self.condition(number))
    }

    /// Names of the variables of a region: `^bb0(%arg0: tensor<i32>, ...):`.
    pub(super) fn block(&mut self, line: &Line<'a>) {
        let Some(&Frame {
            owner: Owner::Loop(number, region),
            ..
        }) = self.frames.last()
        else {
            return;
        };
        let text = &self.text[line.start..line.end];
        let mut names = Vec::new();
        for found in memchr::memchr_iter(b'%', text) {
            let mut at = Cursor::new(self.text, line.start + found, line.end);
            names.push(ssa(&mut at));
        }
        self.loops[number].seen.names[region] = names;
    }

    /// The loop of which this is a line of region `region` itself.
    fn in_loop(&mut self, region: usize) -> Option<&mut Loop<'a>> {
        match self.frames.last()?.owner {
            Owner::Loop(number, one) if one == region => Some(&mut self.loops[number].seen),
            _ => None,
        }
    }

    /// What a value is, where it is a constant of near before.
    fn known(&self, name: &[u8]) -> Option<i64> {
        let near = self.constants.iter().rev().take(NEAR);
        near.into_iter()
            .find(|(one, _)| *one == name)
            .map(|(_, value)| *value)
    }

    /// `%c = stablehlo.constant dense<12> : tensor<i32>`.
    pub(super) fn constant(&mut self, line: &Line<'a>) {
        let mut at = Cursor::new(self.text, line.after, line.end);
        at.blanks();
        if !at.eat(b"dense<") {
            return;
        }
        let Ok(value) = at.number() else { return };
        if at.eat(b"> : tensor<i") || at.eat(b"> : tensor<ui") {
            at.take(|byte| byte.is_ascii_digit());
            if at.peek() == b'>' {
                self.constants.push((line.result, value));
            }
        }
    }

    /// Two values with a comma between them.
    fn sides(&self, at: &mut Cursor<'a>) -> [Side<'a>; 2] {
        at.blanks();
        at.eat(b"(");
        [(); 2].map(|()| {
            at.blanks();
            at.eat(b",");
            at.blanks();
            let name = ssa(at);
            (name, self.known(name))
        })
    }

    pub(super) fn sum(&mut self, base: &[u8], line: &Line<'a>) {
        if self.in_loop(1).is_none() {
            return;
        }
        let sides = self.sides(&mut Cursor::new(self.text, line.after, line.end));
        let sign = if base == b"add" { 1 } else { -1 };
        if let Some(seen) = self.in_loop(1) {
            // Of very many, none is the counter's.
            if seen.sums.len() < NEAR {
                seen.sums.push((line.result, sides, sign));
            }
        }
    }

    /// `stablehlo.compare LT, %iterArg, %c_1, SIGNED`, or with its direction as an attribute.
    pub(super) fn compare(&mut self, line: &Line<'a>) {
        if self.in_loop(0).is_none() {
            return;
        }
        let mut at = Cursor::new(self.text, line.after, line.end);
        at.blanks();
        let mut direction = at.name();
        let sides = self.sides(&mut at);
        if direction.is_empty() {
            let word = b"comparison_direction ";
            let found = memmem::rfind(at.rest(), word).unwrap_or(at.rest().len());
            let start = (at.at + found + word.len()).min(line.end);
            direction = Cursor::new(self.text, start, line.end).name();
        }
        if let Some(seen) = self.in_loop(0) {
            seen.compare = Some((line.result, direction, sides));
        }
    }

    pub(super) fn returned(&mut self, line: &Line<'a>) {
        for region in [0, 1] {
            let text = self.text;
            let Some(seen) = self.in_loop(region) else {
                continue;
            };
            let mut names = Vec::new();
            let types = memmem::find(&text[line.after..line.end], b" : ");
            let end = types.map_or(line.end, |at| line.after + at);
            for found in memchr::memchr_iter(b'%', &text[line.after..end]) {
                let mut at = Cursor::new(text, line.after + found, end);
                names.push(ssa(&mut at));
            }
            seen.returned[region] = names;
        }
    }
}
