//! Who takes part: one group of chips, or all groups of a mesh axis at once.
//!
//! Groups that look alike in every domain are kept as a grid, (local members) x (domains), whose cost is
//! found on one domain and on domain numbers; anything else is a plain list of chips.

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::{self, bytes_of};
use std::collections::{BTreeMap, BTreeSet};

/// Most chips of one domain over which collectives run: patterns are listed chip by chip inside a domain.
pub const MOST_DOMAIN_CHIPS: u32 = 1 << 24;

/// Disjoint groups of equal size that run the same collective at the same time.
#[derive(Debug, Clone, PartialEq)]
pub enum Groups {
    /// Group (i, j) has the local chips `locals[i]` of each domain in `domains[j]`.
    Grid {
        /// Local chip numbers of each local group, in rank order.
        locals: Vec<Vec<u32>>,
        /// Domains (counted over the machine) of each domain group, ascending.
        domains: Vec<Vec<u32>>,
    },
    /// Chips of each group, in rank order.
    Scattered(Vec<Vec<u32>>),
}

impl Groups {
    /// Bytes of its lists.
    pub(crate) fn bytes(&self) -> u64 {
        let lists = |lists: &[Vec<u32>]| -> u64 {
            let each = lists.iter().map(|list| bytes_of::<u32>(list.len() as u64));
            bytes_of::<Vec<u32>>(lists.len() as u64) + each.sum::<u64>()
        };
        match self {
            Self::Grid { locals, domains } => lists(locals) + lists(domains),
            Self::Scattered(groups) => lists(groups),
        }
    }

    /// One group of all chips but those of domains without a live one. Other dead chips are members: substitutes play
    /// their ranks.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for domains of more than [`MOST_DOMAIN_CHIPS`] chips.
    pub fn all(machine: &Machine) -> Result<Self> {
        check_size(machine)?;
        let members = u64::from(machine.domain().chips()) + u64::from(machine.num_domains());
        reckon(bytes_of::<u32>(members), members)?;
        let lifeless = machine.lifeless_domains();
        let lives = |domain: u32| {
            !machine.is_dead_domain(domain) && lifeless.binary_search(&domain).is_err()
        };
        Ok(Self::Grid {
            locals: vec![(0..machine.domain().chips()).collect()],
            domains: vec![
                (0..machine.num_domains())
                    .filter(|&domain| lives(domain))
                    .collect(),
            ],
        })
    }

    /// The groups of a mesh axis of `size` ranks that are `stride` chips apart: the chips whose numbers differ
    /// in that one digit.
    ///
    /// # Errors
    /// [`Error::Invalid`] when size x stride does not divide the number of chips.
    pub fn mesh_axis(machine: &Machine, size: u32, stride: u32) -> Result<Self> {
        Self::reckon_lists(machine)?;
        let chips = machine.num_chips();
        let block = u64::from(size) * u64::from(stride);
        if size == 0 || stride == 0 || u64::from(chips) % block != 0 {
            return Err(Error::invalid(
                "mesh axis",
                format!("{size} ranks {stride} chips apart"),
                format!("size x stride must divide the {chips} chips"),
            ));
        }
        let block = block as u32;
        let in_domain = machine.domain().chips();
        let strided =
            |from: u32, step: u32, count: u32| (0..count).map(|i| from + i * step).collect();
        if in_domain % block == 0 {
            let locals = digits(in_domain, block, stride)
                .map(|first| strided(first, stride, size))
                .collect();
            let domains = (0..machine.num_domains())
                .map(|domain| vec![domain])
                .collect();
            return Ok(Self::Grid { locals, domains });
        }
        if stride % in_domain == 0 {
            let (step, reach) = (stride / in_domain, block / in_domain);
            let domains = digits(machine.num_domains(), reach, step)
                .map(|first| strided(first, step, size))
                .collect();
            let locals = (0..in_domain).map(|local| vec![local]).collect();
            return Ok(Self::Grid { locals, domains });
        }
        if in_domain % stride == 0 && block % in_domain == 0 {
            let locals = (0..stride)
                .map(|first| strided(first, stride, in_domain / stride))
                .collect();
            let reach = block / in_domain;
            let domains = (0..machine.num_domains() / reach)
                .map(|group| strided(group * reach, 1, reach))
                .collect();
            return Ok(Self::Grid { locals, domains });
        }
        let lists = bytes_of::<(Vec<u32>, [u64; 4])>(u64::from(chips / size));
        reckon(lists + bytes_of::<u32>(u64::from(chips)), u64::from(chips))?;
        let groups = digits(chips, block, stride)
            .map(|first| strided(first, stride, size))
            .collect();
        Ok(Self::Scattered(groups))
    }

    /// Refuses a machine of which a list for each chip of a domain and for each domain does not fit.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Unsupported`] for domains of more than [`MOST_DOMAIN_CHIPS`] chips.
    pub(crate) fn reckon_lists(machine: &Machine) -> Result<()> {
        check_size(machine)?;
        let lists = u64::from(machine.domain().chips()) + u64::from(machine.num_domains());
        let bytes = bytes_of::<(Vec<u32>, [u64; 4])>(lists);
        reckon(bytes, u64::from(machine.num_chips()))
    }

    /// All groups of a grid: group (i, j) has the local chips `locals[i]` of each domain in `domains[j]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for empty or unequal lists, a number named twice, domains that do not ascend;
    /// [`Error::OutOfRange`] for one outside.
    pub fn grid(machine: &Machine, locals: Vec<Vec<u32>>, domains: Vec<Vec<u32>>) -> Result<Self> {
        check_size(machine)?;
        let most = [machine.domain().chips(), machine.num_domains()];
        for ((name, lists), most) in [("locals", &locals), ("domains", &domains)]
            .into_iter()
            .zip(most)
        {
            let length = lists.first().map_or(0, Vec::len);
            if length == 0 || lists.iter().any(|list| list.len() != length) {
                let allowed = "must be lists of the same length, at least one of at least one";
                return Err(Error::invalid(name, "unequal or empty lists", allowed));
            }
            let mut all = lists.concat();
            all.sort_unstable();
            if let Some(pair) = all.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(Error::invalid(name, pair[0], "is named twice"));
            }
            if let Some(&last) = all.last().filter(|&&last| last >= most) {
                return Err(Error::OutOfRange {
                    argument: name.to_owned(),
                    value: i128::from(last),
                    low: 0,
                    high: i128::from(most) - 1,
                });
            }
        }
        if let Some(list) = domains.iter().find(|list| !list.is_sorted()) {
            let got = format!("{list:?}");
            return Err(Error::invalid("domains", got, "must ascend in each group"));
        }
        Ok(Self::Grid { locals, domains })
    }

    /// One group of the given chips, in rank order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no chips or a chip named twice, [`Error::OutOfRange`] for one outside.
    pub fn of_chips(machine: &Machine, chips: &[u32]) -> Result<Self> {
        check_size(machine)?;
        if chips.is_empty() {
            return Err(Error::invalid(
                "group",
                "no chips",
                "must name at least one chip",
            ));
        }
        for (rank, &chip) in chips.iter().enumerate() {
            machine.check_chip(format_args!("group[{rank}]"), i128::from(chip))?;
        }
        let mut sorted = chips.to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("group", pair[0], "names this chip twice"));
        }
        let groups = vec![chips.to_vec()];
        Ok(grid_of(machine, &groups).unwrap_or(Self::Scattered(groups)))
    }

    /// Disjoint groups of the given chips, each in rank order; a grid where they are one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no chips, groups of unequal sizes or a chip named twice, [`Error::OutOfRange`] for one
    /// outside.
    pub fn of_lists(machine: &Machine, groups: Vec<Vec<u32>>) -> Result<Self> {
        check_size(machine)?;
        let ranks = groups.first().map_or(0, Vec::len);
        if ranks == 0 || groups.iter().any(|group| group.len() != ranks) {
            let allowed = "must be lists of the same length, at least one of at least one chip";
            return Err(Error::invalid("group", "unequal or empty lists", allowed));
        }
        let mut sorted = groups.concat();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid("group", pair[0], "is in two places"));
        }
        machine.check_chip("group", i128::from(sorted[sorted.len() - 1]))?;
        Ok(grid_of(machine, &groups).unwrap_or(Self::Scattered(groups)))
    }

    /// The same groups with chips in ascending order, and the new rank of `root`, if one has a part of its own: the order
    /// of ranks means nothing else to what a collective costs, and sorted lists are grids more often. `None` when they
    /// ascend already in a grid, or when roots would end up at different ranks.
    pub(crate) fn sorted(&self, machine: &Machine, root: Option<usize>) -> Option<(Self, usize)> {
        match self {
            Self::Grid { locals, .. } if locals.iter().all(|list| list.is_sorted()) => None,
            Self::Grid { locals, domains } => {
                let ranks = locals[0].len();
                let (locals, place) = ascending(locals, root.map(|root| root % ranks))?;
                let root = root.map_or(0, |root| root - root % ranks + place);
                let domains = domains.clone();
                Some((Self::Grid { locals, domains }, root))
            }
            Self::Scattered(groups) => {
                let (sorted, root) = ascending(groups, root)?;
                let grid = grid_of(machine, &sorted);
                Some((grid.unwrap_or(Self::Scattered(sorted)), root))
            }
        }
    }

    /// Ranks in each group.
    pub fn ranks(&self) -> usize {
        match self {
            Self::Grid { locals, domains } => locals[0].len() * domains[0].len(),
            Self::Scattered(groups) => groups[0].len(),
        }
    }

    /// Number of groups.
    pub fn count(&self) -> usize {
        match self {
            Self::Grid { locals, domains } => locals.len() * domains.len(),
            Self::Scattered(groups) => groups.len(),
        }
    }

    /// The chip of rank `rank` in group `index`.
    pub fn member(&self, machine: &Machine, index: usize, rank: usize) -> u32 {
        match self {
            Self::Grid { locals, domains } => {
                let (local, domain) = (
                    &locals[index % locals.len()],
                    &domains[index / locals.len()],
                );
                domain[rank / local.len()] * machine.domain().chips() + local[rank % local.len()]
            }
            Self::Scattered(groups) => groups[index][rank],
        }
    }

    /// Each rank of each group and the rank so far ahead of it, cyclically.
    pub(crate) fn shifted(&self, machine: &Machine, shift: i64) -> Vec<(u32, u32)> {
        let of_group = |index: usize| {
            let members = self.members(machine, index);
            let to = |rank: usize| (rank as i64 + shift).rem_euclid(members.len() as i64) as usize;
            let pairs = (0..members.len()).map(|rank| (members[rank], members[to(rank)]));
            pairs.collect::<Vec<_>>()
        };
        (0..self.count()).flat_map(of_group).collect()
    }

    /// Chips of group `index`, in rank order.
    pub fn members(&self, machine: &Machine, index: usize) -> Vec<u32> {
        match self {
            Self::Grid { locals, domains } => {
                let (local, domain) = (index % locals.len(), index / locals.len());
                let first = domains[domain]
                    .iter()
                    .map(|domain| domain * machine.domain().chips());
                first
                    .flat_map(|first| locals[local].iter().map(move |local| first + local))
                    .collect()
            }
            Self::Scattered(groups) => groups[index].clone(),
        }
    }
}

/// The lists in ascending order, and the place of what is at `root` of each; `None` where that is not one place.
fn ascending(lists: &[Vec<u32>], root: Option<usize>) -> Option<(Vec<Vec<u32>>, usize)> {
    let mut sorted = lists.to_vec();
    let mut place = None;
    for (list, before) in sorted.iter_mut().zip(lists) {
        list.sort_unstable();
        if let Some(root) = root {
            let now = list.binary_search(&before[root]).ok()?;
            if *place.get_or_insert(now) != now {
                return None;
            }
        }
    }
    Some((sorted, place.unwrap_or(0)))
}

/// Numbers below `total` whose digit of weight `stride` (in blocks of `block`) is zero.
fn digits(total: u32, block: u32, stride: u32) -> impl Iterator<Item = u32> {
    (0..total / block).flat_map(move |outer| (0..stride).map(move |inner| outer * block + inner))
}

/// Disjoint groups as a grid, when each is one and they are all pairs of a list of local chips and one of domains.
fn grid_of(machine: &Machine, groups: &[Vec<u32>]) -> Option<Groups> {
    let (mut locals, mut domains) = (Vec::new(), Vec::new());
    let mut numbers = (BTreeMap::new(), BTreeMap::new());
    let mut number = |(local, domain): (Vec<u32>, Vec<u32>)| {
        let first = *numbers.0.entry(local).or_insert_with_key(|local| {
            locals.push(local.clone());
            locals.len() - 1
        });
        let second = *numbers.1.entry(domain).or_insert_with_key(|domain| {
            domains.push(domain.clone());
            domains.len() - 1
        });
        (first, second)
    };
    let pairs = groups
        .iter()
        .map(|group| Some(number(as_grid(machine, group)?)));
    let pairs: BTreeSet<(usize, usize)> = pairs.collect::<Option<_>>()?;
    // Disjoint groups are different pairs, and all of them only if lists are disjoint too.
    let whole = pairs.len() == groups.len() && groups.len() == locals.len() * domains.len();
    whole.then_some(Groups::Grid { locals, domains })
}

/// Local chips and domains of a group, when every domain that it touches holds the same local chips in the same order
/// and domains ascend.
fn as_grid(machine: &Machine, chips: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let (first_domain, _) = machine.split(chips[0]);
    let per_domain = chips
        .iter()
        .take_while(|&&chip| machine.split(chip).0 == first_domain)
        .count();
    if chips.len() % per_domain != 0 {
        return None;
    }
    let locals: Vec<u32> = chips[..per_domain]
        .iter()
        .map(|&chip| machine.split(chip).1)
        .collect();
    let mut domains: Vec<u32> = Vec::with_capacity(chips.len() / per_domain);
    for block in chips.chunks(per_domain) {
        let (domain, _) = machine.split(block[0]);
        let same = block
            .iter()
            .zip(&locals)
            .all(|(&chip, &local)| machine.split(chip) == (domain, local));
        if !same || domains.last().is_some_and(|&last| last >= domain) {
            return None;
        }
        domains.push(domain);
    }
    Some((locals, domains))
}

/// Refuses groups whose lists do not fit.
fn reckon(bytes: u64, members: u64) -> Result<()> {
    let what = format_args!("the lists of groups of {members} members in all");
    memory::check(
        bytes,
        what,
        "use a smaller machine, or name the chips of one group",
    )
}

fn check_size(machine: &Machine) -> Result<()> {
    if machine.domain().chips() <= MOST_DOMAIN_CHIPS {
        return Ok(());
    }
    Err(Error::unsupported(
        format!(
            "collectives over a domain of {} chips",
            machine.domain().chips()
        ),
        format!("use domains of at most {MOST_DOMAIN_CHIPS} chips, joined by NICs"),
    ))
}
