//! How the data of a group is cut into blocks.
//!
//! The data of a group of D domains with L chips each is laid out along two axes, domains and local chips; an
//! algorithm inside domains cuts the one, an algorithm between them the other. Each axis has as many units as all of
//! the cuts have a common multiple, and so has the number of slices. A stage between sites cuts the units of the
//! domain axis once more, into a part for each site.

use super::limits::MOST_CARRIED;
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::kind::{PatternKind, SiteShare};
use crate::collective::pattern::measure::by_site;
use crate::collective::program::rank_map::RankKind;
use crate::collective::program::schedule::{Phase, Stage};
use crate::operation::Operation;
use crate::schedule::Block;
use crate::{Error, Result};
use std::ops::Range;

/// Units of the data along each axis, and who is where.
pub(super) struct Layout {
    /// Local chips of the group, by local rank.
    pub(super) locals: Vec<u32>,
    /// Domains of the group, by domain rank.
    pub(super) domains: Vec<u32>,
    /// Chips of a domain of the machine.
    pub(super) in_domain: u32,
    /// Listed chips, where the group is no grid.
    pub(super) listed: Option<Vec<u32>>,
    pub(super) domain_units: u32,
    pub(super) local_units: u32,
    pub(super) slices: u32,
    /// Part of the data that each slice is.
    portions: Vec<f64>,
    /// Domain ranks of each site, where a stage goes between sites: each unit of the domain axis is then cut into a
    /// part for each site. Empty otherwise, and units are whole.
    pub(super) sites: Vec<Range<u32>>,
    /// Their parts are equal; otherwise each is as large as its domains are many.
    even_sites: bool,
    /// Blocks are (source, target) pairs of ranks.
    pub(super) paired: bool,
}

pub(super) fn lcm(a: u32, b: u32) -> u32 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).saturating_mul(b)
}

/// Part of the data that each of `slices` is: as the first phase says that cuts it unevenly, into slices each a whole
/// number of these. Where phases differ in that, what a slice is has no one answer, and they count as equal.
pub(super) fn portions(stages: &[Stage], slices: u32) -> Vec<f64> {
    let mut uneven: Vec<&[f64]> = stages
        .iter()
        .flat_map(|stage| &stage.tracks)
        .flat_map(|track| &track.phases)
        .map(|phase| &phase.portions[..])
        .filter(|portions| !portions.is_empty())
        .collect();
    uneven.dedup();
    match uneven[..] {
        [portions] => {
            let each = slices as usize / portions.len();
            let part = |portion: &f64| std::iter::repeat_n(portion / each as f64, each);
            portions.iter().flat_map(part).collect()
        }
        _ => vec![1.0 / f64::from(slices); slices as usize],
    }
}

/// Who has at first, and must have in the end, what `owner` has the share of.
pub(super) fn ends(request: &Request, owner: u32, ranks: u32) -> (Option<u32>, Option<u32>) {
    use Operation::*;
    let root = request.root as u32;
    match request.operation.as_run() {
        AllReduce | Barrier => (None, None),
        ReduceScatter => (None, Some(owner)),
        Reduce => (None, Some(root)),
        AllGather => (Some(owner), None),
        Broadcast => (Some(root), None),
        Scatter => (Some(root), Some(owner)),
        Gather => (Some(owner), Some(root)),
        SendRecv | AllToAll => {
            let shifted = i64::from(owner) + request.shift;
            (
                Some(owner),
                Some(shifted.rem_euclid(i64::from(ranks)) as u32),
            )
        }
    }
}

impl Layout {
    pub(super) fn of(context: &Context, request: &Request, stages: &[Stage]) -> Result<Self> {
        let (locals, domains, listed) = match context.groups {
            Groups::Grid { locals, domains } => (locals[0].clone(), domains[0].clone(), None),
            Groups::Scattered(groups) => (groups[0].clone(), vec![0], Some(groups[0].clone())),
        };
        let mut layout = Self {
            domain_units: domains.len() as u32,
            local_units: locals.len() as u32,
            locals,
            domains,
            in_domain: context.machine.domain().chips(),
            listed,
            slices: 1,
            portions: Vec::new(),
            sites: Vec::new(),
            even_sites: false,
            paired: request.operation == Operation::AllToAll,
        };
        let tracks = stages.iter().flat_map(|stage| &stage.tracks);
        for phase in tracks.flat_map(|track| &track.phases) {
            layout.slices = lcm(layout.slices, phase.space.slices);
            if !layout.paired {
                layout.cut_for(context, phase);
            }
        }
        layout.portions = portions(stages, layout.slices);
        let blocks = u128::from(layout.domain_units)
            * u128::from(layout.site_parts())
            * u128::from(layout.local_units)
            * u128::from(layout.slices);
        if blocks > MOST_CARRIED as u128 {
            return Err(Error::unsupported(
                format!("a schedule of {blocks} blocks written out"),
                "look at the schedule of a smaller group",
            ));
        }
        Ok(layout)
    }

    /// Cuts the axes as finely as a phase needs.
    fn cut_for(&mut self, context: &Context, phase: &Phase) {
        for part in &phase.parts {
            if let PatternKind::Sites { share, .. } = part.pattern.kind {
                self.even_sites |= matches!(share, SiteShare::Equal | SiteShare::Next);
            }
        }
        let shares = phase.space.shares;
        for moves in phase.parts.iter().flat_map(|part| &part.moves) {
            let members = moves.rank_map.members().len() as u32;
            match moves.rank_map.kind {
                RankKind::Local => self.local_units = lcm(self.local_units, shares),
                RankKind::Rails | RankKind::Nic(_) if shares > 1 => {
                    self.domain_units = lcm(lcm(self.domain_units, shares), members);
                }
                RankKind::Chips if self.domains.len() == 1 => {
                    self.local_units = lcm(self.local_units, shares);
                }
                RankKind::Sites => self.cut_by_sites(context),
                _ => {}
            }
        }
    }

    pub(super) fn ranks(&self) -> u32 {
        (self.locals.len() * self.domains.len()) as u32
    }

    /// Rank of the group at a place.
    pub(super) fn rank(&self, domain: u32, local: u32) -> u32 {
        domain * self.locals.len() as u32 + local
    }

    pub(super) fn blocks(&self, request: &Request) -> Vec<Block> {
        let ranks = self.ranks();
        if self.paired {
            return self.blocks_of_pairs(request.size);
        }
        // The portions of the slices make up a whole, and so do the parts of the sites.
        let units = f64::from(self.domain_units) * f64::from(self.local_units);
        // Each rank of a send_recv has a message of its own.
        let of_all = if request.operation == Operation::SendRecv {
            f64::from(ranks)
        } else {
            1.0
        };
        let bytes = request.size * of_all / units;
        let mut blocks = Vec::new();
        for unit in 0..self.domain_units {
            for (site, local) in (0..self.site_parts())
                .flat_map(|site| (0..self.local_units).map(move |local| (site, local)))
            {
                let (from, to) = ends(request, self.owner(unit, site, local), ranks);
                let of_site = self.part_of_site(site);
                let slices = self.portions.iter();
                blocks.extend(slices.map(|portion| Block {
                    from,
                    to,
                    bytes: bytes * of_site * portion,
                }));
            }
        }
        blocks
    }

    /// The blocks of an all-to-all: each rank has one slice by slice for each.
    fn blocks_of_pairs(&self, size: f64) -> Vec<Block> {
        let ranks = self.ranks();
        let pairs = (0..ranks).flat_map(|src| (0..ranks).map(move |dst| (src, dst)));
        let bytes = size / f64::from(ranks) / f64::from(self.slices);
        pairs
            .flat_map(|(src, dst)| {
                (0..self.slices).map(move |_| Block {
                    from: Some(src),
                    to: Some(dst),
                    bytes,
                })
            })
            .collect()
    }

    /// The rank whose share holds a unit of the domain axis, its part for a site, and a unit of the local axis.
    fn owner(&self, unit: u32, site: u32, local: u32) -> u32 {
        let (domains, locals) = (self.domains.len() as u32, self.locals.len() as u32);
        // Between sites each holds the parts that are its own of the units that its domains share.
        let domain = match self.sites.get(site as usize) {
            Some(of_site) => self.holder(of_site, unit),
            None => unit * domains / self.domain_units,
        };
        self.rank(domain, local * locals / self.local_units)
    }

    /// The part of a unit that is for a site.
    fn part_of_site(&self, site: u32) -> f64 {
        match self.sites.get(site as usize) {
            None => 1.0,
            Some(_) if self.even_sites => 1.0 / f64::from(self.site_parts()),
            Some(of_site) => {
                f64::from(of_site.end - of_site.start) / f64::from(self.domains.len() as u32)
            }
        }
    }

    /// Parts of a unit of the domain axis.
    pub(super) fn site_parts(&self) -> u32 {
        self.sites.len().max(1) as u32
    }

    fn cut_by_sites(&mut self, context: &Context) {
        if !self.sites.is_empty() {
            return;
        }
        let mut first = 0;
        for (_, members, _) in by_site(context.machine, &self.domains) {
            let members = members as u32;
            self.sites.push(first..first + members);
            self.domain_units = lcm(self.domain_units, members);
            first += members;
        }
    }

    /// The first block of a unit of the domain axis, its part for a site, and a unit of the local axis.
    pub(super) fn block(&self, domain: u32, site: u32, local: u32) -> u32 {
        ((domain * self.site_parts() + site) * self.local_units + local) * self.slices
    }

    /// The domain of a site that holds a unit of the domain axis.
    pub(super) fn holder(&self, of_site: &Range<u32>, unit: u32) -> u32 {
        of_site.start + unit * (of_site.end - of_site.start) / self.domain_units
    }

    pub(super) fn units_of_domain(&self, domain: u32) -> Range<u32> {
        let width = self.domain_units / self.domains.len() as u32;
        domain * width..(domain + 1) * width
    }

    pub(super) fn units_of_local(&self, local: u32) -> Range<u32> {
        let width = self.local_units / self.locals.len() as u32;
        local * width..(local + 1) * width
    }
}
