//! The best layouts: those of the lowest bounds are run exactly, until no other can be among the best or on the front.

use super::table::Table;
use super::weigh::{Candidate, Pool, Question, Weighed, job_of};
use crate::Control;
use crate::error::{Error, Result};
use crate::memory::bytes_of;
use crate::threads::over_blocks;
use crate::workload::job::{Job, Recompute};
use crate::workload::layout::Layout;
use crate::workload::plan::Plan;
use crate::workload::step::{Step, step};
use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

/// Layouts that are run before the best are looked at again: the same for any number of threads.
const BATCH: usize = 32;

/// A layout with what a step of it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How it is cut.
    pub layout: Layout,
    /// What is computed again.
    pub recompute: Recompute,
    /// What a step takes.
    pub step: Step,
    /// Bytes of its fullest stage.
    pub memory: f64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The fastest layouts, in ascending order of time; of equal ones that with the lower number first.
    pub best: Vec<Found>,
    /// Those that no other beats in time and memory, the fastest first.
    pub front: Vec<Found>,
    /// How many were run exactly; bounds left out the others that fit.
    pub simulated: u64,
}

/// What is known of one that was run.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Settled {
    seconds: f64,
    memory: f64,
    number: u64,
}

impl Settled {
    fn order(&self, other: &Self) -> Ordering {
        let by_time = self.seconds.total_cmp(&other.seconds);
        by_time.then(self.number.cmp(&other.number))
    }
}

/// The best so far.
struct Best {
    keep: usize,
    fastest: Vec<Settled>,
    /// In ascending order of time, hence in descending order of memory.
    front: Vec<Settled>,
}

impl Best {
    /// Whether a layout of which this is known may still be among the best.
    fn may_count(&self, one: &Candidate) -> bool {
        let full = self.fastest.len() == self.keep;
        let slowest = self.fastest.last().filter(|_| full);
        slowest.is_none_or(|slowest| one.least <= slowest.seconds) || !self.beaten(one)
    }

    /// Whether one that was run takes less time and no more memory.
    fn beaten(&self, one: &Candidate) -> bool {
        let faster = self
            .front
            .partition_point(|other| other.seconds < one.least);
        faster > 0 && self.front[faster - 1].memory <= one.memory
    }

    fn take(&mut self, one: Settled) {
        let at = self
            .fastest
            .partition_point(|other| other.order(&one).is_lt());
        if at < self.keep {
            self.fastest.insert(at, one);
            self.fastest.truncate(self.keep);
        }
        let before = |other: &Settled| {
            let by_time = other.seconds.total_cmp(&one.seconds);
            let by_memory = by_time.then(other.memory.total_cmp(&one.memory));
            by_memory.then(other.number.cmp(&one.number)).is_lt()
        };
        let at = self.front.partition_point(before);
        if at > 0 && self.front[at - 1].memory <= one.memory {
            return;
        }
        let beats = |other: &Settled| other.memory >= one.memory;
        let count = self.front[at..]
            .iter()
            .take_while(|other| beats(other))
            .count();
        self.front.splice(at..at + count, [one]);
    }
}

/// Ranks what was weighed.
///
/// # Errors
/// [`Error::Invalid`] where nothing divides or fits; those of collectives.
pub fn rank<'a>(
    question: &Question<'a>,
    weighed: Weighed,
    keep: usize,
    pool: &Pool<'a>,
) -> Result<Ranking> {
    let control = pool.control;
    check(question, &weighed)?;
    let mut order = weighed.candidates;
    order.sort_unstable_by(|a, b| a.least.total_cmp(&b.least).then(a.number.cmp(&b.number)));
    let keep = keep.min(order.len());
    let what = format_args!("the {keep} best layouts");
    let _taken = control.take(bytes_of::<Settled>(2 * keep as u64), what, "keep fewer")?;
    let mut best = Best {
        keep,
        fastest: Vec::new(),
        front: Vec::new(),
    };
    let jobs = question.jobs();
    let mut simulated = 0;
    let mut left = order.iter();
    loop {
        // What may count now; most of what comes after does not.
        let batch: Vec<Candidate> = left
            .by_ref()
            .filter(|one| best.may_count(one))
            .take(BATCH)
            .copied()
            .collect();
        if batch.is_empty() {
            break;
        }
        simulated += batch.len() as u64;
        for one in run(question, &jobs, &batch, pool)? {
            best.take(one);
        }
    }
    Ok(Ranking {
        best: dressed(question, &jobs, &best.fastest, pool)?,
        front: dressed(question, &jobs, &best.front, pool)?,
        simulated,
    })
}

/// What to say where there is nothing to rank.
fn check(question: &Question, weighed: &Weighed) -> Result<()> {
    if !weighed.candidates.is_empty() {
        return Ok(());
    }
    let Some((bytes, number)) = weighed.smallest else {
        if weighed.counts.straddle > 0 {
            let count = weighed.counts.straddle;
            let allowed =
                "must leave room for a layout: all that divide straddle one of these places";
            return Err(Error::invalid(
                "within",
                format!("{count} layouts"),
                allowed,
            ));
        }
        return Err(question.space.refusal(question.job));
    };
    let layout = question.space.layout(number);
    let words = layout.map_or_else(String::new, |(one, recompute)| {
        format!(
            " (tp={}, pp={}, cp={}, ep={}, zero={}, microbatch={}, {}, virtual={}, recompute={})",
            one.tp,
            one.pp,
            one.cp,
            one.ep,
            one.zero,
            one.microbatch,
            one.schedule.name(),
            one.virtual_stages,
            recompute.name(),
        )
    });
    let gib = bytes / (1u64 << 30) as f64;
    let allowed = format!(
        "must be at least {bytes:.0} bytes ({gib:.2} GiB), what the smallest of {} layouts takes{words}; use more chips, \
         or compute more again",
        weighed.counts.layouts
    );
    Err(Error::invalid("memory", question.memory, allowed))
}

/// A step of a layout by its number.
fn one_step(
    question: &Question,
    jobs: &[Job],
    number: u64,
    prices: &Table,
    control: &Control,
) -> Result<Found> {
    let (layout, recompute) = question.space.layout(number).ok_or_else(|| {
        Error::invalid(
            "candidates",
            number,
            "must be numbers of layouts of this space",
        )
    })?;
    let job = job_of(jobs, recompute);
    let plan = Plan::new(job, &layout, question.space.chips)?;
    let step = step(&plan, &question.runs(prices, control))?;
    let memory = step
        .memory
        .iter()
        .map(|held| held.sum())
        .fold(0.0, f64::max);
    Ok(Found {
        layout,
        recompute,
        step,
        memory,
    })
}

/// Runs layouts, in parallel; the answers in their order.
fn run<'a>(
    question: &Question<'a>,
    jobs: &[Job],
    batch: &[Candidate],
    pool: &Pool<'a>,
) -> Result<Vec<Settled>> {
    let control = pool.control;
    let all = Mutex::new(vec![None; batch.len()]);
    let work = |table: &mut Result<Table>, at: usize| -> Result<()> {
        control.check()?;
        let table = table.as_ref().map_err(|error| error.clone())?;
        let number = batch[at].number;
        let found = one_step(question, jobs, number, table, control)?;
        let settled = Settled {
            seconds: found.step.seconds(),
            memory: found.memory,
            number,
        };
        all.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(settled);
        Ok(())
    };
    let init = || question.table(pool);
    let tables = over_blocks(question.threads, batch.len(), init, work)?;
    pool.give_back(tables.into_iter().flatten());
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(all.into_iter().flatten().collect())
}

/// Layouts with all that a step of them takes.
fn dressed<'a>(
    question: &Question<'a>,
    jobs: &[Job],
    settled: &[Settled],
    pool: &Pool<'a>,
) -> Result<Vec<Found>> {
    let table = question.table(pool)?;
    let one = |settled: &Settled| {
        pool.control.check()?;
        one_step(question, jobs, settled.number, &table, pool.control)
    };
    let found = settled.iter().map(one).collect();
    pool.give_back([table]);
    found
}
