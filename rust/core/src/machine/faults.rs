//! What is broken: a sparse overlay on a machine, whose memory grows with the faults and not with the machine.

use crate::error::{Error, Result};
use std::hash::{Hash, Hasher};

/// What is broken. Numbers are those of the machine, each list ascending and without repetition.
///
/// ```
/// use rainier_core::machine::{Axis, AxisKind, Domain, Faults, Machine, Site};
/// let axis = Axis { name: "x".into(), size: 4, kind: AxisKind::Ring, bandwidth: 1e9, latency: 0.0 };
/// let site = Site { name: String::new(), domains: 1, tiers: vec![] };
/// let ring = Machine::new(Domain::new(vec![axis])?, 0.0, None, vec![site], None)?;
/// let damaged = ring.with_faults(Faults { links: vec![2], ..Faults::default() })?;
/// assert!(damaged.is_dead_link(2) && !damaged.is_dead_link(1));
/// # Ok::<(), rainier_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Links that carry nothing.
    pub links: Vec<u64>,
    /// Chips that do nothing; their links and NICs are dead with them.
    pub chips: Vec<u32>,
    /// Chips whose NIC is dead, both directions.
    pub nics: Vec<u32>,
    /// Dead domains (UltraServers), counted over the machine.
    pub domains: Vec<u32>,
    /// Dead sites.
    pub sites: Vec<u32>,
    /// Links that are slower: number and factor on the bandwidth, above 0 and at most 1.
    pub degraded: Vec<(u64, f64)>,
}

impl Faults {
    /// True if nothing is broken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many things are named.
    pub fn len(&self) -> usize {
        self.counts().iter().map(|(_, count)| count).sum()
    }

    /// How many of each kind are named, by the names that users give them.
    pub fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("links", self.links.len()),
            ("chips", self.chips.len()),
            ("nics", self.nics.len()),
            ("ultraservers", self.domains.len()),
            ("sites", self.sites.len()),
            ("degraded", self.degraded.len()),
        ]
    }

    /// Bytes that the overlay takes beside the machine.
    pub fn bytes(&self) -> usize {
        let words = self.chips.len() + self.nics.len() + self.domains.len() + self.sites.len();
        size_of::<Self>()
            + size_of::<u64>() * self.links.len()
            + size_of::<u32>() * words
            + size_of::<(u64, f64)>() * self.degraded.len()
    }

    /// The factor on a link's bandwidth: 1 where nothing is said.
    pub fn factor(&self, link: u64) -> f64 {
        let found = self.degraded.binary_search_by_key(&link, |entry| entry.0);
        found.map_or(1.0, |at| self.degraded[at].1)
    }

    /// All faults of both; a link that both degrade has the smaller factor, one that either kills is dead.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let links = union(&self.links, &other.links);
        let mut degraded = [self.degraded.as_slice(), &other.degraded].concat();
        degraded.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        degraded.dedup_by_key(|entry| entry.0);
        degraded.retain(|entry| links.binary_search(&entry.0).is_err());
        Self {
            links,
            chips: union(&self.chips, &other.chips),
            nics: union(&self.nics, &other.nics),
            domains: union(&self.domains, &other.domains),
            sites: union(&self.sites, &other.sites),
            degraded,
        }
    }

    /// These faults without those of `gone`; a slower link is named by its number, whatever the factor.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not among the faults.
    pub fn without(&self, gone: &Self) -> Result<Self> {
        let slower: Vec<u64> = gone.degraded.iter().map(|entry| entry.0).collect();
        Ok(Self {
            links: minus("links", &self.links, &gone.links, |&link| link)?,
            chips: minus("chips", &self.chips, &gone.chips, |&chip| chip)?,
            nics: minus("nics", &self.nics, &gone.nics, |&chip| chip)?,
            domains: minus("ultraservers", &self.domains, &gone.domains, |&unit| unit)?,
            sites: minus("sites", &self.sites, &gone.sites, |&site| site)?,
            degraded: minus("degraded", &self.degraded, &slower, |entry| entry.0)?,
        })
    }

    /// Sorted, and checked as far as that needs no machine; `slower` is what the caller calls `degraded`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is named twice, links that are dead and slower, and factors that are not above 0
    /// and at most 1.
    pub fn sorted(mut self, slower: &str) -> Result<Self> {
        sort("links", &mut self.links, |&link| link)?;
        sort("chips", &mut self.chips, |&chip| chip)?;
        sort("nics", &mut self.nics, |&chip| chip)?;
        sort("ultraservers", &mut self.domains, |&domain| domain)?;
        sort("sites", &mut self.sites, |&site| site)?;
        sort(slower, &mut self.degraded, |entry| entry.0)?;
        for &(link, factor) in &self.degraded {
            let refused = |why| Err(Error::invalid(format!("{slower}[{link}]"), factor, why));
            if !(factor > 0.0 && factor <= 1.0) {
                return refused(
                    "a factor must be above 0 and at most 1; name a dead link in links",
                );
            }
            if self.links.binary_search(&link).is_ok() {
                return refused("this link is in links too: it is either dead or slower");
            }
        }
        Ok(self)
    }
}

impl Hash for Faults {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let named = (
            &self.links,
            &self.chips,
            &self.nics,
            &self.domains,
            &self.sites,
        );
        named.hash(state);
        for (link, factor) in &self.degraded {
            (link, factor.to_bits()).hash(state);
        }
    }
}

fn union<T: Ord + Copy>(a: &[T], b: &[T]) -> Vec<T> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// Entries of an ascending list without those of some keys, each of which must be there.
fn minus<T: Copy, K: Ord + Copy + Into<u64>>(
    argument: &str,
    list: &[T],
    gone: &[K],
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    let mut stays = vec![true; list.len()];
    for number in gone {
        let Ok(at) = list.binary_search_by_key(number, &key) else {
            let number: u64 = (*number).into();
            let allowed = "is not among the faults: nothing to repair";
            return Err(Error::invalid(argument, number, allowed));
        };
        stays[at] = false;
    }
    let kept = list.iter().zip(stays).filter(|(_, stays)| *stays);
    Ok(kept.map(|(&entry, _)| entry).collect())
}

/// Sorts entries by number and checks that each is named once.
fn sort<T, K: Ord + Into<u64>>(
    argument: &str,
    list: &mut [T],
    key: impl Fn(&T) -> K,
) -> Result<()> {
    list.sort_by_key(&key);
    match list.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        Some(pair) => {
            let twice: u64 = key(&pair[0]).into();
            Err(Error::invalid(argument, twice, "names this number twice"))
        }
        None => Ok(()),
    }
}
