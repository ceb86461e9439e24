//! The scene of one collective call, which all that measure it look at: the machine, who takes part, what is broken,
//! how messages are routed.

use super::damage::DomainDamage;
use super::loads::Loads;
use super::symmetry::is_homogeneous;
use crate::collective::ask::group::Groups;
use crate::machine::{Machine, Site};
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::{Control, Result};

/// The surroundings of one collective call.
pub(crate) struct Scene<'a> {
    pub(crate) machine: &'a Machine,
    /// One domain of the machine on its own: local patterns are routed on it.
    pub(crate) domain_machine: Machine,
    pub(crate) routing: &'a Routing,
    pub(crate) groups: &'a Groups,
    pub(crate) control: &'a Control,
    /// The domain looks the same from each of its chips.
    pub(crate) homogeneous: bool,
    /// The damaged domains that take part.
    pub(crate) damaged: Option<DomainDamage>,
    /// Bandwidth of each local link of a domain.
    pub(crate) local_bandwidth: Loads,
    /// Bandwidth of each fabric and WAN link, counted from the first fabric link.
    pub(crate) fabric_bandwidth: Loads,
    /// Latency of each fabric and WAN link.
    fabric_latency: Loads,
    /// Per domain: its site, and where its tiers begin in `uplinks`.
    places: Vec<(u32, u32)>,
    /// Uplink bundles of each domain, lowest tier first, counted from the first fabric link; the downlink follows
    /// each.
    uplinks: Vec<u32>,
    member_domains: Vec<u32>,
    members: Vec<u32>,
    /// WAN links from site to site (row: from, column: to), counted from the first fabric link: over other sites where
    /// the direct one is dead.
    wan_paths: Vec<Vec<usize>>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
}

/// What the path between two domains costs a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PathCost {
    /// Seconds from chip to chip, NICs included.
    pub(crate) latency: f64,
    /// Bytes/s of the narrowest link.
    pub(crate) bandwidth: f64,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        routing: &'a Routing,
        groups: &'a Groups,
        control: &'a Control,
    ) -> Result<Self> {
        let site = Site {
            name: String::new(),
            domains: 1,
            tiers: Vec::new(),
        };
        let domain_machine = Machine::new(
            machine.domain().clone(),
            machine.overhead(),
            None,
            vec![site],
            None,
        )?;
        let taken = reckon(machine, control)?;
        let local_bandwidth = local_bandwidths(&domain_machine);
        let first = machine.blocks().fabric[0];
        let (mut fabric_bandwidth, mut fabric_latency) = (Vec::new(), Vec::new());
        for (at, link) in (first..machine.num_links()).enumerate() {
            control.check_at(at)?;
            let (bandwidth, latency) = machine.link_numbers(link);
            // Nothing passes a dead link, however long it takes.
            let live = f64::from(u8::from(!machine.is_dead_link(link)));
            fabric_bandwidth.push(bandwidth * live);
            fabric_latency.push(latency);
        }
        let (places, uplinks) = places(machine, control)?;
        let (mut member_domains, mut members) = (Vec::new(), Vec::new());
        if let Groups::Grid { locals, domains } = groups {
            member_domains = domains.concat();
            members = locals.concat();
            member_domains.sort_unstable();
            members.sort_unstable();
        }
        Ok(Self {
            damaged: match member_domains.is_empty() || !machine.is_damaged() {
                true => None,
                false => DomainDamage::new(machine, routing, &member_domains, control)?,
            },
            homogeneous: is_homogeneous(domain_machine.domain(), routing),
            machine,
            domain_machine,
            routing,
            groups,
            control,
            local_bandwidth,
            fabric_bandwidth: fabric_bandwidth.into(),
            fabric_latency: fabric_latency.into(),
            places,
            uplinks,
            member_domains,
            members,
            wan_paths: wan_paths(machine, control)?,
            taken,
        })
    }

    /// The path between the NICs of two domains; `visit` gets each fabric and WAN link on it, counted from the first
    /// fabric link. The same links as [`Machine::between_domains`], from tables.
    pub(crate) fn path(&self, from: u32, to: u32, mut visit: impl FnMut(usize)) -> PathCost {
        let nic = self
            .machine
            .nic()
            .expect("several domains have NICs: checked at construction");
        let mut cost = PathCost {
            latency: 2.0 * nic.latency,
            bandwidth: nic.bandwidth,
        };
        let mut pass = |link: usize| {
            cost.latency += self.fabric_latency.get(link);
            cost.bandwidth = cost.bandwidth.min(self.fabric_bandwidth.get(link));
            visit(link);
        };
        let (site, other) = (self.places[from as usize].0, self.places[to as usize].0);
        let (up, down) = (self.tiers(from), self.tiers(to));
        if site == other {
            for (up, down) in up.iter().zip(down).take_while(|(up, down)| up != down) {
                pass(*up as usize);
                pass(*down as usize + 1);
            }
            return cost;
        }
        up.iter().for_each(|up| pass(*up as usize));
        let path = self.wan_path(site as usize, other as usize);
        path.iter().for_each(|&link| pass(link));
        down.iter().for_each(|down| pass(*down as usize + 1));
        cost
    }

    /// The WAN links from one site to another, counted from the first fabric link.
    pub(crate) fn wan_path(&self, from: usize, to: usize) -> &[usize] {
        &self.wan_paths[from * self.machine.sites().len() + to]
    }

    fn tiers(&self, domain: u32) -> &[u32] {
        let (site, start) = self.places[domain as usize];
        let count = self.machine.sites()[site as usize].tiers.len();
        &self.uplinks[start as usize..start as usize + count]
    }

    /// Domains that hold members of a grid, ascending.
    pub(crate) fn member_domains(&self) -> &[u32] {
        &self.member_domains
    }

    /// Local chips of a domain that are members of some group of a grid, ascending.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> + '_ {
        self.members.iter().copied()
    }

    /// How many chips of a domain are members.
    pub(crate) fn members_per_domain(&self) -> f64 {
        self.members.len() as f64
    }

    pub(crate) fn is_member(&self, local: u32) -> bool {
        self.members.binary_search(&local).is_ok()
    }

    /// A member domain without damage; `None` when all have some.
    pub(crate) fn whole_domain(&self) -> Option<u32> {
        match &self.damaged {
            Some(damaged) => damaged.whole,
            None => Some(self.member_domains.first().copied().unwrap_or(0)),
        }
    }
}

/// The tables of a scene: bandwidths of the links of one domain, and of each fabric and WAN link with its latency;
/// places of domains and lists of members; paths between sites.
fn reckon(machine: &Machine, control: &Control) -> Result<Taken> {
    let links = machine.domain().links();
    let fabric = machine.num_links() - machine.blocks().fabric[0];
    let (domains, sites) = (
        u64::from(machine.num_domains()),
        machine.sites().len() as u64,
    );
    let tiers = machine.sites().iter().map(|site| site.tiers.len()).max();
    let of_domain = 4 * (tiers.unwrap_or(0) as u64 + 4);
    let paths = if machine.wan().is_some() {
        sites * sites
    } else {
        0
    };
    let bytes = bytes_of::<f64>(links)
        .saturating_add(bytes_of::<[f64; 2]>(fabric))
        .saturating_add(domains.saturating_mul(of_domain))
        .saturating_add(bytes_of::<[usize; 8]>(paths));
    let what = format_args!(
        "tables of {links} links in an UltraServer and {fabric} outside, {domains} UltraServers and {sites} sites"
    );
    control.take(bytes, what, "use a smaller machine")
}

/// Bandwidths of the links of one domain.
fn local_bandwidths(domain: &Machine) -> Loads {
    let mut stretches: Vec<(usize, f64)> = Vec::new();
    let mut end = 0;
    domain.for_each_rated_run(|count, _, bandwidth, _| {
        end += count as usize;
        match stretches.last_mut() {
            Some(last) if last.1.to_bits() == bandwidth.to_bits() => last.0 = end,
            _ => stretches.push((end, bandwidth)),
        }
    });
    Loads::stretched(stretches)
}

/// Site and uplink bundles of every domain.
type Bundles = (Vec<(u32, u32)>, Vec<u32>);

/// Empty on a machine of one domain.
fn places(machine: &Machine, control: &Control) -> Result<Bundles> {
    let (mut places, mut uplinks) = (Vec::new(), Vec::new());
    if machine.nic().is_none() {
        return Ok((places, uplinks));
    }
    for (index, site) in machine.sites().iter().enumerate() {
        let first = machine.blocks().fabric[0];
        for domain in 0..site.domains {
            control.check_at(domain as usize)?;
            places.push((index as u32, uplinks.len() as u32));
            uplinks.extend(site.tiers.iter().enumerate().map(|(tier, definition)| {
                (machine.fabric_link(index, tier, domain / definition.group, false) - first) as u32
            }));
        }
    }
    Ok((places, uplinks))
}

/// WAN links from each site to each other. Where nothing live leads there, the dead ones that would: what goes over
/// them never ends.
fn wan_paths(machine: &Machine, control: &Control) -> Result<Vec<Vec<usize>>> {
    let (Some(wan), sites) = (machine.wan(), machine.sites().len()) else {
        return Ok(Vec::new());
    };
    let first = machine.blocks().fabric[0];
    let path = |from: usize, to: usize| -> Vec<usize> {
        if from == to {
            return Vec::new();
        }
        let direct = || {
            let (links, count) = wan.path(sites, from, to);
            let global = |link: &u64| machine.blocks().wan + link;
            links[..count].iter().map(global).collect()
        };
        let links: Vec<u64> = machine.wan_path(from, to).unwrap_or_else(|_| direct());
        links
            .into_iter()
            .map(|link| (link - first) as usize)
            .collect()
    };
    let mut paths = Vec::with_capacity(sites * sites);
    for pair in 0..sites * sites {
        control.check_at(pair)?;
        paths.push(path(pair / sites, pair % sites));
    }
    Ok(paths)
}
