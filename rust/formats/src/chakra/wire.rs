//! The encoding of protobuf messages: numbers of 7 bits a byte, fields by number, lengths.

use crate::error::{Error, Place, Result};

/// A stretch of a file that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'a> {
    data: &'a [u8],
    at: usize,
    end: usize,
}

/// What a field holds, before its type is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight([u8; 8]),
    Bytes(Wire<'a>),
}

/// Largest number of a field.
const MOST_FIELDS: u64 = (1 << 29) - 1;

impl<'a> Wire<'a> {
    pub(super) fn of(data: &'a [u8]) -> Self {
        Self {
            data,
            at: 0,
            end: data.len(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.at >= self.end
    }

    /// Byte of the file at which it stands.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// What is left of it.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.data[self.at..self.end]
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64> {
        let start = self.at;
        let mut value = 0u64;
        for place in 0..10 {
            let Some(&byte) = self.data[..self.end].get(self.at) else {
                return Err(at(
                    start,
                    "a number that breaks off",
                    "must go on: the file is cut short, or a length is wrong",
                ));
            };
            self.at += 1;
            if place == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(at(
            start,
            "a number of more than 64 bits",
            "must fit 64 bits",
        ))
    }

    /// A stretch behind its length.
    pub(super) fn message(&mut self) -> Result<Wire<'a>> {
        let start = self.at;
        let length = self.number()?;
        let left = (self.end - self.at) as u64;
        if length > left {
            let got = format!("a length of {length} bytes where {left} are left");
            return Err(at(
                start,
                got,
                "must end within what holds it: the file is cut short, or the length is wrong",
            ));
        }
        let inner = Wire {
            data: self.data,
            at: self.at,
            end: self.at + length as usize,
        };
        self.at = inner.end;
        Ok(inner)
    }

    /// The next field and its number.
    pub(super) fn field(&mut self) -> Result<(u32, Field<'a>)> {
        let start = self.at;
        let tag = self.number()?;
        let number = tag >> 3;
        if number == 0 || number > MOST_FIELDS {
            return Err(at(
                start,
                format!("field number {number}"),
                "must be 1 to 536870911",
            ));
        }
        let field = match tag & 7 {
            0 => Field::Number(self.number()?),
            1 => Field::Eight(self.fixed()?),
            2 => Field::Bytes(self.message()?),
            5 => Field::Four(self.fixed()?),
            other => {
                return Err(at(
                    start,
                    format!("wire type {other}"),
                    "must be 0, 1, 2 or 5: this is no trace, or it is damaged",
                ));
            }
        };
        Ok((number as u32, field))
    }

    /// Some bytes.
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let found = self.rest().first_chunk::<N>().copied();
        let Some(found) = found else {
            return Err(at(
                self.at,
                format!("{} bytes", self.end - self.at),
                &format!("must be {N} bytes: the file is cut short, or a length is wrong"),
            ));
        };
        self.at += N;
        Ok(found)
    }

    /// All of it as text.
    pub(super) fn text(self) -> Result<String> {
        match std::str::from_utf8(self.rest()) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(at(
                self.at + error.valid_up_to(),
                "bytes that are no UTF-8",
                "must be text in UTF-8",
            )),
        }
    }
}

impl<'a> Field<'a> {
    pub(super) fn as_number(self, offset: usize) -> Result<u64> {
        match self {
            Self::Number(value) => Ok(value),
            _ => Err(wrong(offset, "a number")),
        }
    }

    pub(super) fn as_bytes(self, offset: usize) -> Result<Wire<'a>> {
        match self {
            Self::Bytes(wire) => Ok(wire),
            _ => Err(wrong(offset, "a length and as many bytes")),
        }
    }

    /// One or several numbers, packed or one by one.
    pub(super) fn numbers(self, offset: usize, into: &mut Vec<u64>) -> Result<()> {
        match self {
            Self::Number(value) => into.push(value),
            Self::Bytes(mut wire) => {
                while !wire.is_over() {
                    into.push(wire.number()?);
                }
            }
            _ => return Err(wrong(offset, "numbers")),
        }
        Ok(())
    }
}

/// A field of another type than its number has.
pub(super) fn wrong(offset: usize, expected: &str) -> Error {
    at(
        offset,
        "a field of another type",
        &format!("must be {expected}"),
    )
}

/// An error at a byte.
pub(super) fn at(offset: usize, got: impl Into<String>, allowed: &str) -> Error {
    Error::At {
        place: Place::Byte(offset as u64),
        got: got.into(),
        allowed: allowed.to_owned(),
    }
}
