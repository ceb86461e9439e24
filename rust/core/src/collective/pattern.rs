//! Patterns: who sends to whom at the same time, one byte a message, written compactly. What a pattern costs
//! per byte is found once and scaled; phases of an algorithm share patterns.

use super::context::Context;
use super::ledger::{Busiest, Ledger};
use super::measure;
use crate::Result;
use crate::memory::{Taken, bytes_of};
use std::cell::OnceCell;

/// What to do about steps that do not fit.
const SMALLER: &str = "use a smaller group or smaller UltraServers, or name one algorithm";

/// Which messages a pattern has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Messages between local chips, the same in every member domain.
    Local(Vec<(u32, u32)>),
    /// Every chip of a domain to every other, in every member domain.
    LocalAll,
    /// In every member domain, every chip of a group to every other of it, through a switch that adds up what is bound
    /// for one chip, or copies what one chip sends.
    InSwitch {
        /// Local chips of each group.
        groups: Vec<Vec<u32>>,
        /// Copies; otherwise adds up.
        gather: bool,
    },
    /// For each pair of domains, one message from each member to the member at the same place.
    Rails(Vec<(u32, u32)>),
    /// For each pair of domains, one message on each lane: from one local chip to another.
    Lanes {
        /// (from, to) domains.
        pairs: Vec<(u32, u32)>,
        /// (sending, receiving) local chip of each lane.
        lanes: Vec<(u32, u32)>,
    },
    /// In each set of domains, the root of each local group sends to every member of its group in the other
    /// domains, or they send to it.
    Star {
        /// Domains of each set, and the root's.
        sets: Vec<(Vec<u32>, u32)>,
        /// Members of each local group, and the root.
        locals: Vec<(Vec<u32>, u32)>,
        /// From the root, or to it.
        outward: bool,
    },
    /// In each set of domains, every member sends to each other domain of the set; the weight of the set
    /// scales the message. With `spread`, it goes in equal parts to all members of its group there instead of to
    /// the one at the same place.
    Exchange {
        /// Domains of each set, ascending, and bytes of each message of it.
        sets: Vec<(Vec<u32>, f64)>,
        /// To all members there, or to the one at the same place.
        spread: bool,
    },
    /// In each set of domains, the members at one site together send to those at another site, each its even
    /// part, to the members that hold the same part there.
    Sites {
        /// Domains of each set, ascending.
        sets: Vec<Vec<u32>>,
        /// Which pairs of sites, and how much.
        share: SiteShare,
    },
    /// Messages between chips of the machine.
    Flat(Vec<(u32, u32)>),
}

/// How much one site sends to another, in units of the phase's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteShare {
    /// One unit between each two sites.
    Equal,
    /// One unit to the next site only, cyclically.
    Next,
    /// The receiving site's share of the domains.
    Receiver,
    /// The sending site's share of the domains.
    Sender,
}

/// What a pattern costs when each message has one byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unit {
    /// Bytes on links.
    pub(crate) ledger: Ledger,
    /// Longest route's latency in seconds.
    pub(crate) latency: f64,
    /// Seconds that the busiest sender spends on starting its messages.
    pub(crate) overhead: f64,
    /// Bytes that the busiest sender sends.
    pub(crate) sent: f64,
    /// The busiest link.
    pub(crate) busiest: Option<Busiest>,
    /// (latency, seconds per byte) of messages that are alone on their route; dominated ones left out.
    pub(crate) alone: Vec<(f64, f64)>,
}

/// A pattern and, once asked for, its cost.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) kind: Kind,
    /// With what stands for its memory and that of the messages.
    unit: OnceCell<(Unit, Taken)>,
}

impl Pattern {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            unit: OnceCell::new(),
        }
    }

    /// The cost of one byte a message.
    pub(crate) fn unit(&self, context: &Context) -> Result<&Unit> {
        if let Some((unit, _)) = self.unit.get() {
            return Ok(unit);
        }
        let what = format_args!("the messages of one step of a collective");
        let mut taken = context.control.take(self.kind.bytes(), what, SMALLER)?;
        let mut unit = measure::unit(context, &self.kind)?;
        unit.busiest = unit.ledger.busiest(context);
        let what = format_args!("the loads of one step of a collective");
        taken.grow_to(self.kind.bytes() + unit.ledger.bytes(), what, SMALLER)?;
        Ok(&self.unit.get_or_init(|| (unit, taken)).0)
    }
}

impl Kind {
    /// Bytes of its lists.
    fn bytes(&self) -> u64 {
        let pairs = match self {
            Self::Local(pairs) | Self::Rails(pairs) | Self::Flat(pairs) => pairs.len(),
            Self::Lanes { pairs, lanes } => pairs.len() + lanes.len(),
            Self::InSwitch { groups, .. } => groups.iter().map(|group| group.len() + 4).sum(),
            Self::Star { sets, locals, .. } => {
                let lists = sets.iter().chain(locals);
                lists.map(|(list, _)| list.len() + 4).sum()
            }
            Self::Exchange { sets, .. } => sets.iter().map(|(list, _)| list.len() + 4).sum(),
            Self::Sites { sets, .. } => sets.iter().map(|list| list.len() + 4).sum(),
            Self::LocalAll => 0,
        };
        bytes_of::<(u32, u32)>(pairs as u64)
    }
}

impl Unit {
    /// Notes a message that takes `latency` + bytes x `seconds_per_byte` on an idle machine.
    pub(crate) fn note_alone(&mut self, latency: f64, seconds_per_byte: f64) {
        self.latency = self.latency.max(latency);
        let dominated =
            |&(other, slope): &(f64, f64)| other >= latency && slope >= seconds_per_byte;
        if self.alone.iter().any(dominated) {
            return;
        }
        self.alone
            .retain(|&(other, slope)| other > latency || slope > seconds_per_byte);
        self.alone.push((latency, seconds_per_byte));
    }
}
