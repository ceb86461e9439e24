//! Max-min fair speeds of plans that use parts of shared capacities.

/// How a capacity is shared between those that want more of it than there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fairness {
    /// All at the same speed, as a part of their speeds alone.
    Speed,
    /// Uses in proportion to weights.
    Weights,
}

/// A capacity of 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Capacity {
    /// (plan, part of the capacity that it uses at full speed, weight), ascending by plan.
    pub(super) uses: Vec<(usize, f64, f64)>,
    pub(super) fairness: Fairness,
}

/// The speed of each plan, at most 1, and the capacity that holds it back; plans that are not `active` have speed 0.
///
/// The plan that some capacity holds back most gets what is fair there; the others share what is left in the same way.
/// With [`Fairness::Speed`] everywhere this is progressive filling.
pub(super) fn speeds(capacities: &[Capacity], active: &[bool]) -> Vec<(f64, Option<usize>)> {
    let mut found: Vec<Option<(f64, Option<usize>)>> = active
        .iter()
        .map(|&active| (!active).then_some((0.0, None)))
        .collect();
    let mut level = 0.0f64;
    let mut open: Vec<usize> = (0..capacities.len()).collect();
    loop {
        let mut least: Option<(f64, usize)> = None;
        open.retain(|&at| {
            let capacity = &capacities[at];
            let waiting = capacity
                .uses
                .iter()
                .any(|&(plan, ..)| found[plan].is_none());
            if waiting {
                let lowest = offers(capacity, &found)
                    .map(|(_, speed)| speed)
                    .fold(f64::INFINITY, f64::min);
                if lowest < 1.0 && least.is_none_or(|(speed, _)| lowest < speed) {
                    least = Some((lowest, at));
                }
            }
            waiting
        });
        let Some((lowest, at)) = least else {
            return found
                .into_iter()
                .map(|known| known.unwrap_or((1.0, None)))
                .collect();
        };
        // What was fixed before leaves each of the others at least as much; rounding must not say otherwise.
        level = level.max(lowest);
        let held: Vec<usize> = offers(&capacities[at], &found)
            .filter(|&(_, speed)| speed <= lowest)
            .map(|(plan, _)| plan)
            .collect();
        for plan in held {
            found[plan] = Some((level, Some(at)));
        }
    }
}

/// What a capacity lets the plans have whose speed is not known yet: (plan, speed).
fn offers<'a>(
    capacity: &'a Capacity,
    found: &'a [Option<(f64, Option<usize>)>],
) -> impl Iterator<Item = (usize, f64)> + 'a {
    let taken: f64 = capacity
        .uses
        .iter()
        .filter_map(|&(plan, part, _)| found[plan].map(|(speed, _)| speed * part))
        .sum();
    let mut free = 1.0 - taken;
    let scale = |part: f64, weight: f64| match capacity.fairness {
        Fairness::Speed => 1.0,
        Fairness::Weights => weight / part,
    };
    // Level by level: who reaches full speed first takes its part, the rest share what is left.
    let mut waiting: Vec<(f64, f64)> = capacity
        .uses
        .iter()
        .filter(|&&(plan, ..)| found[plan].is_none())
        .map(|&(_, part, weight)| (scale(part, weight), part))
        .collect();
    waiting.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut rest: f64 = waiting.iter().map(|(scale, part)| scale * part).sum();
    let mut lambda = f64::INFINITY;
    for (scale, part) in waiting {
        if free >= rest / scale {
            free -= part;
            rest -= scale * part;
        } else {
            lambda = free / rest;
            break;
        }
    }
    capacity
        .uses
        .iter()
        .filter(|&&(plan, ..)| found[plan].is_none())
        .map(move |&(plan, part, weight)| (plan, (lambda * scale(part, weight)).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::{Capacity, Fairness, speeds};

    fn link(uses: &[(usize, f64)]) -> Capacity {
        Capacity {
            uses: uses.iter().map(|&(plan, part)| (plan, part, 1.0)).collect(),
            fairness: Fairness::Speed,
        }
    }

    fn of(capacities: &[Capacity], plans: usize) -> Vec<f64> {
        let found = speeds(capacities, &vec![true; plans]);
        found.into_iter().map(|(speed, _)| speed).collect()
    }

    #[test]
    fn equal_plans_halve() {
        assert_eq!(of(&[link(&[(0, 1.0), (1, 1.0)])], 2), [0.5, 0.5]);
        assert_eq!(of(&[link(&[(0, 0.5), (1, 0.5)])], 2), [1.0, 1.0]);
    }

    #[test]
    fn the_third_takes_what_the_first_two_leave() {
        // 0 and 1 share one link, 1 and 2 another that is half as busy.
        let found = of(
            &[link(&[(0, 1.0), (1, 1.0)]), link(&[(1, 0.5), (2, 1.0)])],
            3,
        );
        assert_eq!(found, [0.5, 0.5, 0.75]);
    }

    #[test]
    fn weights_share_by_packets_and_leave_the_rest() {
        let chip = |parts: [f64; 2]| Capacity {
            uses: vec![(0, parts[0], 4096.0), (1, parts[1], 65536.0)],
            fairness: Fairness::Weights,
        };
        // The big packets take all that they want; the small ones what is left.
        let found = of(&[chip([1.0, 0.3])], 2);
        assert!((found[0] - 0.7).abs() < 1e-15 && found[1] == 1.0);
        // Both want all: 1 to 16.
        let found = of(&[chip([1.0, 1.0])], 2);
        assert!((found[0] - 1.0 / 17.0).abs() < 1e-15);
        assert!((found[1] - 16.0 / 17.0).abs() < 1e-15);
        // Small packets that want less than their share get it.
        let found = of(&[chip([0.05, 1.0])], 2);
        assert!(found[0] == 1.0 && (found[1] - 0.95).abs() < 1e-15);
    }

    #[test]
    fn plans_that_wait_use_nothing() {
        let found = speeds(&[link(&[(0, 1.0), (1, 1.0)])], &[true, false]);
        assert_eq!(found, [(1.0, None), (0.0, None)]);
    }
}
