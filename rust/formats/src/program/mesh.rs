//! Groups that run over axes, or parts of axes, of a mesh of devices.

use super::groups::{Ids, iota};
use crate::cursor::Cursor;
use crate::error::Result;

/// Most axes of a mesh: more say nothing, as no axis of 1 has to be there.
const MOST_AXES: usize = 64;

/// In which order devices lie on a mesh.
pub(crate) enum Devices {
    /// 0, 1, ... laid out as these dimensions and read in this order of their axes.
    Rule(Vec<u64>, Vec<u64>),
    /// One by one.
    List(Vec<i64>),
}

/// A mesh: its axes by name and length, the last the fastest.
pub(crate) struct Mesh {
    pub(crate) axes: Vec<(String, u64)>,
    pub(crate) devices: Devices,
}

/// An axis of a mesh that a group runs over, or the part of it of `size`, with `before` times as much that is slower.
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) part: Option<(u64, u64)>,
}

/// A part of the order of devices: how long, of which axis of the mesh, and where in it.
#[derive(Clone)]
struct Digit {
    size: u64,
    axis: usize,
    /// Product of what is slower in the same axis.
    before: u64,
}

impl Mesh {
    /// Devices in all; errors stand at `at`.
    pub(crate) fn size(&self, at: Cursor<'_>) -> Result<u64> {
        let sizes = self.axes.iter().map(|(_, size)| *size);
        product(sizes, at)
    }
}

/// The product of lengths, none of which may be 0.
pub(crate) fn product(mut sizes: impl Iterator<Item = u64>, at: Cursor<'_>) -> Result<u64> {
    sizes
        .try_fold(1u64, |all, size| all.checked_mul(size))
        .filter(|all| (1..1 << 53).contains(all))
        .ok_or_else(|| at.wrong("must have lengths >= 1 with a product below 2**53"))
}

/// Groups that run over `axes` of `mesh`, the last the fastest, in the order that the others give them.
pub(crate) fn over_axes(mesh: &Mesh, axes: &[Axis], at: Cursor<'_>) -> Result<Ids> {
    let total = mesh.size(at)?;
    let said = match &mesh.devices {
        Devices::Rule(dims, perm) => {
            let real = perm.len() == dims.len() && permutes(perm);
            if !real {
                return Err(at.wrong("must have each axis of the devices once in T(...)"));
            }
            product(dims.iter().copied(), at)?
        }
        Devices::List(ids) => ids.len() as u64,
    };
    if said != total {
        return Err(at.wrong("must have as many devices as the axes of the mesh have in all"));
    }
    let digits = digits(mesh, axes, at)?;
    let (group, rest): (Vec<Vec<usize>>, Vec<usize>) = order(&digits, mesh, axes, at)?;
    let group: Vec<usize> = group.into_iter().flatten().collect();
    let size = product(group.iter().map(|at| digits[*at].size), at)?;
    let count = total / size;
    let read: Vec<usize> = rest.into_iter().chain(group).collect();
    let lengths: Vec<u64> = digits.iter().map(|digit| digit.size).collect();
    let steps: Vec<u64> = read.iter().map(|at| *at as u64).collect();
    match &mesh.devices {
        Devices::List(ids) => {
            let picked = iota(&lengths, &steps)
                .into_iter()
                .map(|at| ids[at as usize]);
            Ok(Ids::Lists(picked.collect(), vec![size; count as usize]))
        }
        Devices::Rule(dims, perm) => {
            let seen: Vec<u64> = perm.iter().map(|axis| dims[*axis as usize]).collect();
            match refine(&seen, &lengths) {
                Some(fine) => Ok(joined(&fine, &read, perm, count, size)),
                None => {
                    if total > 1 << 22 {
                        return Err(at.wrong("must be axes that divide those of the devices"));
                    }
                    let ids = iota(dims, perm);
                    let picked = iota(&lengths, &steps)
                        .into_iter()
                        .map(|at| ids[at as usize]);
                    Ok(Ids::Lists(picked.collect(), vec![size; count as usize]))
                }
            }
        }
    }
}

fn permutes(perm: &[u64]) -> bool {
    let mut seen = vec![false; perm.len()];
    perm.iter().all(|axis| {
        let free = seen.get_mut(*axis as usize).filter(|seen| !**seen);
        free.map(|seen| *seen = true).is_some()
    })
}

/// The axes of a mesh, cut where a part of one begins or ends.
fn digits(mesh: &Mesh, axes: &[Axis], at: Cursor<'_>) -> Result<Vec<Digit>> {
    if mesh.axes.len() > MOST_AXES || axes.len() > MOST_AXES {
        return Err(at.wrong(format!("must be at most {MOST_AXES} axes")));
    }
    let mut digits = Vec::new();
    for (axis, (name, length)) in mesh.axes.iter().enumerate() {
        let mut cuts = vec![1, *length];
        for part in axes.iter().filter(|one| one.name == *name) {
            if let Some((before, size)) = part.part {
                cuts.extend([before, before.saturating_mul(size)]);
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        for two in cuts.windows(2) {
            if two[0] == 0 || two[1] % two[0] != 0 {
                return Err(at.wrong("must be parts that divide their axis"));
            }
            digits.push(Digit {
                size: two[1] / two[0],
                axis,
                before: two[0],
            });
        }
        if cuts.last() != Some(length) {
            return Err(at.wrong("must be parts within their axis"));
        }
    }
    Ok(digits)
}

/// Which digits each axis of the group is, and which are left.
fn order(
    digits: &[Digit],
    mesh: &Mesh,
    axes: &[Axis],
    at: Cursor<'_>,
) -> Result<(Vec<Vec<usize>>, Vec<usize>)> {
    let mut free = vec![true; digits.len()];
    let mut group = Vec::new();
    for axis in axes {
        let Some(place) = mesh.axes.iter().position(|(name, _)| *name == axis.name) else {
            return Err(at.wrong(format!("must name axes of the mesh, not {:?}", axis.name)));
        };
        let length = mesh.axes[place].1;
        let (before, size) = axis.part.unwrap_or((1, length));
        let belongs = |digit: &Digit| {
            digit.axis == place
                && digit.before >= before
                && digit.before < before.saturating_mul(size)
        };
        let found: Vec<usize> = (0..digits.len())
            .filter(|at| belongs(&digits[*at]))
            .collect();
        for &one in &found {
            if !std::mem::replace(&mut free[one], false) {
                return Err(at.wrong("must name each axis of the mesh, or part of one, once"));
            }
        }
        group.push(found);
    }
    let rest = (0..digits.len()).filter(|at| free[*at]).collect();
    Ok((group, rest))
}

/// A common cut of two ways to write the same length: sizes with the place in each that they belong to.
fn refine(one: &[u64], other: &[u64]) -> Option<Vec<(u64, usize, usize)>> {
    let (mut fine, mut at, mut beside) = (Vec::new(), one.len(), other.len());
    let (mut left, mut right) = (1, 1);
    loop {
        while left == 1 && at > 0 {
            at -= 1;
            left = one[at];
        }
        while right == 1 && beside > 0 {
            beside -= 1;
            right = other[beside];
        }
        if left == 1 && right == 1 {
            fine.reverse();
            return Some(fine);
        }
        let size = left.min(right);
        if size == 1 || left % size != 0 || right % size != 0 {
            return None;
        }
        fine.push((size, at, beside));
        (left, right) = (left / size, right / size);
    }
}

/// One iota for ids that are laid out, transposed by `perm`, laid out again, and read digit by digit.
fn joined(
    fine: &[(u64, usize, usize)],
    read: &[usize],
    perm: &[u64],
    count: u64,
    size: u64,
) -> Ids {
    // In the order of the first layout: by axis of it, and within one as they came.
    let mut first: Vec<usize> = (0..fine.len()).collect();
    first.sort_by_key(|at| perm[fine[*at].1]);
    let mut dims: Vec<u64> = first.iter().map(|at| fine[*at].0).collect();
    let mut place = vec![0u64; fine.len()];
    for (at, one) in first.iter().enumerate() {
        place[*one] = at as u64;
    }
    let mut steps = Vec::new();
    for &digit in read {
        steps.extend(
            (0..fine.len())
                .filter(|at| fine[*at].2 == digit)
                .map(|at| place[at]),
        );
    }
    if dims.is_empty() {
        (dims, steps) = (vec![1], vec![0]);
    }
    Ids::Iota(count, size, dims, steps)
}
