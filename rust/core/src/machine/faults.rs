//! What is broken: a sparse overlay on a machine, whose memory grows with the faults and not with the machine.

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
        self.links.len()
            + self.chips.len()
            + self.nics.len()
            + self.domains.len()
            + self.sites.len()
            + self.degraded.len()
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
}

fn union<T: Ord + Copy>(a: &[T], b: &[T]) -> Vec<T> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}
