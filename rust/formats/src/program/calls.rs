//! Which part of a program calls which, how often each runs for it, and in which order collectives do.

use super::Collective;
use crate::error::{Error, Result};

/// What a part of a program does, in order.
pub(crate) enum Item {
    /// The collective of this number.
    Collective(usize),
    /// A call.
    Call {
        /// Number of the part that is called.
        to: usize,
        /// How often one run of this part runs that.
        times: Times,
        /// Where in the text.
        at: usize,
    },
}

/// How often a call runs what it calls.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Times {
    /// As a function does.
    Once,
    /// As a loop does; None where the text has no trip count. The loop's name.
    Loop(Option<u64>, String),
    /// Where a condition chooses it. In which words.
    Branch(String),
}

/// How often a part runs.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    /// None in a loop without a trip count, and where nothing calls it.
    pub(crate) count: Option<u64>,
    /// The first loop around it without a trip count.
    pub(crate) unknown_loop: Option<String>,
    /// The first condition around it.
    pub(crate) branch: Option<String>,
}

/// The parts of a program, by number.
pub(crate) struct Calls<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) parts: &'a [Vec<Item>],
}

/// Collectives by number, with the part that each is in.
type Order = Vec<(usize, usize)>;

/// What [`Calls::follow`] finds.
pub(crate) struct Followed {
    /// Collectives in the order in which they first run, with the part that each is in.
    pub(crate) order: Order,
    /// By part; None where the entry does not reach it.
    pub(crate) runs: Vec<Option<Runs>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Not,
    Open,
    Done,
}

impl Calls<'_> {
    /// Follows all calls from part `entry`.
    pub(crate) fn follow(&self, entry: usize) -> Result<Followed> {
        let (order, done) = self.walk(entry)?;
        let mut runs: Vec<Option<Runs>> = vec![None; self.parts.len()];
        runs[entry] = Some(Runs {
            count: Some(1),
            ..Runs::default()
        });
        for &part in done.iter().rev() {
            let Some(from) = runs[part].clone() else {
                continue;
            };
            for item in &self.parts[part] {
                if let Item::Call { to, times, at } = item {
                    self.add(&mut runs[*to], &from, times, *at)?;
                }
            }
        }
        Ok(Followed { order, runs })
    }

    /// Collectives in order, and parts in the order in which their calls have all been followed.
    fn walk(&self, entry: usize) -> Result<(Order, Vec<usize>)> {
        let mut seen = vec![Seen::Not; self.parts.len()];
        let (mut order, mut done) = (Vec::new(), Vec::new());
        let mut open = vec![(entry, 0usize)];
        seen[entry] = Seen::Open;
        while let Some((part, next)) = open.last_mut() {
            let part = *part;
            let Some(item) = self.parts[part].get(*next) else {
                seen[part] = Seen::Done;
                done.push(part);
                open.pop();
                continue;
            };
            *next += 1;
            match item {
                Item::Collective(number) => order.push((*number, part)),
                Item::Call { to, at, .. } => match seen[*to] {
                    Seen::Done => {}
                    Seen::Not => {
                        seen[*to] = Seen::Open;
                        open.push((*to, 0));
                    }
                    Seen::Open => {
                        return Err(Error::in_text(
                            self.text,
                            *at,
                            "calls what it is itself called by: a program has no circle of calls",
                        ));
                    }
                },
            }
        }
        Ok((order, done))
    }

    /// Adds to the runs of a part those by one call.
    fn add(&self, to: &mut Option<Runs>, from: &Runs, times: &Times, at: usize) -> Result<()> {
        let runs = to.get_or_insert(Runs {
            count: Some(0),
            ..Runs::default()
        });
        let factor = match times {
            Times::Once | Times::Branch(_) => Some(1),
            Times::Loop(count, _) => *count,
        };
        let too_often = || {
            Error::in_text(
                self.text,
                at,
                "must not run what it calls more than 2**63 - 1 times",
            )
        };
        runs.count = match (runs.count, from.count, factor) {
            (Some(before), Some(outer), Some(factor)) => {
                let all = outer
                    .checked_mul(factor)
                    .and_then(|more| more.checked_add(before));
                Some(
                    all.filter(|all| *all <= i64::MAX as u64)
                        .ok_or_else(too_often)?,
                )
            }
            _ => None,
        };
        let here = match times {
            Times::Loop(None, name) => Some(name.clone()),
            _ => None,
        };
        let unknown = from.unknown_loop.clone().or(here);
        runs.unknown_loop = runs.unknown_loop.take().or(unknown);
        let here = match times {
            Times::Branch(words) => Some(words.clone()),
            _ => None,
        };
        let branch = from.branch.clone().or(here);
        runs.branch = runs.branch.take().or(branch);
        Ok(())
    }
}

/// How often a collective runs, and what is not known of it.
pub(crate) fn put_runs(made: &mut Collective, runs: Option<&Runs>, computation: &str) {
    let Some(runs) = runs else {
        made.notes.push(format!(
            "no call of {computation} was found: how often it runs is not known"
        ));
        return;
    };
    made.count = runs.count;
    if let Some(name) = &runs.unknown_loop {
        made.notes.push(format!(
            "runs in the loop {name}, of which the text does not show how often it runs: known_trip_count in compiled HLO, the StableHLO of a loop with a counter, or whoever wrote the loop tells"
        ));
    }
    if let Some(branch) = &runs.branch {
        made.notes.push(format!(
            "in {branch}: runs only where that branch is chosen, and is counted as if it always were"
        ));
    }
}
