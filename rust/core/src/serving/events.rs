//! A replica request by request: what the mean values of `balance` are means of.

use super::curve::Curve;
use super::cut::Cut;
use super::memory::memory;
use super::prompts::{self, Prompts};
use super::runs::Runs;
use super::serve::{spared, too_large};
use super::service::{Engine, Length, Service};
use crate::Control;
use crate::error::{Error, Result};
use crate::random::SplitMix64;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Events between looks at whether the call is to stop.
const LOOK: usize = 4096;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Seconds at which it comes.
    pub arrival: f64,
    /// Tokens of its prompt and of its answer.
    pub input: f64,
    /// See `input`.
    pub output: f64,
}

/// Which requests come.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// So many at all times of so many in all, of one replica, alike.
    Closed {
        /// At all times.
        requests: usize,
        /// In all.
        total: usize,
        /// Answers are anywhere within this share of their mean, so that batches do not stay in step for ever.
        spread: f64,
        /// Of what is random.
        seed: u64,
    },
    /// So many a second of one replica, alike, at random moments.
    Open {
        /// Requests/s.
        rate: f64,
        /// In all.
        total: usize,
        /// See `Closed`.
        spread: f64,
        /// Of what is random.
        seed: u64,
    },
    /// These, over all replicas in turn, by arrival.
    Listed(Vec<Request>),
}

/// When a request came, had its first token and its last, and how many tokens it had.
pub type Moments = [f64; 4];

/// What waits and what runs on one replica.
struct Replica<'a, 'b> {
    cut: &'a Cut<'a>,
    runs: &'a Runs<'a>,
    curve: &'a Curve,
    prompts: &'a mut Prompts<'b>,
    requests: Vec<Request>,
    moments: Vec<Moments>,
    waiting: VecDeque<usize>,
    /// By the step that they end with.
    running: BinaryHeap<Reverse<(u64, usize)>>,
    slots: usize,
    together: f64,
    /// Seconds of each further prompt of the mean length that is prefilled with another one.
    further: f64,
    /// Seconds of a piece that a step which it shares has taken already.
    spared: f64,
    clock: f64,
    steps: u64,
    /// Requests that are to come when others are answered, by the bits of the seconds at which they do.
    coming: BinaryHeap<Reverse<(u64, usize)>>,
    /// Requests that have come, or are to.
    come: usize,
    /// Whether one that ends lets the next one come.
    closed: bool,
}

impl Replica<'_, '_> {
    fn arrive(&mut self) {
        while !self.closed
            && self.come < self.requests.len()
            && self.requests[self.come].arrival <= self.clock
        {
            self.waiting.push_back(self.come);
            self.come += 1;
        }
        while let Some(&Reverse((at, one))) = self.coming.peek() {
            if f64::from_bits(at) > self.clock {
                break;
            }
            self.coming.pop();
            self.waiting.push_back(one);
        }
    }

    /// When the next one comes, if that is known.
    fn next(&self) -> Option<f64> {
        if self.closed {
            return self.coming.peek().map(|next| f64::from_bits(next.0.0));
        }
        self.requests.get(self.come).map(|next| next.arrival)
    }

    /// One that ended lets the next one come, once it is through.
    fn ended(&mut self, one: usize, at: f64) {
        // The rest of the stages, in which it keeps nobody waiting, was noted with its prefill.
        let through = at + self.moments[one][2];
        self.moments[one][2] = through + self.runs.pace.request;
        if self.closed && self.come < self.requests.len() {
            self.requests[self.come].arrival = through;
            self.moments[self.come][0] = through;
            self.coming.push(Reverse((through.to_bits(), self.come)));
            self.come += 1;
        }
    }

    /// Ends what the steps so far have brought to its end.
    fn end(&mut self) {
        while let Some(&Reverse((step, one))) = self.running.peek() {
            if step > self.steps {
                break;
            }
            self.running.pop();
            self.ended(one, self.clock);
        }
    }

    /// Prefills what waits, as far as there is room.
    fn prefill(&mut self) -> Result<()> {
        let service = self.cut.service;
        let room = self.slots - self.running.len();
        let most = if service.engine == Engine::Neuron {
            1
        } else {
            self.together.max(1.0) as usize
        };
        let count = self.waiting.len().min(room).min(most).max(1);
        let chosen: Vec<usize> = self.waiting.drain(..count).collect();
        let stages = f64::from(self.cut.layout.pp);
        let (mut busy, mut longest, mut pieces) = (0.0, 0.0_f64, 0);
        for (at, &one) in chosen.iter().enumerate() {
            let input = self.requests[one].input;
            let alone = self.prompts.of(input)?;
            let shared = self.further * input / service.input;
            busy += if at == 0 {
                alone.seconds
            } else {
                shared.min(alone.seconds)
            };
            longest = longest.max(alone.seconds);
            pieces = pieces.max(alone.pieces as usize);
        }
        let mut took = busy / stages;
        let decoding = self.running.len();
        if service.engine != Engine::Neuron && decoding > 0 {
            // Tokens of others share the steps.
            let steps = pieces as f64 * self.curve.at(decoding as f64);
            took += steps - (pieces as f64 * self.spared).min(steps);
            self.steps += pieces as u64;
        }
        self.clock += took;
        let latency = longest - longest / stages;
        for one in chosen {
            self.moments[one][1] = self.clock + latency + self.runs.pace.request;
            self.moments[one][2] = latency;
            let output = self.requests[one].output;
            let steps = ((output - 1.0) / service.yields()).ceil().max(0.0);
            if steps > 0.0 {
                self.running.push(Reverse((self.steps + steps as u64, one)));
            } else {
                self.ended(one, self.clock);
            }
        }
        Ok(())
    }

    /// Decodes until one ends or the next one comes.
    fn decode(&mut self) {
        let each = self.curve.at(self.running.len() as f64);
        let last = self.running.peek().map_or(0, |Reverse((step, _))| *step);
        let mut steps = last.saturating_sub(self.steps).max(1);
        let next = self.next();
        if let Some(next) = next.filter(|_| self.running.len() < self.slots) {
            let until = ((next - self.clock) / each).ceil().max(1.0);
            steps = steps.min(until.min(1e18) as u64);
        }
        self.steps += steps;
        self.clock += steps as f64 * each;
    }

    fn run(&mut self, control: &Control) -> Result<()> {
        let mut looks = 0_usize;
        loop {
            looks += 1;
            if looks % LOOK == 0 {
                control.check()?;
            }
            self.end();
            self.arrive();
            if !self.waiting.is_empty() && self.running.len() < self.slots {
                self.prefill()?;
            } else if !self.running.is_empty() {
                self.decode();
            } else if let Some(next) = self.next() {
                self.clock = self.clock.max(next);
            } else {
                return Ok(());
            }
        }
    }
}

/// Runs requests one by one; of a closed or open load, those of one replica.
///
/// # Errors
/// [`Error::Invalid`] where weights or one request do not fit; [`Error::Unsupported`] for batches in lockstep.
pub fn events(cut: &Cut, runs: &Runs, load: &Load, control: &Control) -> Result<Vec<Moments>> {
    let service = cut.service;
    if service.lockstep {
        return Err(Error::unsupported(
            "requests one by one of batches in lockstep",
            "batching='continuous', or the closed form",
        ));
    }
    let held = memory(cut);
    if held.fits() < 1.0 {
        return Err(too_large(cut, &held));
    }
    let own = load.of(service);
    let closed = match load {
        Load::Closed { requests, .. } => Some(*requests),
        _ => None,
    };
    let most = closed.map_or(own.len(), |requests| requests).max(1);
    let fits = service.admitted(held.fits(), f64::from(cut.layout.pp));
    let slots = (fits.min(most as f64)) as usize;
    let curve = Curve::new(cut, runs, 1.0, slots as f64)?;
    let together = service.together(slots as f64);
    let mut prompts = Prompts::new(cut, runs);
    let alone = prompts.of(service.input)?.seconds;
    let further = match together > 1.0 {
        true => {
            let all = prompts::together(cut, runs, &service.pieces(), together)?.sum();
            ((all - alone) / (together - 1.0)).clamp(0.0, alone)
        }
        false => alone,
    };
    let spared = spared(cut, runs, 1.0)?;
    let replicas = match load {
        Load::Listed(_) => cut.layout.dp as usize,
        _ => 1,
    };
    let mut all = vec![[0.0; 4]; own.len()];
    for replica in 0..replicas {
        let mine: Vec<usize> = (replica..own.len()).step_by(replicas).collect();
        let requests: Vec<Request> = mine.iter().map(|&one| own[one]).collect();
        let first = closed.unwrap_or(0).min(requests.len());
        let mut one = Replica {
            cut,
            runs,
            curve: &curve,
            prompts: &mut prompts,
            moments: requests
                .iter()
                .map(|one| [one.arrival, 0.0, 0.0, one.output])
                .collect(),
            requests,
            waiting: (0..first).collect(),
            running: BinaryHeap::new(),
            slots,
            together,
            further,
            spared,
            clock: 0.0,
            steps: 0,
            coming: BinaryHeap::new(),
            come: first,
            closed: closed.is_some(),
        };
        one.run(control)?;
        for (&at, moments) in mine.iter().zip(&one.moments) {
            all[at] = *moments;
        }
    }
    Ok(all)
}

impl Load {
    /// The requests, of which a closed load's come when others end.
    fn of(&self, service: &Service) -> Vec<Request> {
        let mut below = 0.0;
        let upto = |one: &Length| {
            below += one.share;
            below
        };
        let shares: Vec<f64> = service.lengths.iter().map(upto).collect();
        // 53 random bits, never 0 and never 1.
        let share =
            |random: &mut SplitMix64| ((random.next_u64() >> 11) as f64 + 0.5) / 2.0_f64.powi(53);
        let one = |arrival, spread: f64, random: &mut SplitMix64| {
            let at = share(random);
            if shares.is_empty() {
                let output = service.output * (1.0 + spread * (2.0 * at - 1.0));
                return Request {
                    arrival,
                    input: service.input,
                    output: output.round().max(1.0),
                };
            }
            let found = shares.partition_point(|&below| below < at);
            let length = service.lengths[found.min(shares.len() - 1)];
            Request {
                arrival,
                input: length.input,
                output: length.output.round().max(1.0),
            }
        };
        match self {
            Self::Closed {
                total,
                spread,
                seed,
                ..
            } => {
                let mut random = SplitMix64::new(*seed);
                (0..*total)
                    .map(|_| one(0.0, *spread, &mut random))
                    .collect()
            }
            Self::Open {
                rate,
                total,
                spread,
                seed,
            } => {
                let mut random = SplitMix64::new(*seed);
                let mut clock = 0.0;
                let mut next = |_| {
                    clock -= share(&mut random).ln() / rate;
                    one(clock, *spread, &mut random)
                };
                (0..*total).map(&mut next).collect()
            }
            Self::Listed(requests) => requests.clone(),
        }
    }
}
