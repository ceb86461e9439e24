//! Planes of domains that nobody has: jobs take whole domains, or parts of one.
//!
//! Planes are numbered over the machine, domain after domain. What is taken is kept as stretches of planes, so that
//! neither memory nor time grows with the machine, but with the faults and jobs that lie apart on it.

use crate::control::Control;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::bytes_of;
use std::num::NonZeroU32;

/// Chips that are written between two looks at the cancel flag.
const STRETCH: u64 = 1 << 16;

/// Which of the domains that are free for it a job gets.
#[derive(Debug, Clone, Copy)]
pub enum Choice<'a> {
    /// So many, the first ones.
    First(u32),
    /// So many, evenly over all; each of several jobs begins at another place.
    Even {
        /// Domains of the job.
        count: u32,
        /// Number of the job.
        job: u32,
        /// How many jobs there are.
        jobs: NonZeroU32,
    },
    /// These, counted among the free ones, in any order.
    Listed(&'a [i64]),
}

/// Planes of domains that no job has and that have no dead chip.
#[derive(Debug, Clone)]
pub struct FreePlanes {
    /// Planes of a domain, and chips of a plane.
    planes: u64,
    chips: u64,
    /// Planes of the machine.
    end: u64,
    /// Whether jobs never share a domain.
    alone: bool,
    /// Domains with a dead chip.
    broken: u64,
    /// First plane and end of each stretch that is not free: ascending, apart.
    taken: Vec<(u64, u64)>,
}

impl FreePlanes {
    /// All planes without a dead chip of a machine whose domains have `planes` of them; with `alone`, a domain of
    /// which anything is taken or dead is not free.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the chips of a domain are not so many planes.
    pub fn new(machine: &Machine, planes: u32, alone: bool) -> Result<Self> {
        let chips = machine.domain().chips();
        if planes == 0 || chips % planes != 0 {
            return Err(Error::invalid(
                "planes",
                planes,
                format!("must divide the {chips} chips of a domain"),
            ));
        }
        let (faults, chips) = (machine.faults(), chips / planes);
        let planes = u64::from(planes);
        let plane = |first: u32, count: u32| {
            let first = u64::from(first);
            (first * planes, (first + u64::from(count)) * planes)
        };
        let dead_planes = faults.chips.iter().map(|&chip| u64::from(chip / chips));
        let mut taken: Vec<(u64, u64)> = dead_planes.map(|dead| (dead, dead + 1)).collect();
        taken.extend(faults.domains.iter().map(|&domain| plane(domain, 1)));
        taken.extend(faults.sites.iter().map(|&site| {
            let site = site as usize;
            plane(machine.first_domain(site), machine.sites()[site].domains)
        }));
        join(&mut taken);
        let (mut broken, mut next) = (0, 0);
        for &(first, end) in &taken {
            let end = end.div_ceil(planes);
            broken += end.saturating_sub(next.max(first / planes));
            next = end;
        }
        Ok(Self {
            planes,
            chips: u64::from(chips),
            end: u64::from(machine.num_domains()) * planes,
            alone,
            broken,
            taken,
        })
    }

    /// Domains with a dead chip, dead ones with them.
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// Domains in which `own` adjacent planes are free, from a multiple of `own` on.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `own` does not divide the planes of a domain.
    pub fn count(&self, own: u32) -> Result<u64> {
        Ok(self.stretches(own)?.map(|(_, domains)| domains).sum())
    }

    /// Takes the first free `own` adjacent planes of each chosen domain; their chips, ascending.
    ///
    /// # Errors
    /// As [`FreePlanes::count`]; [`Error::Invalid`] for a choice of none, of more than there are, or of one twice;
    /// [`Error::Memory`], [`Error::Cancelled`]. Nothing is taken then.
    pub fn take(&mut self, own: u32, choice: Choice, control: &Control) -> Result<Vec<i64>> {
        let free = self.count(own)?;
        let own = u64::from(own);
        let wanted = choice.count();
        if wanted == 0 || wanted > free {
            let allowed = format!("must be 1 to the {free} that are free");
            return Err(Error::invalid("domains", wanted, allowed));
        }
        // Stretches are sorted in half as much room again.
        let stretches = bytes_of::<(u64, u64)>(self.taken.len() as u64 + wanted);
        let listed =
            bytes_of::<u64>(wanted).saturating_add(bytes_of::<i64>(wanted * own * self.chips));
        let _taken = control.take(
            listed.saturating_add(stretches.saturating_mul(2)),
            format_args!("the places of a job on {wanted} UltraServers"),
            "give jobs fewer UltraServers",
        )?;
        let picks = choice.picks(free)?;
        let mut chips = Vec::with_capacity((wanted * own * self.chips) as usize);
        let mut parts = Vec::with_capacity(picks.len());
        let mut stretches = self.stretches(own as u32)?;
        let (mut plane, mut domains, mut before) = (0, 0, 0);
        for pick in picks {
            while pick >= before + domains {
                before += domains;
                (plane, domains) = stretches.next().expect("as many as were counted");
            }
            // Domains after the first of a stretch are free as a whole.
            let first = match pick - before {
                0 => plane,
                further => (plane / self.planes + further) * self.planes,
            };
            parts.push((first, first + own));
            let mut from = first * self.chips;
            let end = (first + own) * self.chips;
            while from < end {
                control.check()?;
                let to = end.min(from + STRETCH);
                chips.extend(from as i64..to as i64);
                from = to;
            }
        }
        drop(stretches);
        self.taken.append(&mut parts);
        join(&mut self.taken);
        Ok(chips)
    }

    /// Stretches of domains with free parts: the first part that is free of the first of them, and how many they are;
    /// of the others the first part is.
    fn stretches(&self, own: u32) -> Result<impl Iterator<Item = (u64, u64)> + '_> {
        let (planes, own) = (self.planes, u64::from(own));
        if own == 0 || planes % own != 0 {
            let allowed = format!("must divide the {planes} planes of a domain");
            return Err(Error::invalid("own", own, allowed));
        }
        let unit = if self.alone { planes } else { own };
        let all = self.taken.iter().copied().chain([(self.end, self.end)]);
        let (mut from, mut domain) = (0_u64, 0);
        Ok(all.filter_map(move |(first, end)| {
            let last = first / unit * unit;
            // A domain is named once, by its first part.
            let plane = from.next_multiple_of(unit).max(domain * planes);
            from = end;
            if plane >= last {
                return None;
            }
            domain = last.div_ceil(planes);
            Some((plane, domain - plane / planes))
        }))
    }
}

impl Choice<'_> {
    fn count(&self) -> u64 {
        match *self {
            Self::First(count) | Self::Even { count, .. } => u64::from(count),
            Self::Listed(list) => list.len() as u64,
        }
    }

    /// Which of `free` domains, ascending; at least as many as are chosen.
    fn picks(&self, free: u64) -> Result<Vec<u64>> {
        let count = self.count();
        let mut picks: Vec<u64> = match *self {
            Self::First(_) => return Ok((0..count).collect()),
            Self::Even { job, jobs, .. } => {
                let (free, count) = (u128::from(free), u128::from(count));
                let begin = u128::from(job) * free / (u128::from(jobs.get()) * count);
                let pick = |at| ((at * free / count + begin) % free) as u64;
                (0..count).map(pick).collect()
            }
            Self::Listed(list) => {
                let number = |&pick: &i64| u64::try_from(pick).unwrap_or(u64::MAX);
                list.iter().map(number).collect()
            }
        };
        picks.sort_unstable();
        if !picks.is_sorted_by(|a, b| a < b) || picks.last().is_some_and(|&last| last >= free) {
            return Err(Error::invalid(
                "picks",
                "one twice or out of range",
                format!("must be different numbers from 0 to {}", free - 1),
            ));
        }
        Ok(picks)
    }
}

/// Sorts stretches and joins those that meet.
fn join(stretches: &mut Vec<(u64, u64)>) {
    stretches.sort();
    stretches.dedup_by(|next, last| {
        let meets = next.0 <= last.1;
        if meets {
            last.1 = last.1.max(next.1);
        }
        meets
    });
}
