//! Words of MLIR: values, dictionaries of attributes, names of symbols.

use crate::cursor::{Cursor, DEEPEST, is_name};
use crate::error::Result;

/// Steps over a value: up to a comma or closing bracket outside of brackets and quotes; `<>` are brackets here.
pub(super) fn value<'a>(at: &mut Cursor<'a>) -> Result<Cursor<'a>> {
    until(at, |byte| byte == b',')
}

/// Steps over a value that stands outside of a dictionary: up to a blank.
pub(super) fn item<'a>(at: &mut Cursor<'a>) -> Result<Cursor<'a>> {
    until(at, |byte| byte == b',' || byte.is_ascii_whitespace())
}

fn until<'a>(at: &mut Cursor<'a>, stops: fn(u8) -> bool) -> Result<Cursor<'a>> {
    let start = *at;
    let mut closing = Vec::new();
    while at.at < at.end {
        let byte = at.text[at.at];
        match byte {
            b'"' => {
                at.quoted()?;
                continue;
            }
            b'(' => closing.push(b')'),
            b'[' => closing.push(b']'),
            b'{' => closing.push(b'}'),
            b'<' => closing.push(b'>'),
            b'>' if at.at > 0 && at.text[at.at - 1] == b'-' => {}
            b')' | b']' | b'}' | b'>' if closing.is_empty() => break,
            b')' | b']' | b'}' | b'>' if closing.pop() != Some(byte) => {
                return Err(at.wrong("closes a bracket that is not open"));
            }
            byte if closing.is_empty() && stops(byte) => break,
            _ => {}
        }
        if closing.len() > DEEPEST {
            return Err(at.wrong(format!("must be at most {DEEPEST} brackets deep")));
        }
        at.at += 1;
    }
    if !closing.is_empty() {
        return Err(start.wrong("must have brackets that are closed; the text may be cut short"));
    }
    let length = at.text[start.at..at.at].trim_ascii_end().len();
    Ok(Cursor::new(at.text, start.at, start.at + length))
}

/// Attributes by name, from the brace that opens here to the one that closes it.
pub(super) fn dictionary<'a>(at: &mut Cursor<'a>) -> Result<Vec<(&'a [u8], Cursor<'a>)>> {
    let mut found = Vec::new();
    at.expect("{")?;
    loop {
        at.blanks();
        if at.eat(b"}") {
            return Ok(found);
        }
        let key = if at.peek() == b'"' {
            at.quoted()?
        } else {
            at.name()
        };
        if key.is_empty() {
            return Err(at.wrong("must be the name of an attribute, or '}'"));
        }
        at.blanks();
        let mut held = Cursor::new(at.text, at.at, at.at);
        if at.eat(b"=") {
            at.blanks();
            held = value(at)?;
        }
        found.push((key, held));
        at.blanks();
        if !at.eat(b",") && at.peek() != b'}' {
            return Err(at.wrong("must be ',' or '}' after an attribute"));
        }
    }
}

/// The value of an attribute.
pub(super) fn attribute<'a>(
    attributes: &[(&'a [u8], Cursor<'a>)],
    key: &str,
) -> Option<Cursor<'a>> {
    let found = attributes.iter().find(|(name, _)| *name == key.as_bytes());
    found.map(|(_, value)| *value)
}

/// The name after an `@`, in quotes or not.
pub(super) fn symbol<'a>(at: &mut Cursor<'a>) -> Result<&'a [u8]> {
    at.expect("@")?;
    let name = if at.peek() == b'"' {
        at.quoted()?
    } else {
        at.name()
    };
    match name {
        b"" => Err(at.wrong("must be the name of a symbol")),
        name => Ok(name),
    }
}

/// A value of the program: `%name`, `%name#0`.
pub(super) fn ssa<'a>(at: &mut Cursor<'a>) -> &'a [u8] {
    let start = at.at;
    if at.eat(b"%") {
        at.take(|byte| is_name(byte) || byte == b'#');
    }
    &at.text[start..at.at]
}
