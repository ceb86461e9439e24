//! The digits of a dimension that is cut, and where they put the coordinates of the axes that have them.
//!
//! A digit of a ring may be **reflected**: where it is odd, the part of the ring below it is run through backwards, as
//! a snake goes back and forth (a reflected Gray code, Gray 1953). Of a ring of 4 that is cut 2 x 2 the pairs of the
//! upper digit are then 0, 3 and 1, 2: neighbours, where plain ones are two hops apart.
//!
//! The chips of a group depend on the reflected digits of its own axis alone: backwards, a group is again a group, so that
//! turning a part round changes none of it; by induction from the lowest digit on, none of the whole. What a reflected
//! digit of another axis above turns round is the order of ranks in some groups. Sends and rooted operations look at that.

use super::dimension::Dimension;

/// One digit of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digit {
    /// Number of the mesh axis that has it.
    pub axis: u32,
    /// Its values.
    pub factor: u32,
    /// True where odd values run through the digits below backwards.
    pub reflected: bool,
}

impl Digit {
    /// One that is not reflected.
    pub fn plain(axis: u32, factor: u32) -> Self {
        Self {
            axis,
            factor,
            reflected: false,
        }
    }
}

/// How one dimension is cut, the fastest digit first.
pub type Cut = Vec<Digit>;

/// What is known of a digit from an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Members of the dimension between neighbours.
    pub step: u32,
    /// Values.
    pub factor: u32,
    /// True where odd values run through the digits below backwards.
    pub reflected: bool,
    /// False for a reflected digit of another axis.
    pub own: bool,
}

/// What one mesh axis has of each dimension, the fastest digit first.
pub type Place = Vec<Vec<Step>>;

/// Digits of a cut that an axis has, and reflected ones of others above.
pub(super) fn steps(cut: &[Digit], axis: u32) -> Vec<Step> {
    let mut step = 1;
    let mut found: Vec<Step> = Vec::new();
    for digit in cut {
        let own = digit.axis == axis;
        if own || (digit.reflected && !found.is_empty()) {
            found.push(Step {
                step,
                factor: digit.factor,
                reflected: digit.reflected,
                own,
            });
        }
        step *= digit.factor;
    }
    found
}

/// A place at which all costs the same that does not look at the order of ranks: with the digits of the axis alone, and
/// where rings may be `turned`, without the reflected pairs of a ring of 4, which are neighbours, one on.
pub(super) fn without_order(dimensions: &[Dimension], place: &Place, turned: bool) -> Place {
    let pair = |step: u32, reflected: bool| {
        vec![Step {
            step,
            factor: 2,
            reflected,
            own: true,
        }]
    };
    let own = |(dimension, steps): (&Dimension, &Vec<Step>)| {
        let own: Vec<Step> = steps.iter().filter(|step| step.own).copied().collect();
        match turned && dimension.ring && dimension.size == 4 && own == pair(2, true) {
            true => pair(1, false),
            false => own,
        }
    };
    dimensions.iter().zip(place).map(own).collect()
}

/// Chips that an axis with these digits has of a dimension.
pub(super) fn members(steps: &[Step]) -> u32 {
    let own = steps.iter().filter(|step| step.own);
    own.map(|step| step.factor).product()
}

/// The groups of an axis along a dimension of `size`: members of each by rank, lower digits first.
pub(super) fn lines(size: u32, steps: &[Step]) -> Vec<Vec<u32>> {
    // (Position, number of the group, rank) of what digits so far make.
    let mut found = vec![(0, 0, 0)];
    let (mut reach, mut groups, mut ranks) = (1, 1, 1);
    let mut grow = |factor: u32, reflected: bool, own: bool| {
        let before = std::mem::take(&mut found);
        for value in 0..factor {
            let turned = reflected && value % 2 == 1;
            let next = before.iter().map(|&(position, group, rank)| {
                let position = if turned {
                    reach - 1 - position
                } else {
                    position
                };
                let (groups, ranks) = if own { (0, ranks) } else { (groups, 0) };
                (
                    value * reach + position,
                    group + value * groups,
                    rank + value * ranks,
                )
            });
            found.extend(next);
        }
        reach *= factor;
        *(if own { &mut ranks } else { &mut groups }) *= factor;
        reach
    };
    let mut reached = 1;
    for step in steps {
        if step.step > reached {
            grow(step.step / reached, false, false);
        }
        reached = grow(step.factor, step.reflected, step.own);
    }
    if size > reached {
        grow(size / reached, false, false);
    }
    let mut lines = vec![vec![0; ranks as usize]; groups as usize];
    for (position, group, rank) in found {
        lines[group as usize][rank as usize] = position;
    }
    lines
}

/// What each position along a dimension adds to the place in a mesh; `strides` are places between neighbours of each
/// axis, and grow by what the axis has of the dimension.
pub(super) fn contributions(cut: &[Digit], strides: &mut [u32]) -> Vec<u32> {
    // (Position, what it adds).
    let mut found = vec![(0, 0)];
    for digit in cut {
        let reach = found.len() as u32;
        let stride = &mut strides[digit.axis as usize];
        let before = std::mem::take(&mut found);
        for value in 0..digit.factor {
            let turned = digit.reflected && value % 2 == 1;
            found.extend(before.iter().map(|&(position, adds)| {
                let position = if turned {
                    reach - 1 - position
                } else {
                    position
                };
                (value * reach + position, adds + value * *stride)
            }));
        }
        *stride *= digit.factor;
    }
    let mut along = vec![0; found.len()];
    for (position, adds) in found {
        along[position as usize] = adds;
    }
    along
}
