//! What there is to choose of a layout.

use crate::error::{Error, Result};
use crate::pipeline::Schedule;
use crate::workload::axes::{Axes, Axis};
use crate::workload::job::{Job, Recompute};
use crate::workload::layout::Context;
use crate::workload::order::Order;

/// A kind of ranks that act together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    /// Ranks that share matrices.
    Tp,
    /// Ranks that share a sequence.
    Cp,
    /// Stages.
    Pp,
    /// Replicas of dense parts, with ranks that share a sequence.
    Dp,
    /// Ranks that share the experts of a layer.
    Ep,
    /// Ranks that share an expert.
    Etp,
}

impl Member {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("tp", Self::Tp),
        ("cp", Self::Cp),
        ("pp", Self::Pp),
        ("dp", Self::Dp),
        ("ep", Self::Ep),
        ("etp", Self::Etp),
    ];

    /// The one of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for others.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|one| one.0 == name);
        found.map(|one| one.1).ok_or_else(|| Error::Unknown {
            argument: "within".to_owned(),
            value: name.to_owned(),
            known: Self::ALL.map(|one| one.0).join(", "),
        })
    }

    pub(super) fn axis(self, axes: &Axes) -> &Axis {
        match self {
            Self::Tp => &axes.tp,
            Self::Cp => &axes.cp,
            Self::Pp => &axes.pp,
            Self::Dp => &axes.replicas,
            Self::Ep => &axes.ep,
            Self::Etp => &axes.etp,
        }
    }
}

/// What layouts may be. Of an empty list all that divides is tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Ranks that share matrices.
    pub tp: Vec<u32>,
    /// Stages.
    pub pp: Vec<u32>,
    /// Ranks that share a sequence.
    pub cp: Vec<u32>,
    /// Ranks that share the experts of a layer.
    pub ep: Vec<u32>,
    /// Ranks that share an expert.
    pub etp: Vec<u32>,
    /// What replicas share.
    pub zero: Vec<u8>,
    /// Sequences at once.
    pub microbatch: Vec<u32>,
    /// Chunks of a stage.
    pub virtual_stages: Vec<u32>,
    /// Schedules.
    pub schedule: Vec<Schedule>,
    /// What is computed again; empty for what the job says.
    pub recompute: Vec<Recompute>,
    /// Whether ranks that share matrices share rows.
    pub sequence_parallel: Vec<bool>,
    /// How ranks share a sequence.
    pub context: Option<Context>,
    /// Which ranks are next to each other.
    pub order: Order,
    /// Whether collectives hide behind what the machine's software computes.
    pub overlap: bool,
    /// Members whose groups must stay inside so many chips, from a multiple of it on.
    pub within: Vec<(Member, u64)>,
    /// tp, pp, cp, ep and etp that are refused together, in ascending order.
    pub refused: Vec<[u32; 5]>,
}

/// Divisors, in ascending order.
pub(super) fn divisors(whole: u64) -> Vec<u32> {
    let mut small = Vec::new();
    let mut large = Vec::new();
    let mut at = 1;
    while at * at <= whole {
        if whole % at == 0 {
            small.push(at);
            if at * at != whole {
                large.push(whole / at);
            }
        }
        at += 1;
    }
    let all = small.into_iter().chain(large.into_iter().rev());
    all.filter_map(|one| u32::try_from(one).ok()).collect()
}

impl Options {
    /// The same with all that divides in place of what is empty.
    pub(super) fn filled(&self, job: &Job, chips: u64) -> Self {
        let model = &job.model;
        let fill = |given: &Vec<u32>, make: &dyn Fn() -> Vec<u32>| match given.is_empty() {
            true => make(),
            false => given.clone(),
        };
        let of_chips = |whole: u64| -> Vec<u32> {
            let all = divisors(whole).into_iter();
            all.filter(|&one| chips % u64::from(one) == 0).collect()
        };
        let layers = model.layers.len() as u32;
        let (ep, etp) = match &model.experts {
            // Without experts there is nothing to share: etp stands for tp.
            None => (fill(&self.ep, &|| vec![1]), vec![0]),
            Some(experts) => (
                fill(&self.ep, &|| divisors(u64::from(experts.count))),
                fill(&self.etp, &|| of_chips(u64::from(experts.width))),
            ),
        };
        Self {
            tp: fill(&self.tp, &|| of_chips(u64::from(model.heads))),
            pp: fill(&self.pp, &|| {
                (1..=layers)
                    .filter(|&one| chips % u64::from(one) == 0)
                    .collect()
            }),
            cp: fill(&self.cp, &|| of_chips(u64::from(job.sequence))),
            ep,
            etp,
            zero: match self.zero.is_empty() {
                true => vec![0, 1, 2, 3],
                false => self.zero.clone(),
            },
            microbatch: fill(&self.microbatch, &|| divisors(job.batch)),
            virtual_stages: fill(&self.virtual_stages, &|| (1..=layers).collect()),
            schedule: match self.schedule.is_empty() {
                true => ORDERED.to_vec(),
                false => self.schedule.clone(),
            },
            recompute: match self.recompute.is_empty() {
                true => vec![job.recompute],
                false => self.recompute.clone(),
            },
            sequence_parallel: match self.sequence_parallel.is_empty() {
                true => vec![true, false],
                false => self.sequence_parallel.clone(),
            },
            ..self.clone()
        }
    }
}

/// Schedules in the order of layouts: what is plain comes first where times are equal.
const ORDERED: [Schedule; 7] = [
    Schedule::OneF1B,
    Schedule::Interleaved,
    Schedule::GPipe,
    Schedule::ZbH1,
    Schedule::ZbH2,
    Schedule::ZbV,
    Schedule::DualPipe,
];
