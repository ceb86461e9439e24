//! Crews: the ranks of one group in one domain, of groups that have other chips in one domain than in another.
//!
//! The data of a group is cut inside each domain at the shares of its crew: of n members the i-th has [i / n, (i + 1) / n).
//! What one crew sends to another goes from owner to owner of the same bytes.

use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use crate::weigh::Scale;
use crate::{Control, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The ranks of one group in one domain.
#[derive(Debug, PartialEq)]
pub(crate) struct Crew {
    /// Which group.
    pub(crate) group: u32,
    pub(crate) domain: u32,
    /// Local chips, by rank.
    pub(crate) locals: Vec<u32>,
    /// Ranks in the group.
    pub(crate) ranks: Vec<u32>,
}

/// All crews of some groups.
#[derive(Debug)]
pub(crate) struct Crews {
    pub(crate) all: Vec<Crew>,
    /// Numbers of the crews of each group, by domain.
    pub(crate) of_groups: Vec<Vec<u32>>,
    /// The crews that have the same local chips as the most others, where there is one group on whole domains.
    pub(crate) alike: Vec<u32>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Option<Taken>,
}

impl PartialEq for Crews {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.all == other.all
    }
}

impl Crews {
    /// The crews of listed groups; `None` where each group is in one domain, or has one chip in each.
    pub(super) fn of(
        machine: &Machine,
        groups: &[Vec<u32>],
        control: &Control,
    ) -> Result<Option<Self>> {
        let chips = groups.iter().map(Vec::len).sum::<usize>() as u64;
        let each = bytes_of::<(Crew, [u64; 4])>(1) + bytes_of::<[u32; 2]>(1);
        let what = format_args!("who of {chips} ranks is in which UltraServer");
        let taken = control.take(each.saturating_mul(chips), what, "use a smaller group")?;
        let mut all: Vec<Crew> = Vec::new();
        let mut of_groups = Vec::with_capacity(groups.len());
        for (group, chips) in (0..).zip(groups) {
            control.check()?;
            let first = all.len();
            let mut number: BTreeMap<u32, usize> = BTreeMap::new();
            for (rank, &chip) in (0..).zip(chips) {
                let (domain, local) = machine.split(chip);
                number.entry(domain).or_insert_with(|| {
                    all.push(Crew {
                        group,
                        domain,
                        locals: Vec::new(),
                        ranks: Vec::new(),
                    });
                    all.len() - 1
                });
                let crew = &mut all[number[&domain]];
                crew.locals.push(local);
                crew.ranks.push(rank);
            }
            all[first..].sort_by_key(|crew| crew.domain);
            of_groups.push((first as u32..all.len() as u32).collect());
        }
        let spans = of_groups.iter().any(|crews: &Vec<u32>| crews.len() > 1);
        if !spans || all.iter().all(|crew| crew.locals.len() == 1) {
            return Ok(None);
        }
        let mut crews = Self {
            all,
            of_groups,
            alike: Vec::new(),
            taken: Some(taken),
        };
        if groups.len() == 1 && !machine.is_damaged() {
            let classes = crews.classes(|_| true);
            let most = classes.into_iter().max_by_key(|class| {
                let chips = self::chips(&crews, class);
                // Of as many the one with more chips, of those the first.
                (class.len(), chips.len(), std::cmp::Reverse(class[0]))
            });
            crews.alike = most.unwrap_or_default();
        }
        Ok(Some(crews))
    }

    /// Crews that have the same local chips, together, the first ones first.
    pub(crate) fn classes(&self, counts: impl Fn(u32) -> bool) -> Vec<Vec<u32>> {
        let mut classes: BTreeMap<&[u32], Vec<u32>> = BTreeMap::new();
        let numbers = (0..self.all.len() as u32).filter(|&crew| counts(crew));
        for number in numbers {
            let locals = self.all[number as usize].locals.as_slice();
            classes.entry(locals).or_default().push(number);
        }
        let mut classes: Vec<Vec<u32>> = classes.into_values().collect();
        classes.sort_by_key(|class| class[0]);
        classes
    }

    /// Members of the smallest crew.
    pub(crate) fn fewest(&self) -> u32 {
        let sizes = self.all.iter().map(|crew| crew.locals.len() as u32);
        sizes.min().unwrap_or(0)
    }

    /// The first so many members of each alone, who speak for all.
    pub(crate) fn speakers(&self, count: u32) -> Self {
        let speakers = |crew: &Crew| Crew {
            locals: crew.locals[..count as usize].to_vec(),
            ranks: crew.ranks[..count as usize].to_vec(),
            ..*crew
        };
        Self {
            all: self.all.iter().map(speakers).collect(),
            of_groups: self.of_groups.clone(),
            alike: Vec::new(),
            taken: None,
        }
    }

    pub(crate) fn get(&self, crew: u32) -> &Crew {
        &self.all[crew as usize]
    }

    /// Members of a crew.
    pub(crate) fn len(&self, crew: u32) -> u32 {
        self.get(crew).locals.len() as u32
    }

    /// The domains of some crews.
    pub(crate) fn domains(&self, crews: &[u32]) -> Vec<u32> {
        crews.iter().map(|&crew| self.get(crew).domain).collect()
    }

    /// Local chips of the crews that are alike.
    pub(super) fn alike_locals(&self) -> &[u32] {
        self.alike.first().map_or(&[], |_| chips(self, &self.alike))
    }

    /// Counts what they take.
    pub(crate) fn weigh(self: &Arc<Self>, on: &mut Scale) {
        on.shared(self, |crews, on| {
            for crew in &crews.all {
                on.one::<Crew>(bytes_of::<[u32; 2]>(crew.locals.len() as u64));
            }
            let groups = crews.of_groups.len() as u64;
            on.add(bytes_of::<Vec<u32>>(groups) + bytes_of::<u32>(crews.all.len() as u64));
        });
    }
}

fn chips<'a>(crews: &'a Crews, class: &[u32]) -> &'a [u32] {
    &crews.get(class[0]).locals
}

/// Members of two crews, of `from` and of `to`, that have the same bytes, and which part of all bytes that is: each pair
/// once, in order.
pub(crate) fn owners(from: u32, to: u32) -> impl Iterator<Item = (u32, u32, f64)> {
    let (mut sender, mut receiver) = (0, 0);
    std::iter::from_fn(move || {
        if sender == from || receiver == to {
            return None;
        }
        let pair = (sender, receiver);
        // Ends of both shares, in parts of 1 / (from x to).
        let ends = [
            u64::from(sender + 1) * u64::from(to),
            u64::from(receiver + 1) * u64::from(from),
        ];
        let starts = [
            u64::from(sender) * u64::from(to),
            u64::from(receiver) * u64::from(from),
        ];
        let end = ends[0].min(ends[1]);
        let start = starts[0].max(starts[1]);
        sender += u32::from(ends[0] == end);
        receiver += u32::from(ends[1] == end);
        let whole = u64::from(from) * u64::from(to);
        Some((pair.0, pair.1, (end - start) as f64 / whole as f64))
    })
}

#[cfg(test)]
mod tests {
    use super::owners;

    #[test]
    fn owners_share_all_bytes_evenly() {
        for from in 1..13u32 {
            for to in 1..13u32 {
                let gcd = (1..=from).rev().find(|by| from % by == 0 && to % by == 0);
                let all: Vec<(u32, u32, f64)> = owners(from, to).collect();
                assert_eq!(all.len() as u32, from + to - gcd.unwrap_or(1));
                for one in 0..from {
                    let own = all.iter().filter(|pair| pair.0 == one).map(|pair| pair.2);
                    assert!((own.sum::<f64>() - 1.0 / f64::from(from)).abs() < 1e-12);
                }
                for one in 0..to {
                    let own = all.iter().filter(|pair| pair.1 == one).map(|pair| pair.2);
                    assert!((own.sum::<f64>() - 1.0 / f64::from(to)).abs() < 1e-12);
                }
            }
        }
    }
}
