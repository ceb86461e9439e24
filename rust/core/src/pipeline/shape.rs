//! A pipeline, and what is refused of one.

use super::schedule::Schedule;
use crate::error::{Error, Result, not_negative};

/// Most pairs of a chunk and a microbatch: a step of them takes half a gigabyte and half a second.
const MOST: u64 = 1 << 23;

/// Seconds that one microbatch takes on one chunk of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chunk {
    /// Forward.
    pub forward: f64,
    /// Gradient of its inputs.
    pub backward: f64,
    /// Gradient of its weights; schedules that do not split compute it right after, and pass the gradient of inputs on
    /// when both are done.
    pub weights: f64,
}

/// A step of training over a pipeline of stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The order of work.
    pub schedule: Schedule,
    /// Stages.
    pub stages: u32,
    /// Chunks of the model on each stage: above 1 for interleaved, 2 for ZB-V, 1 for all others. The two that a stage of
    /// `DualPipe` has count as 1, since the model is there twice.
    pub virtual_stages: u32,
    /// Microbatches of a step; for `DualPipe` those of both directions together.
    pub microbatches: u32,
    /// `stages * virtual_stages` in the order of the model; [`Schedule::stage_of`] says where each is.
    pub chunks: Vec<Chunk>,
    /// Seconds on the way between each chunk and the next, in either direction: one less than chunks. It delays what is
    /// sent, and keeps neither stage busy.
    pub transfer: Vec<f64>,
}

impl Pipeline {
    /// Whether it can be run.
    ///
    /// # Errors
    /// [`Error::Invalid`] for counts that its schedule cannot have, with the nearest that it can, for lists of another
    /// length, and for times that are no finite numbers, zero or above.
    pub fn validate(&self) -> Result<()> {
        self.check_counts()?;
        self.check_times()
    }

    /// Whether stages, chunks and microbatches go together, whatever times are.
    pub(super) fn check_counts(&self) -> Result<()> {
        let least = |argument: &str, count: u32| match count {
            0 => Err(Error::invalid(argument, 0, "must be at least 1")),
            _ => Ok(()),
        };
        least("stages", self.stages)?;
        least("virtual_stages", self.virtual_stages)?;
        least("microbatches", self.microbatches)?;
        self.check_schedule()?;
        let chunks = u64::from(self.stages) * u64::from(self.virtual_stages);
        if chunks > MOST {
            let allowed = format!("must be fewer: at most {MOST} chunks are taken, here {chunks}");
            return Err(Error::invalid("stages", self.stages, allowed));
        }
        if chunks.saturating_mul(self.microbatches.into()) > MOST {
            return Err(Error::invalid(
                "microbatches",
                self.microbatches,
                format!("must be at most {} of {chunks} chunks", MOST / chunks),
            ));
        }
        let length =
            |argument: &str, got: usize, wanted: u64, what: &str| match got as u64 == wanted {
                true => Ok(()),
                false => Err(Error::invalid(
                    argument,
                    format!("{got} of them"),
                    format!("must be {wanted}, {what}"),
                )),
            };
        length(
            "chunks",
            self.chunks.len(),
            chunks,
            "stages * virtual_stages",
        )?;
        length(
            "transfer",
            self.transfer.len(),
            chunks - 1,
            "one less than chunks",
        )
    }

    /// What each schedule asks of stages, chunks and microbatches.
    fn check_schedule(&self) -> Result<()> {
        let (p, v, m) = (self.stages, self.virtual_stages, self.microbatches);
        match self.schedule {
            Schedule::Interleaved => {
                if v < 2 {
                    let allowed =
                        "must be at least 2 for interleaved; with one chunk a stage it is 1f1b";
                    return Err(Error::invalid("virtual_stages", v, allowed));
                }
                if p < 2 {
                    let allowed = "must be at least 2 for interleaved, as Megatron-LM has it";
                    return Err(Error::invalid("stages", p, allowed));
                }
                if m % p != 0 {
                    return Err(not_a_multiple(m, p));
                }
                Ok(())
            }
            Schedule::ZbV if v != 2 => Err(Error::invalid(
                "virtual_stages",
                v,
                "must be 2 for zb-v: a stage has two chunks, one on each side of the V",
            )),
            Schedule::DualPipe if v == 1 => check_both_ends(p, m),
            Schedule::ZbV => Ok(()),
            _ if v == 1 => Ok(()),
            schedule => Err(Error::invalid(
                "virtual_stages",
                v,
                format!("must be 1 for {}; interleaved has several", schedule.name()),
            )),
        }
    }

    /// Whether all times are numbers, and no sum of them overflows.
    fn check_times(&self) -> Result<()> {
        let mut all = 0.0;
        for (place, chunk) in self.chunks.iter().enumerate() {
            all += not_negative(format_args!("chunks[{place}].forward"), chunk.forward)?;
            all += not_negative(format_args!("chunks[{place}].backward"), chunk.backward)?;
            all += not_negative(format_args!("chunks[{place}].weights"), chunk.weights)?;
        }
        for (place, &time) in self.transfer.iter().enumerate() {
            all += 2.0 * not_negative(format_args!("transfer[{place}]"), time)?;
        }
        if (all * f64::from(self.microbatches)).is_finite() {
            return Ok(());
        }
        let allowed = "times of a step must add up to a finite number of seconds";
        Err(Error::invalid(
            "chunks",
            format!("{all} s a microbatch"),
            allowed,
        ))
    }
}

/// Microbatches of an interleaved schedule that are no multiple of its stages.
fn not_a_multiple(m: u32, p: u32) -> Error {
    let below = m - m % p;
    let nearest = match below {
        0 => p.to_string(),
        _ => format!("{below} or {}", u64::from(below) + u64::from(p)),
    };
    Error::invalid(
        "microbatches",
        m,
        format!(
            "must be a multiple of the {p} stages for interleaved, as Megatron-LM has it; {nearest} are the nearest"
        ),
    )
}

/// What `DualPipe` asks: `DualPipe.step` of deepseek-ai/DualPipe refuses the same.
fn check_both_ends(p: u32, m: u32) -> Result<()> {
    if p % 2 != 0 {
        return Err(Error::invalid(
            "stages",
            p,
            format!(
                "must be even for dualpipe; {} is the nearest",
                u64::from(p) + 1
            ),
        ));
    }
    let least = 2 * u64::from(p);
    if u64::from(m) < least || m % 2 != 0 {
        let nearest = (u64::from(m) + u64::from(m % 2)).max(least);
        return Err(Error::invalid(
            "microbatches",
            m,
            format!(
                "must be even and at least twice the {p} stages for dualpipe; {nearest} is the nearest"
            ),
        ));
    }
    Ok(())
}
