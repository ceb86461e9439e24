//! Which stages of a layout are alike: they hold as many layers of each kind, and the same ends of the model.

use crate::workload::job::Job;
use crate::workload::model::Kind;
use crate::workload::plan::Plan;

/// Layers of each kind.
type Counts = [u32; Kind::ALL.len()];

/// Layers of each kind before each layer.
pub(super) struct Before(Vec<Counts>);

impl Before {
    pub(super) fn of(job: &Job) -> Self {
        let layers = &job.model.layers;
        let mut all = Vec::with_capacity(layers.len() + 1);
        let mut counts = Counts::default();
        all.push(counts);
        for kind in layers {
            counts[kind.index()] += 1;
            all.push(counts);
        }
        Self(all)
    }
}

/// What a stage is known by.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    layers: Counts,
    /// Kinds of the first layers of its chunks.
    starts: Counts,
    /// Its place, if it is at an end of the pipeline, and the ends of the model that it holds.
    ends: [bool; 4],
}

/// Stages that are alike.
pub(super) struct Alike {
    look: Look,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The stages of a plan, those that are alike together.
pub(super) fn alike(plan: &Plan, before: &Before, found: &mut Vec<Alike>) {
    found.clear();
    let stages = plan.layout.pp as usize;
    for stage in 0..stages {
        let mut look = Look {
            layers: Counts::default(),
            starts: Counts::default(),
            ends: [stage == 0, stage + 1 == stages, false, false],
        };
        for chunk in plan.held(stage) {
            let range = &plan.chunks[chunk];
            let (low, high) = (&before.0[range.start], &before.0[range.end]);
            let counts = look.layers.iter_mut().zip(low.iter().zip(high));
            counts.for_each(|(own, (low, high))| *own += high - low);
            if let Some(kind) = plan.job.model.layers.get(range.start) {
                look.starts[kind.index()] += 1;
            }
            look.ends[2] |= chunk == 0;
            look.ends[3] |= chunk + 1 == plan.chunks.len();
        }
        match found.iter_mut().find(|alike| alike.look == look) {
            Some(alike) => alike.last = stage,
            None => found.push(Alike {
                look,
                first: stage,
                last: stage,
            }),
        }
    }
}
