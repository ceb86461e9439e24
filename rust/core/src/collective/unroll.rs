//! From a compact schedule to one of the first group, message by message.
//!
//! The data of a group of D domains with L chips each is laid out along two axes, domains and local chips; an
//! algorithm inside domains cuts the one, an algorithm between them the other. Each axis has as many units as all of
//! the cuts have a common multiple, and so has the number of slices.

use super::context::Context;
use super::group::Groups;
use super::moves::{Moves, Scope, SeatKind, Seats, Sends, Space, Steps};
use super::operation::Operation;
use super::request::Request;
use super::schedule::{Repeat, Stage};
use crate::schedule::{Block, Schedule, Send};
use crate::{Error, Result};
use std::ops::Range;

/// Most messages that are written out, and most blocks that they may carry together.
const MOST_SENDS: usize = 1 << 22;
const MOST_CARRIED: usize = 1 << 27;

/// The schedule that `stages` are, for the first group.
pub(crate) fn unroll(context: &Context, request: &Request, stages: &[Stage]) -> Result<Schedule> {
    let layout = Layout::of(context, request, stages)?;
    let mut sends = Vec::new();
    let mut carried = 0;
    for (index, stage) in stages.iter().enumerate() {
        for (track, phases) in stage.tracks.iter().map(|track| &track.phases).enumerate() {
            let mut first_step = 0;
            for phase in phases {
                let mut steps = match phase.repeat {
                    Repeat::Steps(count) => count,
                    Repeat::Wave { hops, .. } => hops,
                };
                for moves in phase
                    .parts
                    .iter()
                    .flat_map(|part| part.moves.iter().map(move |moves| (part.bytes, moves)))
                {
                    let (bytes, moves) = moves;
                    if let Steps::Once(own) = &moves.steps {
                        let last = own.iter().copied().max().unwrap_or(0);
                        steps = steps.max(u64::from(last) + 1);
                    }
                    layout.each(moves, phase.space, |step, src, dst, blocks| {
                        carried += blocks.len();
                        sends.push(Send {
                            src,
                            dst,
                            blocks,
                            bytes: bytes * moves.factor(step),
                            reduce: moves.reduce,
                            stage: index as u32,
                            lane: (track as u32) << 16 | moves.lane,
                            step: first_step + step as u32,
                            after: Vec::new(),
                        });
                        if sends.len() > MOST_SENDS || carried > MOST_CARRIED {
                            return Err(Error::unsupported(
                                format!("more than {MOST_SENDS} messages written out one by one"),
                                "look at the schedule of a smaller group",
                            ));
                        }
                        if sends.len() % 1024 == 0 {
                            context.control.check()?;
                        }
                        Ok(())
                    })?;
                }
                first_step += steps as u32;
            }
        }
    }
    Ok(Schedule {
        operation: request.operation,
        size: request.size,
        root: request.root,
        shift: request.shift,
        chips: layout.chips(context),
        blocks: layout.blocks(request),
        sends,
    })
}

/// Units of the data along each axis, and who is where.
struct Layout {
    /// Local chips of the group, by local rank.
    locals: Vec<u32>,
    /// Domains of the group, by domain rank.
    domains: Vec<u32>,
    /// Chips of a domain of the machine.
    in_domain: u32,
    /// Listed chips, where the group is no grid.
    listed: Option<Vec<u32>>,
    domain_units: u32,
    local_units: u32,
    slices: u32,
    /// Blocks are (source, target) pairs of ranks.
    paired: bool,
}

fn lcm(a: u32, b: u32) -> u32 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).saturating_mul(b)
}

impl Layout {
    fn of(context: &Context, request: &Request, stages: &[Stage]) -> Result<Self> {
        let (locals, domains, listed) = match context.groups {
            Groups::Grid { locals, domains } => (locals[0].clone(), domains[0].clone(), None),
            Groups::Scattered(groups) => (groups[0].clone(), vec![0], Some(groups[0].clone())),
        };
        let mut layout = Self {
            domain_units: domains.len() as u32,
            local_units: locals.len() as u32,
            locals,
            domains,
            in_domain: context.machine.domain().chips(),
            listed,
            slices: 1,
            paired: request.operation == Operation::AllToAll,
        };
        for phase in stages
            .iter()
            .flat_map(|stage| &stage.tracks)
            .flat_map(|track| &track.phases)
        {
            layout.slices = lcm(layout.slices, phase.space.slices);
            if layout.paired {
                continue;
            }
            for moves in phase.parts.iter().flat_map(|part| &part.moves) {
                let members = moves.seats.members.len() as u32;
                let shares = phase.space.shares;
                match moves.seats.kind {
                    SeatKind::Local => layout.local_units = lcm(layout.local_units, shares),
                    SeatKind::Rails | SeatKind::Lane(_) if shares > 1 => {
                        layout.domain_units = lcm(lcm(layout.domain_units, shares), members);
                    }
                    SeatKind::Chips if layout.domains.len() == 1 => {
                        layout.local_units = lcm(layout.local_units, shares);
                    }
                    SeatKind::Sites => {
                        return Err(Error::unsupported(
                            "writing out a schedule between sites",
                            "look at the schedule inside one site: group= the chips of one site",
                        ));
                    }
                    _ => {}
                }
            }
        }
        let blocks = u128::from(layout.domain_units)
            * u128::from(layout.local_units)
            * u128::from(layout.slices);
        if blocks > MOST_CARRIED as u128 {
            return Err(Error::unsupported(
                format!("a schedule of {blocks} blocks written out"),
                "look at the schedule of a smaller group",
            ));
        }
        Ok(layout)
    }

    fn ranks(&self) -> u32 {
        (self.locals.len() * self.domains.len()) as u32
    }

    fn chips(&self, context: &Context) -> Vec<u32> {
        context.groups.members(context.machine, 0)
    }

    /// Rank of the group at a place.
    fn rank(&self, domain: u32, local: u32) -> u32 {
        domain * self.locals.len() as u32 + local
    }

    fn blocks(&self, request: &Request) -> Vec<Block> {
        use Operation::*;
        let ranks = self.ranks();
        let root = request.root as u32;
        let (domains, locals) = (self.domains.len() as u32, self.locals.len() as u32);
        if self.paired {
            let pairs = (0..ranks).flat_map(|src| (0..ranks).map(move |dst| (src, dst)));
            let bytes = request.size / f64::from(ranks) / f64::from(self.slices);
            return pairs
                .flat_map(|(src, dst)| {
                    (0..self.slices).map(move |_| Block {
                        from: Some(src),
                        to: Some(dst),
                        bytes,
                    })
                })
                .collect();
        }
        let units =
            f64::from(self.domain_units) * f64::from(self.local_units) * f64::from(self.slices);
        // Each rank of a send_recv has a message of its own.
        let of_all = if request.operation == SendRecv {
            f64::from(ranks)
        } else {
            1.0
        };
        let bytes = request.size * of_all / units;
        let mut blocks = Vec::new();
        for unit in 0..self.domain_units {
            for local in 0..self.local_units {
                let owner = self.rank(
                    unit * domains / self.domain_units,
                    local * locals / self.local_units,
                );
                let (from, to) = match request.operation.as_run() {
                    AllReduce | Barrier => (None, None),
                    ReduceScatter => (None, Some(owner)),
                    Reduce => (None, Some(root)),
                    AllGather => (Some(owner), None),
                    Broadcast => (Some(root), None),
                    Scatter => (Some(root), Some(owner)),
                    Gather => (Some(owner), Some(root)),
                    SendRecv | AllToAll => {
                        let shifted = i64::from(owner) + request.shift;
                        (
                            Some(owner),
                            Some(shifted.rem_euclid(i64::from(ranks)) as u32),
                        )
                    }
                };
                blocks.extend((0..self.slices).map(|_| Block { from, to, bytes }));
            }
        }
        blocks
    }

    /// Calls `visit` with step, ranks and blocks of every message of a part.
    fn each(
        &self,
        moves: &Moves,
        space: Space,
        mut visit: impl FnMut(u64, u32, u32, Vec<u32>) -> Result<()>,
    ) -> Result<()> {
        let seats = Table::of(self, &moves.seats);
        let all: Vec<(u32, u32)>;
        let sends: &[(u32, u32)] = match &moves.sends {
            Sends::List(sends) => sends,
            Sends::All => {
                let count = seats.count;
                all = (0..count)
                    .flat_map(|from| (0..count).map(move |to| (from, to)))
                    .filter(|(from, to)| from != to)
                    .collect();
                &all
            }
        };
        for (index, &(from, to)) in sends.iter().enumerate() {
            let steps = match &moves.steps {
                Steps::Each(count) => 0..*count,
                Steps::Once(own) => u64::from(own[index])..u64::from(own[index]) + 1,
            };
            for step in steps {
                let shares = (moves.carry)(step, from, to);
                if shares.is_empty() {
                    continue;
                }
                for place in seats.places(self) {
                    let (src, dst) = (seats.rank(self, from, place), seats.rank(self, to, place));
                    let blocks = self.carried(&seats, moves, space, &shares, place);
                    visit(step, src, dst, blocks)?;
                }
            }
        }
        Ok(())
    }

    /// Blocks of a message that carries `shares`, sent at `place` of the axis that the algorithm does not touch.
    fn carried(
        &self,
        seats: &Table,
        moves: &Moves,
        space: Space,
        shares: &[u32],
        place: u32,
    ) -> Vec<u32> {
        let mut blocks = Vec::new();
        let width = self.slices / space.slices;
        for &share in shares {
            let (slice, share) = (share / space.shares, share % space.shares);
            let slices = slice * width..(slice + 1) * width;
            if self.paired {
                let (src, dst) = (share / seats.count, share % seats.count);
                for (src, dst) in seats.pairs(self, src, dst, place) {
                    let pair = (src * self.ranks() + dst) * self.slices;
                    blocks.extend(slices.clone().map(|slice| pair + slice));
                }
                continue;
            }
            let (domains, locals) = seats.units(self, moves.scope, space.shares, share, place);
            for domain in domains {
                for local in locals.clone() {
                    let unit = (domain * self.local_units + local) * self.slices;
                    blocks.extend(slices.clone().map(|slice| unit + slice));
                }
            }
        }
        blocks.sort_unstable();
        blocks
    }

    fn units_of_domain(&self, domain: u32) -> Range<u32> {
        let width = self.domain_units / self.domains.len() as u32;
        domain * width..(domain + 1) * width
    }

    fn units_of_local(&self, local: u32) -> Range<u32> {
        let width = self.local_units / self.locals.len() as u32;
        local * width..(local + 1) * width
    }
}

/// An algorithm's ranks as places in the group.
struct Table {
    kind: SeatKind,
    count: u32,
    /// Local rank, domain rank or rank of the group of each, by kind.
    at: Vec<u32>,
    /// Places of domains in ascending order, where they are only some of the group's.
    sorted: Vec<u32>,
}

fn index(list: &[u32], member: u32) -> u32 {
    let at = list.iter().position(|&other| other == member);
    at.expect("seats hold members of the group") as u32
}

impl Table {
    fn of(layout: &Layout, seats: &Seats) -> Self {
        let members = &seats.members;
        let at: Vec<u32> = match seats.kind {
            SeatKind::Local => members
                .iter()
                .map(|&chip| index(&layout.locals, chip))
                .collect(),
            SeatKind::Rails | SeatKind::Lane(_) => members
                .iter()
                .map(|&domain| index(&layout.domains, domain))
                .collect(),
            SeatKind::Chips => members
                .iter()
                .map(|&chip| match &layout.listed {
                    Some(listed) => index(listed, chip),
                    None => layout.rank(
                        index(&layout.domains, chip / layout.in_domain),
                        index(&layout.locals, chip % layout.in_domain),
                    ),
                })
                .collect(),
            SeatKind::Ranks | SeatKind::Sites => (0..layout.ranks()).collect(),
        };
        let mut sorted = at.clone();
        sorted.sort_unstable();
        Self {
            kind: seats.kind,
            count: at.len() as u32,
            at,
            sorted,
        }
    }

    /// Places at which the algorithm runs side by side.
    fn places(&self, layout: &Layout) -> Range<u32> {
        match self.kind {
            SeatKind::Local => 0..layout.domains.len() as u32,
            SeatKind::Rails => 0..layout.locals.len() as u32,
            _ => 0..1,
        }
    }

    fn rank(&self, layout: &Layout, seat: u32, place: u32) -> u32 {
        let at = self.at[seat as usize];
        match self.kind {
            SeatKind::Local => layout.rank(place, at),
            SeatKind::Rails => layout.rank(at, place),
            SeatKind::Lane(lane) => layout.rank(at, index(&layout.locals, lane)),
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
                (SeatKind::Local, Scope::Own) => (layout.units_of_domain(place), all_locals),
                (SeatKind::Rails, Scope::Own) => (all_domains, layout.units_of_local(place)),
                _ => (all_domains, all_locals),
            };
        }
        let owned = shares == self.count;
        match self.kind {
            SeatKind::Local => {
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
            SeatKind::Rails | SeatKind::Lane(_) => {
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

    /// (source, target) ranks of what goes from seat `src` to seat `dst` in an all-to-all.
    fn pairs(&self, layout: &Layout, src: u32, dst: u32, place: u32) -> Vec<(u32, u32)> {
        let (from, to) = (self.at[src as usize], self.at[dst as usize]);
        match self.kind {
            SeatKind::Local => (0..layout.domains.len() as u32)
                .map(|domain| (layout.rank(place, from), layout.rank(domain, to)))
                .collect(),
            SeatKind::Rails => (0..layout.locals.len() as u32)
                .map(|local| (layout.rank(from, local), layout.rank(to, place)))
                .collect(),
            _ => vec![(from, to)],
        }
    }
}
