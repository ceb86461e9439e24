//! One instruction, read in depth: name, shape, operation, operands, attributes.

use super::shape::Shape;
use crate::cursor::Cursor;
use crate::error::Result;

/// Operands of one instruction: more are no program.
const MOST_OPERANDS: usize = 1 << 20;

/// What an instruction works on.
pub(super) struct Operand<'a> {
    pub(super) name: &'a [u8],
    /// Where the text gives it beside the name.
    pub(super) shape: Option<Shape>,
    pub(super) at: usize,
}

/// An instruction.
pub(super) struct Instruction<'a> {
    pub(super) name: &'a [u8],
    pub(super) shape: Shape,
    pub(super) opcode: &'a [u8],
    pub(super) operands: Vec<Operand<'a>>,
    attributes: Vec<(&'a [u8], Cursor<'a>)>,
}

impl<'a> Instruction<'a> {
    /// Reads the instruction that begins at `start`; it may go over several lines, up to `end`.
    pub(super) fn read(text: &'a [u8], start: usize, end: usize) -> Result<Self> {
        let mut at = Cursor::new(text, start, end);
        at.blanks();
        at.eat(b"ROOT ");
        at.eat(b"%");
        let name = at.name();
        at.blanks();
        at.expect("=")?;
        let shape = Shape::read(&mut at)?;
        at.blanks();
        let opcode = at.name();
        let operands = operands(&mut at)?;
        let attributes = attributes(&mut at)?;
        Ok(Self {
            name,
            shape,
            opcode,
            operands,
            attributes,
        })
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, key: &str) -> Option<Cursor<'a>> {
        let found = self
            .attributes
            .iter()
            .find(|(name, _)| *name == key.as_bytes());
        found.map(|(_, value)| *value)
    }

    /// Names of computations that an attribute has: one, or several in braces.
    pub(super) fn computations(&self, key: &str) -> Result<Vec<(&'a [u8], usize)>> {
        let Some(mut at) = self.attribute(key) else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        let several = at.eat(b"{");
        loop {
            at.blanks();
            let place = at.at;
            at.eat(b"%");
            match at.name() {
                b"" => return Ok(names),
                name => names.push((name, place)),
            }
            at.blanks();
            if !several || !at.eat(b",") {
                return Ok(names);
            }
        }
    }

    /// Whether a flag is there and true.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.attribute(key)
            .is_some_and(|value| value.rest() == b"true")
    }
}

/// What stands in the parentheses after the operation.
fn operands<'a>(at: &mut Cursor<'a>) -> Result<Vec<Operand<'a>>> {
    at.expect("(")?;
    let mut operands = Vec::new();
    at.blanks();
    while !at.eat(b")") {
        let mut ahead = *at;
        ahead.name();
        let has_shape = at.peek() == b'(' || ahead.peek() == b'[';
        let shape = if has_shape {
            Some(Shape::read(at)?)
        } else {
            None
        };
        at.blanks();
        let place = at.at;
        at.eat(b"%");
        let name = at.name();
        if name.is_empty() {
            return Err(at.wrong("must be the name of an operand"));
        }
        if operands.len() == MOST_OPERANDS {
            return Err(at.wrong(format!("must be at most {MOST_OPERANDS} operands")));
        }
        operands.push(Operand {
            name,
            shape,
            at: place,
        });
        at.blanks();
        if !at.eat(b",") && at.peek() != b')' {
            return Err(at.wrong("must be ',' or ')' after an operand"));
        }
        at.blanks();
    }
    Ok(operands)
}

/// `, key=value` over and over; what else stands there ends them.
pub(super) fn attributes<'a>(at: &mut Cursor<'a>) -> Result<Vec<(&'a [u8], Cursor<'a>)>> {
    let mut found = Vec::new();
    loop {
        let before = at.at;
        at.blanks();
        if !at.eat(b",") {
            let over = at.at == at.end || at.text[before..at.at].contains(&b'\n');
            return if over {
                Ok(found)
            } else {
                Err(at.wrong("must be ',' or the end of the line"))
            };
        }
        at.blanks();
        let key = at.name();
        if key.is_empty() {
            return Err(at.wrong("must be an attribute, as in 'channel_id=1'"));
        }
        at.blanks();
        let mut start = at.at;
        if at.eat(b"=") {
            at.blanks();
            start = at.at;
            if key == b"replica_groups" {
                groups_text(at)?;
            } else {
                at.value()?;
            }
        }
        let value = at.text[start..at.at].trim_ascii_end();
        found.push((key, Cursor::new(at.text, start, start + value.len())));
    }
}

/// Steps over groups, of which those over a mesh have commas outside of all brackets.
fn groups_text(at: &mut Cursor<'_>) -> Result<()> {
    if !at.eat(b"mesh") {
        return at.value().map(drop);
    }
    at.bracket()?;
    at.blanks();
    if at.eat(b",") {
        at.blanks();
        at.expect("device_ids=")?;
        at.bracket()?;
        at.blanks();
    }
    if at.peek() != b'{' {
        return Err(at.wrong("must be the axes of the groups, as in \"{'axis_0'}\""));
    }
    at.bracket().map(drop)
}
