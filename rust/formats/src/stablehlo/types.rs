//! Types of MLIR as bytes: tensors, tuples of them, tokens.

use super::syntax::value;
use crate::cursor::Cursor;
use crate::error::Result;
use crate::program::{Dtype, dtype};

/// A tensor type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    /// None of a token.
    pub(super) dtype: Option<Dtype>,
    /// Of all dimensions, at their bounds; None where one has none.
    pub(super) elements: Option<u64>,
    pub(super) dynamic: bool,
}

impl Tensor {
    /// Bytes; elements of less than a byte are packed.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self.dtype {
            None => Some(0),
            Some(one) => self.elements.map(|n| (n * one.bits).div_ceil(8)),
        }
    }
}

/// What goes into an operation and what comes out of it, from its colon on.
pub(super) fn signature(at: &mut Cursor<'_>) -> Result<(Vec<Tensor>, Vec<Tensor>)> {
    at.blanks();
    at.expect(":")?;
    let operands = several(at)?;
    let mut arrow = *at;
    arrow.blanks();
    if !arrow.eat(b"->") {
        return Ok((operands.clone(), operands));
    }
    *at = arrow;
    let results = several(at)?;
    Ok((operands, results))
}

/// `(type, type)`, or types without parentheses.
fn several(at: &mut Cursor<'_>) -> Result<Vec<Tensor>> {
    at.blanks();
    let mut types = Vec::new();
    let closed = at.eat(b"(");
    loop {
        at.blanks();
        if closed && at.eat(b")") {
            return Ok(types);
        }
        types.extend(one(at)?);
        let mut ahead = *at;
        ahead.blanks();
        if ahead.eat(b",") {
            *at = ahead;
        } else if closed {
            at.blanks();
            at.expect(")")?;
            return Ok(types);
        } else {
            return Ok(types);
        }
    }
}

/// One type; a tuple is all of its own.
fn one(at: &mut Cursor<'_>) -> Result<Vec<Tensor>> {
    let start = *at;
    if at.eat(b"tuple<") {
        let mut inner = *at;
        let mut types = Vec::new();
        loop {
            inner.blanks();
            if inner.eat(b">") {
                *at = inner;
                return Ok(types);
            }
            // A tuple within a tuple is refused: StableHLO's collectives have none.
            types.push(tensor(&mut inner)?);
            inner.blanks();
            inner.eat(b",");
        }
    }
    if at.peek() == b'!' {
        at.at += 1;
        at.name();
        if at.peek() == b'<' {
            value(at)?;
        }
        return Ok(vec![Tensor {
            dtype: None,
            elements: Some(0),
            dynamic: false,
        }]);
    }
    *at = start;
    Ok(vec![tensor(at)?])
}

/// `tensor<4x?xbf16, #stablehlo.bounds<?, 8>>`.
pub(super) fn tensor(at: &mut Cursor<'_>) -> Result<Tensor> {
    let start = *at;
    if !at.eat(b"tensor<") && !at.eat(b"memref<") {
        return Err(start.wrong("must be a type as 'tensor<4x8xbf16>'"));
    }
    let mut sizes: Vec<Option<u64>> = Vec::new();
    loop {
        if at.eat(b"?x") {
            sizes.push(None);
            continue;
        }
        let mut ahead = *at;
        let digits = ahead.take(|byte| byte.is_ascii_digit());
        if digits.is_empty() || ahead.peek() != b'x' {
            break;
        }
        sizes.push(Some(at.count()?));
        at.at += 1;
    }
    let element = element(at)?;
    at.blanks();
    if at.eat(b",") {
        at.blanks();
        let mut encoding = value(at)?;
        bounds(&mut encoding, &mut sizes)?;
    }
    let dynamic = sizes.iter().any(Option::is_none) || at.text[start.at..at.at].contains(&b'?');
    at.expect(">")?;
    let mut elements = Some(1u64);
    for size in sizes {
        elements = match (elements, size) {
            (Some(all), Some(size)) => Some(
                all.checked_mul(size)
                    .filter(|all| *all < 1 << 56)
                    .ok_or_else(|| start.wrong("must be a type of fewer than 2**56 elements"))?,
            ),
            _ => None,
        };
    }
    Ok(Tensor {
        dtype: Some(element),
        elements,
        dynamic,
    })
}

/// The type of elements; of a quantized one, how it is stored.
fn element(at: &mut Cursor<'_>) -> Result<Dtype> {
    let start = *at;
    if at.eat(b"!quant.") {
        at.take(|byte| byte != b'<');
        let mut inside = *at;
        inside.eat(b"<");
        let found = dtype(inside.name());
        value(at)?;
        return found
            .ok_or_else(|| start.wrong("must be a quantized type stored as i8 or another"));
    }
    let name = at.take(|byte| byte.is_ascii_alphanumeric());
    let mut length = name.len();
    if name == b"complex" && at.peek() == b'<' {
        at.take(|byte| byte != b'>');
        at.eat(b">");
        length = at.at - start.at;
    }
    let name = &at.text[start.at..start.at + length];
    dtype(name).ok_or_else(|| start.wrong("must be a type of elements, as 'bf16' or 'f8E4M3FN'"))
}

/// `#stablehlo.bounds<?, 8>`: the most that dynamic sizes may be.
fn bounds(at: &mut Cursor<'_>, sizes: &mut [Option<u64>]) -> Result<()> {
    let known = [
        &b"#stablehlo.bounds<"[..],
        b"#stablehlo.type_extensions<bounds = [",
        b"#mhlo.type_extensions<bounds = [",
    ];
    if !known.iter().any(|word| at.eat(word)) {
        return Ok(());
    }
    for size in sizes {
        at.blanks();
        if !at.eat(b"?") {
            let most = at.count()?;
            size.get_or_insert(most);
        }
        at.blanks();
        at.eat(b",");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Option<u64> {
        tensor(&mut Cursor::new(text.as_bytes(), 0, text.len()))
            .unwrap()
            .bytes()
    }

    #[test]
    fn bytes_of_types() {
        assert_eq!(bytes("tensor<4x8xbf16>"), Some(64));
        assert_eq!(bytes("tensor<f32>"), Some(4));
        assert_eq!(bytes("tensor<16xi4>"), Some(8));
        assert_eq!(bytes("tensor<3xi1>"), Some(3));
        assert_eq!(bytes("tensor<2xcomplex<f64>>"), Some(32));
        assert_eq!(
            bytes("tensor<?x8xf8E4M3FN, #stablehlo.bounds<4, ?>>"),
            Some(32)
        );
        assert_eq!(bytes("tensor<?xf32>"), None);
        assert_eq!(bytes("tensor<4x!quant.uniform<i8:f32, 2.0:1>>"), Some(4));
    }

    #[test]
    fn signatures() {
        let text = ": (tensor<2xf32>, !stablehlo.token) -> (tensor<4xf32>, !stablehlo.token)";
        let mut at = Cursor::new(text.as_bytes(), 0, text.len());
        let (operands, results) = signature(&mut at).unwrap();
        assert_eq!(operands[0].bytes(), Some(8));
        assert_eq!(operands[1].bytes(), Some(0));
        assert_eq!(results[0].bytes(), Some(16));
    }
}
