//! Vector collectives: each rank, or each pair of ranks, has a size of its own (MPI's Allgatherv, Reduce_scatter with
//! counts, Alltoallv). They are written out message by message, and so proven and run as schedules are.

mod gather;

use super::ask::group::Groups;
use super::ask::model::Model;
use super::ask::request::MOST_BYTES;
use super::events::run_schedule::seconds;
use super::events::unroll::MOST_RANKS_WRITTEN;
use crate::machine::Machine;
use crate::memory::bytes_of;
use crate::operation::Operation;
use crate::route::Routing;
use crate::schedule::{Block, Schedule, Send};
use crate::{Control, Error, Result};
use gather::{Gather, Move};

/// Most messages of one.
const MOST_SENDS: u64 = 1 << 22;

/// Bytes of a message that is written out, about.
const SEND: u64 = 4 * bytes_of::<Send>(1);

/// A vector collective of one group.
#[derive(Debug, Clone, Copy)]
pub struct Vector<'a> {
    /// All-gather, reduce-scatter or all-to-all.
    pub operation: Operation,
    /// Bytes of each rank's share; of an all-to-all those from each rank to each, by sender.
    pub sizes: &'a [f64],
    /// Chips by rank.
    pub chips: &'a [u32],
    /// The name of the algorithm, or "auto".
    pub algorithm: &'a str,
    /// By which time is told.
    pub model: Model,
}

/// The fastest schedule of a vector collective, and the name of its algorithm.
///
/// # Errors
/// [`Error::Invalid`] for sizes that are not as many as there must be or no bytes, [`Error::Unknown`] for a name,
/// [`Error::Unsupported`] for what has too many messages or an algorithm that does not apply; those of
/// [`run_schedule`](crate::collective::run_schedule()).
pub fn vector(
    machine: &Machine,
    asked: &Vector,
    routing: &Routing,
    control: &Control,
) -> Result<(String, Schedule)> {
    routing.check(machine)?;
    Groups::of_chips(machine, asked.chips)?;
    asked.check()?;
    let mut best: Option<(f64, String, Schedule)> = None;
    let mut refused = None;
    for name in asked.names()? {
        control.check()?;
        let made = asked.schedule(machine, name, control);
        let timed = made.and_then(|made| {
            let time = seconds(machine, &made, routing, asked.model, control)?;
            Ok((time, name.to_owned(), made))
        });
        match timed {
            Ok(timed) if best.as_ref().is_none_or(|best| timed.0 < best.0) => best = Some(timed),
            Ok(_) => {}
            Err(error @ Error::Unsupported { .. }) => refused = refused.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    match (best, refused) {
        (Some((_, name, made)), _) => Ok((name, made)),
        (None, Some(error)) => Err(error),
        (None, None) => unreachable!("one algorithm at least is tried"),
    }
}

impl Vector<'_> {
    fn ranks(&self) -> u32 {
        self.chips.len() as u32
    }

    fn check(&self) -> Result<()> {
        let ranks = self.chips.len();
        if ranks > MOST_RANKS_WRITTEN {
            return Err(Error::unsupported(
                format!("sizes of {ranks} ranks"),
                format!("name a group of at most {MOST_RANKS_WRITTEN} chips"),
            ));
        }
        let count = match self.operation {
            Operation::AllGather | Operation::ReduceScatter => ranks,
            Operation::AllToAll => ranks * ranks,
            other => {
                return Err(Error::unsupported(
                    format!("{} with a size for each rank", other.name()),
                    "give one size, or ask for all_gather, reduce_scatter or all_to_all",
                ));
            }
        };
        if self.sizes.len() != count {
            let allowed = format!("must be {count} for {ranks} ranks");
            return Err(Error::invalid(
                "size",
                format!("{} sizes", self.sizes.len()),
                allowed,
            ));
        }
        let bad = |size: &&f64| !(0.0..=MOST_BYTES).contains(*size);
        if let Some(size) = self.sizes.iter().find(bad) {
            let allowed = format!("must hold bytes from 0 to {MOST_BYTES:e}");
            return Err(Error::invalid("size", size, allowed));
        }
        Ok(())
    }

    /// The algorithms that are tried.
    fn names(&self) -> Result<Vec<&'static str>> {
        let all: &[&'static str] = match self.operation {
            Operation::AllToAll => &["direct"],
            _ => &gather::NAMES,
        };
        match self.algorithm {
            "auto" => Ok(all.to_vec()),
            name => match all.iter().find(|known| **known == name) {
                Some(known) => Ok(vec![known]),
                None => Err(Error::unsupported(
                    format!(
                        "{name} for {} with a size for each rank",
                        self.operation.name()
                    ),
                    format!("use auto or {}", all.join(", ")),
                )),
            },
        }
    }

    fn schedule(&self, machine: &Machine, name: &str, control: &Control) -> Result<Schedule> {
        let ranks = u64::from(self.ranks());
        let what = format_args!("the messages of {ranks} ranks with sizes of their own");
        let _taken = control.take(
            SEND.saturating_mul(ranks * ranks),
            what,
            "use a smaller group",
        )?;
        if ranks * ranks > MOST_SENDS {
            return Err(Error::unsupported(
                format!("{} messages written out one by one", ranks * ranks),
                "look at a smaller group",
            ));
        }
        match self.operation {
            Operation::AllToAll => Ok(self.all_to_all()),
            _ => self.gathered(machine, name, control),
        }
    }

    fn made(&self, size: f64, blocks: Vec<Block>, sends: Vec<Send>) -> Schedule {
        Schedule {
            operation: self.operation,
            size,
            root: 0,
            shift: 0,
            chips: self.chips.to_vec(),
            blocks,
            sends,
        }
    }

    /// Every rank to every other that it has bytes for, at once.
    fn all_to_all(&self) -> Schedule {
        let ranks = self.ranks();
        let (mut blocks, mut sends) = (Vec::new(), Vec::new());
        // Each begins with the next one, so that not all begin with the same.
        let pairs =
            (0..ranks).flat_map(|src| (0..ranks).map(move |far| (src, (src + far) % ranks)));
        for (src, dst) in pairs {
            let bytes = self.sizes[(src * ranks + dst) as usize];
            if bytes == 0.0 {
                continue;
            }
            if src != dst {
                sends.push(send(src, dst, vec![blocks.len() as u32], bytes, 0, false));
            }
            blocks.push(Block {
                from: Some(src),
                to: Some(dst),
                bytes,
            });
        }
        // As the operation defines its size: what a rank has, on average.
        let size = self.sizes.iter().sum::<f64>() / f64::from(ranks);
        self.made(size, blocks, sends)
    }

    /// An all-gather, or the same backwards.
    fn gathered(&self, machine: &Machine, name: &str, control: &Control) -> Result<Schedule> {
        let scatters = self.operation == Operation::ReduceScatter;
        let Gather { slices, moves } =
            gather::write(machine, self.chips, self.sizes, name, control)?;
        let steps = moves.iter().map(|one| one.step + 1).max().unwrap_or(0);
        // Ranks without bytes have no blocks.
        let mut first = vec![0; self.sizes.len()];
        let mut blocks = Vec::new();
        for (rank, &bytes) in (0..).zip(self.sizes) {
            first[rank as usize] = blocks.len() as u32;
            let block = Block {
                from: (!scatters).then_some(rank),
                to: scatters.then_some(rank),
                bytes: bytes / f64::from(slices),
            };
            let count = if bytes > 0.0 { slices as usize } else { 0 };
            blocks.extend(std::iter::repeat_n(block, count));
        }
        let mut sends = Vec::with_capacity(moves.len());
        for (at, one) in moves.into_iter().enumerate() {
            control.check_at(at)?;
            let Move {
                step,
                src,
                dst,
                shares,
            } = one;
            let shares = shares
                .into_iter()
                .filter(|share| self.sizes[share.0 as usize] > 0.0);
            let carried: Vec<u32> = shares
                .map(|(rank, slice)| first[rank as usize] + slice)
                .collect();
            if carried.is_empty() {
                continue;
            }
            let bytes = carried
                .iter()
                .map(|&block| blocks[block as usize].bytes)
                .sum();
            sends.push(match scatters {
                false => send(src, dst, carried, bytes, step, false),
                true => send(dst, src, carried, bytes, steps - 1 - step, true),
            });
        }
        Ok(self.made(self.sizes.iter().sum(), blocks, sends))
    }
}

fn send(src: u32, dst: u32, blocks: Vec<u32>, bytes: f64, step: u32, reduce: bool) -> Send {
    Send {
        src,
        dst,
        blocks,
        bytes,
        reduce,
        stage: 0,
        lane: 0,
        step,
        after: Vec::new(),
    }
}
