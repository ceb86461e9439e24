//! Messages on their way to one rank, which are met with what waits for them: the nth sent with the nth awaited.

use std::collections::{BTreeMap, VecDeque};

/// What goes on when a message is there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reader {
    /// A phase of a chunk.
    Chunk(u32),
    /// A node of a trace, at a rank.
    Node(u32, u32),
    /// A message that waited for its peer's consent: sent now.
    Consent(u32),
}

/// Tag, sender, bytes.
pub(super) type Key = (u64, u32, u64);

#[derive(Debug, Default)]
struct Channel {
    sent: u64,
    awaited: u64,
    arrived: u64,
    readers: VecDeque<Reader>,
}

/// All messages to one rank.
#[derive(Debug, Default)]
pub(super) struct Post(BTreeMap<Key, Channel>);

impl Post {
    pub(super) fn send(&mut self, key: Key) {
        self.0.entry(key).or_default().sent += 1;
    }

    /// Awaits a message; true where it has arrived already.
    pub(super) fn await_one(&mut self, key: Key, reader: Reader) -> bool {
        let channel = self.0.entry(key).or_default();
        channel.awaited += 1;
        if channel.arrived >= channel.awaited {
            self.settle(key);
            return true;
        }
        channel.readers.push_back(reader);
        false
    }

    /// A message has arrived; who waits for it, if any.
    pub(super) fn arrive(&mut self, key: Key) -> Option<Reader> {
        let channel = self.0.entry(key).or_default();
        channel.arrived += 1;
        let reader = channel.readers.pop_front();
        self.settle(key);
        reader
    }

    /// Forgets a channel on which nothing is under way.
    fn settle(&mut self, key: Key) {
        if let Some(channel) = self.0.get(&key) {
            if channel.sent == channel.arrived && channel.arrived == channel.awaited {
                self.0.remove(&key);
            }
        }
    }
}
