//! How many requests a replica works on at once, and how long they wait: mean values.
//!
//! Prefills go before steps of decoding. In a closed loop a request comes when another one ends, which is at the end of
//! a step: it waits for the prefills of those that ended with that step, and for nothing else. Between two tokens of
//! one that decodes there is a step and what the others' prefills take. With a rate, requests come at any moment:
//! the queue of Pollaczek and Khinchine, and the rest of a step.

use super::curve::Curve;

/// Halvings after which a number is known to the last bit that matters.
const HALVINGS: u32 = 60;

/// Most steps to the number of requests that are worked on.
const STEPS: usize = 40;

/// What the requests of a replica are made of.
pub(super) struct Work<'a> {
    /// Seconds of a step by sequences.
    pub curve: &'a Curve,
    /// Seconds in which the prefill of a prompt by itself keeps others waiting, and the mean of their squares.
    pub prefill: f64,
    /// See `prefill`.
    pub squared: f64,
    /// The same of each further prompt that is prefilled with it.
    pub further: f64,
    /// Most prompts that are prefilled together.
    pub together: f64,
    /// Steps of others that a prefill shares.
    pub shared: f64,
    /// Seconds of a batch that such steps have taken already: weights are read once for all tokens.
    pub spared: f64,
    /// Steps of decoding of a request, and the square of their relative deviation.
    pub steps: f64,
    /// See `steps`.
    pub spread: f64,
    /// Whether a request waits for nothing.
    pub ideal: bool,
}

/// How a replica is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Balance {
    /// Requests/s.
    pub rate: f64,
    /// Seconds from when a request may start to its first token.
    pub first: f64,
    /// Seconds between steps of decoding, prefills of others included.
    pub step: f64,
    /// Seconds of a step that none holds up.
    pub plain: f64,
    /// Sequences that decode.
    pub decoding: f64,
    /// Share of the time that prefills take.
    pub load: f64,
    /// Seconds of a prefill that others wait for, in the mean.
    pub each: f64,
    /// Of a closed loop, others that end with the same step; of a rate, the share of time in which one that comes
    /// waits for prefills, and how long such a one waits.
    pub others: Others,
}

/// What one that comes at any moment finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Queue {
    /// Share of the time in which prefills go on, and seconds until the next one may start.
    pub prefills: f64,
    /// See `prefills`.
    pub round: f64,
    /// Seconds of a step, of which the rest is waited for otherwise.
    pub step: f64,
    /// Seconds more, in the mean, for those that came before, and for memory.
    pub queued: f64,
    /// Sequences that decode, in the mean.
    pub alive: f64,
    /// How many of them start together.
    pub clump: f64,
}

/// Who is in the way of a prefill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Others {
    /// Of a closed loop: so many end with the same step, in the mean, of so many at once.
    Same(f64, f64),
    /// Of a rate.
    Queue(Queue),
}

impl Work<'_> {
    /// Seconds in which so many prompts are prefilled together.
    pub(super) fn batch(&self, prompts: f64) -> f64 {
        self.prefill + (prompts.clamp(1.0, self.together) - 1.0) * self.further
    }

    /// Seconds to the first token in the mean of so many that come at once.
    pub(super) fn burst(&self, requests: f64) -> f64 {
        let each = self.batch(self.together) / self.together;
        f64::midpoint(requests, 1.0) * each
    }

    /// The same in steps of so many seconds that they share with others, as often as there are any.
    pub(super) fn mixed(&self, prompts: f64, plain: f64, often: f64) -> f64 {
        self.batch(prompts) - often * self.spared.min(self.shared * plain)
    }

    /// A replica with so many requests at all times: one that ends lets the next one start.
    pub(super) fn closed(&self, requests: f64) -> Balance {
        if self.ideal {
            return self.bound(requests);
        }
        if self.steps <= 0.0 {
            return self.prefills_alone(requests);
        }
        let others = (requests - 1.0).max(0.0);
        let beside = self.beside(requests);
        let shared = self.shared * beside;
        let decoding = self.alive(requests, shared);
        let (same, mut rounds) = self.same(decoding, shared);
        if shared > 0.0 {
            // All that do not decode wait for a prefill or are in one.
            rounds = ((requests / decoding - 1.0) * self.steps / shared - 1.0).max(0.0);
        }
        let plain = self.curve.at(decoding);
        // Engines that do not mix have each batch by itself.
        let often = if self.shared > 0.0 { beside } else { 1.0 };
        // Of a batch of prefills, that of one that is in it, and that of one batch among all.
        let batch = |prompts| self.mixed(prompts, plain, 1.0);
        // With nobody beside, one batch has all of them: none that decodes is held up by it.
        let together = (1.0 - often) * self.batch(requests);
        let own = together + often * batch(same + 1.0);
        let first = rounds * (batch(self.together) + shared * plain) + own + shared * plain;
        let ended = (same / others.max(1e-9)).min(1.0);
        let mean = match requests > 1.0 && ended > 0.0 {
            true => requests * ended / (1.0 - (1.0 - ended).powf(requests)),
            false => 1.0,
        };
        let mean = mean.clamp(1.0, self.together);
        let each = together / requests + often * batch(mean) / mean;
        let cycle = plain * (self.steps + shared * (1.0 + rounds)) + requests * each;
        let rate = requests / cycle;
        let mut step = ((cycle - first) / self.steps).max(plain);
        if self.shared > 0.0 {
            // No step is longer than one that takes a piece of all prompts that may go together.
            step = step.min(plain + self.batch(self.together) / self.shared);
        }
        Balance {
            rate,
            first,
            step,
            plain,
            decoding: rate * self.steps * step,
            load: rate * each,
            each,
            others: Others::Same(same, others),
        }
    }

    /// The same where each request is in nobody's way for so many seconds more, the rest of its way through the stages,
    /// and so many have room; with how many wait for that.
    pub(super) fn between_visits(&self, requests: f64, room: f64, away: f64) -> (Balance, f64) {
        // Fewer than one: one, part of the time.
        let at = |own: f64| {
            let mut found = self.closed(own.max(1.0));
            let share = own.min(1.0);
            found.rate *= share;
            found.load *= share;
            found.decoding *= share;
            found
        };
        let over = |own: f64, found: &Balance| own + found.rate * away - requests;
        let mut found = at(room);
        let mut above = over(room, &found);
        if above <= 0.0 || away <= 0.0 {
            return (found, (-above).max(0.0));
        }
        // Regula falsi, the end that stays halved (Illinois).
        let (mut low, mut high, mut below) = (0.0, room, -requests);
        for _ in 0..STEPS {
            let own = (low * above - high * below) / (above - below);
            found = at(own);
            let now = over(own, &found);
            if now.abs() <= 1e-9 * requests {
                break;
            }
            if now > 0.0 {
                (high, above, below) = (own, now, below / 2.0);
            } else {
                (low, below, above) = (own, now, above / 2.0);
            }
        }
        (found, 0.0)
    }

    /// How likely any is left to share steps with: not all others end with the same step, or more run than start
    /// together.
    fn beside(&self, requests: f64) -> f64 {
        let alike = self.steps.max(1.0).powf(-(requests - 1.0).max(0.0));
        1.0 - alike * (1.0 - (requests - self.together).clamp(0.0, 1.0))
    }

    /// Sequences that a step has in the mean where prefills share steps with them.
    fn alive(&self, requests: f64, shared: f64) -> f64 {
        if shared <= 0.0 {
            return requests;
        }
        let most = (self.together * self.steps / shared * (1.0 - 1e-9)).min(requests);
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let rounds = 1.0 + self.same(middle, shared).1;
            if middle * (1.0 + shared * rounds / self.steps) > requests {
                high = middle;
            } else {
                low = middle;
            }
        }
        low.max(requests.min(1.0))
    }

    /// Others that end with the same step as one does, and batches of prefills that it waits for.
    fn same(&self, decoding: f64, shared: f64) -> (f64, f64) {
        let others = (decoding - 1.0).max(0.0);
        let each = others / self.steps;
        // Steps until somebody looks: one, or those of a batch of prefills.
        let batches = (1.0 - (-each).exp()).max(1e-12);
        let during = 1.0 - (1.0 - (-each * shared.max(1.0)).exp()).min(1.0 - 1e-12);
        let in_batches = batches / (batches + during) * shared;
        let share = in_batches / (in_batches + during / (batches + during)).max(1e-12);
        let steps = 1.0 + share.clamp(0.0, 1.0) * (shared - 1.0).max(0.0);
        let same = (each * steps).min(others);
        // Batches that come while others are prefilled.
        let load = (decoding / self.steps * shared / self.together).min(1.0 - 1e-9);
        let queued = load * load / (2.0 * (1.0 - load));
        (
            same,
            ((same + 1.0) / self.together - 1.0).max(0.0) / 2.0 + queued,
        )
    }

    /// Requests of one token: one prefill after the other.
    fn prefills_alone(&self, requests: f64) -> Balance {
        let batch = requests.clamp(1.0, self.together);
        let each = self.batch(batch) / batch;
        Balance {
            rate: 1.0 / each,
            first: requests * each,
            step: self.curve.at(1.0),
            plain: self.curve.at(1.0),
            decoding: 0.0,
            load: 1.0,
            each,
            others: Others::Same(requests - 1.0, requests - 1.0),
        }
    }

    /// Nobody waits: prefills take their share of the time, and no request is in another one's way.
    fn bound(&self, requests: f64) -> Balance {
        let each = self.batch(self.together) / self.together;
        let own = each.min(self.prefill);
        let at = |alive: f64| {
            let plain = self.curve.at(alive);
            let cycle = self.steps * plain + requests * own;
            (plain, requests / cycle)
        };
        let (mut low, mut high) = (0.0, requests);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if middle + at(middle.max(1.0)).1 * own > requests {
                high = middle;
            } else {
                low = middle;
            }
        }
        let (plain, rate) = at(low.max(1.0).min(requests));
        let step = match self.steps > 0.0 {
            true => (requests / rate - own) / self.steps,
            false => plain,
        };
        Balance {
            rate,
            first: own,
            step,
            plain,
            decoding: rate * self.steps * step,
            load: rate * own,
            each: own,
            others: Others::Same(0.0, (requests - 1.0).max(0.0)),
        }
    }
}
