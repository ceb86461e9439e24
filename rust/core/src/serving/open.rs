//! Requests that come at a rate, at any moment: mean values.
//!
//! As many decode as a count of Poisson says (a queue with a server for each, whatever their answers). A prompt waits
//! for the rest of a step or of the prefills that it finds, and for those that came before it: the formula of Pollaczek
//! and Khinchine, with steps as the server's vacations; where several prompts are prefilled together, and for memory,
//! that of Sakasegawa for several servers (An approximation formula L = alpha beta^rho / (1 - rho), 1977).

use super::balance::{Balance, Others, Queue, Work};
use super::spread::{normal_quantile, poisson};

/// Halvings of a number of sequences.
const HALVINGS: u32 = 40;

/// Sequences above which a count is taken as a normal curve of so many parts.
const MANY: f64 = 12.0;
const PARTS: usize = 8;

/// Rounds after which batches are as large as those that come meanwhile.
const SETTLED: usize = 6;

/// Prefills where so many come a second.
struct Rounds {
    /// Seconds of a step, and of the prefills between two looks at who waits.
    plain: f64,
    round: f64,
    /// Those of them that are steps of others.
    shared: f64,
    /// Prompts in a batch that one finds itself in.
    own: f64,
    /// Seconds of prefills of a request, and the share of time in which they go on.
    each: f64,
    busy: f64,
    /// How many start to decode together.
    clump: f64,
}

impl Work<'_> {
    /// Requests that come at a rate, whenever they like, where so many run at most; `None` where they come faster
    /// than they go.
    pub(super) fn open(&self, rate: f64, most: f64) -> Option<Balance> {
        let full = self.mixed(self.together, f64::MAX, 1.0);
        if rate * full / self.together >= 1.0 {
            return None;
        }
        let needs = |alive: f64| {
            let rounds = self.rounds(rate, alive, most);
            rate * self.steps * self.between(rate, &rounds)
        };
        if needs(most) >= most * (1.0 - 1e-9) {
            return None;
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if needs(middle) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        let rounds = self.rounds(rate, high, most);
        let decodes = 1.0 - (-high).exp();
        let longest = self.mixed(self.together, rounds.plain, decodes) + rounds.shared;
        let filled = rate * longest / self.together;
        (self.ideal || filled < 1.0).then(|| self.waited(rate, high, most, &rounds))
    }

    /// The most that can come a second.
    pub(super) fn most_rate(&self, most: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.closed(most).rate * 2.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            match self.open(middle, most) {
                Some(_) => low = middle,
                None => high = middle,
            }
        }
        low
    }

    /// Seconds from token to token.
    fn between(&self, rate: f64, rounds: &Rounds) -> f64 {
        // Those that came with one and are prefilled after it, half of them.
        let behind = self.prefill * (rounds.clump - 1.0) / 2.0;
        rounds.plain / (1.0 - rate * rounds.each).max(1e-12) + behind / self.steps.max(1.0)
    }

    /// How many come together, as steps of decoding see it, over one by one: prefills one after the other are a busy
    /// period, whose requests all start to decode at its end (Borel's distribution of how many they are).
    fn clump(&self, rate: f64) -> f64 {
        if self.ideal || self.shared > 0.0 {
            return 1.0;
        }
        (1.0 - rate * self.prefill).max(1e-3).powi(-2)
    }

    /// What requests wait for where so many decode.
    fn waited(&self, rate: f64, alive: f64, most: f64, rounds: &Rounds) -> Balance {
        let (plain, load) = (rounds.plain, rate * rounds.each);
        let step = self.between(rate, rounds);
        // Whether any decodes.
        let decodes = if self.ideal {
            0.0
        } else {
            1.0 - (-alive).exp()
        };
        let shared = rounds.shared;
        let batch = |prompts| self.mixed(prompts, plain, decodes);
        let longest = batch(self.together) + shared;
        // Long prompts are found more often.
        let longer = self.squared / (self.prefill * self.prefill);
        let servers = self.together;
        let filled = (rate * longest / servers).min(1.0 - 1e-9);
        let behind = crowded(filled, servers) * longest * longer / 2.0;
        let used = (alive / most).min(1.0 - 1e-9);
        let memory =
            crowded(used, most) / used.max(1e-9) * self.steps * step * (1.0 + self.spread) / 2.0;
        let queue = Queue {
            prefills: rounds.busy,
            round: rounds.round * longer,
            step: decodes * plain,
            queued: behind + memory,
            alive,
            clump: rounds.clump,
        };
        let steps = 1.0 - queue.prefills * (1.0 - 1.0 / servers);
        let rest = queue.prefills * queue.round / 2.0 + steps * queue.step / 2.0;
        let wait = if self.ideal { 0.0 } else { rest + queue.queued };
        Balance {
            rate,
            first: wait + batch(rounds.own) + shared,
            step,
            plain,
            decoding: alive,
            load,
            each: rounds.each,
            others: Others::Queue(queue),
        }
    }

    /// Seconds of a step that one of so many sees, in the mean, where so many come together.
    fn crowd(&self, alive: f64, most: f64, clump: f64) -> f64 {
        let at = |others: f64| self.curve.at((1.0 + others.max(0.0)).round().min(most));
        if self.ideal {
            return self.curve.at(alive);
        }
        if alive < MANY && clump < 1.1 {
            let counts = poisson(alive);
            let all: f64 = counts.iter().map(|one| one.1).sum();
            return counts
                .iter()
                .map(|one| one.1 * at(f64::from(one.0)))
                .sum::<f64>()
                / all;
        }
        let part = |part: usize| {
            let far = normal_quantile((part as f64 + 0.5) / PARTS as f64);
            at(alive + clump - 1.0 + (alive * clump).sqrt() * far)
        };
        (0..PARTS).map(part).sum::<f64>() / PARTS as f64
    }

    /// The same with so many deviations more, over what comes and goes meanwhile.
    pub(super) fn smooth(&self, queue: &Queue, far: f64) -> f64 {
        let deviation = (queue.alive * queue.clump).sqrt();
        let part = |part: usize| {
            let quick = normal_quantile((part as f64 + 0.5) / PARTS as f64) / 3.0_f64.sqrt();
            let others = queue.alive + queue.clump - 1.0 + deviation * (far + quick);
            self.curve.at((1.0 + others.max(0.0)).round())
        };
        (0..PARTS).map(part).sum::<f64>() / PARTS as f64
    }

    /// Batches of prefills: those that come in a step, or while the batch before is prefilled.
    fn rounds(&self, rate: f64, alive: f64, most: f64) -> Rounds {
        let clump = self.clump(rate);
        let plain = self.crowd(alive, most, clump);
        let decodes = 1.0 - (-alive).exp();
        let shared = self.shared * decodes * plain;
        if self.ideal || self.together <= 1.0 {
            let each = self.mixed(self.together, plain, decodes) / self.together;
            let round = each + shared;
            let busy = (rate * round).min(1.0);
            return Rounds {
                plain,
                round,
                shared,
                own: 1.0,
                each,
                busy,
                clump,
            };
        }
        let batch_of = |prompts| self.mixed(prompts, plain, decodes);
        let after = plain * decodes;
        let met = |seconds: f64| 1.0 - (-rate * seconds).exp();
        let size = |seconds: f64| {
            let come = rate * seconds;
            (come / met(seconds).max(1e-12)).clamp(1.0, self.together)
        };
        let (mut round, mut batch, mut of_batches) = (batch_of(1.0) + shared, 1.0, 0.0);
        for _ in 0..SETTLED {
            // Of all batches, those that come in the batch before.
            of_batches = met(round);
            batch = of_batches * size(round) + (1.0 - of_batches) * size(after);
            round = batch_of(batch) + shared;
        }
        let each = batch_of(batch) / batch;
        let found = of_batches * round + (1.0 - of_batches) * after;
        Rounds {
            plain,
            round,
            shared,
            clump,
            own: (1.0 + rate * found).min(self.together),
            each,
            busy: (rate / batch * round).min(1.0),
        }
    }
}

/// Requests that wait over those that are served, of so many servers.
fn crowded(used: f64, servers: f64) -> f64 {
    used.powf((2.0 * (servers + 1.0)).sqrt()) / (servers * (1.0 - used))
}
