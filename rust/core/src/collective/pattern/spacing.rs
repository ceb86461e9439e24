//! How the domains of groups are spaced, and what a rule makes of that: flows between domains.

use super::comb::{Comb, combs};
use super::digits::Digits;
use super::rule::{Flow, Order, Rule, Star};
use std::collections::BTreeMap;

/// Most flows of one step that are worth more than a list.
const MOST_FLOWS: usize = 1024;

/// Most groups that are looked at one by one.
const MOST_GROUPS: i64 = 64;

/// Domains of groups that are evenly spaced, all in the same way: rank r of a group that starts at s is domain
/// s + the place of (r + turn) mod ranks.
#[derive(Debug)]
pub(crate) struct Spacing {
    ranks: i64,
    digits: Digits,
    /// Starts of groups, and their turn.
    groups: Vec<(Comb, i64)>,
}

impl Spacing {
    /// The spacing of groups of equal size; `None` where they have no such one.
    pub(crate) fn of(groups: &[Vec<u32>]) -> Option<Self> {
        let mut starts: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let (ranks, step, _, _) = even(groups.first()?).unwrap_or_default();
        // Most are spaced by one step, which is seen without another list.
        for (count, own, start, turn) in groups.iter().map_while(|group| even(group)) {
            if (count, own) == (ranks, step) {
                starts.entry(turn).or_default().push(start);
            }
        }
        if starts.values().map(Vec::len).sum::<usize>() == groups.len() {
            return Self::spaced(Digits::even(step, ranks as i64), ranks, starts);
        }
        starts.clear();
        let (first, _) = ascending(groups.first()?);
        let digits = Digits::of(&first)?;
        for group in groups {
            let (group, turn) = ascending(group);
            let start = *group.first()?;
            let alike = group.len() == first.len()
                && group
                    .iter()
                    .zip(&first)
                    .all(|(a, b)| a - start == b - first[0]);
            if !alike {
                return None;
            }
            starts.entry(turn).or_default().push(start);
        }
        Self::spaced(digits, first.len(), starts)
    }

    fn spaced(digits: Digits, ranks: usize, starts: BTreeMap<usize, Vec<i64>>) -> Option<Self> {
        let mut alike = Vec::new();
        for (turn, mut starts) in starts {
            starts.sort_unstable();
            let combs = combs(&starts).into_iter();
            alike.extend(combs.map(|comb| (comb, turn as i64)));
        }
        (alike.len() <= MOST_FLOWS).then_some(Self {
            ranks: ranks as i64,
            digits,
            groups: alike,
        })
    }

    /// How far the domains of two ranks lie apart that follow each other, where that is the same for all.
    pub(crate) fn step(&self) -> Option<i64> {
        match self.digits.steps() {
            [] => Some(1),
            &[(step, _)] => Some(step),
            _ => None,
        }
    }

    /// The domain of a rank of the first group.
    pub(crate) fn domain(&self, rank: i64) -> u32 {
        let (starts, turn) = &self.groups[0];
        (starts.first() + self.digits.place((rank + turn) % self.ranks)) as u32
    }

    /// The spacing of each group alone, where they are few.
    pub(crate) fn apart(&self) -> Option<Vec<Self>> {
        let groups: i64 = self.groups.iter().map(|group| group.0.len()).sum();
        let of = |(starts, turn): &(Comb, i64)| -> Vec<Self> {
            let starts = starts.list().into_iter();
            let alone = starts.filter_map(|start| Comb::every(start, 1, 1));
            let alone = alone.map(|start| Self {
                groups: vec![(start, *turn)],
                digits: self.digits.clone(),
                ranks: self.ranks,
            });
            alone.collect()
        };
        (groups <= MOST_GROUPS).then(|| self.groups.iter().flat_map(of).collect())
    }

    /// Flows between ranks as flows between the domains of each group.
    fn flows(&self, rule: &[Flow]) -> Option<Vec<Flow>> {
        let mut out = Vec::new();
        for (starts, turn) in &self.groups {
            for part in Flow::turned(rule, self.ranks, *turn) {
                for (first, others, by) in self.digits.parts(&part.senders, part.by)? {
                    let all = [starts.digits(), &others[..]].concat();
                    let senders = Comb::new(starts.first() + first, &all)?;
                    out.push(Flow { senders, by });
                }
                if out.len() > MOST_FLOWS {
                    return None;
                }
            }
        }
        Some(out)
    }

    /// The star of each group.
    fn stars(&self, root: i64, outward: bool) -> Option<Vec<Star>> {
        let groups: i64 = self.groups.iter().map(|group| group.0.len()).sum();
        if groups > MOST_GROUPS {
            return None;
        }
        let mut stars = Vec::new();
        for (starts, turn) in &self.groups {
            stars.extend(starts.list().into_iter().map(|start| Star {
                members: Comb::new(start, self.digits.steps()).into_iter().collect(),
                root: start + self.digits.place((root + turn) % self.ranks),
                outward,
            }));
        }
        Some(stars)
    }
}

/// What a rule makes of groups that are evenly spaced: all messages of a step between domains.
#[derive(Debug, PartialEq)]
pub(crate) struct Flows {
    pub(crate) all: Vec<Flow>,
    /// Where every member sends and receives equally many messages: the members, and how many.
    pub(crate) even: Option<(Vec<Comb>, u32)>,
    pub(crate) stars: Vec<Star>,
    order: Order,
}

impl Flows {
    /// Bytes that they own, about.
    pub(crate) fn bytes(&self) -> u64 {
        let even = self.even.as_ref().map_or(0, |even| even.0.len());
        let stars = self.stars.iter().map(|star| 1 + star.members.len());
        Flow::BYTES * (self.all.len() + even + stars.sum::<usize>()) as u64
    }

    /// `None` where domains of different groups are interleaved in no simple way.
    pub(crate) fn new(rule: &Rule, spacing: &Spacing) -> Option<Self> {
        if rule.along.is_some() && rule.flows.is_empty() {
            return None;
        }
        let mut all = spacing.flows(&rule.flows)?;
        all.sort_unstable();
        let members = Comb::every(0, 1, rule.ranks).map(|senders| Flow { senders, by: 0 });
        let members = spacing.flows(members.as_slice())?.into_iter();
        let members = members.map(|member| member.senders).collect();
        Some(Self {
            all,
            even: rule.each.map(|each| (members, each)),
            stars: match rule.star {
                Some((root, outward)) => spacing.stars(i64::from(root), outward)?,
                None => Vec::new(),
            },
            order: rule.order,
        })
    }
}

/// How many ranks a group has, how far its neighbours lie apart, its lowest domain, and how many ranks follow its first
/// before that, where all neighbours lie equally far apart.
fn even(group: &[u32]) -> Option<(usize, i64, i64, usize)> {
    let ranks = group.len();
    let drop = group.windows(2).position(|two| two[1] < two[0]);
    let turn = drop.map_or(0, |at| ranks - 1 - at);
    let (before, after) = group.split_at(ranks - turn);
    let start = *after.first().unwrap_or(&before[0]);
    let step = match before.len().max(after.len()) {
        1 => before[0].wrapping_sub(start),
        _ if before.len() > 1 => before[1].wrapping_sub(before[0]),
        _ => after[1].wrapping_sub(after[0]),
    };
    let apart = |two: &[u32]| two[1].wrapping_sub(two[0]) == step;
    let on = after
        .last()
        .is_none_or(|&last| before[0].wrapping_sub(last) == step);
    let all = before.windows(2).all(apart) && after.windows(2).all(apart) && on;
    all.then_some((ranks, i64::from(step), i64::from(start), turn))
}

/// A group in ascending order, and how many ranks follow its first before the lowest.
fn ascending(group: &[u32]) -> (Vec<i64>, usize) {
    let drop = group.windows(2).position(|two| two[1] < two[0]);
    let turn = drop.map_or(0, |at| group.len() - 1 - at);
    let mut group: Vec<i64> = group.iter().map(|&domain| i64::from(domain)).collect();
    group.rotate_right(turn);
    (group, turn)
}
