//! A service on a machine.

use super::balance::{Balance, Others, Work};
use super::curve::{Curve, step};
use super::cut::Cut;
use super::memory::{Held, memory};
use super::parts::Parts;
use super::prompts::{self, Prompt, Prompts};
use super::runs::Runs;
use super::service::{Engine, Length};
use super::spread::{self, Kinds, Quantiles};
use crate::error::{Error, Result};

/// How much is asked of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Demand {
    /// So many requests at all times, over all replicas; of so many in all, which all came at first, if that is known.
    Concurrency {
        /// At all times.
        requests: f64,
        /// In all.
        of: Option<f64>,
    },
    /// Requests/s, over all replicas.
    Rate(f64),
}

/// What a service takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// Seconds to the first token, in the mean.
    pub ttft: f64,
    /// Seconds between tokens after it, in the mean.
    pub tpot: f64,
    /// What half and nine tenths of the requests do not pass.
    pub quantiles: Quantiles,
    /// Requests/s of all replicas.
    pub rate: f64,
    /// Requests of a replica that run at once, and that decode.
    pub running: f64,
    /// See `running`.
    pub decoding: f64,
    /// Requests that wait for memory, over all replicas.
    pub waiting: f64,
    /// Share of the time that prefills take.
    pub load: f64,
    /// Seconds of a step by part, and of the prefill of one prompt.
    pub step: Parts,
    /// See `step`.
    pub prefill: Parts,
    /// Bytes of a rank.
    pub memory: Held,
    /// Sequences that a step is padded to, and tokens whose cache it reads for each.
    pub shape: (f64, f64),
    /// Tokens that the prefill of a prompt is padded to.
    pub prompt: f64,
}

/// Prices a service.
///
/// # Errors
/// [`Error::Invalid`] where weights or one request do not fit, or requests come faster than they go; those of
/// collectives.
pub fn serve(cut: &Cut, runs: &Runs, demand: Demand) -> Result<Served> {
    let held = memory(cut);
    if held.fits() < 1.0 {
        return Err(too_large(cut, &held));
    }
    let service = cut.service;
    let mut prompts = Prompts::new(cut, runs);
    let all = Priced::new(cut, &mut prompts)?;
    let stages = f64::from(cut.layout.pp);
    let replicas = f64::from(cut.layout.dp);
    let most = service.admitted(held.fits(), stages);
    let slots = match demand {
        Demand::Concurrency { requests, .. } => (requests / replicas).max(1.0).min(most),
        Demand::Rate(_) => most,
    };
    // Beyond the time in which it keeps others waiting: the rest of the stages.
    let own = all.prefill.sum() / stages;
    let latency = all.prefill.sum() - own;
    let beside = runs.pace.request + latency;
    let least = match demand {
        Demand::Concurrency { .. } => slots / 4.0 * own / (own + latency),
        Demand::Rate(_) => 1.0,
    };
    let curve = Curve::new(cut, runs, least, slots)?;
    let work = all.work(cut, runs, &curve, slots)?;
    let (balance, first, waiting) = balance(cut, &work, demand, slots, (replicas, latency))?;
    let decoding = balance.decoding.max(1.0).min(slots);
    let mut quantiles = spread::quantiles(&work, &balance, &all.kinds(stages));
    if service.lockstep {
        quantiles.ttft = [balance.first; 2];
    }
    let later = beside + first - balance.first;
    quantiles.ttft = quantiles.ttft.map(|seconds| seconds + later);
    Ok(Served {
        ttft: first + beside,
        tpot: balance.step * all.steps_per_token(),
        quantiles,
        rate: rate(demand, balance.rate, replicas, runs.pace.request),
        running: slots,
        decoding,
        waiting,
        load: balance.load,
        step: step(cut, runs, decoding)?,
        prefill: all.prefill,
        memory: held,
        shape: (
            service.padded_batch((decoding / stages).max(1.0)),
            service.context(decoding),
        ),
        prompt: all.padded,
    })
}

/// Prompts and answers of all lengths.
struct Priced {
    rows: Vec<(Length, Prompt)>,
    /// In the mean: seconds by part, tokens that are padded to, pieces, steps of an answer.
    prefill: Parts,
    padded: f64,
    pieces: f64,
    steps: f64,
    /// Steps of answers, and tokens after the first, of those that have any.
    answers: Vec<(f64, f64, f64)>,
}

impl Priced {
    fn new(cut: &Cut, prompts: &mut Prompts) -> Result<Self> {
        let mut all = Self {
            rows: Vec::new(),
            prefill: Parts::default(),
            padded: 0.0,
            pieces: 0.0,
            steps: 0.0,
            answers: Vec::new(),
        };
        for one in cut.service.rows() {
            let prompt = prompts.of(one.input)?;
            let steps = cut.service.steps_of(one.output);
            all.prefill.add_times(one.share, &prompt.parts);
            all.padded += one.share * prompt.padded;
            all.pieces += one.share * prompt.pieces;
            all.steps += one.share * steps;
            if steps > 0.0 {
                all.answers.push((steps, one.output - 1.0, one.share));
            }
            all.rows.push((one, prompt));
        }
        all.answers.sort_by(|one, other| one.0.total_cmp(&other.0));
        all.answers.dedup_by(|next, one| {
            let same = next.0 == one.0 && next.1 == one.1;
            one.2 += if same { next.2 } else { 0.0 };
            same
        });
        Ok(all)
    }

    fn work<'a>(&self, cut: &Cut, runs: &Runs, curve: &'a Curve, slots: f64) -> Result<Work<'a>> {
        let (service, stages) = (cut.service, f64::from(cut.layout.pp));
        let alone = self.prefill.sum();
        // Prompts that are prefilled together read weights once.
        let together = service.together(slots);
        let each = match together > 1.0 {
            true => prompts::together(cut, runs, &service.pieces(), together)?.sum() / together,
            false => alone,
        };
        let further = match together > 1.0 {
            // All of them take what so many do.
            true => ((each * together - alone) / (together - 1.0)).clamp(0.0, alone),
            false => alone,
        };
        let square = |row: &(Length, Prompt)| row.0.share * row.1.seconds * row.1.seconds;
        Ok(Work {
            curve,
            // Stages pass prompts on while they work on the next ones.
            prefill: alone / stages,
            squared: self.rows.iter().map(square).sum::<f64>() / (stages * stages),
            further: further / stages,
            together,
            shared: match service.engine {
                Engine::Continuous => self.pieces,
                _ => 0.0,
            },
            spared: spared(cut, runs, self.pieces)?,
            steps: self.steps,
            spread: self.spread(),
            ideal: service.engine == Engine::Ideal,
        })
    }

    /// The square of the relative deviation of steps of answers.
    fn spread(&self) -> f64 {
        let far = |one: &(f64, f64, f64)| one.2 * (one.0 / self.steps - 1.0).powi(2);
        let answers = self.answers.iter().map(far).sum::<f64>();
        let none = 1.0 - self.answers.iter().map(|one| one.2).sum::<f64>();
        answers + none.max(0.0)
    }

    /// Prompts by the seconds in which they keep others waiting.
    fn kinds(&self, stages: f64) -> Kinds {
        let seconds = |row: &(Length, Prompt)| (row.1.seconds / stages, row.0.share);
        let mut prompts: Vec<_> = self.rows.iter().map(seconds).collect();
        prompts.sort_by(|one, other| one.0.total_cmp(&other.0));
        prompts.dedup_by(|next, one| {
            let same = next.0 == one.0;
            one.1 += if same { next.1 } else { 0.0 };
            same
        });
        Kinds {
            prompts,
            answers: self.answers.clone(),
        }
    }

    /// Steps of a token after the first, in the mean over requests.
    fn steps_per_token(&self) -> f64 {
        let all: f64 = self.answers.iter().map(|one| one.2).sum();
        let steps = |one: &(f64, f64, f64)| one.2 * one.0 / one.1;
        match all > 0.0 {
            true => self.answers.iter().map(steps).sum::<f64>() / all,
            false => 1.0,
        }
    }
}

/// Seconds of the prefill of so many pieces that the steps which they share have taken already: those of a token.
pub(super) fn spared(cut: &Cut, runs: &Runs, pieces: f64) -> Result<f64> {
    match cut.service.engine {
        Engine::Continuous => {
            let least = prompts::together(cut, runs, &[(1.0, 0.0)], 1.0)?.sum();
            Ok(pieces * least / f64::from(cut.layout.pp))
        }
        _ => Ok(0.0),
    }
}

/// Requests/s of all replicas that have any. What surrounds a request holds up nobody else, but a request that is still
/// there is followed by none.
fn rate(demand: Demand, one: f64, replicas: f64, surrounds: f64) -> f64 {
    match demand {
        Demand::Concurrency { requests, .. } => {
            let own = (requests / replicas).max(1.0);
            own / (own / one + surrounds) * replicas.min(requests)
        }
        Demand::Rate(_) => one * replicas,
    }
}

/// How replicas are used, seconds to the first token beside what a request takes in any case, and who waits for memory.
fn balance(
    cut: &Cut,
    work: &Work,
    demand: Demand,
    slots: f64,
    (replicas, latency): (f64, f64),
) -> Result<(Balance, f64, f64)> {
    match demand {
        Demand::Concurrency { requests, of } => {
            if cut.service.lockstep {
                let step = work.curve.at(slots);
                let first = work.batch(slots);
                let cycle = first + latency + work.steps * step;
                let balance = Balance {
                    rate: slots / cycle,
                    first,
                    step,
                    plain: step,
                    decoding: slots,
                    load: first / cycle,
                    each: work.prefill,
                    others: Others::Same(0.0, 0.0),
                };
                return Ok((balance, first, (requests - slots * replicas).max(0.0)));
            }
            let (balance, left) =
                work.between_visits((requests / replicas).max(1.0), slots, latency);
            let waiting = match left > 0.0 {
                true => requests - slots * replicas,
                false => 0.0,
            };
            let queued = left / balance.rate;
            let mut first = balance.first + queued;
            if let Some(of) = of {
                // Those that all came at first wait for half of each other in the mean.
                let share = (requests / of).min(1.0);
                let burst = work.burst(slots) + queued;
                first += share * (burst - first).max(0.0);
            }
            Ok((balance, first, waiting))
        }
        Demand::Rate(rate) => match work.open(rate / replicas, slots) {
            Some(balance) => Ok((balance, balance.first, 0.0)),
            None => {
                let most = work.most_rate(slots) * replicas;
                let allowed = format!("must be below what it can take, {most:.4} requests/s");
                Err(Error::invalid("rate", rate, allowed))
            }
        },
    }
}

pub(super) fn too_large(cut: &Cut, held: &Held) -> Error {
    let service = cut.service;
    let gb = |bytes: f64| format!("{:.1} GB", bytes / 1e9);
    let value = format!("tp {}, pp {}", cut.layout.tp, cut.layout.pp);
    let allowed = format!(
        "must leave room for a request: a rank has {}, of which weights take {} and a request of {} tokens {} where {} \
         may be cache; use a larger tp, pp or ep, or a smaller max_model_len",
        gb(service.bank),
        gb(held.weights),
        service.reserved(),
        gb(held.request),
        gb(held.budget),
    );
    Error::invalid("layout", value, allowed)
}
