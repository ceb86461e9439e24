//! What every part of one collective call looks at: the machine, who takes part, how messages are routed.

use super::group::Groups;
use crate::Result;
use crate::machine::{Machine, Site};
use crate::route::Routing;

/// The surroundings of one collective call.
pub(crate) struct Context<'a> {
    pub(crate) machine: &'a Machine,
    /// One domain of the machine on its own: local patterns are routed on it.
    pub(crate) domain_machine: Machine,
    pub(crate) routing: &'a Routing,
    pub(crate) groups: &'a Groups,
    /// Bandwidth of each local link of a domain.
    pub(crate) local_bandwidth: Vec<f64>,
    /// Bandwidth of each fabric and WAN link, counted from the first fabric link.
    pub(crate) fabric_bandwidth: Vec<f64>,
    member_domains: Vec<u32>,
    members: Vec<u32>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(machine: &'a Machine, routing: &'a Routing, groups: &'a Groups) -> Result<Self> {
        let site = Site {
            name: String::new(),
            domains: 1,
            tiers: Vec::new(),
        };
        let domain_machine = Machine::new(machine.domain().clone(), machine.overhead(), None, vec![site], None)?;
        let local_bandwidth = domain_machine.link_bandwidths();
        let first = machine.blocks().fabric[0];
        let fabric_bandwidth = (first..machine.num_links())
            .map(|link| machine.link_numbers(link).0)
            .collect();
        let (mut member_domains, mut members) = (Vec::new(), Vec::new());
        if let Groups::Grid { locals, domains } = groups {
            member_domains = domains.concat();
            members = locals.concat();
            member_domains.sort_unstable();
            members.sort_unstable();
        }
        Ok(Self {
            machine,
            domain_machine,
            routing,
            groups,
            local_bandwidth,
            fabric_bandwidth,
            member_domains,
            members,
        })
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
    pub(crate) fn lanes(&self) -> f64 {
        self.members.len() as f64
    }

    pub(crate) fn is_member(&self, local: u32) -> bool {
        self.members.binary_search(&local).is_ok()
    }

    pub(crate) fn first_member(&self) -> u32 {
        self.members.first().copied().unwrap_or(0)
    }

    pub(crate) fn first_domain(&self) -> u32 {
        self.member_domains.first().copied().unwrap_or(0)
    }
}
