//! Schedules of groups that hold other chips of one domain than of another.
//!
//! Inside domains the data is cut at the shares of every crew, so that each member of each has a whole number of cells:
//! at i / n for all numbers n of members. Between crews it is cut into units, each a share of theirs.

use super::assignment::each_send;
use super::layout::{ends, lcm, portions};
use super::limits::{MOST_CARRIED, Visit};
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::crews::{Crew, Crews, owners};
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::moves::{Moves, Space};
use crate::collective::program::rank_map::RankKind;
use crate::collective::program::schedule::{Part, Phase, Stage};
use crate::schedule::Block;
use crate::{Error, Result};
use std::cmp::Ordering;
use std::ops::Range;

/// A part of 1: so many of so many.
type Fraction = (u32, u32);

/// Units and cells of the data of the first group, and who is where.
pub(super) struct CrewLayout<'a> {
    crews: &'a Crews,
    /// Its crews, by domain.
    own: Vec<&'a Crew>,
    /// Chips of a domain of the machine.
    in_domain: u32,
    /// Where cells begin and end.
    cuts: Vec<Fraction>,
    units: u32,
    /// Units are as large as the crews that have them.
    by_size: bool,
    slices: u32,
    /// Part of the data that each slice is.
    portions: Vec<f64>,
    size: f64,
}

fn compare(a: &Fraction, b: &Fraction) -> Ordering {
    (u64::from(a.0) * u64::from(b.1)).cmp(&(u64::from(b.0) * u64::from(a.1)))
}

fn value(fraction: Fraction) -> f64 {
    f64::from(fraction.0) / f64::from(fraction.1)
}

impl<'a> CrewLayout<'a> {
    /// The layout of `stages`; `None` where nothing in them goes between crews.
    pub(super) fn of(
        context: &'a Context,
        request: &Request,
        stages: &[Stage],
    ) -> Result<Option<Self>> {
        let tracks = || stages.iter().flat_map(|stage| &stage.tracks);
        let phases = || tracks().flat_map(|track| &track.phases);
        let moves = |phase: &'_ Phase| -> Vec<RankKind> {
            let moves = phase.parts.iter().flat_map(|part| &part.moves);
            moves.map(|moves| moves.rank_map.kind).collect()
        };
        let between = phases().any(|phase| moves(phase).contains(&RankKind::Crews));
        let Some(crews) = context.crews().filter(|_| between) else {
            return Ok(None);
        };
        let own: Vec<&Crew> = crews.of_groups[0]
            .iter()
            .map(|&crew| crews.get(crew))
            .collect();
        let mut sizes: Vec<u32> = own.iter().map(|crew| crew.locals.len() as u32).collect();
        let (mut units, mut slices, mut by_size) = (own.len() as u32, 1, false);
        for phase in phases() {
            slices = lcm(slices, phase.space.slices);
            if moves(phase).contains(&RankKind::Crews) {
                units = lcm(units, phase.space.shares);
            } else {
                sizes.push(phase.space.shares);
            }
            let weighed = |part: &Part| {
                matches!(
                    part.pattern.kind,
                    PatternKind::Crews {
                        weights: Some(_),
                        ..
                    }
                )
            };
            by_size |= phase.parts.iter().any(weighed);
        }
        sizes.sort_unstable();
        sizes.dedup();
        let ends = sizes.iter().map(|&size| u64::from(size) + 1).sum::<u64>();
        let blocks = ends
            .saturating_mul(u64::from(units))
            .saturating_mul(u64::from(slices));
        if blocks > MOST_CARRIED as u64 {
            return Err(Error::unsupported(
                format!("a schedule of {blocks} blocks written out"),
                "look at the schedule of a smaller group",
            ));
        }
        let cuts = sizes
            .iter()
            .flat_map(|&size| (0..=size).map(move |at| (at, size)));
        let mut cuts: Vec<Fraction> = cuts.collect();
        cuts.sort_by(compare);
        cuts.dedup_by(|a, b| compare(a, b) == Ordering::Equal);
        Ok(Some(Self {
            crews,
            own,
            in_domain: context.machine.domain().chips(),
            cuts,
            units,
            by_size,
            slices,
            portions: portions(stages, slices),
            size: request.size,
        }))
    }

    fn ranks(&self) -> u32 {
        self.own.iter().map(|crew| crew.ranks.len() as u32).sum()
    }

    fn cells(&self) -> u32 {
        self.cuts.len() as u32 - 1
    }

    fn cut(&self, at: Fraction) -> u32 {
        let found = self.cuts.binary_search_by(|cut| compare(cut, &at));
        found.expect("the data is cut at the shares of all crews") as u32
    }

    /// Cells of one of so many equal shares.
    fn cells_of(&self, at: u32, of: u32) -> Range<u32> {
        self.cut((at, of))..self.cut((at + 1, of))
    }

    /// Bytes of all slices of a unit in a cell.
    fn bytes(&self, unit: u32, cell: u32) -> f64 {
        let crews = self.own.len() as u32;
        let unit = match self.by_size {
            true => {
                let crew = self.own[(unit * crews / self.units) as usize];
                let members = crew.ranks.len() as f64 / f64::from(self.ranks());
                members * f64::from(crews) / f64::from(self.units)
            }
            false => 1.0 / f64::from(self.units),
        };
        let cell = [cell + 1, cell].map(|at| value(self.cuts[at as usize]));
        self.size * unit * (cell[0] - cell[1])
    }

    /// The data, unit by unit, cell by cell, slice by slice.
    pub(super) fn blocks(&self, request: &Request) -> Vec<Block> {
        let (ranks, crews) = (self.ranks(), self.own.len() as u32);
        let mut blocks = Vec::new();
        for (unit, cell) in
            (0..self.units).flat_map(|unit| (0..self.cells()).map(move |cell| (unit, cell)))
        {
            let crew = self.own[(unit * crews / self.units) as usize];
            let (at, of) = self.cuts[cell as usize];
            let member = u64::from(at) * crew.ranks.len() as u64 / u64::from(of);
            let (from, to) = ends(request, crew.ranks[member as usize], ranks);
            let bytes = self.bytes(unit, cell);
            blocks.extend(self.portions.iter().map(|portion| Block {
                from,
                to,
                bytes: bytes * portion,
            }));
        }
        blocks
    }

    /// Calls `visit` with every message of a part.
    pub(super) fn each(
        &self,
        part: &Part,
        moves: &Moves,
        space: Space,
        visit: &mut Visit,
    ) -> Result<()> {
        let between = moves.rank_map.kind == RankKind::Crews;
        for group in moves.rank_map.groups.iter() {
            if !between {
                for crew in self.crews_of(moves.rank_map.kind, group) {
                    self.inside(part, moves, space, (crew, group), visit)?;
                }
            } else if self.crews.get(group[0]).group == 0 {
                self.between(part, moves, space, group, visit)?;
            }
        }
        Ok(())
    }

    /// The crews that some chips are: local ones, or those of one domain.
    fn crews_of(&self, kind: RankKind, group: &[u32]) -> Vec<&'a Crew> {
        let is = |crew: &&&Crew| {
            let holds = |chip: &u32| match kind {
                RankKind::Local => crew.locals.contains(chip),
                _ => {
                    chip / self.in_domain == crew.domain
                        && crew.locals.contains(&(chip % self.in_domain))
                }
            };
            crew.locals.len() == group.len() && group.iter().all(holds)
        };
        self.own.iter().filter(is).copied().collect()
    }

    /// Messages between members of a crew, who are `group` by rank of the algorithm.
    fn inside(
        &self,
        part: &Part,
        moves: &Moves,
        space: Space,
        (crew, group): (&Crew, &[u32]),
        visit: &mut Visit,
    ) -> Result<()> {
        let member = |chip: &u32| {
            let local = chip % self.in_domain;
            let at = crew.locals.iter().position(|&other| other == local);
            at.expect("the chips of a crew are its members") as u32
        };
        let at: Vec<u32> = group.iter().map(member).collect();
        let count = group.len() as u32;
        each_send(moves, count, |step, from, to, shares| {
            let carried = shares.iter().map(|&share| {
                let (slice, share) = (share / space.shares, share % space.shares);
                let cells = match space.shares {
                    1 => 0..self.cells(),
                    shares if shares == count => self.cells_of(at[share as usize], count),
                    shares => self.cells_of(share, shares),
                };
                (slice, 0..self.units, cells)
            });
            let ends = [from, to].map(|rank| crew.ranks[at[rank as usize] as usize]);
            self.send(part, moves, (space, step), ends, carried, visit)
        })
    }

    /// Messages between crews, who are `group` by rank of the algorithm: from owners to owners.
    fn between(
        &self,
        part: &Part,
        moves: &Moves,
        space: Space,
        group: &[u32],
        visit: &mut Visit,
    ) -> Result<()> {
        let number = |crew: &u32| {
            let at = self.crews.of_groups[0].binary_search(crew);
            at.expect("crews of a group are its own") as u32
        };
        let at: Vec<u32> = group.iter().map(number).collect();
        let count = group.len() as u32;
        // Those that take part may be some of each crew.
        let taking_part: &Crews = match &part.pattern.kind {
            PatternKind::Crews { crews, .. } => crews,
            _ => self.crews,
        };
        each_send(moves, count, |step, from, to, shares| {
            let [from, to] = [from, to].map(|rank| taking_part.get(group[rank as usize]));
            let members = [from, to].map(|crew| crew.ranks.len() as u32);
            for (sender, receiver, _) in owners(members[0], members[1]) {
                let [own, others] = [(sender, members[0]), (receiver, members[1])];
                let [own, others] = [own, others].map(|(at, of)| self.cells_of(at, of));
                let cells = own.start.max(others.start)..own.end.min(others.end);
                let carried = shares.iter().map(|&share| {
                    let (slice, share) = (share / space.shares, share % space.shares);
                    let (share, width) = match space.shares == count {
                        true => (at[share as usize], self.units / count),
                        false => (share, self.units / space.shares),
                    };
                    (slice, share * width..(share + 1) * width, cells.clone())
                });
                let ends = [from.ranks[sender as usize], to.ranks[receiver as usize]];
                self.send(part, moves, (space, step), ends, carried, visit)?;
            }
            Ok(())
        })
    }

    /// One message, of slices of units of cells.
    fn send(
        &self,
        part: &Part,
        moves: &Moves,
        (space, step): (Space, u64),
        [src, dst]: [u32; 2],
        carried: impl Iterator<Item = (u32, Range<u32>, Range<u32>)>,
        visit: &mut Visit,
    ) -> Result<()> {
        let width = self.slices / space.slices;
        let (mut blocks, mut bytes) = (Vec::new(), 0.0);
        for (slice, units, cells) in carried {
            let slices = slice * width..(slice + 1) * width;
            let portion: f64 = self.portions[slices.start as usize..slices.end as usize]
                .iter()
                .sum();
            for (unit, cell) in units.flat_map(|unit| cells.clone().map(move |cell| (unit, cell))) {
                let first = (unit * self.cells() + cell) * self.slices;
                blocks.extend(slices.clone().map(|slice| first + slice));
                bytes += self.bytes(unit, cell) * portion;
            }
        }
        blocks.sort_unstable();
        let mean = part.bytes * moves.factor(step);
        let share = if mean > 0.0 { bytes / mean } else { 1.0 };
        visit(step, src, dst, blocks, share)
    }
}
