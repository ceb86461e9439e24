//! One message as an engine sees it, and whose it is.

use crate::collective::program::moves::Sends;
use crate::collective::program::schedule::Part;
use crate::{Error, Result};
use std::sync::Arc;

/// Most messages of one simulation.
pub(super) const MOST_MESSAGES: usize = 1 << 20;

/// One message, or several that are alike.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// (resource, bytes on it per byte of the message), in hop order.
    pub(super) path: Arc<[(u32, f64)]>,
    /// Seconds of its longest way.
    pub(super) latency: f64,
    /// Part of the bytes that goes this way: below 1 where a message is cut in two.
    pub(super) share: f64,
    /// Who sends and who receives, as far as they are told apart.
    pub(super) ends: (u32, u32),
    /// Which of the part's moves it belongs to, and which of their sends it is.
    pub(super) moves: u32,
    pub(super) send: u32,
}

/// True when two parts have the same messages in the same lanes.
pub(super) fn same(a: &Part, b: &Part) -> bool {
    let lengths = |part: &Part| -> Vec<usize> {
        part.moves.iter().map(|moves| count(&moves.sends)).collect()
    };
    Arc::ptr_eq(&a.pattern, &b.pattern) && lengths(a) == lengths(b)
}

fn count(sends: &Sends) -> usize {
    sends.count().unwrap_or(usize::MAX)
}

/// The pattern's messages by the moves that they belong to, each with its place among the sends of those moves: in
/// every group, the messages of one after those of another.
pub(super) type Numbered = Vec<(u32, (u32, u32))>;

pub(super) fn by_moves(part: &Part, pairs: &[(u32, u32)]) -> Vec<Numbered> {
    if let [_] = &part.moves[..] {
        let sends = count(&part.moves[0].sends).min(pairs.len()).max(1);
        let numbered = |(at, &pair)| ((at % sends) as u32, pair);
        return vec![pairs.iter().enumerate().map(numbered).collect()];
    }
    let counts: Vec<usize> = part.moves.iter().map(|moves| count(&moves.sends)).collect();
    let of_group: usize = counts.iter().sum();
    let mut found = vec![Numbered::new(); counts.len()];
    for group in pairs.chunks(of_group) {
        let mut first = 0;
        for (moves, &own) in counts.iter().enumerate() {
            let numbered = (0..).zip(group[first..first + own].iter().copied());
            found[moves].extend(numbered);
            first += own;
        }
    }
    found
}

pub(super) fn sends_of(numbered: &Numbered) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
    numbered.iter().map(|entry| entry.1)
}

pub(super) fn few(messages: u64) -> Result<()> {
    if messages > MOST_MESSAGES as u64 {
        return Err(Error::unsupported(
            format!("simulating {messages} messages at once"),
            "use model \"link_load\", or an algorithm with fewer messages",
        ));
    }
    Ok(())
}
