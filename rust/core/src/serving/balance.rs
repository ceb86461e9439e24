//! How many requests a replica works on at once, and how long they wait: mean values.
//!
//! Prefills of all requests share one server, and steps of decoding run in what time they leave: in a second, `load`
//! seconds are prefills, so that a token takes `step / (1 - load)`, where one's own prefill is not counted.

use super::curve::Curve;

/// Halvings after which a rate is known to the last bit that matters.
const HALVINGS: u32 = 60;

/// What the requests of a replica are made of.
pub(super) struct Work<'a> {
    /// Seconds of a step by sequences.
    pub curve: &'a Curve,
    /// Seconds in which a prefill keeps others waiting.
    pub prefill: f64,
    /// Steps of others that come between the pieces of a prefill.
    pub between: f64,
    /// Steps of decoding of a request.
    pub steps: f64,
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
    /// Seconds between steps of decoding.
    pub step: f64,
    /// Sequences that decode.
    pub decoding: f64,
    /// Share of the time that prefills take.
    pub load: f64,
}

impl Work<'_> {
    /// A replica with so many requests at all times: one that ends lets the next one start.
    pub(super) fn closed(&self, requests: f64) -> Balance {
        let most = 1.0 / self.prefill;
        let (mut low, mut high) = (0.0, most);
        let at = |rate: f64| self.closed_at(requests, rate);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            let found = at(middle);
            if middle * found.first + found.decoding > requests {
                high = middle;
            } else {
                low = middle;
            }
        }
        at(low)
    }

    /// What a rate would take: requests that arrive see those of all others.
    fn closed_at(&self, requests: f64, rate: f64) -> Balance {
        let load = (rate * self.prefill).min(1.0 - 1e-12);
        let others = (requests - 1.0).max(0.0) / requests.max(1.0);
        let queued = if self.ideal {
            self.prefill
        } else {
            self.prefill / (1.0 - load * others)
        };
        self.with_steps(rate, load, load * others, queued, requests)
    }

    /// Requests that come at a rate, whenever they like; `None` where they come faster than they go.
    pub(super) fn open(&self, rate: f64, most: f64) -> Option<Balance> {
        let load = rate * self.prefill;
        if load >= 1.0 {
            return None;
        }
        // Prefills take alike long: the queue of Pollaczek and Khinchine without spread.
        let wait = if self.ideal {
            0.0
        } else {
            load * self.prefill / (2.0 * (1.0 - load))
        };
        let (mut low, mut high) = (0.0, most);
        let needs = |sequences: f64| rate * self.steps * self.curve.at(sequences) / (1.0 - load);
        if needs(most) > most {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if needs(middle) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(self.with_steps(rate, load, load, self.prefill + wait, high))
    }

    /// With the share of the time that prefills take, and that of others as one that decodes sees it.
    fn with_steps(
        &self,
        rate: f64,
        load: f64,
        of_others: f64,
        queued: f64,
        requests: f64,
    ) -> Balance {
        // Those that decode are not those that are prefilled.
        let waiting = (rate * queued).min(requests);
        let alive = (requests - waiting).max(1.0).min(requests);
        let plain = self.curve.at(alive);
        let step = plain / (1.0 - of_others);
        // A request that comes in the middle of a step waits for its end.
        let others = ((requests - 1.0) / requests.max(1.0)).clamp(0.0, 1.0);
        let between = if self.ideal { 0.0 } else { self.between };
        Balance {
            rate,
            first: queued + others * between * plain,
            step,
            decoding: rate * self.steps * step,
            load,
        }
    }
}
