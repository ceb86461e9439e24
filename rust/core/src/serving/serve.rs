//! A service on a machine.

use super::balance::{Balance, Work};
use super::curve::{Curve, step};
use super::cut::Cut;
use super::memory::{Held, memory};
use super::parts::Parts;
use super::pass::{Pass, pass};
use super::runs::Runs;
use super::service::Engine;
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
    let pieces = service.pieces();
    let prefill = prefill(cut, runs, &pieces, 1.0)?;
    let replicas = f64::from(cut.layout.dp);
    let fits = held.fits();
    let slots = match demand {
        Demand::Concurrency { requests, .. } => (requests / replicas).max(1.0).min(fits),
        Demand::Rate(_) => fits,
    };
    let least = match demand {
        Demand::Concurrency { .. } => slots / 4.0,
        Demand::Rate(_) => 1.0,
    };
    let curve = Curve::new(cut, runs, least, slots)?;
    // Prompts that are prefilled together read weights once.
    let together = service.together(slots);
    let each = match together > 1.0 {
        true => self::prefill(cut, runs, &pieces, together)?.sum() / together,
        false => prefill.sum(),
    };
    let work = Work {
        curve: &curve,
        // Stages pass prompts on while they work on the next ones.
        prefill: each.min(prefill.sum()) / f64::from(cut.layout.pp),
        between: between(service.engine, pieces.len()),
        steps: ((service.output - 1.0) / service.yields()).max(0.0),
        ideal: service.engine == Engine::Ideal,
    };
    let found = balance(cut, &work, demand, slots, replicas)?;
    let (balance, first, waiting) = found;
    // Beyond the time in which it keeps others waiting.
    let latency = match service.lockstep {
        true => 0.0,
        false => prefill.sum() - work.prefill,
    };
    let decoding = balance.decoding.max(1.0).min(slots);
    let shown = step(cut, runs, decoding)?;
    Ok(Served {
        ttft: runs.pace.request + first + latency,
        tpot: balance.step / service.yields(),
        rate: balance.rate * replicas,
        running: slots,
        decoding,
        waiting,
        load: balance.load,
        step: shown,
        prefill,
        memory: held,
        shape: (
            service.padded_batch((decoding / f64::from(cut.layout.pp)).max(1.0)),
            service.context(decoding),
        ),
        prompt: pieces.iter().map(|piece| piece.0).sum(),
    })
}

/// Seconds of prefilling so many prompts in one pass for each piece.
pub(super) fn prefill(
    cut: &Cut,
    runs: &Runs,
    pieces: &[(f64, f64)],
    prompts: f64,
) -> Result<Parts> {
    let mut parts = Parts::default();
    for &(tokens, before) in pieces {
        let one = Pass {
            sequences: prompts,
            tokens,
            before,
            decodes: false,
        };
        parts.add_times(1.0, &pass(cut, &cut.service.model, runs, &one)?);
    }
    Ok(parts)
}

/// Steps of others in the way of a prefill: the rest of one, and where pieces share steps one a piece.
fn between(engine: Engine, pieces: usize) -> f64 {
    match engine {
        Engine::Continuous => 0.5 + pieces as f64,
        _ => 0.5,
    }
}

/// How replicas are used, seconds to the first token beside what a request takes in any case, and who waits for memory.
fn balance(
    cut: &Cut,
    work: &Work,
    demand: Demand,
    slots: f64,
    replicas: f64,
) -> Result<(Balance, f64, f64)> {
    match demand {
        Demand::Concurrency { requests, of } => {
            if cut.service.lockstep {
                let step = work.curve.at(slots);
                let first = slots * work.prefill;
                let balance = Balance {
                    rate: slots / (first + work.steps * step),
                    first,
                    step,
                    decoding: slots,
                    load: first / (first + work.steps * step),
                };
                return Ok((balance, first, (requests - slots * replicas).max(0.0)));
            }
            let balance = work.closed(slots);
            let waiting = (requests - slots * replicas).max(0.0);
            let queued = waiting / replicas / balance.rate;
            let mut first = balance.first + queued;
            if let Some(of) = of {
                // Those that all came at first wait for half of each other in the mean.
                let share = (requests / of).min(1.0);
                let burst = f64::midpoint(slots, 1.0) * work.prefill + queued;
                first += share * (burst - first).max(0.0);
            }
            Ok((balance, first, waiting))
        }
        Demand::Rate(rate) => match work.open(rate / replicas, slots) {
            Some(balance) => Ok((balance, balance.first, 0.0)),
            None => {
                let most = work.closed(slots).rate * replicas;
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
