//! Microseconds as they are written, with three decimals and sixteen digits: beyond what a double keeps.

/// Nanoseconds of a number of microseconds as text; None where it is no number or beyond 64 bits.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let text = text.trim_matches('"').trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if digits.contains(['e', 'E']) {
        let value: f64 = text.parse().ok()?;
        let scaled = (value * 1e3).round();
        // Beyond 2**53 a double is no exact number of nanoseconds.
        return (scaled.abs() < 9_007_199_254_740_992.0).then_some(scaled as i64);
    }
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !(whole.bytes().chain(part.bytes())).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut thousandths = 0_i64;
    for at in 0..3 {
        let digit = part.as_bytes().get(at).map_or(0, |byte| byte - b'0');
        thousandths = thousandths * 10 + i64::from(digit);
    }
    if part.as_bytes().get(3).is_some_and(|&byte| byte >= b'5') {
        thousandths += 1;
    }
    let whole: i64 = whole.parse().ok()?;
    let total = whole.checked_mul(1000)?.checked_add(thousandths)?;
    Some(sign * total)
}
