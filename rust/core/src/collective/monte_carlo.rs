//! A collective on many machines with faults drawn at random.

use super::ask::group::Groups;
use super::ask::request::Request;
use super::pattern::context::Shelf;
use super::run::time;
use crate::machine::{Faults, Machine, Rates};
use crate::route::Routing;
use crate::threads::{over_blocks, resolve};
use crate::{Control, Error, Result};
use std::ops::Range;

/// What is drawn, and what runs on it.
pub struct Trial<'a> {
    /// The machine; faults that it has stay.
    pub machine: &'a Machine,
    /// Who takes part; `None` for all that are left.
    pub groups: Option<&'a Groups>,
    /// Which way messages go.
    pub routing: &'a Routing,
    /// The collective.
    pub request: &'a Request,
    /// What to run where that does not run on what a draw leaves; `None` to fail there.
    pub otherwise: Option<&'a Request>,
    /// Leave domains with any damage out, instead of going round it.
    pub drop_damaged: bool,
    /// How often parts fail.
    pub rates: &'a Rates,
    /// Hours over which they fail.
    pub hours: f64,
    /// Seed of all draws.
    pub seed: u64,
}

/// What draws share: most break parts inside domains alone, and most of those domains like some before them.
struct Shared {
    /// Who takes part where no domain is lost.
    groups: Groups,
    /// Prices over those, and damage of single domains.
    shelf: Shelf,
}

/// One draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Chips that work.
    pub live: u32,
    /// Faults that were drawn: links, chips, NICs, domains.
    pub faults: [u32; 4],
    /// Seconds, or why there is no answer.
    pub time: std::result::Result<f64, String>,
    /// The other request ran.
    pub otherwise: bool,
}

impl Trial<'_> {
    /// Runs the draws of a range; each depends on the seed and its own number only.
    ///
    /// # Errors
    /// Those of the collective that are not about what a draw has cut off, and [`Error::Cancelled`].
    pub fn draws(
        &self,
        range: Range<u64>,
        n_threads: usize,
        control: &Control,
    ) -> Result<Vec<Draw>> {
        let count = range.end.saturating_sub(range.start) as usize;
        let shared = Shared {
            groups: match self.groups {
                Some(groups) => groups.clone(),
                None => Groups::all(self.machine)?,
            },
            shelf: Shelf::of_damage(control)?,
        };
        let mut made: Vec<(usize, Draw)> = over_blocks(
            resolve(n_threads)?,
            count,
            Vec::new,
            |made: &mut Vec<(usize, Draw)>, at| {
                control.check()?;
                made.push((at, self.draw(range.start + at as u64, &shared, control)?));
                control.advance(1);
                Ok(())
            },
        )?
        .into_iter()
        .flatten()
        .collect();
        made.sort_unstable_by_key(|entry| entry.0);
        Ok(made.into_iter().map(|entry| entry.1).collect())
    }

    fn draw(&self, number: u64, shared: &Shared, control: &Control) -> Result<Draw> {
        let (machine, rates, hours) = (self.machine, self.rates, self.hours);
        // For the draw beside what the machine has.
        let _taken = machine.reckon_sample(rates, hours, control)?;
        let sampled = machine.sample_faults(rates, hours, self.seed, number, control)?;
        let faults = [
            sampled.links.len(),
            sampled.chips.len(),
            sampled.nics.len(),
            sampled.domains.len(),
        ]
        .map(|count| count as u32);
        let all = self.machine.faults().merged(&sampled);
        let Some(damaged) = self.left(all)? else {
            return Ok(Draw {
                live: 0,
                faults,
                time: Err(match self.drop_damaged {
                    true => "every UltraServer has some damage: nothing is left".to_owned(),
                    false => "nothing is left alive".to_owned(),
                }),
                otherwise: false,
            });
        };
        let live = damaged.num_live_chips();
        let mut answer = self.time(&damaged, self.request, shared, control);
        let mut otherwise = false;
        if let (Err(Error::Unsupported { .. } | Error::Invalid { .. }), Some(other)) =
            (&answer, self.otherwise)
        {
            (answer, otherwise) = (self.time(&damaged, other, shared, control), true);
        }
        let time = match answer {
            Ok(time) => Ok(time),
            Err(error @ Error::Unreachable { .. }) => Err(error.to_string()),
            Err(error) => match self.lost(&damaged) {
                Some(why) => Err(why),
                None => return Err(numbered(error, number)),
            },
        };
        Ok(Draw {
            live,
            faults,
            time,
            otherwise,
        })
    }

    /// The machine that a draw leaves; `None` where nothing is left.
    fn left(&self, mut faults: Faults) -> Result<Option<Machine>> {
        let mut left = self.machine.clone();
        for again in [false, true] {
            if again && !self.drop_damaged {
                break;
            }
            if again {
                faults.domains.extend(left.damaged_domains());
            }
            left = match left.with_faults(faults.clone()) {
                Ok(left) => left,
                // What was drawn exists; what can be wrong is that nothing is left.
                Err(Error::Invalid { argument, .. }) if argument == "faults" => return Ok(None),
                Err(error) => return Err(error),
            };
        }
        Ok(Some(left))
    }

    fn time(
        &self,
        damaged: &Machine,
        request: &Request,
        shared: &Shared,
        control: &Control,
    ) -> Result<f64> {
        let left;
        let groups = match self.groups {
            Some(groups) => groups,
            None => {
                left = Groups::all(damaged)?;
                &left
            }
        };
        // Groups that a draw takes domains from are priced for themselves.
        let shelf = match *groups == shared.groups {
            true => shared.shelf.clone(),
            false => Shelf::default(),
        };
        // A draw advances the count by one, whatever the run inside counts.
        let control = control.part();
        time(damaged, groups, self.routing, request, &control, &shelf)
    }

    /// Why a group that was named cannot go on: a domain of it is dead.
    fn lost(&self, damaged: &Machine) -> Option<String> {
        let groups = self.groups?;
        let members = (0..groups.count()).flat_map(|group| groups.members(damaged, group));
        let mut domains = members.map(|chip| damaged.split(chip).0);
        let lifeless = damaged.lifeless_domains();
        let dead = domains.find(|domain| {
            damaged.is_dead_domain(*domain) || lifeless.binary_search(domain).is_ok()
        })?;
        Some(format!("UltraServer {dead} of the group is dead"))
    }
}

fn numbered(error: Error, draw: u64) -> Error {
    match error {
        Error::Unsupported { what, instead } => Error::Unsupported {
            what: format!("draw {draw}: {what}"),
            instead,
        },
        other => other,
    }
}
