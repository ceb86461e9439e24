//! Where the ranks of an algorithm sit in the group, and which blocks they send from there.

use super::layout::Layout;
use super::limits::Visit;
use crate::Result;
use crate::collective::program::moves::{Moves, Scope, Space, Steps};
use crate::collective::program::rank_map::{RankKind, RankMap};
use crate::collective::program::schedule::Spread;
use std::ops::Range;

/// An algorithm's ranks as places in the group.
pub(super) struct Assignment {
    kind: RankKind,
    count: u32,
    /// Local rank, domain rank or rank of the group of each, by kind.
    at: Vec<u32>,
    /// Places of domains in ascending order, where they are only some of the group's.
    sorted: Vec<u32>,
}

/// Calls `visit` with step, ranks and shares of every message among so many ranks that carries something.
pub(super) fn each_send(
    moves: &Moves,
    ranks: u32,
    mut visit: impl FnMut(u64, u32, u32, &[u32]) -> Result<()>,
) -> Result<()> {
    let sends = moves.sends.list(ranks);
    for (index, &(from, to)) in sends.iter().enumerate() {
        let steps = match &moves.steps {
            Steps::Each(count) => 0..*count,
            Steps::Once(own) => u64::from(own[index])..u64::from(own[index]) + 1,
        };
        for step in steps {
            let shares = (moves.carry)(step, from, to);
            if !shares.is_empty() {
                visit(step, from, to, &shares)?;
            }
        }
    }
    Ok(())
}

fn index(list: &[u32], member: u32) -> u32 {
    let at = list.iter().position(|&other| other == member);
    at.expect("a rank map holds members of the group") as u32
}

impl Assignment {
    /// Where the ranks of an algorithm sit: once, or once at each site whose domains run it side by side.
    pub(super) fn of(layout: &Layout, rank_map: &RankMap, spread: Option<&Spread>) -> Vec<Self> {
        let Some(spread) = spread else {
            return vec![Self::at(layout, rank_map.kind, rank_map.members())];
        };
        let order: Vec<u32> = rank_map
            .members()
            .iter()
            .map(|&member| index(&spread.sets[0], member))
            .collect();
        spread
            .mine
            .iter()
            .map(|&set| {
                let set = &spread.sets[set as usize];
                let members: Vec<u32> = order.iter().map(|&at| set[at as usize]).collect();
                Self::at(layout, rank_map.kind, &members)
            })
            .collect()
    }

    fn at(layout: &Layout, kind: RankKind, members: &[u32]) -> Self {
        let at: Vec<u32> = match kind {
            RankKind::Local => members
                .iter()
                .map(|&chip| index(&layout.locals, chip))
                .collect(),
            RankKind::Rails | RankKind::Nic(_) => members
                .iter()
                .map(|&domain| index(&layout.domains, domain))
                .collect(),
            RankKind::Chips => members
                .iter()
                .map(|&chip| match &layout.listed {
                    Some(listed) => index(listed, chip),
                    None => layout.rank(
                        index(&layout.domains, chip / layout.in_domain),
                        index(&layout.locals, chip % layout.in_domain),
                    ),
                })
                .collect(),
            RankKind::Ranks | RankKind::Sites | RankKind::Crews => (0..layout.ranks()).collect(),
        };
        let mut sorted = at.clone();
        sorted.sort_unstable();
        Self {
            kind,
            count: at.len() as u32,
            at,
            sorted,
        }
    }

    /// Calls `visit` with step, ranks and blocks of every message of a part.
    pub(super) fn each(
        &self,
        layout: &Layout,
        moves: &Moves,
        space: Space,
        visit: &mut Visit,
    ) -> Result<()> {
        each_send(moves, self.count, |step, from, to, shares| {
            for place in self.places(layout) {
                let (src, dst) = (self.rank(layout, from, place), self.rank(layout, to, place));
                let blocks = self.carried(layout, moves, space, shares, place);
                visit(step, src, dst, blocks, 1.0)?;
            }
            Ok(())
        })
    }

    /// Blocks of a message that carries `shares`, sent at `place` of the axis that the algorithm does not touch.
    fn carried(
        &self,
        layout: &Layout,
        moves: &Moves,
        space: Space,
        shares: &[u32],
        place: u32,
    ) -> Vec<u32> {
        let mut blocks = Vec::new();
        let width = layout.slices / space.slices;
        for &share in shares {
            let (slice, share) = (share / space.shares, share % space.shares);
            let slices = slice * width..(slice + 1) * width;
            if layout.paired {
                let (src, dst) = (share / self.count, share % self.count);
                for (src, dst) in self.pairs(layout, src, dst, place) {
                    let pair = (src * layout.ranks() + dst) * layout.slices;
                    blocks.extend(slices.clone().map(|slice| pair + slice));
                }
                continue;
            }
            let (domains, locals) = self.units(layout, moves.scope, space.shares, share, place);
            for domain in domains {
                for (site, local) in (0..layout.site_parts())
                    .flat_map(|site| locals.clone().map(move |local| (site, local)))
                {
                    let first = layout.block(domain, site, local);
                    blocks.extend(slices.clone().map(|slice| first + slice));
                }
            }
        }
        blocks.sort_unstable();
        blocks
    }

    /// Places at which the algorithm runs side by side.
    fn places(&self, layout: &Layout) -> Range<u32> {
        match self.kind {
            RankKind::Local => 0..layout.domains.len() as u32,
            RankKind::Rails => 0..layout.locals.len() as u32,
            _ => 0..1,
        }
    }

    fn rank(&self, layout: &Layout, member: u32, place: u32) -> u32 {
        let at = self.at[member as usize];
        match self.kind {
            RankKind::Local => layout.rank(place, at),
            RankKind::Rails => layout.rank(at, place),
            RankKind::Nic(local) => layout.rank(at, index(&layout.locals, local)),
            _ => at,
        }
    }

    /// Units along both axes of share `share` of `shares`.
    fn units(
        &self,
        layout: &Layout,
        scope: Scope,
        shares: u32,
        share: u32,
        place: u32,
    ) -> (Range<u32>, Range<u32>) {
        let (all_domains, all_locals) = (0..layout.domain_units, 0..layout.local_units);
        let part = |units: u32| share * (units / shares)..(share + 1) * (units / shares);
        if shares == 1 {
            return match (self.kind, scope) {
                (RankKind::Local, Scope::Own) => (layout.units_of_domain(place), all_locals),
                (RankKind::Rails, Scope::Own) => (all_domains, layout.units_of_local(place)),
                _ => (all_domains, all_locals),
            };
        }
        let owned = shares == self.count;
        match self.kind {
            RankKind::Local => {
                let locals = if owned {
                    layout.units_of_local(self.at[share as usize])
                } else {
                    part(layout.local_units)
                };
                match scope {
                    Scope::All => (all_domains, locals),
                    Scope::Own => (layout.units_of_domain(place), locals),
                }
            }
            RankKind::Rails | RankKind::Nic(_) => {
                let domains = if owned {
                    let order = index(&self.sorted, self.at[share as usize]);
                    let width = layout.domain_units / self.count;
                    order * width..(order + 1) * width
                } else {
                    part(layout.domain_units)
                };
                match scope {
                    Scope::All => (domains, all_locals),
                    Scope::Own => (domains, layout.units_of_local(place)),
                }
            }
            _ if owned && self.count == layout.ranks() => {
                let rank = self.at[share as usize];
                let locals = layout.locals.len() as u32;
                (
                    layout.units_of_domain(rank / locals),
                    layout.units_of_local(rank % locals),
                )
            }
            // The chips of one domain, for all of the group.
            _ if owned => {
                let local = self.at[share as usize] % layout.locals.len() as u32;
                (all_domains, layout.units_of_local(local))
            }
            _ => (all_domains, part(layout.local_units)),
        }
    }

    /// (source, target) ranks of what goes from member `src` to member `dst` in an all-to-all.
    fn pairs(&self, layout: &Layout, src: u32, dst: u32, place: u32) -> Vec<(u32, u32)> {
        let (from, to) = (self.at[src as usize], self.at[dst as usize]);
        match self.kind {
            RankKind::Local => (0..layout.domains.len() as u32)
                .map(|domain| (layout.rank(place, from), layout.rank(domain, to)))
                .collect(),
            RankKind::Rails => (0..layout.locals.len() as u32)
                .map(|local| (layout.rank(from, local), layout.rank(to, place)))
                .collect(),
            _ => vec![(from, to)],
        }
    }
}
