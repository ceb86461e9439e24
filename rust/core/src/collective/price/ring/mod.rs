//! What a flat ring through several domains costs, on which every rank goes on by itself.
//!
//! By link loads a message takes the overhead of its sender's messages of the step, its latency, and the longest that the
//! bytes of the step keep one of its links busy (`alpha_beta`: its own bytes). Hops are not alike, so ranks do not wait for
//! the slowest of each step: it is a bottleneck that others reach once. What n steps take is the longest chain of messages
//! (`windows.rs`), for each size another: a few linear functions of the size, of which the longest counts (`seconds.rs`).

mod hops;
mod repeats;
mod seconds;
mod windows;

pub(crate) use hops::{Pace, pace};
pub(crate) use seconds::Seconds;

use crate::{Control, Result};
use repeats::Row;
use seconds::{ROUNDING, Weights, envelope};
use windows::{Summary, longest};

/// A ring of domains: hops inside a domain, the same in each, then one on to the next. Hops are numbers of `hops`.
struct Circle {
    /// All that are unlike, and how many of each there are.
    hops: Vec<Seconds>,
    counts: Vec<f64>,
    /// The first hop of each domain, and those after it there.
    first: u32,
    rest: Row,
    /// What leads on from the first domain, from those between, and from the last.
    from_first: u32,
    from_between: Row,
    from_last: u32,
}

impl Circle {
    /// `onward` says which of `kinds` leads on from each domain.
    fn of(
        inside: &[Seconds],
        kinds: &[Seconds],
        onward: &[u32],
        control: &Control,
    ) -> Result<Self> {
        let mut hops: Vec<Seconds> = Vec::new();
        let mut number = |hop: &Seconds| {
            let known = hops.iter().position(|other| other.bits() == hop.bits());
            known.unwrap_or_else(|| {
                hops.push(*hop);
                hops.len() - 1
            }) as u32
        };
        let inside: Vec<u32> = inside.iter().map(&mut number).collect();
        // Those that are on this ring.
        let mut numbers: Vec<Option<u32>> = vec![None; kinds.len()];
        let mut of_kind = |kind: u32| {
            let known = &mut numbers[kind as usize];
            *known.get_or_insert_with(|| number(&kinds[kind as usize]))
        };
        let onward: Vec<u32> = onward.iter().map(|&kind| of_kind(kind)).collect();
        let mut counts = vec![0.0; hops.len()];
        for &hop in &onward {
            counts[hop as usize] += 1.0;
        }
        for &hop in &inside {
            counts[hop as usize] += onward.len() as f64;
        }
        Ok(Self {
            counts,
            first: inside[0],
            rest: Row::of(&inside[1..], control)?,
            from_first: onward[0],
            from_between: Row::of(&onward[1..onward.len() - 1], control)?,
            from_last: onward[onward.len() - 1],
            hops,
        })
    }

    /// The longest chain of so many rounds, each a step short of the ring, or `best` if that is no shorter.
    fn longest(&self, rounds: u64, weights: Weights, mut best: Seconds) -> Seconds {
        let mut stays: Vec<Seconds> = Vec::new();
        for stay in self.hops.iter().map(Seconds::stay) {
            if stays.iter().all(|other| other.bits() != stay.bits()) {
                stays.push(stay);
            }
        }
        stays.sort_by(|a, b| weights.of(b).total_cmp(&weights.of(a)));
        for stay in stays {
            if self.most(rounds, stay, weights) > weights.of(&best) * (1.0 + ROUNDING) {
                best = weights.longer([best, self.longest_at(rounds, stay, weights)]);
            }
        }
        best
    }

    /// No chain that stays at hops like `stay` is longer: one that goes all hops that are longer than staying, but for one
    /// a round, and stays at all others.
    fn most(&self, rounds: u64, stay: Seconds, weights: Weights) -> f64 {
        let (rounds, stay) = (rounds as f64, weights.of(&stay));
        let gain = |hop: &Seconds| (weights.of(hop) - stay).max(0.0);
        let all: f64 = (self.counts.iter().zip(&self.hops))
            .map(|(count, hop)| count * gain(hop))
            .sum();
        let left_out = self.hops.iter().map(gain).fold(f64::INFINITY, f64::min);
        rounds * ((self.counts.iter().sum::<f64>() - 1.0) * stay + all - left_out)
    }

    /// The longest chain that stays at hops like `stay`.
    fn longest_at(&self, rounds: u64, stay: Seconds, weights: Weights) -> Seconds {
        let hops = self.hops.iter();
        let hops: Vec<Summary> = hops.map(|&hop| Summary::hop(hop, stay, weights)).collect();
        let hop = |number: u32| hops[number as usize];
        let (first, rest) = (hop(self.first), self.rest.summed(&hop));
        let domain = first.then(&rest);
        let between = self
            .from_between
            .summed(&|onward| domain.then(&hop(onward)));
        let between = rest
            .then(&hop(self.from_first))
            .then(&between)
            .then(&domain);
        longest([&first, &between, &hop(self.from_last)], rounds, stay)
    }
}

/// All chains that are the longest on some of the rings at some size.
fn chains(circles: &[Circle], rounds: u64, control: &Control) -> Result<Vec<Seconds>> {
    envelope(|weights| {
        let mut longest = Seconds::default();
        for circle in circles {
            control.check()?;
            longest = circle.longest(rounds, weights, longest);
        }
        Ok(longest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// When the last rank has ended `steps` steps, by the recurrence itself.
    fn recurrence(hops: &[Seconds], steps: usize, scale: f64) -> f64 {
        let mut ready = vec![0.0f64; hops.len()];
        for _ in 0..steps {
            let sent = |rank: usize| ready[rank] + hops[rank].stay().at(scale);
            let arrived = |rank: usize| ready[rank] + hops[rank].at(scale);
            ready = (0..hops.len())
                .map(|rank| sent(rank).max(arrived((rank + hops.len() - 1) % hops.len())))
                .collect();
        }
        ready.into_iter().fold(0.0, f64::max)
    }

    fn seconds() -> impl Strategy<Value = Seconds> {
        let some = || prop_oneof![Just(0.0), Just(1.0), Just(5.0), 0.0..10.0f64, 0.0..1e3f64];
        (some(), some(), some()).prop_map(|(latency, overhead, serial)| Seconds {
            latency,
            overhead,
            serial,
        })
    }

    fn circles() -> impl Strategy<Value = (Vec<Seconds>, Vec<Seconds>, Vec<u32>)> {
        let few = |most| prop::collection::vec(seconds(), 1..most);
        (few(5), few(4)).prop_flat_map(|(inside, kinds)| {
            let kind = 0..kinds.len() as u32;
            let onward = prop::collection::vec(kind, 2..9);
            (Just(inside), Just(kinds), onward)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn a_ring_takes_what_its_recurrence_takes(
            (inside, kinds, onward) in circles(),
            rounds in 1u64..3,
            scales in prop::collection::vec(prop_oneof![0.0..2.0f64, 0.0..1e4f64, Just(0.0), Just(1e6)], 8),
        ) {
            let domain = |kind: &u32| inside.iter().copied().chain([kinds[*kind as usize]]);
            let hops: Vec<Seconds> = onward.iter().flat_map(domain).collect();
            let control = Control::default();
            let circle = Circle::of(&inside, &kinds, &onward, &control).unwrap();
            let chains = chains(&[circle], rounds, &control).unwrap();
            for scale in scales {
                let told = chains.iter().map(|chain| chain.at(scale)).fold(0.0, f64::max);
                let steps = rounds as usize * (hops.len() - 1);
                let wanted = recurrence(&hops, steps, scale);
                prop_assert!((told - wanted).abs() <= 1e-12 * wanted, "{} {}", told, wanted);
            }
        }
    }
}
