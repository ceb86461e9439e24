//! Who takes part in a collective: lists of ids, or one sequence of ids as a rule.

use crate::cursor::Cursor;
use crate::error::Result;

/// Ids that groups are written out to where no rule says them: more are refused.
const MOST_WRITTEN: u64 = 1 << 22;

/// Groups of ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Ids of all groups, one after the other, and how many each has.
    Lists {
        /// Ids.
        ids: Vec<i64>,
        /// Members of each group.
        sizes: Vec<u64>,
    },
    /// Numbers from 0 laid out as `dims`, transposed by `perm`, and cut into `count` groups of `size`.
    Iota {
        /// Groups.
        count: u64,
        /// Members of each.
        size: u64,
        /// Lengths of axes.
        dims: Vec<u64>,
        /// Order in which they are read.
        perm: Vec<u64>,
    },
    /// Sources and targets in turn.
    Pairs(Vec<i64>),
    /// One group of all ranks.
    Everyone(u64),
}

/// Ids as a text has them, before it is known what they number.
pub(crate) enum Ids {
    /// Empty groups: all of them.
    All,
    /// As in [`Groups::Lists`].
    Lists(Vec<i64>, Vec<u64>),
    /// As in [`Groups::Iota`].
    Iota(u64, u64, Vec<u64>, Vec<u64>),
}

/// What ids number (OpenXLA, `CollectiveOpGroupMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Replicas, in each partition apart.
    Replicas,
    /// Partitions, in each replica apart.
    Partitions,
    /// Replicas, of which all partitions take part.
    ReplicasAndPartitions,
    /// Replica times number of partitions, plus partition.
    Flattened,
}

impl Mode {
    /// From what an operation says; `named`: whether it is of those that have `use_global_device_ids`.
    pub(crate) fn of(channel: bool, global: bool, named: bool) -> Self {
        match (channel, global, named) {
            (_, true, _) => Self::Flattened,
            (true, false, true) => Self::ReplicasAndPartitions,
            (true, false, false) => Self::Partitions,
            (false, false, _) => Self::Replicas,
        }
    }
}

/// Replicas and partitions of a program, where it says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct World {
    pub(crate) replicas: Option<u64>,
    pub(crate) partitions: Option<u64>,
}

impl World {
    /// Both; what is not said is 1 where the other is.
    fn both(self) -> Option<(u64, u64)> {
        match (self.replicas, self.partitions) {
            (None, None) => None,
            (replicas, partitions) => Some((replicas.unwrap_or(1), partitions.unwrap_or(1))),
        }
    }

    /// Ranks in all.
    pub(crate) fn ranks(self) -> Option<u64> {
        self.both().and_then(|(r, p)| r.checked_mul(p))
    }
}

/// Ids as groups of ranks; None where the text does not say how many there are. Errors stand at `at`.
pub(crate) fn as_groups(
    ids: Ids,
    mode: Mode,
    world: World,
    at: Cursor<'_>,
) -> Result<Option<Groups>> {
    let Some((replicas, partitions)) = world.both() else {
        return Ok(match ids {
            Ids::All => None,
            Ids::Lists(ids, sizes) => {
                once(&ids, at)?;
                Some(Groups::Lists { ids, sizes })
            }
            Ids::Iota(count, size, dims, perm) => Some(Groups::Iota {
                count,
                size,
                dims,
                perm,
            }),
        });
    };
    let ranks = world
        .ranks()
        .ok_or_else(|| at.wrong("must be of fewer replicas and partitions than 2**64"))?;
    let numbered = match mode {
        Mode::Replicas | Mode::ReplicasAndPartitions => replicas,
        Mode::Partitions => partitions,
        Mode::Flattened => ranks,
    };
    check(&ids, mode, numbered, at)?;
    let alone = match mode {
        Mode::Replicas => partitions == 1,
        Mode::Partitions => replicas == 1,
        Mode::ReplicasAndPartitions => partitions == 1,
        Mode::Flattened => true,
    };
    let plain = match ids {
        Ids::All if alone || mode == Mode::ReplicasAndPartitions => {
            return Ok(Some(Groups::Everyone(ranks)));
        }
        Ids::All => Ids::Iota(1, numbered, vec![numbered], vec![0]),
        other => other,
    };
    if alone {
        return as_groups(plain, mode, World::default(), at);
    }
    let (ids, sizes) = written(plain, ranks, at)?;
    let (ids, sizes) = spread(&ids, &sizes, mode, replicas, partitions);
    Ok(Some(Groups::Lists { ids, sizes }))
}

/// Pairs of a permute as pairs of ranks.
pub(crate) fn as_pairs(ids: Vec<i64>, mode: Mode, world: World, at: Cursor<'_>) -> Result<Groups> {
    let (replicas, partitions) = world.both().unwrap_or((1, 1));
    let sides: [Vec<i64>; 2] =
        [0, 1].map(|side| ids.iter().skip(side).step_by(2).copied().collect());
    for side in &sides {
        once(side, at)?;
    }
    let across = match mode {
        Mode::Partitions => (replicas, partitions),
        Mode::Replicas | Mode::ReplicasAndPartitions => (partitions, replicas),
        Mode::Flattened => (1, replicas.saturating_mul(partitions)),
    };
    if world.both().is_some() {
        check_ids(&ids, mode, across.1, at)?;
    }
    if across.0 == 1 {
        return Ok(Groups::Pairs(ids));
    }
    at_most((ids.len() as u64).saturating_mul(across.0), at)?;
    let rank = |id: i64, other: u64| match mode {
        Mode::Partitions => other as i64 * partitions as i64 + id,
        _ => id * partitions as i64 + other as i64,
    };
    let all = (0..across.0).flat_map(|other| ids.iter().map(move |id| rank(*id, other)));
    Ok(Groups::Pairs(all.collect()))
}

/// Refuses ids that are not among `numbered`, and those that are there twice.
fn check(ids: &Ids, mode: Mode, numbered: u64, at: Cursor<'_>) -> Result<()> {
    match ids {
        Ids::All => Ok(()),
        Ids::Lists(ids, _) => {
            check_ids(ids, mode, numbered, at)?;
            once(ids, at)
        }
        Ids::Iota(count, size, ..) if count * size <= numbered => Ok(()),
        Ids::Iota(..) => Err(beyond(mode, numbered, at)),
    }
}

fn check_ids(ids: &[i64], mode: Mode, numbered: u64, at: Cursor<'_>) -> Result<()> {
    let outside = |id: &&i64| u64::try_from(**id).is_ok_and(|id| id >= numbered);
    match ids.iter().find(outside) {
        None => Ok(()),
        Some(_) => Err(beyond(mode, numbered, at)),
    }
}

fn beyond(mode: Mode, numbered: u64, at: Cursor<'_>) -> crate::error::Error {
    let what = match mode {
        Mode::Replicas => "replicas, as there is no channel",
        Mode::ReplicasAndPartitions => "replicas, as use_global_device_ids is not true",
        Mode::Partitions => "partitions, as there is a channel",
        Mode::Flattened => "replicas times partitions, as use_global_device_ids is true",
    };
    at.wrong(format!(
        "must name ids of 0 to {} ({what}), which are as many as the module's head has",
        numbered.saturating_sub(1)
    ))
}

/// Refuses an id that is there twice.
fn once(ids: &[i64], at: Cursor<'_>) -> Result<()> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|two| two[0] == two[1]) {
        None => Ok(()),
        Some(two) => Err(at.wrong(format!("must have each id once, and has {} twice", two[0]))),
    }
}

fn at_most(ids: u64, at: Cursor<'_>) -> Result<()> {
    if ids <= MOST_WRITTEN {
        Ok(())
    } else {
        Err(at.wrong(format!(
            "must be groups that are a rule, or of at most {MOST_WRITTEN} ids"
        )))
    }
}

/// All ids of groups, of which those made are at most as many as there are `ranks`.
fn written(ids: Ids, ranks: u64, at: Cursor<'_>) -> Result<(Vec<i64>, Vec<u64>)> {
    match ids {
        Ids::All => Ok((Vec::new(), Vec::new())),
        Ids::Lists(ids, sizes) => {
            at_most(ranks.max(ids.len() as u64), at)?;
            Ok((ids, sizes))
        }
        Ids::Iota(count, size, dims, perm) => {
            at_most(ranks, at)?;
            Ok((iota(&dims, &perm), vec![size; count as usize]))
        }
    }
}

/// The numbers of an iota in order.
pub(crate) fn iota(dims: &[u64], perm: &[u64]) -> Vec<i64> {
    let mut strides = vec![1u64; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    let mut ids = vec![0i64];
    for &axis in perm {
        let (dim, stride) = (dims[axis as usize], strides[axis as usize]);
        ids = ids
            .iter()
            .flat_map(|id| (0..dim).map(move |step| id + (step * stride) as i64))
            .collect();
    }
    ids
}

/// Groups of replicas or partitions as groups of ranks, in the order in which OpenXLA has them: group by group, and of
/// each all partitions or replicas in turn.
fn spread(
    ids: &[i64],
    sizes: &[u64],
    mode: Mode,
    replicas: u64,
    partitions: u64,
) -> (Vec<i64>, Vec<u64>) {
    let (replicas, partitions) = (replicas as i64, partitions as i64);
    let (mut all, mut lengths) = (Vec::new(), Vec::new());
    let mut start = 0;
    for &size in sizes {
        let group = &ids[start..start + size as usize];
        start += size as usize;
        match mode {
            Mode::ReplicasAndPartitions => {
                lengths.push(size * partitions as u64);
                for id in group {
                    all.extend((0..partitions).map(|part| id * partitions + part));
                }
            }
            Mode::Partitions => {
                for replica in 0..replicas {
                    lengths.push(size);
                    all.extend(group.iter().map(|id| replica * partitions + id));
                }
            }
            _ => {
                for part in 0..partitions {
                    lengths.push(size);
                    all.extend(group.iter().map(|id| id * partitions + part));
                }
            }
        }
    }
    (all, lengths)
}
