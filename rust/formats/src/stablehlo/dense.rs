//! Tables of ids: `dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>`, their bytes in hexadecimal, or one number for all.

use crate::cursor::Cursor;
use crate::error::Result;
use crate::program::Ids;

/// Rows of a table: the ids one after the other, and how many each row has; None where they are left out of the text.
pub(super) fn table(at: Cursor<'_>) -> Result<Option<(Vec<i64>, u64)>> {
    let mut at = at;
    let start = at;
    if at.eat(b"dense_resource<") {
        return Ok(None);
    }
    at.expect("dense<")?;
    let begin = at.at;
    let Some(length) = close(at.rest()) else {
        return Err(start.wrong("must be closed with '>'; the text may be cut short"));
    };
    let body = Cursor::new(at.text, begin, begin + length);
    at.at = begin + length + 1;
    at.blanks();
    at.expect(":")?;
    at.blanks();
    let (rows, columns, bytes) = shape(&mut at)?;
    let wrong = || start.wrong("must have as many ids as its type, and each once");
    let count = rows.checked_mul(columns).ok_or_else(wrong)?;
    let body_text = body.rest().trim_ascii();
    let ids = match body_text.first() {
        None => Vec::new(),
        Some(b'"') => {
            let mut quoted = body;
            quoted.blanks();
            let text = quoted.quoted()?;
            if text == b"__elided__" {
                return Ok(None);
            }
            hexadecimal(text, bytes).ok_or_else(wrong)?
        }
        Some(b'[') => listed(body)?,
        // One number for all: only a table of one id, or the pair of one with itself, has no id twice.
        Some(_) => {
            let mut number = body;
            number.blanks();
            let id = number.number()?;
            match count {
                1 | 2 => vec![id; count as usize],
                _ => return Err(wrong()),
            }
        }
    };
    if ids.len() as u64 != count {
        return Err(wrong());
    }
    Ok(Some((ids, columns)))
}

/// Where the `>` is that closes: outside of quotes.
fn close(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for at in memchr::memchr2_iter(b'"', b'>', text) {
        match text[at] {
            b'"' => quoted = !quoted,
            _ if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Rows, columns and bytes of an id, of `tensor<2x4xi64>`.
fn shape(at: &mut Cursor<'_>) -> Result<(u64, u64, usize)> {
    let start = *at;
    at.expect("tensor<")?;
    let mut sizes = Vec::new();
    while at.peek().is_ascii_digit() {
        sizes.push(at.count()?);
        at.expect("x")?;
    }
    let bytes = match at.name() {
        b"i64" | b"ui64" => 8,
        b"i32" | b"ui32" => 4,
        _ => return Err(start.wrong("must be a table of i64")),
    };
    match sizes[..] {
        [rows, columns] => Ok((rows, columns, bytes)),
        [columns] => Ok((1, columns, bytes)),
        _ => Err(start.wrong("must be a table of two dimensions")),
    }
}

/// `[[0, 1], [2, 3]]`.
fn listed(mut at: Cursor<'_>) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    let mut depth = 0usize;
    loop {
        at.blanks();
        if at.eat(b"[") {
            depth += 1;
            if depth > 2 {
                return Err(at.wrong("must be a table of two dimensions"));
            }
        } else if at.eat(b"]") {
            depth = depth.saturating_sub(1);
        } else if at.at == at.end {
            return Ok(ids);
        } else if !at.eat(b",") {
            ids.push(at.number()?);
        }
    }
}

fn hexadecimal(text: &[u8], bytes: usize) -> Option<Vec<i64>> {
    let digits = text.strip_prefix(b"0x")?;
    if digits.len() % (2 * bytes) != 0 {
        return None;
    }
    let one = |word: &[u8]| {
        let mut value = 0u64;
        for pair in word.chunks(2).rev() {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            value = value << 8 | u64::from(high << 4 | low);
        }
        Some(if bytes == 4 {
            i64::from(value as u32 as i32)
        } else {
            value as i64
        })
    };
    digits.chunks(2 * bytes).map(one).collect()
}

/// Rows of a table as groups; -1 fills up those that are shorter.
pub(super) fn as_ids(ids: &[i64], columns: u64, at: Cursor<'_>) -> Result<Ids> {
    let (mut kept, mut sizes) = (Vec::with_capacity(ids.len()), Vec::new());
    if columns == 0 || ids.is_empty() {
        return Ok(Ids::All);
    }
    for row in ids.chunks(columns as usize) {
        let used = row.iter().take_while(|id| **id >= 0);
        let before = kept.len();
        kept.extend(used);
        let size = kept.len() - before;
        if size == 0 || row[size..].iter().any(|id| *id != -1) {
            return Err(at.wrong("must have ids >= 0 in each group, and -1 only at its end"));
        }
        sizes.push(size as u64);
    }
    Ok(Ids::Lists(kept, sizes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Option<(Vec<i64>, u64)> {
        table(Cursor::new(text.as_bytes(), 0, text.len())).unwrap()
    }

    #[test]
    fn spellings() {
        let wanted = Some((vec![0, 2, 1, 3], 2));
        assert_eq!(ids("dense<[[0, 2], [1, 3]]> : tensor<2x2xi64>"), wanted);
        let hex = "dense<\"0x00000000020000000100000003000000\"> : tensor<2x2xi32>";
        assert_eq!(ids(hex), wanted);
        assert_eq!(ids("dense<0> : tensor<1x1xi64>"), Some((vec![0], 1)));
        assert_eq!(ids("dense<> : tensor<0x0xi64>"), Some((Vec::new(), 0)));
        assert_eq!(ids("dense_resource<__elided__> : tensor<2x2xi64>"), None);
        let text = b"dense<0> : tensor<1000000000x2xi64>";
        assert!(table(Cursor::new(text, 0, text.len())).is_err());
    }
}
