//! The schedules: their names, and which stage has which chunk.

use crate::error::{Error, Result};

/// In which order the stages of a pipeline do their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// All forwards, then all backwards (arXiv 1811.06965).
    GPipe,
    /// One forward, one backward in turn, once the pipeline is full (PipeDream-flush, arXiv 2006.09503).
    OneF1B,
    /// 1F1B over several chunks a stage (arXiv 2104.04473), in the order of Megatron-LM.
    Interleaved,
    /// Weights late, as much memory as 1F1B (arXiv 2401.10241).
    ZbH1,
    /// Weights later, about twice the memory of 1F1B (arXiv 2401.10241).
    ZbH2,
    /// Two chunks a stage in the shape of a V (arXiv 2401.10241), in the order that its authors wrote by hand.
    ZbV,
    /// Microbatches from both ends, a forward beside a backward (deepseek-ai/DualPipe); each stage has two chunks of
    /// the model, which is there twice.
    DualPipe,
}

impl Schedule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::GPipe,
        Self::OneF1B,
        Self::Interleaved,
        Self::ZbH1,
        Self::ZbH2,
        Self::ZbV,
        Self::DualPipe,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GPipe => "gpipe",
            Self::OneF1B => "1f1b",
            Self::Interleaved => "interleaved",
            Self::ZbH1 => "zb-h1",
            Self::ZbH2 => "zb-h2",
            Self::ZbV => "zb-v",
            Self::DualPipe => "dualpipe",
        }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is none of [`Schedule::ALL`].
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|each| each.name() == name);
        found.ok_or_else(|| Error::Unknown {
            argument: "schedule".to_owned(),
            value: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }

    /// Whether gradients of weights are computed apart from those of inputs. `DualPipe` does at both ends of a step.
    #[must_use]
    pub fn splits(self) -> bool {
        matches!(self, Self::ZbH1 | Self::ZbH2 | Self::ZbV | Self::DualPipe)
    }

    /// The stage that runs `chunk`, of a pipeline of `stages`; for `DualPipe`, of microbatches that enter at stage 0:
    /// the others run it on the stage across, `stages - 1` less this one.
    #[must_use]
    pub fn stage_of(self, stages: u32, chunk: u32) -> u32 {
        match self {
            Self::Interleaved => chunk % stages.max(1),
            Self::ZbV if chunk >= stages => {
                stages.saturating_sub((chunk - stages).saturating_add(1))
            }
            _ => chunk,
        }
    }
}
