//! The chips of a mesh in an order of one's own.

use super::dimension::dimensions;
use super::layout::Layout;
use crate::collective::Groups;
use crate::machine::Machine;
use crate::memory::{self, bytes_of};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Which chip is at each place of a mesh, whose last axis is the fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// The chip is the sum of one number for each coordinate, whatever the others are: by axis, a number for each
    /// coordinate.
    Sums(Vec<Vec<i64>>),
    /// The chips, all listed.
    Listed {
        /// Size of each axis.
        sizes: Vec<u32>,
        /// Row by row.
        chips: Vec<u32>,
    },
}

impl Order {
    /// Ascending chips for axes of `sizes`, the last one fastest.
    pub fn ascending(sizes: &[u32]) -> Self {
        let mut stride = 1;
        let mut sums: Vec<Vec<i64>> = Vec::with_capacity(sizes.len());
        for &size in sizes.iter().rev() {
            sums.push((0..i64::from(size)).map(|at| at * stride).collect());
            stride *= i64::from(size);
        }
        sums.reverse();
        Self::Sums(sums)
    }

    /// The order of a layout of axes of `sizes`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a layout of another machine or mesh.
    pub fn of_layout(machine: &Machine, sizes: &[u32], layout: &Layout) -> Result<Self> {
        let dimensions = dimensions(machine);
        layout.validate(&dimensions, sizes)?;
        if layout.is_reflected() {
            return Ok(Self::Listed {
                sizes: sizes.to_vec(),
                chips: layout.chips(machine, sizes)?,
            });
        }
        let offsets = |axis| -> Vec<i64> {
            let offsets = layout.offsets(machine, &dimensions, axis);
            offsets.into_iter().map(i64::from).collect()
        };
        Ok(Self::Sums((0..sizes.len()).map(offsets).collect()))
    }

    /// The order of chips that are listed row by row; kept as sums where they are sums.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of chips or one that is named twice, [`Error::OutOfRange`] for one that is
    /// not there.
    pub fn of_chips(machine: &Machine, sizes: &[u32], chips: &[i64]) -> Result<Self> {
        let total = machine.num_chips();
        if chips.len() as u64 != u64::from(total) {
            let allowed = format!("must list each of the {total} chips once");
            return Err(Error::invalid(
                "order",
                format!("{} chips", chips.len()),
                allowed,
            ));
        }
        let mut seen = vec![false; chips.len()];
        for &chip in chips {
            if !(0..i64::from(total)).contains(&chip) {
                return Err(Error::OutOfRange {
                    argument: "order".to_owned(),
                    value: i128::from(chip),
                    low: 0,
                    high: i128::from(total) - 1,
                });
            }
            if std::mem::replace(&mut seen[chip as usize], true) {
                return Err(Error::invalid("order", chip, "names this chip twice"));
            }
        }
        let sums = sums(sizes, chips);
        let walked = Walk::new(&sums);
        if walked.zip(chips).all(|(sum, &chip)| sum == chip) {
            return Ok(Self::Sums(sums));
        }
        Ok(Self::Listed {
            sizes: sizes.to_vec(),
            chips: chips.iter().map(|&chip| chip as u32).collect(),
        })
    }

    /// The order whose chips are these sums.
    ///
    /// # Errors
    /// Those of [`Order::of_chips`].
    pub fn of_sums(machine: &Machine, sums: Vec<Vec<i64>>) -> Result<Self> {
        let sizes: Vec<u32> = sums.iter().map(|axis| axis.len() as u32).collect();
        let places = sizes
            .iter()
            .try_fold(1_u64, |all, &size| all.checked_mul(u64::from(size)));
        if places != Some(u64::from(machine.num_chips())) {
            let allowed = format!("must have {} sums", machine.num_chips());
            return Err(Error::invalid(
                "order",
                format!("axes of {sizes:?}"),
                allowed,
            ));
        }
        let chips: Vec<i64> = Walk::new(&sums).collect();
        Self::of_chips(machine, &sizes, &chips)
    }

    /// The chip at each place, the last axis fastest.
    pub fn chips(&self) -> Vec<u32> {
        match self {
            Self::Sums(sums) => Walk::new(sums).map(|chip| chip as u32).collect(),
            Self::Listed { chips, .. } => chips.clone(),
        }
    }

    /// The groups of some axes, which act as one: chips that differ in those coordinates only. Ranks go through the
    /// axes in the order in which they are named, the last one fastest.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an axis that is not there or is named twice, [`Error::Memory`] for lists that do not fit;
    /// those of [`Groups::of_lists`].
    pub fn groups(&self, machine: &Machine, axes: &[usize]) -> Result<Groups> {
        let sizes = self.sizes();
        let mut named = vec![false; sizes.len()];
        for &axis in axes {
            if axis >= sizes.len() || std::mem::replace(&mut named[axis], true) {
                let allowed = "must name axes of the mesh, each once";
                return Err(Error::invalid("axis", format!("{axes:?}"), allowed));
            }
        }
        let others: Vec<usize> = (0..sizes.len()).filter(|&axis| !named[axis]).collect();
        let lists = Groups::reckon_lists(machine);
        lists.and_then(|()| reckon(machine, &sizes, axes))?;
        if let Self::Sums(sums) = self {
            let pick = |axes: &[usize]| axes.iter().map(|&axis| sums[axis].clone()).collect();
            let (inner, others): (Vec<_>, Vec<_>) = (pick(axes), pick(&others));
            if let Some(grid) = grid_of(machine, sums, &inner, &others) {
                return grid;
            }
        }
        let Self::Sums(places) = Self::ascending(&sizes) else {
            unreachable!("ascending chips are sums");
        };
        let chips = self.chips();
        let walk = |axes: &[usize]| -> Vec<i64> {
            let picked: Vec<Vec<i64>> = axes.iter().map(|&axis| places[axis].clone()).collect();
            Walk::new(&picked).collect()
        };
        let members = walk(axes);
        let group = |head: i64| {
            let each = members.iter().map(|member| chips[(head + member) as usize]);
            each.collect()
        };
        Groups::of_lists(machine, walk(&others).into_iter().map(group).collect())
    }

    fn sizes(&self) -> Vec<u32> {
        match self {
            Self::Sums(sums) => sums.iter().map(|axis| axis.len() as u32).collect(),
            Self::Listed { sizes, .. } => sizes.clone(),
        }
    }
}

/// Refuses a mesh of which the lists of members and of groups do not fit.
fn reckon(machine: &Machine, sizes: &[u32], axes: &[usize]) -> Result<()> {
    let ranks: u64 = axes.iter().map(|&axis| u64::from(sizes[axis])).product();
    let lists = ranks + u64::from(machine.num_chips()) / ranks.max(1);
    let what = format_args!("the lists of groups of {ranks} ranks");
    memory::check(bytes_of::<[u64; 8]>(lists), what, "use a smaller machine")
}

/// The groups of axes with these sums as a grid, where chips of a domain and domains add up apart; without listing any
/// chip. `others` are the sums of the other axes, and `sums` all of them.
fn grid_of(
    machine: &Machine,
    sums: &[Vec<i64>],
    inner: &[Vec<i64>],
    others: &[Vec<i64>],
) -> Option<Result<Groups>> {
    let chips = i64::from(machine.domain().chips());
    if sums.iter().flatten().any(|&sum| sum < 0) {
        return None;
    }
    let most = |part: fn(i64, i64) -> i64| -> i64 {
        let each = sums
            .iter()
            .map(|axis| axis.iter().map(|&sum| part(sum, chips)).max());
        each.flatten().sum()
    };
    if most(|sum, chips| sum % chips) >= chips {
        return None;
    }
    let members: Vec<i64> = Walk::new(inner).collect();
    // Ranks go through the chips of one domain after the other.
    let in_domain = members
        .iter()
        .take_while(|&&sum| sum / chips == members[0] / chips)
        .count();
    let locals: Vec<i64> = members[..in_domain].iter().map(|sum| sum % chips).collect();
    let domains: Vec<i64> = members
        .chunks(in_domain)
        .map(|chunk| chunk[0] / chips)
        .collect();
    let whole = members
        .chunks(in_domain)
        .zip(&domains)
        .all(|(chunk, domain)| {
            chunk.len() == in_domain
                && chunk
                    .iter()
                    .zip(&locals)
                    .all(|(&sum, local)| sum == domain * chips + local)
        });
    if !whole || !domains.is_sorted() {
        return None;
    }
    let (mut here, mut there) = (BTreeSet::new(), BTreeSet::new());
    let mut heads = 0;
    for sum in Walk::new(others) {
        here.insert(sum % chips);
        there.insert(sum / chips);
        heads += 1;
    }
    // Different groups have different heads: all pairs, if there are so many.
    (heads == here.len() * there.len()).then(|| {
        let table = |heads: BTreeSet<i64>, members: &[i64]| -> Vec<Vec<u32>> {
            let list = |head| members.iter().map(|sum| (head + sum) as u32).collect();
            heads.into_iter().map(list).collect()
        };
        Groups::grid(machine, table(here, &locals), table(there, &domains))
    })
}

/// The numbers of each coordinate whose sums chips are if they are sums of any; the first axis has the first chip too.
fn sums(sizes: &[u32], chips: &[i64]) -> Vec<Vec<i64>> {
    let mut stride = chips.len();
    let mut found = Vec::with_capacity(sizes.len());
    for &size in sizes {
        stride /= size as usize;
        let along = (0..size as usize).map(|at| chips[at * stride]);
        let from = if found.is_empty() { 0 } else { chips[0] };
        found.push(along.map(|chip| chip - from).collect());
    }
    found
}

/// Sums of one number of each list, the last list fastest.
struct Walk<'a> {
    lists: &'a [Vec<i64>],
    at: Vec<usize>,
    sum: i64,
    done: bool,
}

impl<'a> Walk<'a> {
    fn new(lists: &'a [Vec<i64>]) -> Self {
        Self {
            lists,
            at: vec![0; lists.len()],
            sum: lists.iter().map(|list| list[0]).sum(),
            done: false,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        if self.done {
            return None;
        }
        let sum = self.sum;
        self.done = true;
        for (at, list) in self.at.iter_mut().zip(self.lists).rev() {
            self.sum -= list[*at];
            *at = (*at + 1) % list.len();
            self.sum += list[*at];
            if *at > 0 {
                self.done = false;
                break;
            }
        }
        Some(sum)
    }
}
