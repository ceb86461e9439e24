//! Which event is within which, by time on its thread.

use super::rows::{Event, Kind};

/// Sets [`Event::within`] of all events of the host.
pub(super) fn mark(events: &mut [Event]) {
    let mut order: Vec<u32> = (0..events.len() as u32)
        .filter(|&at| {
            let event = &events[at as usize];
            event.kind.of_host() && event.start_ns.is_some() && event.duration_ns.is_some()
        })
        .collect();
    // Of those that begin together the longest is the outer one, of equals the one that was written first.
    order.sort_by_key(|&at| {
        let event = &events[at as usize];
        let length = event.duration_ns.unwrap_or(0);
        (event.lane, event.start_ns, std::cmp::Reverse(length), at)
    });
    let mut open: Vec<(u32, i64)> = Vec::new();
    let mut lane = None;
    for at in order {
        let event = &mut events[at as usize];
        if lane != Some(event.lane) {
            lane = Some(event.lane);
            open.clear();
        }
        let start = event.start_ns.unwrap_or(0);
        let end = start.saturating_add(event.duration_ns.unwrap_or(0).max(0));
        while open
            .last()
            .is_some_and(|&(_, until)| until < end || until <= start && end > start)
        {
            open.pop();
        }
        event.within = open.last().map(|&(outer, _)| outer);
        if event.kind != Kind::Step {
            open.push((at, end));
        }
    }
}
