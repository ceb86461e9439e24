//! Lines of links that flows use: their links are numbered from 0, those of a line one after the other.

use super::messages::FEWER;
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use std::collections::BTreeMap;

/// Links of the machine for each flow up to which a table of them beats a search.
const TABLE: u64 = 16;

/// An entry of a search, with its part of the tree, about.
type Entry = [u64; 4];

/// The place of each line that was met, by its first link; 0 is none.
enum Places {
    Table(Vec<u32>),
    Search(BTreeMap<u64, u32>),
}

/// A line of the machine.
struct Line {
    first_link: u64,
    stride: u64,
    cables: u32,
    /// The number of its first link.
    number: u64,
}

/// Lines in the order in which they were met.
pub(super) struct Lines {
    places: Places,
    lines: Vec<Line>,
    /// Links of all lines.
    pub(super) links: u64,
    /// Of `places`, and of `lines`.
    taken: [Taken; 2],
}

impl Lines {
    /// None yet, of those that so many flows will meet.
    pub(super) fn new(machine: &Machine, flows: usize, control: &Control) -> Result<Self> {
        let links = machine.num_links();
        let what = format_args!("the lines of {flows} messages");
        let mut taken = [control.take(0, what, FEWER)?, control.take(0, what, FEWER)?];
        let places = match links > TABLE.saturating_mul(flows as u64) {
            true => Places::Search(BTreeMap::new()),
            false => {
                taken[0].grow_to(bytes_of::<u32>(links), what, FEWER)?;
                Places::Table(vec![0; links as usize])
            }
        };
        Ok(Self {
            places,
            lines: Vec::new(),
            links: 0,
            taken,
        })
    }

    /// Makes room for so many lines.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        let what = format_args!("{} lines of links", self.lines.len() + more);
        let [of_places, of_lines] = &mut self.taken;
        if let Places::Search(places) = &self.places {
            let entries = (places.len() + more) as u64;
            of_places.grow_to(bytes_of::<Entry>(entries), what, FEWER)?;
        }
        of_lines.reserve(&mut self.lines, more, what, FEWER)
    }

    /// The number of the first link of a line.
    #[inline]
    pub(super) fn number(&mut self, first_link: u64, stride: u64, cables: u32) -> u64 {
        let place = match &mut self.places {
            Places::Table(table) => &mut table[first_link as usize],
            Places::Search(places) => places.entry(first_link).or_insert(0),
        };
        if *place == 0 {
            self.lines.push(Line {
                first_link,
                stride,
                cables,
                number: self.links,
            });
            self.links += u64::from(cables);
            *place = self.lines.len() as u32;
        }
        self.lines[*place as usize - 1].number
    }

    /// Bytes/s of each link, and what stands for their memory.
    pub(super) fn capacity(
        self,
        machine: &Machine,
        control: &Control,
    ) -> Result<(Vec<f64>, Taken)> {
        let Self {
            places,
            lines,
            links,
            taken: [mut taken, _of_lines],
        } = self;
        if links >= u64::from(u32::MAX) {
            return Err(Error::unsupported(
                format!("rates of messages that use {links} links"),
                "ask for fewer at once",
            ));
        }
        drop(places);
        taken.shrink_to(0);
        let what = format_args!("the {links} links of {} lines", lines.len());
        taken.grow_to(bytes_of::<f64>(links), what, FEWER)?;
        let mut capacity = Vec::with_capacity(links as usize);
        for line in &lines {
            for cable in 0..u64::from(line.cables) {
                control.check_at(capacity.len())?;
                let link = line.first_link + cable * line.stride;
                capacity.push(machine.link_numbers(link).0);
            }
        }
        Ok((capacity, taken))
    }
}
