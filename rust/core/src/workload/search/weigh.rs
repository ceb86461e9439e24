//! Memory and least seconds of all layouts of some cells.

use super::least::Looker;
use super::space::{Shape, Space};
use super::stages::Before;
use super::table::Table;
use crate::Control;
use crate::error::Result;
use crate::machine::Machine;
use crate::threads::over_blocks;
use crate::workload::efficiency::Efficiency;
use crate::workload::job::{Job, Recompute};
use crate::workload::layout::Layout;
use crate::workload::plan::Plan;
use crate::workload::prices::Asked;
use crate::workload::step::Runs;
use crate::workload::traffic::Overlap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What is asked.
pub struct Question<'a> {
    /// Where layouts run.
    pub machine: &'a Arc<Machine>,
    /// What is computed.
    pub job: &'a Job,
    /// How it may be cut.
    pub space: &'a Space,
    /// How collectives are asked for.
    pub asked: &'a Asked,
    /// How fast chips compute.
    pub efficiency: &'a Efficiency,
    /// What their software hides.
    pub overlap: Overlap,
    /// Bytes that a chip has.
    pub memory: f64,
    /// Threads to use.
    pub threads: usize,
}

/// How many layouts there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whose numbers fit each other, and which stay inside what they must.
    pub layouts: u64,
    /// Whose groups leave a place that they must not.
    pub straddle: u64,
    /// Of `layouts`, those that do not fit the memory.
    pub full: u64,
}

/// A layout that fits, by its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Seconds that it takes at least.
    pub least: f64,
    /// Bytes of its fullest stage.
    pub memory: f64,
    /// Its number in the space.
    pub number: u64,
}

/// What is known of the layouts of some cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weighed {
    /// Layouts that fit, in the order of their numbers.
    pub candidates: Vec<Candidate>,
    /// How many there were.
    pub counts: Counts,
    /// The least bytes of any layout, and its number.
    pub smallest: Option<(f64, u64)>,
}

impl Weighed {
    /// Puts the layouts of later cells after these.
    pub fn append(&mut self, mut other: Self) {
        self.candidates.append(&mut other.candidates);
        self.counts.layouts += other.counts.layouts;
        self.counts.straddle += other.counts.straddle;
        self.counts.full += other.counts.full;
        self.offer(other.smallest);
    }

    fn offer(&mut self, other: Option<(f64, u64)>) {
        let smaller = |other: &(f64, u64)| self.smallest.is_none_or(|own| *other < own);
        if let Some(other) = other.filter(smaller) {
            self.smallest = Some(other);
        }
    }
}

impl<'a> Question<'a> {
    /// The job with each of what may be computed again.
    pub(super) fn jobs(&self) -> Vec<Job> {
        let with = |recompute| Job {
            recompute,
            ..self.job.clone()
        };
        Recompute::ALL.map(with).into()
    }

    pub(super) fn runs<'t>(&'t self, table: &'t Table, control: &'t Control) -> Runs<'t> {
        Runs {
            efficiency: self.efficiency,
            overlap: self.overlap,
            prices: table,
            control,
        }
    }

    /// A table of prices: one that is free, or a new one.
    pub(super) fn table(&self, pool: &Pool<'a>) -> Result<Table<'a>> {
        let free = pool.free();
        match free {
            Some(table) => Ok(table),
            None => Table::new(Arc::clone(self.machine), self.asked, pool.control),
        }
    }
}

/// Tables of prices, for the threads of one call after another.
pub struct Pool<'a> {
    pub(super) control: &'a Control,
    tables: Mutex<Vec<Table<'a>>>,
}

impl<'a> Pool<'a> {
    /// None yet.
    pub fn new(control: &'a Control) -> Self {
        Self {
            control,
            tables: Mutex::default(),
        }
    }

    fn free(&self) -> Option<Table<'a>> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.pop()
    }

    pub(super) fn give_back(&self, tables: impl IntoIterator<Item = Table<'a>>) {
        let mut free = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(tables);
    }
}

/// The job that computes so much again.
pub(super) fn job_of(jobs: &[Job], recompute: Recompute) -> &Job {
    &jobs[recompute as usize]
}

/// What a worker has.
struct Worker<'a> {
    table: Table<'a>,
    looker: Looker,
}

/// Weighs the layouts of these cells; the same whatever the number of threads. The control counts cells.
///
/// # Errors
/// Those of collectives.
pub fn weigh<'a>(question: &Question<'a>, cells: Range<u64>, pool: &Pool<'a>) -> Result<Weighed> {
    let control = pool.control;
    let jobs = question.jobs();
    let blocks = (cells.end - cells.start) as usize;
    let all = Mutex::new(vec![None; blocks]);
    let init = || -> Result<Worker> {
        Ok(Worker {
            table: question.table(pool)?,
            looker: Looker::new(Before::of(question.job)),
        })
    };
    let work = |worker: &mut Result<Worker>, block: usize| -> Result<()> {
        let worker = worker.as_mut().map_err(|error| error.clone())?;
        let found = weigh_cell(question, &jobs, worker, cells.start + block as u64, control)?;
        all.lock().unwrap_or_else(PoisonError::into_inner)[block] = Some(found);
        control.advance(1);
        Ok(())
    };
    let workers = over_blocks(question.threads, blocks, init, work)?;
    pool.give_back(workers.into_iter().flatten().map(|worker| worker.table));
    let mut whole = Weighed::default();
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.into_iter().flatten().for_each(|one| whole.append(one));
    Ok(whole)
}

fn weigh_cell(
    question: &Question,
    jobs: &[Job],
    worker: &mut Worker,
    cell: u64,
    control: &Control,
) -> Result<Weighed> {
    let mut found = Weighed::default();
    let space = question.space;
    let each = |shape: Shape| {
        control.check()?;
        weigh_shape(
            question,
            job_of(jobs, shape.recompute),
            worker,
            &shape,
            control,
            &mut found,
        )
    };
    space.each(question.job, cell, each)?;
    Ok(found)
}

/// Weighs the layouts that differ in what replicas share alone.
fn weigh_shape(
    question: &Question,
    job: &Job,
    worker: &mut Worker,
    shape: &Shape,
    control: &Control,
    found: &mut Weighed,
) -> Result<()> {
    let space = question.space;
    let Ok(plan) = Plan::new(job, &shape.layout, space.chips) else {
        return Ok(());
    };
    let zeros = space.zero();
    if space.straddles(&plan) {
        found.counts.straddle += zeros.len() as u64;
        return Ok(());
    }
    found.counts.layouts += zeros.len() as u64;
    worker.looker.take(&plan);
    for (number, &zero) in (shape.number..).zip(zeros) {
        let layout = Layout {
            zero,
            ..shape.layout.clone()
        };
        let plan = Plan {
            layout: &layout,
            ..plan.clone()
        };
        let memory = worker.looker.memory(&plan);
        found.offer(Some((memory, number)));
        if memory > question.memory {
            found.counts.full += 1;
            continue;
        }
        let runs = question.runs(&worker.table, control);
        let least = worker.looker.seconds(&plan, &runs)?;
        found.candidates.push(Candidate {
            least,
            memory,
            number,
        });
    }
    Ok(())
}
