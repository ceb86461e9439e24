//! All layouts, in an order of their own: each has a number.

use super::options::Options;
use crate::error::{Error, Result};
use crate::pipeline::Schedule;
use crate::workload::axes::Axis;
use crate::workload::job::{Job, Recompute};
use crate::workload::layout::{Context, Layout};
use crate::workload::plan::Plan;

/// All ways to choose from options. Those with the same stages, tp and cp are a cell; in it, zero is the fastest digit
/// of the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Chips that layouts use, all of them.
    pub chips: u64,
    options: Options,
    /// Whether the chunks of a stage were left open.
    open_chunks: bool,
    cell: u64,
    cells: u64,
}

/// A layout without what replicas share, and what is computed again.
pub(super) struct Shape {
    /// Its number with the first of `zero`.
    pub(super) number: u64,
    pub(super) layout: Layout,
    pub(super) recompute: Recompute,
}

impl Space {
    /// The ways to cut a job into ranks on so many chips.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for more than can be numbered.
    pub fn new(job: &Job, chips: u64, options: &Options) -> Result<Self> {
        let open_chunks = options.virtual_stages.is_empty();
        let options = options.filled(job, chips);
        let lengths = [
            options.ep.len(),
            options.etp.len(),
            options.recompute.len(),
            options.sequence_parallel.len(),
            options.microbatch.len(),
            options.schedule.len(),
            options.virtual_stages.len(),
            options.zero.len(),
        ];
        let product = |lengths: &[usize]| {
            let mut each = lengths.iter().map(|&one| one as u64);
            each.try_fold(1u64, u64::checked_mul)
        };
        let cells = product(&[options.pp.len(), options.tp.len(), options.cp.len()]);
        let cell = product(&lengths);
        let all = cells
            .zip(cell)
            .filter(|(cells, cell)| cells.checked_mul(*cell).is_some());
        let Some((cells, cell)) = all else {
            return Err(Error::unsupported(
                "a search of more than 2^64 layouts",
                "name fewer values of an option",
            ));
        };
        Ok(Self {
            chips,
            options,
            open_chunks,
            cell,
            cells,
        })
    }

    /// How many ways there are to choose, whether they fit each other or not.
    pub fn total(&self) -> u64 {
        self.cells * self.cell
    }

    /// Every tp, pp, cp, ep and etp that may go together.
    pub fn sizes(&self, job: &Job) -> Vec<[u32; 5]> {
        let mut found = Vec::new();
        for cell in 0..self.cells {
            let (pp, tp, cp) = self.cell(cell);
            let Some(dp) = self.replicas(pp, tp, cp) else {
                continue;
            };
            for &ep in &self.options.ep {
                let etps = self.options.etp.iter().map(|&etp| self.etp(etp, tp));
                let may = etps.filter(|&etp| may_share(job, (tp, cp, dp), (ep, etp)));
                found.extend(may.map(|etp| [tp, pp, cp, ep, etp]));
            }
        }
        found
    }

    /// How many cells there are.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    pub(super) fn zero(&self) -> &[u8] {
        &self.options.zero
    }

    /// The schedules and numbers of chunks that a pipeline of these stages may have, with their place in the number.
    fn orders(&self, pp: u32, layers: u32) -> Vec<(u64, Schedule, u32)> {
        let chunks = &self.options.virtual_stages;
        let mut found = Vec::new();
        for (at, &schedule) in self.options.schedule.iter().enumerate() {
            for (place, &count) in chunks.iter().enumerate() {
                // One stage has one order of work, whatever it is called.
                if pp == 1 {
                    if at == 0 && count == 1 {
                        found.push((place as u64, Schedule::OneF1B, 1));
                    }
                    continue;
                }
                let fits = match schedule {
                    Schedule::Interleaved => {
                        // More chunks of as many layers at most are more to pass on, and no less to wait for.
                        let most = |count: u32| layers.div_ceil(pp.saturating_mul(count));
                        count > 1 && (!self.open_chunks || most(count) < most(count - 1))
                    }
                    Schedule::ZbV => count == 2,
                    _ => count == 1,
                };
                if fits && u64::from(pp) * u64::from(count) <= u64::from(layers) {
                    found.push(((at * chunks.len() + place) as u64, schedule, count));
                }
            }
        }
        found
    }

    /// Calls `each` with the layouts of a cell that may divide, but for zero, in their order.
    pub(super) fn each(
        &self,
        job: &Job,
        cell: u64,
        mut each: impl FnMut(Shape) -> Result<()>,
    ) -> Result<()> {
        let o = &self.options;
        let (pp, tp, cp) = self.cell(cell);
        let Some(dp) = self.replicas(pp, tp, cp) else {
            return Ok(());
        };
        let orders = self.orders(pp, job.model.layers.len() as u32);
        let mut number = cell * self.cell;
        let inner = (o.schedule.len() * o.virtual_stages.len()) as u64;
        let zeros = o.zero.len() as u64;
        for &ep in &o.ep {
            for &etp in &o.etp {
                let etp = self.etp(etp, tp);
                for &recompute in &o.recompute {
                    for &rows in &o.sequence_parallel {
                        for &microbatch in &o.microbatch {
                            let each_takes = u64::from(dp) * u64::from(microbatch);
                            let divides = job.batch % each_takes == 0
                                && !(rows && tp == 1)
                                && may_share(job, (tp, cp, dp), (ep, etp))
                                && o.refused.binary_search(&[tp, pp, cp, ep, etp]).is_err();
                            if divides {
                                for &(place, schedule, virtual_stages) in &orders {
                                    each(Shape {
                                        number: number + place * zeros,
                                        recompute,
                                        layout: Layout {
                                            tp,
                                            pp,
                                            cp,
                                            dp,
                                            ep,
                                            etp,
                                            microbatch,
                                            schedule,
                                            virtual_stages,
                                            sequence_parallel: rows,
                                            ..self.plain()
                                        },
                                    })?;
                                }
                            }
                            number += inner * zeros;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn cell(&self, cell: u64) -> (u32, u32, u32) {
        let o = &self.options;
        let (cps, pps) = (o.cp.len() as u64, o.pp.len() as u64);
        let at = |list: &[u32], place: u64| list[place as usize];
        // Cells of the same tp and cp have most groups in common, and their prices.
        (
            at(&o.pp, cell % pps),
            at(&o.tp, cell / (pps * cps)),
            at(&o.cp, cell / pps % cps),
        )
    }

    /// What an option says of etp: nothing where there are no experts, and it stands for tp.
    fn etp(&self, option: u32, tp: u32) -> u32 {
        if option == 0 { tp } else { option }
    }

    /// What is the same in all layouts.
    fn plain(&self) -> Layout {
        Layout {
            tp: 1,
            pp: 1,
            cp: 1,
            dp: 1,
            ep: 1,
            etp: 1,
            zero: 0,
            shard: 0,
            microbatch: 1,
            schedule: Schedule::OneF1B,
            virtual_stages: 1,
            sequence_parallel: false,
            context: self.options.context.unwrap_or(Context::Ring),
            order: self.options.order.clone(),
            split: Vec::new(),
            overlap: self.options.overlap,
            islands: 1,
            outer_every: 1,
        }
    }

    fn replicas(&self, pp: u32, tp: u32, cp: u32) -> Option<u32> {
        let each = u64::from(pp).checked_mul(u64::from(tp))?;
        let each = each.checked_mul(u64::from(cp))?;
        match each > 0 && self.chips % each == 0 {
            true => u32::try_from(self.chips / each).ok(),
            false => None,
        }
    }

    /// The layout of a number that divides, and what is computed again.
    pub(super) fn layout(&self, number: u64) -> Option<(Layout, Recompute)> {
        let o = &self.options;
        let (pp, tp, cp) = (number < self.total()).then(|| self.cell(number / self.cell))?;
        let mut left = number % self.cell;
        let mut digit = |length: usize| {
            let at = left % length as u64;
            left /= length as u64;
            at as usize
        };
        let (zero, chunks, schedule) = (
            digit(o.zero.len()),
            digit(o.virtual_stages.len()),
            digit(o.schedule.len()),
        );
        let (microbatch, rows, recompute) = (
            digit(o.microbatch.len()),
            digit(o.sequence_parallel.len()),
            digit(o.recompute.len()),
        );
        let (etp, ep) = (digit(o.etp.len()), digit(o.ep.len()));
        let layout = Layout {
            tp,
            pp,
            cp,
            dp: self.replicas(pp, tp, cp)?,
            ep: o.ep[ep],
            etp: self.etp(o.etp[etp], tp),
            zero: o.zero[zero],
            microbatch: o.microbatch[microbatch],
            schedule: match pp {
                1 => Schedule::OneF1B,
                _ => o.schedule[schedule],
            },
            virtual_stages: o.virtual_stages[chunks],
            sequence_parallel: o.sequence_parallel[rows],
            ..self.plain()
        };
        Some((layout, o.recompute[recompute]))
    }

    /// Whether groups of an axis leave a place that they must not.
    pub(super) fn straddles(&self, plan: &Plan) -> bool {
        self.options.within.iter().any(|&(member, chips)| {
            let Axis::Digit { size, stride } = *member.axis(&plan.axes) else {
                return true;
            };
            size > 1 && chips % (u64::from(size) * u64::from(stride)) != 0
        })
    }

    /// Why the first way to choose is none: what to say where none divides.
    pub(super) fn refusal(&self, job: &Job) -> Error {
        let o = &self.options;
        let divides = |cell: &u64| {
            let (pp, tp, cp) = self.cell(*cell);
            self.replicas(pp, tp, cp).is_some()
        };
        let Some(cell) = (0..self.cells).find(divides) else {
            let lists = [("tp", &o.tp), ("pp", &o.pp), ("cp", &o.cp)];
            let none = |list: &[u32]| list.iter().all(|&one| self.chips % u64::from(one) != 0);
            let worst = lists.iter().find(|(_, list)| none(list));
            let (name, list) = worst.unwrap_or(&lists[0]);
            let allowed = format!("must divide {} chips, as tp x pp x cp must", self.chips);
            return Error::invalid(*name, format!("{list:?}"), allowed);
        };
        let (pp, tp, cp) = self.cell(cell);
        let first = |list: &[u32]| list[0];
        let layout = Layout {
            tp,
            pp,
            cp,
            dp: self.replicas(pp, tp, cp).unwrap_or(1),
            ep: first(&o.ep),
            etp: self.etp(first(&o.etp), tp),
            zero: o.zero[0],
            microbatch: first(&o.microbatch),
            schedule: match pp {
                1 => Schedule::OneF1B,
                _ => o.schedule[0],
            },
            virtual_stages: first(&o.virtual_stages),
            sequence_parallel: o.sequence_parallel[0] && tp > 1,
            ..self.plain()
        };
        match Plan::new(job, &layout, self.chips) {
            Err(error) => error,
            Ok(_) => Error::invalid(
                "sequence_parallel, schedule, virtual",
                format!("{} ways to choose", self.total()),
                "must hold values that fit each other: one stage has one order of work, and rows are shared where tp > 1",
            ),
        }
    }
}

/// Whether experts can be shared so, as far as that is told at once.
fn may_share(job: &Job, (tp, cp, dp): (u32, u32, u32), (ep, etp): (u32, u32)) -> bool {
    if job.model.experts.is_none() {
        return ep == 1;
    }
    let ranks = u64::from(tp) * u64::from(cp) * u64::from(dp);
    let group = u64::from(ep) * u64::from(etp);
    group > 0 && ranks % group == 0 && tp % etp == 0
}
