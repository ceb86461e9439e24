//! The shape of a group inside a domain, and orders of its chips that suit rings and cubes.

use crate::collective::pattern::lines::BoxOrder;
use crate::machine::{AxisKind, Domain};
use crate::{Control, Result};

/// A group that is a product of positions along axes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocalBox {
    /// (axis, positions ascending) of each axis with more than one position.
    pub(crate) sides: Vec<(usize, Vec<u32>)>,
    origin: u32,
}

impl LocalBox {
    /// The box that the chips fill, if they fill one.
    pub(crate) fn of(domain: &Domain, chips: &[u32]) -> Option<Self> {
        let mut sides = Vec::new();
        let mut volume = 1usize;
        for (axis, definition) in domain.axes().iter().enumerate() {
            let coordinates = chips.iter().map(|&chip| domain.coordinate(chip, axis));
            let positions: Vec<u32> = if (definition.size as usize) <= chips.len() {
                let mut present = vec![false; definition.size as usize];
                coordinates.for_each(|at| present[at as usize] = true);
                (0..definition.size)
                    .filter(|&at| present[at as usize])
                    .collect()
            } else {
                let mut found: Vec<u32> = coordinates.collect();
                found.sort_unstable();
                found.dedup();
                found
            };
            volume = volume.saturating_mul(positions.len());
            if positions.len() > 1 {
                sides.push((axis, positions));
            }
        }
        // Distinct chips within the bounds of a product of the same size are that product.
        let origin = *chips.iter().min()?;
        (volume == chips.len()).then_some(Self { sides, origin })
    }

    /// All chips of a domain.
    fn whole(domain: &Domain) -> Self {
        let axes = domain.axes().iter().enumerate();
        let sides = axes.filter(|(_, axis)| axis.size > 1);
        Self {
            sides: sides
                .map(|(at, axis)| (at, (0..axis.size).collect()))
                .collect(),
            origin: 0,
        }
    }

    /// The chip at the given index of each side.
    pub(crate) fn chip(&self, domain: &Domain, index: &[u32]) -> u32 {
        self.sides
            .iter()
            .zip(index)
            .map(|((axis, positions), &at)| {
                (positions[at as usize] - positions[0]) * domain.plans()[*axis].stride
            })
            .sum::<u32>()
            + self.origin
    }

    /// Chips in the box.
    pub(crate) fn chips(&self) -> u32 {
        self.sizes().iter().product()
    }

    /// Sizes of the sides.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        self.sides.iter().map(|side| side.1.len() as u32).collect()
    }

    /// The axis of each side and the position at each place on it; `places` has the index of those.
    pub(crate) fn order(&self, places: &[Vec<u32>]) -> BoxOrder {
        let side = |((axis, positions), places): (&(usize, Vec<u32>), &Vec<u32>)| {
            let position = |&place: &u32| positions[place as usize];
            (*axis, places.iter().map(position).collect())
        };
        BoxOrder {
            sides: self.sides.iter().zip(places).map(side).collect(),
        }
    }

    /// The chips in the order of the walks around the sides, side 0 fastest.
    pub(crate) fn walked(&self, domain: &Domain, control: &Control) -> Result<Vec<u32>> {
        self.counted(domain, &self.walks(domain), control)
    }

    /// Index of the position at each place of the walk around each side.
    pub(crate) fn walks(&self, domain: &Domain) -> Vec<Vec<u32>> {
        let sides = self.sides.iter();
        sides
            .map(|(axis, positions)| around(domain, *axis, positions.len() as u32))
            .collect()
    }

    /// The chips, counted along the places of each side, side 0 fastest: `places` has the index of their positions.
    fn counted(&self, domain: &Domain, places: &[Vec<u32>], control: &Control) -> Result<Vec<u32>> {
        let ahead = |((axis, positions), places): (&(usize, Vec<u32>), &Vec<u32>)| {
            let stride = domain.plans()[*axis].stride;
            let chip = |&place: &u32| (positions[place as usize] - positions[0]) * stride;
            places.iter().map(chip).collect::<Vec<u32>>()
        };
        let ahead: Vec<Vec<u32>> = self.sides.iter().zip(places).map(ahead).collect();
        let mut chips = Vec::with_capacity(self.chips() as usize);
        chips.push(self.origin);
        for side in &ahead {
            // All lines so far once more at each further place of this side.
            let line = chips.len();
            let first = side[0];
            chips.iter_mut().for_each(|chip| *chip += first);
            for (at, place) in side.iter().enumerate().skip(1) {
                control.check_at(at)?;
                chips.extend_from_within(..line);
                let added = &mut chips[at * line..];
                added
                    .iter_mut()
                    .for_each(|chip| *chip = *chip - first + place);
            }
        }
        Ok(chips)
    }

    /// Index of the position at each place of each side, Gray-coded; `None` where sides are no powers of two.
    pub(crate) fn gray(&self) -> Option<Vec<Vec<u32>>> {
        let side = |size: u32| -> Option<Vec<u32>> {
            size.is_power_of_two()
                .then(|| (0..size).map(gray_inverse).collect())
        };
        self.sizes().into_iter().map(side).collect()
    }
}

/// Positions of an axis in an order in which neighbours, the last to the first too, are close: as they are on a
/// ring or a switch; out on even and back on odd positions on an open line.
fn around(domain: &Domain, axis: usize, size: u32) -> Vec<u32> {
    if matches!(domain.axes()[axis].kind, AxisKind::Line) {
        let even = (0..size).step_by(2);
        let odd = (0..size).skip(1).step_by(2);
        even.chain(odd.rev()).collect()
    } else {
        (0..size).collect()
    }
}

/// Hops between two local chips by a shortest path.
fn distance(domain: &Domain, a: u32, b: u32) -> u32 {
    (0..domain.axes().len())
        .map(|axis| {
            let (size, kind) = (domain.axes()[axis].size, &domain.axes()[axis].kind);
            let apart = domain
                .coordinate(a, axis)
                .abs_diff(domain.coordinate(b, axis));
            match kind {
                AxisKind::Ring => apart.min(size - apart),
                AxisKind::Line => apart,
                _ => apart.min(1),
            }
        })
        .sum()
}

/// The chips in an order whose successive chips are close, the last to the first too: one hop each where a
/// construction is known (a reflected sweep, or a sweep shifted by one per row).
pub(crate) fn ring_order(domain: &Domain, chips: &[u32], control: &Control) -> Result<Vec<u32>> {
    let Some(shape) = LocalBox::of(domain, chips) else {
        return Ok(chips.to_vec());
    };
    if shape.sides.len() == 1 {
        return shape.walked(domain, control);
    }
    let sides = shape.sides.len();
    let mut best: Option<(u64, Vec<u32>)> = None;
    for slowest in 0..sides {
        let order: Vec<usize> = (0..sides)
            .filter(|&side| side != slowest)
            .chain([slowest])
            .collect();
        let total = chips.len() as u32;
        for sweep in [reflected, shifted] {
            let mut path = Vec::with_capacity(chips.len());
            for number in 0..total {
                control.check_at(number as usize)?;
                path.push(shape.chip(domain, &sweep(&shape.sizes(), &order, number)));
            }
            let mut length = 0;
            for at in 0..path.len() {
                control.check_at(at)?;
                length += u64::from(distance(domain, path[at], path[(at + 1) % path.len()]));
            }
            if length == u64::from(total) {
                return Ok(path);
            }
            if best.as_ref().is_none_or(|best| length < best.0) {
                best = Some((length, path));
            }
        }
    }
    Ok(best.expect("a box of two sides or more was swept").1)
}

/// Where the `number`-th chip of a ring through a whole domain of several sides may be that begins with the first chip: one
/// chip for each order of [`ring_order`].
pub(crate) fn ring_places(domain: &Domain, number: u32) -> Vec<u32> {
    let shape = LocalBox::whole(domain);
    let (sides, sizes) = (shape.sides.len(), shape.sizes());
    let mut places = Vec::with_capacity(2 * sides);
    for slowest in 0..sides {
        let others = (0..sides).filter(|&side| side != slowest);
        let order: Vec<usize> = others.chain([slowest]).collect();
        let swept = [reflected, shifted].map(|sweep| sweep(&sizes, &order, number));
        places.extend(swept.map(|index| shape.chip(domain, &index)));
    }
    places
}

/// Digit of each side of the `number`-th index of a sweep that turns round at the end of each line.
fn reflected(sizes: &[u32], order: &[usize], number: u32) -> Vec<u32> {
    let mut index = vec![0; sizes.len()];
    let mut rest = number;
    for &side in order {
        let (digit, above) = (rest % sizes[side], rest / sizes[side]);
        index[side] = if above % 2 == 1 {
            sizes[side] - 1 - digit
        } else {
            digit
        };
        rest = above;
    }
    index
}

/// The same for a sweep that goes on in the same direction, each line starting where the last one ended.
fn shifted(sizes: &[u32], order: &[usize], number: u32) -> Vec<u32> {
    let mut index = vec![0; sizes.len()];
    let mut rest = number;
    for &side in order {
        let (digit, above) = (rest % sizes[side], rest / sizes[side]);
        index[side] = (digit + sizes[side] - above % sizes[side]) % sizes[side];
        rest = above;
    }
    index
}

/// The chips numbered so that ranks that differ in one bit are close: Gray-coded positions along each side,
/// the first side in the lowest bits. A ring of four is then a square whose four exchanges are single hops.
/// Groups that are not boxes of power-of-two sides keep their order.
pub(crate) fn cube_order(domain: &Domain, chips: &[u32], control: &Control) -> Result<Vec<u32>> {
    let Some(shape) = LocalBox::of(domain, chips) else {
        return Ok(chips.to_vec());
    };
    match shape.gray() {
        Some(places) => shape.counted(domain, &places, control),
        None => Ok(chips.to_vec()),
    }
}

/// The position whose Gray code is `code`.
fn gray_inverse(code: u32) -> u32 {
    let mut position = code;
    let mut shift = code >> 1;
    while shift > 0 {
        position ^= shift;
        shift >>= 1;
    }
    position
}
