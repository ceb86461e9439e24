//! What is broken: a sparse overlay on a machine, whose memory grows with the faults and not with the machine.

use super::{End, Machine};
use crate::error::{Error, Result};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What is broken. Numbers are those of the machine, each list ascending and without repetition.
///
/// ```
/// use rainier_core::machine::{Axis, AxisKind, Domain, Faults, Machine, Site};
/// let axis = Axis { name: "x".into(), size: 4, kind: AxisKind::Ring, bandwidth: 1e9, latency: 0.0 };
/// let site = Site { name: String::new(), domains: 1, tiers: vec![] };
/// let ring = Machine::new(Domain::new(vec![axis])?, 0.0, None, vec![site], None)?;
/// let hurt = ring.with_faults(Faults { links: vec![2], ..Faults::default() })?;
/// assert!(hurt.is_dead_link(2) && !hurt.is_dead_link(1));
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

    /// Sorted, and checked against the machine that it is to lie on.
    pub(super) fn checked(self, machine: &Machine) -> Result<Self> {
        let faults = self.sorted("degraded")?;
        let (links, chips) = (machine.num_links(), u64::from(machine.num_chips()));
        below("links", faults.links.last().copied(), links)?;
        below("chips", faults.chips.last().copied(), chips)?;
        below("nics", faults.nics.last().copied(), chips)?;
        let domains = u64::from(machine.num_domains());
        below("ultraservers", faults.domains.last().copied(), domains)?;
        let sites = machine.sites().len() as u64;
        below("sites", faults.sites.last().copied(), sites)?;
        let slower = faults.degraded.last().map(|entry| entry.0);
        below("degraded", slower, links)?;
        if let (Some(&chip), None) = (faults.nics.first(), machine.nic()) {
            return Err(Error::invalid(
                "nics",
                chip,
                "the chips of this machine have no NICs",
            ));
        }
        Ok(faults)
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

/// Checks that the last of ascending numbers is below `end`.
fn below(argument: &str, last: Option<impl Into<u64>>, end: u64) -> Result<()> {
    match last.map(Into::into) {
        Some(last) if last >= end => Err(Error::OutOfRange {
            argument: argument.to_owned(),
            value: i128::from(last),
            low: 0,
            high: i128::from(end) - 1,
        }),
        _ => Ok(()),
    }
}

impl Machine {
    /// The same machine with `faults` instead of those that it has.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] and [`Error::Invalid`] for numbers that do not exist or are named twice, factors that are
    /// not above 0 and at most 1, NICs where there are none, and a machine with no live chip.
    pub fn with_faults(self, faults: Faults) -> Result<Self> {
        let faults = Arc::new(faults.checked(&self)?);
        let machine = Self { faults, ..self };
        if machine.num_live_chips() == 0 {
            return Err(Error::invalid(
                "faults",
                format!("{} of {} chips", machine.num_chips(), machine.num_chips()),
                "everything is dead: leave at least one chip alive",
            ));
        }
        Ok(machine)
    }

    /// What is broken.
    pub fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    /// True if something is broken.
    pub fn is_damaged(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The same machine, whole.
    #[must_use]
    pub fn healthy(&self) -> Self {
        Self {
            faults: Arc::default(),
            ..self.clone()
        }
    }

    /// Chips that work.
    pub fn num_live_chips(&self) -> u32 {
        let mut dead_domains: u32 = 0;
        for &site in &self.faults.sites {
            dead_domains += self.sites[site as usize].domains;
        }
        let outside = |domain: &&u32| !self.is_dead_site(self.site_of(**domain));
        dead_domains += self.faults.domains.iter().filter(outside).count() as u32;
        let alone = |chip: &&u32| !self.is_dead_domain(self.split(**chip).0);
        let dead_chips = self.faults.chips.iter().filter(alone).count() as u32;
        self.num_chips() - dead_domains * self.domain.chips() - dead_chips
    }

    fn is_dead_site(&self, site: usize) -> bool {
        self.faults.sites.binary_search(&(site as u32)).is_ok()
    }

    /// True for a domain that is dead, or whose site is.
    pub fn is_dead_domain(&self, domain: u32) -> bool {
        self.faults.domains.binary_search(&domain).is_ok()
            || (!self.faults.sites.is_empty() && self.is_dead_site(self.site_of(domain)))
    }

    /// Domains that are not dead as such but whose chips all are, one by one; ascending.
    pub fn lifeless_domains(&self) -> Vec<u32> {
        let domains = self
            .faults
            .chips
            .chunk_by(|a, b| self.split(*a).0 == self.split(*b).0);
        let lifeless = domains.filter(|chips| chips.len() == self.domain.chips() as usize);
        lifeless.map(|chips| self.split(chips[0]).0).collect()
    }

    /// True for a chip that is dead, or whose domain or site is.
    pub fn is_dead_chip(&self, chip: u32) -> bool {
        self.is_damaged()
            && (self.faults.chips.binary_search(&chip).is_ok()
                || self.is_dead_domain(self.split(chip).0))
    }

    /// True for a link that carries nothing: itself dead, or one of a dead chip, NIC, domain or site.
    pub fn is_dead_link(&self, link: u64) -> bool {
        if !self.is_damaged() {
            return false;
        }
        if self.faults.links.binary_search(&link).is_ok() {
            return true;
        }
        let blocks = self.blocks();
        if link < blocks.nic {
            let domain = (link / self.domain.links()) as u32;
            let dead = |end: End| matches!(end, End::Chip(chip) if self.is_dead_chip(chip));
            let ends_at_dead = || {
                let link = self.describe_local(domain, link % self.domain.links());
                dead(link.from) || dead(link.to)
            };
            return self.is_dead_domain(domain) || !self.faults.chips.is_empty() && ends_at_dead();
        }
        if link < blocks.fabric[0] {
            let chip = ((link - blocks.nic) % u64::from(self.num_chips())) as u32;
            return self.is_dead_chip(chip) || self.faults.nics.binary_search(&chip).is_ok();
        }
        if link < blocks.wan {
            // Sites without tiers share a start with the next; the last of them owns the link.
            let site = blocks.fabric.partition_point(|&first| first <= link) - 1;
            return self.is_dead_site(site);
        }
        let ends = self.wan.as_ref().map(|wan| {
            let (_, _, from, to) = wan.link(self.sites.len(), link - blocks.wan);
            [from, to]
        });
        let ends = ends.into_iter().flatten().flatten();
        ends.into_iter().any(|site| self.is_dead_site(site))
    }
}
