//! Who has which chunk, and which chunk a link takes next.

use super::cut::Cut;
use crate::random::SplitMix64;

/// Candidates up to which the rarest is looked for among all of them.
const SCANNED: u32 = 64;
/// Candidates that are drawn where there are more.
const DRAWN: u32 = 16;

/// The chunks of every rank, as bits.
pub(super) struct Matching {
    words: usize,
    /// What a rank can send on.
    has: Vec<u64>,
    /// What it has or was promised.
    expects: Vec<u64>,
    /// Ranks that have a chunk or were promised it.
    holders: Vec<u32>,
    /// Chunks that nobody has promised a rank yet.
    missing: Vec<u32>,
    random: SplitMix64,
}

impl Matching {
    pub(super) fn new(cut: &Cut, seed: u64) -> Self {
        let total = cut.total() as usize;
        let words = total.div_ceil(64);
        let mut has = vec![0u64; cut.ranks() * words];
        for rank in 0..cut.ranks() {
            for chunk in cut.of(rank as u32) {
                has[rank * words + chunk as usize / 64] |= 1 << (chunk % 64);
            }
        }
        let missing = |rank: usize| cut.total() - cut.of(rank as u32).len() as u32;
        Self {
            words,
            expects: has.clone(),
            has,
            holders: vec![1; total],
            missing: (0..cut.ranks()).map(missing).collect(),
            random: SplitMix64::new(seed),
        }
    }

    pub(super) fn missing(&self, rank: u32) -> u32 {
        self.missing[rank as usize]
    }

    pub(super) fn has(&self, rank: u32, chunk: u32) -> bool {
        self.has[rank as usize * self.words + chunk as usize / 64] >> (chunk % 64) & 1 == 1
    }

    /// Puts a list in an order by lot.
    pub(super) fn shuffle(&mut self, list: &mut [u32]) {
        for last in (1..list.len()).rev() {
            let other = self.random.below(last as u32 + 1) as usize;
            list.swap(last, other);
        }
    }

    /// Notes that `chunk` will come to `rank`.
    pub(super) fn promise(&mut self, rank: u32, chunk: u32) {
        self.expects[rank as usize * self.words + chunk as usize / 64] |= 1 << (chunk % 64);
        self.holders[chunk as usize] += 1;
        self.missing[rank as usize] -= 1;
    }

    /// Notes that it has come.
    pub(super) fn arrive(&mut self, rank: u32, chunk: u32) {
        self.has[rank as usize * self.words + chunk as usize / 64] |= 1 << (chunk % 64);
    }

    /// A chunk that `from` has and nobody has promised `to`, nor any of `others` (by rank): of all that few ranks have,
    /// one by lot.
    pub(super) fn pick(&mut self, from: u32, to: u32, others: &[u32]) -> Option<u32> {
        let words = self.words;
        let (has, expects) = (&self.has, &self.expects);
        let word = |at: usize| {
            let base = has[from as usize * words + at] & !expects[to as usize * words + at];
            others.iter().fold(base, |bits, &rank| {
                bits & !expects[rank as usize * words + at]
            })
        };
        // What is asked for often lies behind a first word by lot; whether there is much is known after some words.
        let start = self.random.below(words as u32) as usize;
        let around = |at: usize| (start + at) % words;
        let mut count = 0;
        for at in 0..words {
            count += word(around(at)).count_ones();
            if count > SCANNED {
                break;
            }
        }
        if count == 0 {
            return None;
        }
        Some(if count <= SCANNED {
            rarest(
                (0..words).map(around),
                word,
                &self.holders,
                &mut self.random,
            )
        } else {
            rarest_drawn(words, word, &self.holders, &mut self.random)
        })
    }
}

/// Of the chunks of all words, which come in this order, one by lot of those that fewest ranks have.
fn rarest(
    order: impl Iterator<Item = usize>,
    word: impl Fn(usize) -> u64,
    holders: &[u32],
    random: &mut SplitMix64,
) -> u32 {
    let (mut best, mut ties) = ((u32::MAX, 0), 0);
    for at in order {
        let mut bits = word(at);
        while bits != 0 {
            let chunk = at as u32 * 64 + bits.trailing_zeros();
            bits &= bits - 1;
            let holders = holders[chunk as usize];
            if holders < best.0 {
                (best, ties) = ((holders, chunk), 1);
            } else if holders == best.0 {
                ties += 1;
                if random.below(ties) == 0 {
                    best.1 = chunk;
                }
            }
        }
    }
    best.1
}

/// Of some chunks by lot, the first that fewest ranks have; there is at least one in all words.
fn rarest_drawn(
    words: usize,
    word: impl Fn(usize) -> u64,
    holders: &[u32],
    random: &mut SplitMix64,
) -> u32 {
    let mut best = (u32::MAX, 0);
    for _ in 0..DRAWN {
        let bits = random.next_u64();
        let mut at = (((bits >> 32) * words as u64) >> 32) as usize;
        let mut found = word(at);
        while found == 0 {
            at = (at + 1) % words;
            found = word(at);
        }
        // The first candidate at or after a bit by lot, around the word.
        let turn = bits as u32 % 64;
        let chunk = at as u32 * 64 + (found.rotate_right(turn).trailing_zeros() + turn) % 64;
        let holders = holders[chunk as usize];
        if holders < best.0 {
            best = (holders, chunk);
        }
    }
    best.1
}
