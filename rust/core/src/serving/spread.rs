//! How far times are from their means: p50 and p90 of both, from how long requests are and who is in their way.
//!
//! A first token waits for the prefills of those that came with it: of a closed loop as many as a count of Poisson
//! says, of a rate an exponential wait whenever there is one. Between tokens come as many prefills of others as fall
//! into an answer: of a rate again a count of Poisson, of a closed loop that of requests which come once an answer.

use super::balance::{Balance, Others, Queue, Work};

/// The shares of requests whose times are told.
const TOLD: [f64; 2] = [0.5, 0.9];

/// Parts of a distribution that is known as a curve, each as likely.
const STRATA: usize = 16;

/// Tokens above which counts are taken as a normal curve.
const MANY: f64 = 24.0;

/// Seconds that half and nine tenths of the requests do not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quantiles {
    /// To the first token.
    pub ttft: [f64; 2],
    /// Between tokens.
    pub tpot: [f64; 2],
}

/// Values with their shares.
type Shares = Vec<(f64, f64)>;

/// Prompts by seconds, and answers by steps and tokens after the first, with shares.
pub(super) struct Kinds {
    pub prompts: Shares,
    pub answers: Vec<(f64, f64, f64)>,
}

/// Quantiles of the first token before what all requests wait alike, and of times between tokens.
pub(super) fn quantiles(work: &Work, balance: &Balance, kinds: &Kinds) -> Quantiles {
    let waits = waits(work, balance);
    let mut first = Vec::with_capacity(kinds.prompts.len() * waits.len());
    for &(own, share) in &kinds.prompts {
        first.extend(
            waits
                .iter()
                .map(|&(wait, often)| (own + wait, share * often)),
        );
    }
    let mut between = Vec::new();
    for &(steps, tokens, share) in &kinds.answers {
        let all = match balance.others {
            Others::Same(_, others) => same_answers(work, balance, kinds, steps, others),
            Others::Queue(queue) => queue_answers(work, balance, steps, &queue),
        };
        between.extend(
            all.into_iter()
                .map(|(seconds, often)| (seconds / tokens, share * often)),
        );
    }
    Quantiles {
        ttft: told(&mut first),
        tpot: told(&mut between),
    }
}

/// The least value that so much of the shares does not pass.
fn told(values: &mut Shares) -> [f64; 2] {
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all: f64 = values.iter().map(|value| value.1).sum();
    TOLD.map(|quantile| {
        let mut below = 0.0;
        for &(value, share) in values.iter() {
            below += share;
            if below >= quantile * all * (1.0 - 1e-9) {
                return value;
            }
        }
        f64::NAN
    })
}

/// Seconds that a first token waits beside its own prefill.
fn waits(work: &Work, balance: &Balance) -> Shares {
    if work.ideal {
        return vec![(0.0, 1.0)];
    }
    match balance.others {
        Others::Same(same, _) => {
            // The mean has what a count does not: batches that come meanwhile.
            let made = same_waits(work, balance, same);
            let mean: f64 = made.iter().map(|one| one.0 * one.1).sum();
            let rest = balance.first - work.prefill - mean;
            made.iter().map(|one| (one.0 + rest, one.1)).collect()
        }
        Others::Queue(queue) => queue_waits(&queue, work.shared),
    }
}

/// Of a closed loop: others that ended with the same step, some of them before it, in batches.
fn same_waits(work: &Work, balance: &Balance, same: f64) -> Shares {
    let most = work.together.max(1.0).floor();
    let round = work.mixed(most, balance.plain, 1.0) + work.shared * balance.plain;
    let mut made = Vec::new();
    if same > MANY {
        for at in 0..STRATA {
            let ahead = same * (at as f64 + 0.5) / STRATA as f64;
            let batch = work.batch((same + 1.0).min(most)) - work.prefill;
            made.push(((ahead / most).floor() * round + batch, 1.0 / STRATA as f64));
        }
        return made;
    }
    for (count, often) in poisson(same) {
        for ahead in 0..=count {
            let rounds = (ahead as f64 / most).floor();
            let batch = (count as f64 + 1.0 - rounds * most).min(most);
            let wait = rounds * round + work.batch(batch) - work.prefill;
            made.push((wait, often / (count + 1) as f64));
        }
    }
    made
}

/// Of a rate: the rest of a step, or of prefills and those that came before.
fn queue_waits(queue: &Queue, shared: f64) -> Shares {
    let parts = STRATA / 2;
    let middle = |at: usize| (at as f64 + 0.5) / parts as f64;
    let often = 1.0 / parts as f64;
    let found = queue.prefills.clamp(1e-9, 1.0);
    let mut made = Vec::with_capacity(parts * (parts + 1));
    for rest in 0..parts {
        made.push((queue.step * (middle(rest) + shared), often * (1.0 - found)));
        for at in 0..parts {
            let behind = -queue.queued / found * (1.0 - middle(at)).ln();
            let wait = queue.round * middle(rest) + behind + shared * queue.step;
            made.push((wait, often * often * found));
        }
    }
    made
}

/// Of a closed loop: seconds of an answer of so many steps, with the prefills of others that fall into it.
fn same_answers(work: &Work, balance: &Balance, kinds: &Kinds, steps: f64, others: f64) -> Shares {
    let mean = ((balance.step - balance.plain) * steps).max(0.0);
    let count = mean / balance.each;
    let (spread, third) = moments(kinds);
    let window = steps / work.steps;
    let one = spread * window + 1.0 / 6.0 + spread * spread / 2.0 - third / 3.0;
    let counts = (others * one.max(0.0)).min(count);
    let deviation = balance.each * (counts + count * varied(work)).sqrt();
    let part = |at: usize| {
        let prefills = (mean + deviation * normal_part(at, STRATA)).max(0.0);
        (steps * balance.plain + prefills, 1.0 / STRATA as f64)
    };
    (0..STRATA).map(part).collect()
}

/// Of a rate: seconds of an answer while more or fewer than the mean decode, and come.
///
/// Those that decode beside one, in the mean over its answer, are a count whose variance is 2 / 3 of that at a moment
/// where all answers are alike long; their correlation with those that come meanwhile is then 0.61.
fn queue_answers(work: &Work, balance: &Balance, steps: f64, queue: &Queue) -> Shares {
    const CROWD: f64 = 2.0 / 3.0;
    const ALIKE: f64 = 0.612;
    let mean = ((balance.step - balance.plain) * steps).max(0.0);
    let count = mean / balance.each;
    let deviation = balance.each * (count * (queue.clump + varied(work))).sqrt();
    let slow = work.smooth(queue, 0.0);
    let parts = STRATA / 2;
    let mut made = Vec::with_capacity(STRATA * parts);
    for at in 0..STRATA {
        let far = normal_part(at, STRATA);
        let plain = balance.plain * work.smooth(queue, CROWD.sqrt() * far) / slow;
        for other in 0..parts {
            let far = ALIKE * far + (1.0 - ALIKE * ALIKE).sqrt() * normal_part(other, parts);
            let prefills = (mean + deviation * far).max(0.0);
            made.push((steps * plain + prefills, 1.0 / (STRATA * parts) as f64));
        }
    }
    made
}

/// The middle of one of so many parts of the normal curve that are alike often.
fn normal_part(at: usize, parts: usize) -> f64 {
    normal_quantile((at as f64 + 0.5) / parts as f64)
}

/// The square of the relative deviation of prefills.
fn varied(work: &Work) -> f64 {
    (work.squared / (work.prefill * work.prefill) - 1.0).max(0.0)
}

/// The square of the relative deviation of steps of answers, and their relative third moment.
fn moments(kinds: &Kinds) -> (f64, f64) {
    let all: f64 = kinds.answers.iter().map(|one| one.2).sum();
    let mean = kinds.answers.iter().map(|one| one.0 * one.2).sum::<f64>() / all;
    let moment = |power| {
        let far = |one: &(f64, f64, f64)| (one.0 / mean - 1.0_f64).powi(power) * one.2;
        kinds.answers.iter().map(far).sum::<f64>() / all
    };
    (moment(2), moment(3))
}

/// Counts with their shares, up to where almost none is left.
pub(super) fn poisson(mean: f64) -> Vec<(u32, f64)> {
    let mut made = vec![];
    let (mut share, mut left) = ((-mean).exp(), 1.0);
    for count in 0..200_u32 {
        made.push((count, share));
        left -= share;
        if left < 1e-4 {
            break;
        }
        share *= mean / f64::from(count + 1);
    }
    made
}

/// The normal quantile within 4.5e-4 (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23).
pub(super) fn normal_quantile(share: f64) -> f64 {
    let tail = (-2.0 * share.min(1.0 - share).ln()).sqrt();
    let top = 2.515_517 + tail * (0.802_853 + tail * 0.010_328);
    let below = 1.0 + tail * (1.432_788 + tail * (0.189_269 + tail * 0.001_308));
    let size = tail - top / below;
    if share < 0.5 { -size } else { size }
}
