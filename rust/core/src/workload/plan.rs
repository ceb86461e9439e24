//! A layout that fits its job and its ranks.

use super::axes::Axes;
use super::job::Job;
use super::layout::{Context, Layout};
use crate::error::{Error, Result};
use crate::pipeline::{Chunk, Pipeline, Schedule};
use std::ops::Range;

/// Most ranks of one axis, layers and sequences of a step.
const MOST: u64 = 1 << 31;

/// A layout that fits, with what follows from both.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// What is computed.
    pub job: &'a Job,
    /// How it is cut.
    pub layout: &'a Layout,
    /// Which chips act together.
    pub axes: Axes,
    /// Microbatches of a replica in a step.
    pub microbatches: u32,
    /// Tokens of a microbatch on one rank of those that share its sequences.
    pub tokens: f64,
    /// Layers of each chunk, in the order of the model.
    pub chunks: Vec<Range<usize>>,
}

impl<'a> Plan<'a> {
    /// Checks a layout.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names what does not fit and the nearest that does; [`Error::Unsupported`] for what has no
    /// model.
    pub fn new(job: &'a Job, layout: &'a Layout, ranks: u64) -> Result<Self> {
        counts(layout, ranks)?;
        shapes(job, layout)?;
        experts(job, layout)?;
        shards(job, layout)?;
        let microbatches = microbatches(job, layout)?;
        let chunks = chunks(job, layout)?;
        check_schedule(layout, microbatches)?;
        let tokens = f64::from(layout.microbatch) * f64::from(job.sequence) / f64::from(layout.cp);
        Ok(Self {
            job,
            layout,
            axes: Axes::of(layout, job.model.experts.is_some())?,
            microbatches,
            tokens,
            chunks,
        })
    }

    /// How often a stage goes through all chunks that it holds: each direction of DualPipe has half of the microbatches.
    pub(super) fn rounds(&self) -> f64 {
        let share = match self.layout.schedule {
            Schedule::DualPipe => 0.5,
            _ => 1.0,
        };
        share * f64::from(self.microbatches)
    }

    /// Whether one stage holds the first chunk and the last.
    pub(super) fn ends_together(&self) -> bool {
        self.held(0).contains(&(self.chunks.len() - 1))
    }

    /// Chunks that a stage holds.
    pub(super) fn held(&self, stage: usize) -> Vec<usize> {
        if self.layout.schedule == Schedule::DualPipe {
            return vec![stage, self.layout.pp as usize - 1 - stage];
        }
        let stages = self.layout.pp as usize;
        if self.layout.schedule == Schedule::ZbV {
            return vec![stage, 2 * stages - 1 - stage];
        }
        (stage..self.chunks.len()).step_by(stages).collect()
    }
}

fn counts(layout: &Layout, all: u64) -> Result<()> {
    let named = [
        ("tp", layout.tp),
        ("cp", layout.cp),
        ("pp", layout.pp),
        ("dp", layout.dp),
        ("ep", layout.ep),
        ("etp", layout.etp),
        ("microbatch", layout.microbatch),
        ("virtual", layout.virtual_stages),
        ("islands", layout.islands),
        ("outer_every", layout.outer_every),
    ];
    for (name, value) in named {
        if value == 0 || u64::from(value) > MOST {
            return Err(Error::invalid(name, value, format!("must be 1 to {MOST}")));
        }
    }
    let each = [layout.tp, layout.cp, layout.pp, layout.islands].map(u128::from);
    let each: u128 = each.iter().product();
    let ranks = each * u128::from(layout.dp);
    if ranks != u128::from(all) {
        let value = format!("{} replicas of {each} ranks", layout.dp);
        let allowed = match u128::from(all) % each {
            0 => format!("must be {} on {all} ranks", u128::from(all) / each),
            _ => format!("tp x cp x pp must divide the {all} ranks"),
        };
        return Err(Error::invalid("dp", value, allowed));
    }
    Ok(())
}

/// The divisor of `whole` that is nearest to `value`.
fn nearest_divisor(whole: u32, value: u32) -> u32 {
    let divides = |some: &u32| whole % some == 0;
    let below = (1..=value.min(whole)).rev().find(divides).unwrap_or(1);
    let above = (value..=whole.min(value.saturating_mul(4))).find(divides);
    match above {
        Some(above) if above - value < value.saturating_sub(below) => above,
        _ => below,
    }
}

fn divides(name: &str, value: u32, whole: u32, what: &str) -> Result<()> {
    if whole % value == 0 {
        return Ok(());
    }
    let nearest = nearest_divisor(whole, value);
    let allowed = format!("must divide {whole} {what}: {nearest} does");
    Err(Error::invalid(name, value, allowed))
}

fn shapes(job: &Job, layout: &Layout) -> Result<()> {
    let model = &job.model;
    let (tp, cp) = (layout.tp, layout.cp);
    divides("tp", tp, model.heads, "heads")?;
    if model.latent.is_none() && model.kv_heads % tp != 0 && tp % model.kv_heads != 0 {
        let nearest = nearest_divisor(model.kv_heads, tp);
        let allowed = format!(
            "must divide {} heads of keys and values or be a multiple: {nearest} does",
            model.kv_heads
        );
        return Err(Error::invalid("tp", tp, allowed));
    }
    if model.layers.iter().any(|kind| !kind.sparse) {
        divides("tp", tp, model.ffn, "numbers inside MLPs")?;
    }
    if cp > job.sequence {
        let allowed = format!("must be at most the {} tokens of a sequence", job.sequence);
        return Err(Error::invalid("cp", cp, allowed));
    }
    divides("cp", cp, job.sequence, "tokens of a sequence")?;
    if layout.sequence_parallel {
        divides(
            "tp",
            tp,
            job.sequence / cp,
            "tokens of a sequence on one rank",
        )?;
    }
    if layout.context == Context::AllToAll {
        divides("cp", cp, model.heads / tp, "heads of one rank")?;
    }
    Ok(())
}

fn experts(job: &Job, layout: &Layout) -> Result<()> {
    let Some(experts) = &job.model.experts else {
        if layout.ep > 1 {
            return Err(Error::invalid(
                "ep",
                layout.ep,
                "must be 1: the model has no experts",
            ));
        }
        if ![1, layout.tp].contains(&layout.etp) {
            let allowed = "must be left out: the model has no experts";
            return Err(Error::invalid("etp", layout.etp, allowed));
        }
        return Ok(());
    };
    divides("ep", layout.ep, experts.count, "experts")?;
    divides("etp", layout.etp, experts.width, "numbers inside an expert")?;
    let ranks = u64::from(layout.tp) * u64::from(layout.cp) * u64::from(layout.dp);
    let group = u64::from(layout.ep) * u64::from(layout.etp);
    if ranks % group != 0 {
        let ranks = u32::try_from(ranks / u64::from(layout.etp).min(ranks)).unwrap_or(u32::MAX);
        let nearest = nearest_divisor(ranks, layout.ep);
        let allowed = format!("ep x etp must divide tp x cp x dp: ep={nearest} does");
        return Err(Error::invalid("ep", layout.ep, allowed));
    }
    if layout.tp > 1 && layout.etp != layout.tp && !layout.sequence_parallel {
        let allowed = "must be True where experts are cut otherwise than matrices (or etp = tp)";
        return Err(Error::invalid("sequence_parallel", "False", allowed));
    }
    if layout.tp % layout.etp != 0 {
        divides("etp", layout.etp, layout.tp, "ranks of tp")?;
    }
    Ok(())
}

fn shards(job: &Job, layout: &Layout) -> Result<()> {
    if layout.zero > 3 {
        return Err(Error::invalid("zero", layout.zero, "must be 0 to 3"));
    }
    if layout.shard == 0 {
        return Ok(());
    }
    if layout.zero == 0 {
        let allowed = "must be left out where replicas share nothing (zero=0)";
        return Err(Error::invalid("shard", layout.shard, allowed));
    }
    divides("shard", layout.shard, layout.replicas(), "replicas")?;
    let (copies, replicas) = (layout.copies(), layout.expert_replicas());
    if job.model.experts.is_none() || replicas % copies == 0 {
        return Ok(());
    }
    let may = |some: &u32| replicas % some == 0 && layout.replicas() % some == 0;
    let fewer = (1..=copies.min(replicas)).rev().find(may).unwrap_or(1);
    let allowed = format!(
        "must leave as many copies of experts, of which there are {replicas}, as of all else: {} does",
        layout.replicas() / fewer
    );
    Err(Error::invalid("shard", layout.shard, allowed))
}

fn microbatches(job: &Job, layout: &Layout) -> Result<u32> {
    let each = u64::from(layout.dp) * u64::from(layout.islands) * u64::from(layout.microbatch);
    if job.batch % each != 0 || job.batch < each {
        let below = job.batch / each * each;
        let nearest = if below == 0 { each } else { below };
        let allowed = format!(
            "must be a multiple of dp x microbatch, {each}: {nearest} is, or a smaller dp or microbatch"
        );
        return Err(Error::invalid("batch", job.batch, allowed));
    }
    u32::try_from(job.batch / each)
        .map_err(|_| Error::invalid("batch", job.batch, "must be at most 2^31 microbatches"))
}

/// Layers of each chunk: evenly, with fewer in the last and the first, which have head and embedding beside them.
fn chunks(job: &Job, layout: &Layout) -> Result<Vec<Range<usize>>> {
    let (layers, pieces) = (
        job.model.layers.len(),
        layout.pp as usize * layout.virtual_stages as usize,
    );
    if pieces > layers {
        let nearest = layers as u32 / layout.virtual_stages;
        let allowed = format!(
            "pp x virtual must be at most the {layers} layers: pp={} is",
            nearest.max(1)
        );
        return Err(Error::invalid("pp", layout.pp, allowed));
    }
    let mut counts = vec![layers / pieces; pieces];
    let spare = layers % pieces;
    // The middle first, then the first, never the last.
    let places = (1..pieces.saturating_sub(1))
        .rev()
        .chain(std::iter::once(0));
    places.take(spare).for_each(|place| counts[place] += 1);
    if !layout.split.is_empty() {
        let sum: u64 = layout.split.iter().map(|&count| u64::from(count)).sum();
        if layout.split.len() != pieces || sum != layers as u64 {
            let allowed = format!("must be {pieces} numbers of layers that add up to {layers}");
            return Err(Error::invalid(
                "split",
                format!("{:?}", layout.split),
                allowed,
            ));
        }
        counts = layout.split.iter().map(|&count| count as usize).collect();
    }
    let mut start = 0;
    let range = |count| {
        start += count;
        start - count..start
    };
    Ok(counts.into_iter().map(range).collect())
}

/// Whether the schedule runs so many stages, chunks and microbatches, by the names that layouts have for them.
fn check_schedule(layout: &Layout, microbatches: u32) -> Result<()> {
    let pieces = layout.pp as usize * layout.virtual_stages as usize;
    let nothing = Chunk {
        forward: 0.0,
        backward: 0.0,
        weights: 0.0,
    };
    let pipeline = Pipeline {
        schedule: layout.schedule,
        stages: layout.pp,
        virtual_stages: layout.virtual_stages,
        microbatches,
        chunks: vec![nothing; pieces],
        transfer: vec![0.0; pieces - 1],
    };
    pipeline.validate().map_err(|error| match error {
        Error::Invalid {
            argument,
            value,
            allowed,
        } => Error::Invalid {
            argument: match argument.as_str() {
                "stages" => "pp".to_owned(),
                "virtual_stages" => "virtual".to_owned(),
                "microbatches" => "batch / (dp x microbatch)".to_owned(),
                _ => argument,
            },
            value,
            allowed,
        },
        other => other,
    })
}
