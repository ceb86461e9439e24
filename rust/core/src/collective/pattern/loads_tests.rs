//! Loads are what lists of their values are.

use super::*;
use proptest::prelude::*;

/// Values that are kept in each of the ways.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let stretch = (
        1usize..40,
        prop_oneof![
            Just(0.0),
            Just(1.0),
            Just(0.25),
            Just(255.0),
            Just(1.0 / 3.0),
            Just(5e-324),
            0.0..1e12
        ],
    );
    proptest::collection::vec(stretch, 0..6).prop_map(|stretches| {
        let runs = stretches.into_iter();
        runs.flat_map(|(count, value)| std::iter::repeat_n(value, count))
            .collect()
    })
}

proptest! {
    #[test]
    fn no_bit_is_lost(values in values(), more in values(), scale in 0.0..1e9) {
        let (one, two) = (Loads::from(values.clone()), Loads::from(more.clone()));
        prop_assert_eq!(one.len(), values.len());
        prop_assert!(one.values().map(f64::to_bits).eq(values.iter().map(|v| v.to_bits())));
        for (at, value) in values.iter().enumerate() {
            prop_assert_eq!(one.get(at).to_bits(), value.to_bits());
        }
        let mut sum = one.clone();
        sum.add(&two, scale);
        sum.add(&one, 0.5);
        let at = |list: &[f64], at: usize| list.get(at).copied().unwrap_or(0.0);
        let all = values.len().max(more.len());
        for place in 0..all {
            let own = at(&values, place) + scale * at(&more, place);
            prop_assert_eq!(sum.get(place).to_bits(), (own + 0.5 * at(&values, place)).to_bits());
        }
        let ratio = |a: f64, b: f64| a / (1.0 + b);
        let each: Vec<f64> = (0..all).map(|p| ratio(at(&values, p), at(&more, p))).collect();
        let most = each.iter().copied().fold(0.0, f64::max);
        let first = each.iter().position(|&value| value == most && most > 0.0);
        prop_assert_eq!(one.peak(&two, ratio), (first.unwrap_or(0), most));
    }
}

#[test]
fn bytes_of_a_pattern_take_a_byte_a_place() {
    let halves: Vec<f64> = (0..1000).map(|at| f64::from(at % 7) / 2.0).collect();
    let Loads::Multiples { unit, counts } = Loads::from(halves) else {
        panic!("small multiples of a half");
    };
    assert_eq!((unit, counts.len()), (0.5, 1000));
    assert_eq!(
        Loads::from(vec![2.0; 1000]),
        Loads::stretched(vec![(1000, 2.0)])
    );
    assert!(matches!(
        Loads::from(vec![1.0 / 3.0, 0.2, 0.3]),
        Loads::Listed(_)
    ));
}
