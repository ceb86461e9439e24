//! Shapes: arrays and tuples of them, with layouts.

use crate::cursor::{Cursor, DEEPEST};
use crate::error::Result;
use crate::program::{Dtype, dtype};

/// One array of a shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// None of a token or what else has no elements.
    pub(super) dtype: Option<Dtype>,
    /// None where a dimension has no bound.
    pub(super) bytes: Option<u64>,
    /// A dimension may be less than the text has.
    pub(super) dynamic: bool,
    /// Laid out in tiles, as TPU's compiler does.
    pub(super) tiled: bool,
}

/// All arrays of a shape, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) arrays: Vec<Array>,
    /// How many arrays there are up to the end of each element of the outermost tuple.
    ends: Vec<usize>,
}

impl Shape {
    /// Reads the shape that stands at the cursor.
    pub(super) fn read(at: &mut Cursor<'_>) -> Result<Self> {
        let mut shape = Self::default();
        let mut depth = 0usize;
        loop {
            at.blanks();
            if at.eat(b"(") {
                depth += 1;
                if depth > DEEPEST {
                    return Err(at.wrong(format!("must be at most {DEEPEST} tuples deep")));
                }
                at.blanks();
                if at.peek() != b')' {
                    continue;
                }
            } else {
                shape.arrays.push(array(at)?);
            }
            loop {
                if depth <= 1 {
                    shape.ends.push(shape.arrays.len());
                }
                if depth == 0 {
                    return Ok(shape);
                }
                at.blanks();
                if at.eat(b",") {
                    break;
                }
                at.expect(")")?;
                depth -= 1;
                if depth == 0 {
                    return Ok(shape);
                }
            }
        }
    }

    /// The element of a tuple; of an array, itself.
    pub(super) fn element(&self, number: usize) -> Option<&[Array]> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 {
            0
        } else {
            self.ends[number - 1]
        };
        Some(&self.arrays[start..end])
    }

    /// Elements of a tuple.
    pub(super) fn elements(&self) -> usize {
        self.ends.len()
    }
}

/// Bytes of arrays in all; None where one has no bound.
pub(super) fn bytes(arrays: &[Array], at: Cursor<'_>) -> Result<Option<u64>> {
    let mut all = 0u64;
    for array in arrays {
        let Some(bytes) = array.bytes else {
            return Ok(None);
        };
        all = checked(all.checked_add(bytes), at)?;
    }
    Ok(Some(all))
}

fn checked(bytes: Option<u64>, at: Cursor<'_>) -> Result<u64> {
    bytes
        .filter(|bytes| *bytes <= i64::MAX as u64)
        .ok_or_else(|| at.wrong("must be a shape of fewer than 2**63 bytes"))
}

fn array(at: &mut Cursor<'_>) -> Result<Array> {
    let start = *at;
    let name = at.name();
    if at.peek() != b'[' {
        return Err(start.wrong("must be a shape, as in 'bf16[8,128]{1,0}'"));
    }
    let known = dtype(name);
    if known.is_none() && !matches!(name, b"token" | b"opaque" | b"buffer") {
        return Err(start.wrong("must be a type of HLO, as 'bf16' or 'f8e4m3fn'"));
    }
    at.at += 1;
    let (mut elements, mut dynamic) = (Some(1u64), false);
    at.blanks();
    while !at.eat(b"]") {
        dynamic |= at.eat(b"<=");
        if at.eat(b"?") {
            (elements, dynamic) = (None, true);
        } else {
            let size = at.count()?;
            elements = match elements {
                None => None,
                Some(elements) => Some(checked(elements.checked_mul(size), start)?),
            };
        }
        at.blanks();
        if !at.eat(b",") && at.peek() != b']' {
            return Err(at.wrong("must be ',' or ']' after a dimension"));
        }
        at.blanks();
    }
    let layout = if at.peek() == b'{' {
        at.bracket()?
    } else {
        b""
    };
    let packed = known.is_some_and(|one| one.bits < 8) && said_bits(layout);
    let bytes = match (known, elements) {
        (None, _) => Some(0),
        (Some(_), None) => None,
        // Without a size of its elements in the layout, each takes whole bytes.
        (Some(one), Some(elements)) => {
            let bits = if packed { one.bits } else { one.bits.max(8) };
            Some(checked(elements.checked_mul(bits), start)?.div_ceil(8))
        }
    };
    Ok(Array {
        dtype: known,
        bytes,
        dynamic,
        tiled: memchr::memmem::find(layout, b"T(").is_some(),
    })
}

/// Whether a layout says how many bits an element takes: `E(4)`.
fn said_bits(layout: &[u8]) -> bool {
    memchr::memmem::find(layout, b"E(").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Shape> {
        Shape::read(&mut Cursor::new(text.as_bytes(), 0, text.len()))
    }

    fn total(text: &str) -> Option<u64> {
        let shape = read(text).unwrap();
        bytes(&shape.arrays, Cursor::new(b"", 0, 0)).unwrap()
    }

    #[test]
    fn bytes_of_shapes() {
        assert_eq!(total("bf16[8,128]{1,0:T(8,128)(2,1)S(1)}"), Some(2048));
        assert_eq!(
            total("(f32[2]{0}, /*index=1*/(u32[], token[]), pred[3])"),
            Some(15)
        );
        assert_eq!(total("s4[8]{0:E(4)}"), Some(4));
        assert_eq!(total("s4[8]{0}"), Some(8));
        assert_eq!(total("f8e4m3fn[<=16]"), Some(16));
        assert_eq!(total("f32[?,2]"), None);
        assert_eq!(total("()"), Some(0));
        assert_eq!(total("c128[0,5]"), Some(0));
    }

    #[test]
    fn elements_of_the_outer_tuple() {
        let shape = read("((f32[4], f32[2]), (f32[8], f32[4]), u32[])").unwrap();
        assert_eq!(shape.elements(), 3);
        assert_eq!(shape.element(1).unwrap().len(), 2);
    }

    #[test]
    fn wrong_shapes() {
        for text in [
            "f33[2]",
            "f32[2",
            "f32[-2]",
            "(f32[2]",
            "f32",
            "f32[9999999999,9999999999]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"(".repeat(100_000)).is_err());
    }
}
