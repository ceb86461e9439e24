//! The live links between ranks, whatever machine they are of.

use crate::Control;
use crate::error::{Error, Result, not_negative, positive};

/// One directed link that works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wire {
    /// The rank that sends on it.
    pub from: u32,
    /// The rank that receives.
    pub to: u32,
    /// Bytes/s.
    pub bandwidth: f64,
    /// Seconds from the last byte sent to the last byte received.
    pub latency: f64,
    /// What the machine calls it.
    pub id: u64,
}

/// Ranks and the live links between them; two between the same ranks are two links.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The chip of each rank.
    pub chips: Vec<u32>,
    /// The links.
    pub links: Vec<Wire>,
    /// Seconds that a sender spends on each other rank that it starts messages to.
    pub overhead: f64,
    /// True for a network that is read backwards: who takes a chunk by the plan is who starts the message.
    pub backwards: bool,
}

/// Most names of chips in an error.
const MOST_NAMED: usize = 8;

impl Network {
    /// Ranks 0, 1, ... with these links.
    pub fn new(ranks: u32, links: Vec<Wire>) -> Self {
        Self {
            chips: (0..ranks).collect(),
            links,
            overhead: 0.0,
            backwards: false,
        }
    }

    /// Number of ranks.
    pub fn ranks(&self) -> u32 {
        self.chips.len() as u32
    }

    /// The same with every link the other way; links keep their places.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn reversed(&self, control: &Control) -> Result<Self> {
        let mut links = Vec::with_capacity(self.links.len());
        for (place, wire) in self.links.iter().enumerate() {
            control.check_at(place)?;
            links.push(Wire {
                from: wire.to,
                to: wire.from,
                ..*wire
            });
        }
        Ok(Self {
            chips: self.chips.clone(),
            links,
            overhead: self.overhead,
            backwards: !self.backwards,
        })
    }

    /// Who starts the messages on a link, and to whom.
    pub(super) fn starter(&self, wire: &Wire) -> (u32, u32) {
        if self.backwards {
            (wire.to, wire.from)
        } else {
            (wire.from, wire.to)
        }
    }

    /// Links into each rank, by place.
    pub(super) fn inwards(&self, control: &Control) -> Result<Vec<Vec<u32>>> {
        self.by(control, |wire| wire.to)
    }

    /// Links out of each rank, by place.
    pub(super) fn outwards(&self, control: &Control) -> Result<Vec<Vec<u32>>> {
        self.by(control, |wire| wire.from)
    }

    fn by(&self, control: &Control, end: impl Fn(&Wire) -> u32) -> Result<Vec<Vec<u32>>> {
        let mut lists = vec![Vec::new(); self.chips.len()];
        for (place, wire) in self.links.iter().enumerate() {
            control.check_at(place)?;
            lists[end(wire) as usize].push(place as u32);
        }
        Ok(lists)
    }

    /// For each rank bytes/s of some links.
    pub(super) fn rates(&self, lists: &[Vec<u32>], control: &Control) -> Result<Vec<f64>> {
        let rate = |links: &Vec<u32>| {
            control.check()?;
            let bandwidth = |&link: &u32| self.links[link as usize].bandwidth;
            Ok(links.iter().map(bandwidth).sum())
        };
        lists.iter().map(rate).collect()
    }

    /// Checks the numbers of the links, and that every rank can be reached from every other.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::OutOfRange`]; [`Error::Unreachable`] naming two chips and what is cut;
    /// [`Error::Cancelled`].
    pub fn check(&self, control: &Control) -> Result<()> {
        if self.chips.is_empty() {
            return Err(Error::invalid("ranks", 0, "must be >= 1"));
        }
        not_negative("overhead", self.overhead)?;
        for (place, wire) in self.links.iter().enumerate() {
            control.check_at(place)?;
            positive(format_args!("bandwidth of link {place}"), wire.bandwidth)?;
            not_negative(format_args!("latency of link {place}"), wire.latency)?;
            for rank in [wire.from, wire.to] {
                if rank >= self.ranks() {
                    return Err(Error::OutOfRange {
                        argument: format!("rank of link {place}"),
                        value: i128::from(rank),
                        low: 0,
                        high: i128::from(self.ranks()) - 1,
                    });
                }
            }
            if wire.from == wire.to {
                let what = format!("link {place}");
                return Err(Error::invalid(what, wire.to, "must join two ranks"));
            }
        }
        self.connected(control)
    }

    fn connected(&self, control: &Control) -> Result<()> {
        let (out, into) = (self.outwards(control)?, self.inwards(control)?);
        let forth = reached(&out, control, |link| self.links[link as usize].to)?;
        let back = reached(&into, control, |link| self.links[link as usize].from)?;
        let missed = |reached: &[bool]| reached.iter().position(|&known| !known);
        let (src, dst, far, side) = if let Some(dst) = missed(&forth) {
            (0, dst, forth, "into")
        } else if let Some(src) = missed(&back) {
            (src, 0, back, "out of")
        } else {
            return Ok(());
        };
        let cut: Vec<u32> = (0..far.len())
            .filter(|&rank| !far[rank])
            .map(|rank| self.chips[rank])
            .collect();
        let names: Vec<String> = cut.iter().take(MOST_NAMED).map(u32::to_string).collect();
        let more = match cut.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Error::Unreachable {
            src: self.chips[src],
            dst: self.chips[dst],
            why: format!(
                "of the links between ranks of the group none that works leads {side} chips {}{more}",
                names.join(", ")
            ),
        })
    }
}

/// Which ranks a walk from rank 0 comes to.
fn reached(links: &[Vec<u32>], control: &Control, next: impl Fn(u32) -> u32) -> Result<Vec<bool>> {
    let mut known = vec![false; links.len()];
    known[0] = true;
    let mut open = vec![0usize];
    while let Some(rank) = open.pop() {
        control.check()?;
        for &link in &links[rank] {
            let rank = next(link) as usize;
            if !known[rank] {
                known[rank] = true;
                open.push(rank);
            }
        }
    }
    Ok(known)
}
