//! Lines of links that flows use: their links are numbered from 0, those of a line one after the other.

use super::messages::FEWER;
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use std::collections::BTreeMap;

/// Links of the machine for each flow up to which a table of them beats a search.
const TABLE: u64 = 16;

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
    taken: Taken,
}

impl Lines {
    /// None yet, of those that so many flows will meet.
    pub(super) fn new(machine: &Machine, flows: usize, control: &Control) -> Result<Self> {
        let links = machine.num_links();
        let what = format_args!("the lines of {flows} messages");
        let mut taken = control.take(0, what, FEWER)?;
        let places = match links > TABLE.saturating_mul(flows as u64) {
            true => Places::Search(BTreeMap::new()),
            false => {
                taken.grow_to(bytes_of::<u32>(links), what, FEWER)?;
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
            lines,
            links,
            mut taken,
            ..
        } = self;
        if links >= u64::from(u32::MAX) {
            return Err(Error::unsupported(
                format!("rates of messages that use {links} links"),
                "ask for fewer at once",
            ));
        }
        // The table of places has gone.
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
