//! Messages that are alone on their route.

/// Notes (latency, seconds per byte) of a message, and drops those that it dominates.
pub(crate) fn note(noted: &mut Vec<(f64, f64)>, latency: f64, seconds_per_byte: f64) {
    let dominated = |&(other, slope): &(f64, f64)| other >= latency && slope >= seconds_per_byte;
    if noted.iter().any(dominated) {
        return;
    }
    noted.retain(|&(other, slope)| other > latency || slope > seconds_per_byte);
    noted.push((latency, seconds_per_byte));
}
