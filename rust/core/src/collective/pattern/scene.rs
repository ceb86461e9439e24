//! The scene of one collective call, which all that measure it look at: the machine, who takes part, what is broken,
//! how messages are routed.

use super::comb::{Comb, combs_of};
use super::crews::Crews;
use super::damage::{DomainDamage, KnownDamage, has_damage_between};
use super::fabric_loads::{self, Blocks, FabricLoads};
use super::loads::{Loads, Runs};
use super::memo::Memo;
use super::symmetry::is_homogeneous;
use crate::collective::ask::group::Groups;
use crate::machine::{Machine, Site};
use crate::memory::{Taken, bytes_of};
use crate::route::Routing;
use crate::{Control, Result};
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

/// Sets of domains.
type Sets = Arc<[Vec<u32>]>;

/// The same as combs.
type Combs = Arc<[Vec<Comb>]>;

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
    pub(crate) fabric_bandwidth: FabricLoads,
    /// Latency of each fabric and WAN link.
    pub(super) fabric_latency: FabricLoads,
    /// Blocks of those links.
    pub(crate) blocks: Blocks,
    /// Per site and tier: the first of its links, counted from the first fabric link.
    pub(super) tiers: Vec<Vec<usize>>,
    member_domains: Vec<u32>,
    members: Vec<u32>,
    /// Who is where, of listed groups over several domains.
    crews: Option<Arc<Crews>>,
    /// WAN links from site to site (row: from, column: to), counted from the first fabric link: over other sites where
    /// the direct one is dead.
    wan_paths: Vec<Vec<usize>>,
    /// Sets of domains as combs, where that is worth it.
    combs: RefCell<Vec<(Sets, Option<Combs>)>>,
    group_combs: OnceCell<Option<Combs>>,
    /// Costs of paths between domains that were asked for.
    pub(super) paths: RefCell<Memo<PathCost>>,
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
        Self::knowing(machine, routing, groups, control, None)
    }

    /// With damage that calls before have met.
    pub(super) fn knowing(
        machine: &'a Machine,
        routing: &'a Routing,
        groups: &'a Groups,
        control: &'a Control,
        known: Option<&KnownDamage>,
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
        let blocks = fabric_loads::blocks(machine);
        let [fabric_bandwidth, fabric_latency] = fabric_numbers(machine, &blocks, control)?;
        let (mut member_domains, mut members) = (Vec::new(), Vec::new());
        let mut crews = None;
        match groups {
            Groups::Grid { locals, domains } => {
                member_domains = domains.concat();
                members = locals.concat();
            }
            Groups::Scattered(listed) => {
                crews = Crews::of(machine, listed, control)?.map(Arc::new);
                if let Some(crews) = &crews {
                    member_domains = crews.domains(&crews.alike);
                    members = crews.alike_locals().to_vec();
                }
            }
        }
        member_domains.sort_unstable();
        members.sort_unstable();
        Ok(Self {
            damaged: match member_domains.is_empty() || !machine.is_damaged() {
                true => None,
                false => DomainDamage::new(machine, routing, &member_domains, known, control)?,
            },
            homogeneous: is_homogeneous(domain_machine.domain(), routing),
            machine,
            domain_machine,
            routing,
            groups,
            control,
            local_bandwidth,
            fabric_bandwidth,
            fabric_latency,
            blocks,
            tiers: tiers(machine),
            member_domains,
            members,
            crews,
            wan_paths: wan_paths(machine, control)?,
            combs: RefCell::default(),
            group_combs: OnceCell::new(),
            paths: RefCell::default(),
            taken,
        })
    }

    /// Bundles of the fabric or WAN links are dead or slower.
    pub(crate) fn is_fabric_damaged(&self) -> bool {
        has_damage_between(self.machine)
    }

    /// Sets of domains, which ascend, as few combs each; `None` where that is no gain.
    pub(crate) fn combs(&self, sets: &Sets) -> Option<Combs> {
        let mut known = self.combs.borrow_mut();
        if let Some((_, found)) = known.iter().find(|(other, _)| Arc::ptr_eq(other, sets)) {
            return found.clone();
        }
        let found = combs(sets);
        known.push((Arc::clone(sets), found.clone()));
        found
    }

    /// The same of the groups of a grid.
    pub(crate) fn group_combs(&self) -> Option<Combs> {
        let found = self.group_combs.get_or_init(|| match self.groups {
            Groups::Grid { domains, .. } => combs(domains),
            Groups::Scattered(_) => None,
        });
        found.clone()
    }

    /// The number of the uplinks' block of a tier of a site; its downlinks' is the next.
    pub(crate) fn block(&self, site: usize, tier: usize) -> usize {
        let below = self.tiers[..site].iter().map(Vec::len);
        2 * (below.sum::<usize>() + tier)
    }

    /// The first WAN link, counted from the first fabric link.
    pub(crate) fn wan_start(&self) -> usize {
        (self.machine.blocks().wan - self.machine.blocks().fabric[0]) as usize
    }

    /// How many fabric and WAN links there are.
    pub(crate) fn fabric_links(&self) -> usize {
        (self.machine.num_links() - self.machine.blocks().fabric[0]) as usize
    }

    /// The WAN links from one site to another, counted from the first fabric link.
    pub(crate) fn wan_path(&self, from: usize, to: usize) -> &[usize] {
        &self.wan_paths[from * self.machine.sites().len() + to]
    }

    /// Domains that hold members of a grid, ascending; of listed groups those of the crews that are alike.
    pub(crate) fn member_domains(&self) -> &[u32] {
        &self.member_domains
    }

    /// The crews of its groups, where they are not the same chips of each domain.
    pub(crate) fn crews(&self) -> Option<&Arc<Crews>> {
        self.crews.as_ref()
    }

    pub(crate) fn is_member_domain(&self, domain: u32) -> bool {
        self.member_domains.binary_search(&domain).is_ok()
    }

    /// Local chips of such a domain that are members of some group, ascending.
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

fn combs(sets: &[Vec<u32>]) -> Option<Combs> {
    let sets: Vec<&[u32]> = sets.iter().map(Vec::as_slice).collect();
    combs_of(&sets).map(Combs::from)
}

/// Per site and tier: the first of its links, counted from the first fabric link.
fn tiers(machine: &Machine) -> Vec<Vec<usize>> {
    let first = machine.blocks().fabric[0];
    let of_site = |(site, definition): (usize, &Site)| {
        let tiers = 0..definition.tiers.len();
        tiers
            .map(|tier| (machine.fabric_link(site, tier, 0, false) - first) as usize)
            .collect()
    };
    machine.sites().iter().enumerate().map(of_site).collect()
}

/// Bandwidths of the links of one domain.
fn local_bandwidths(domain: &Machine) -> Loads {
    let mut runs = Runs::default();
    domain.for_each_rated_run(|count, _, bandwidth, _| runs.push(count as usize, bandwidth));
    runs.into()
}

/// Bandwidth and latency of every fabric and WAN link. Nothing passes a dead link, however long it takes.
fn fabric_numbers(
    machine: &Machine,
    blocks: &Blocks,
    control: &Control,
) -> Result<[FabricLoads; 2]> {
    let numbers = |link: u64| {
        let (bandwidth, latency) = machine.link_numbers(link);
        let live = f64::from(u8::from(!machine.is_dead_link(link)));
        (bandwidth * live, latency)
    };
    let first = machine.blocks().fabric[0];
    if has_damage_between(machine) {
        let mut all = [Vec::new(), Vec::new()];
        for (at, link) in (first..machine.num_links()).enumerate() {
            control.check_at(at)?;
            let (bandwidth, latency) = numbers(link);
            all[0].push(bandwidth);
            all[1].push(latency);
        }
        return Ok(all.map(|values| FabricLoads::of_list(blocks, &values)));
    }
    let mut loads = [Vec::new(), Vec::new()];
    for block in blocks.iter() {
        let mut runs = [Runs::default(), Runs::default()];
        // All groups of a tier are alike but the last, which the end of the site may cut short.
        for (links, link) in block.ends() {
            let (bandwidth, latency) = numbers(first + link as u64);
            runs[0].push(links, bandwidth);
            runs[1].push(links, latency);
        }
        let [bandwidth, latency] = runs.map(Loads::from);
        loads[0].push(bandwidth);
        loads[1].push(latency);
    }
    Ok(loads.map(|loads| FabricLoads::new(blocks, loads)))
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
