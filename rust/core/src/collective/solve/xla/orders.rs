//! In which orders the colours of an all-reduce take whole axes.

use super::group::Group;
use super::tables::ONE_WAY_MOST;

/// Orders of axes, by the numbers that the compiler has for them.
pub(super) type Orders = Vec<Vec<usize>>;

/// What the text says of an all-reduce in several axes.
pub(super) struct Rotations {
    pub(super) strategy: &'static str,
    /// The orders that are run, each both ways.
    pub(super) orders: Orders,
    /// Chips of the ring of each phase, colour by colour.
    pub(super) rings: Vec<Vec<u32>>,
    /// As the text prints them. Colours beyond `orders` run these again the other way; what is printed for those are
    /// the cyclic orders of the slice, or zeros in a part of it.
    pub(super) printed: Orders,
}

/// Those of the short form.
pub(super) fn short(group: &Group) -> Rotations {
    rotations(group, "StrategyND", natural(group), 1)
}

/// Those of the long form.
pub(super) fn long(group: &Group) -> Rotations {
    let mut sizes: Vec<u32> = group.axes.iter().map(|axis| axis.1).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if matches!(sizes[..], [small, large] if large == 2 * small) {
        return rotations(group, "StrategyND", cyclic(&numbers(group)), 1);
    }
    let orders = natural(group);
    let first = ring(group, orders[0][0]);
    if first <= ONE_WAY_MOST {
        return rotations(group, "UniDirectionNDRingStrategy", orders, 2);
    }
    rotations(group, "StrategyND", orders, 1)
}

/// Equal axes in every cyclic order; two equal ones in both, a third that is not last; unlike ones in one order.
fn natural(group: &Group) -> Orders {
    let numbers = numbers(group);
    if group.is_square() {
        return cyclic(&numbers);
    }
    let [a, b, c] = numbers[..] else {
        return vec![numbers];
    };
    let equal = |one: usize, other: usize| ring(group, one) == ring(group, other);
    for (one, other, odd) in [(a, b, c), (a, c, b), (b, c, a)] {
        if equal(one, other) {
            return vec![vec![one, other, odd], vec![other, one, odd]];
        }
    }
    vec![numbers]
}

fn numbers(group: &Group) -> Vec<usize> {
    let numbers: Vec<usize> = group.axes.iter().map(|axis| axis.0).collect();
    // The last of three comes round to the first.
    if numbers == [0, 2] && group.is_square() {
        return vec![2, 0];
    }
    numbers
}

fn cyclic(numbers: &[usize]) -> Orders {
    let turned = |first: usize| [&numbers[first..], &numbers[..first]].concat();
    (0..numbers.len()).map(turned).collect()
}

/// Chips of an axis by its number.
fn ring(group: &Group, number: usize) -> u32 {
    let found = group.axes.iter().find(|axis| axis.0 == number);
    found.map_or(1, |axis| axis.1)
}

/// Each order by one colour, or in each direction by one.
fn rotations(group: &Group, strategy: &'static str, orders: Orders, times: usize) -> Rotations {
    let sizes = |order: &Vec<usize>| order.iter().map(|&axis| ring(group, axis)).collect();
    let rings: Vec<Vec<u32>> = orders.iter().map(sizes).collect();
    let axes = group.axes.len();
    let beyond = |colour: usize| {
        if axes == group.slice_axes {
            (0..axes).map(|place| (colour + place) % axes).collect()
        } else {
            vec![0; axes]
        }
    };
    let colours = times * orders.len();
    let printed = orders.iter().cloned();
    let printed = printed.chain((orders.len()..colours).map(beyond)).collect();
    let cycled = rings.iter().cycle().take(colours).cloned();
    Rotations {
        strategy,
        rings: cycled.collect(),
        printed,
        orders,
    }
}
