//! Where the ranks of an algorithm sit: the same algorithm runs over the chips of a domain, over domains (all
//! their chips in parallel, each on its own rail), or over a plain list of chips.

use super::layout::{self, LocalBox};
use super::rank_map::{RankKind, RankMap};
use crate::collective::pattern::context::{Context, Pattern};
use crate::collective::pattern::crews::Crews;
use crate::collective::pattern::damage::substitute;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::lines::{BoxOrder, Ordered};
use crate::collective::pattern::measure::total_latency;
use crate::collective::pattern::pairs::{Pairs, Sends};
use crate::collective::pattern::rule::Rule;
use crate::collective::pattern::spacing::Spacing;
use crate::machine::Domain;
use crate::memory::bytes_of;
use crate::route::zero_load;
use crate::weigh::Scale;
use crate::{Control, Error, Result};
use std::sync::Arc;

/// Most messages that a pattern may list one by one.
pub(crate) const MOST_MESSAGES: usize = 1 << 25;

/// Messages between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// Groups of equal size over which one algorithm runs.
#[derive(Debug, Clone)]
pub(crate) enum Placement {
    /// Local chips of each group; the same in every member domain.
    Local(Arc<[Vec<u32>]>),
    /// The same in these domains only, which are some of those that have members.
    Within(Arc<[Vec<u32>]>, Arc<[u32]>),
    /// Numbers of crews of each set.
    Crews(Arc<[Vec<u32>]>, Arc<Crews>),
    /// Domains of each set.
    Rails(Arc<[Vec<u32>]>),
    /// Domains of each set, and the local chips that alone send and receive there.
    Nics(Arc<[Vec<u32>]>, Vec<u32>),
    /// Chips of each group.
    Flat(Arc<[Vec<u32>]>),
}

impl Placement {
    /// Counts what it takes.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.lists(self.groups());
        match self {
            Self::Nics(_, nics) => on.add(bytes_of::<u32>(nics.len() as u64)),
            Self::Within(_, domains) => on.add(bytes_of::<u32>(domains.len() as u64)),
            Self::Crews(_, crews) => crews.weigh(on),
            Self::Local(_) | Self::Rails(_) | Self::Flat(_) => {}
        }
    }

    fn groups(&self) -> &Arc<[Vec<u32>]> {
        match self {
            Self::Local(groups)
            | Self::Within(groups, _)
            | Self::Crews(groups, _)
            | Self::Rails(groups)
            | Self::Nics(groups, _)
            | Self::Flat(groups) => groups,
        }
    }

    /// Members of the first group, by rank.
    pub(crate) fn rank_map(&self) -> Arc<RankMap> {
        let kind = match self {
            Self::Local(_) | Self::Within(..) => RankKind::Local,
            Self::Crews(..) => RankKind::Crews,
            Self::Rails(_) => RankKind::Rails,
            Self::Nics(_, nics) => RankKind::Nic(nics[0]),
            Self::Flat(_) => RankKind::Chips,
        };
        Arc::new(RankMap {
            kind,
            groups: Arc::clone(self.groups()),
        })
    }

    /// The same with other groups.
    pub(crate) fn with(&self, groups: Arc<[Vec<u32>]>) -> Self {
        match self {
            Self::Local(_) => Self::Local(groups),
            Self::Within(_, domains) => Self::Within(groups, Arc::clone(domains)),
            Self::Crews(_, crews) => Self::Crews(groups, Arc::clone(crews)),
            Self::Rails(_) => Self::Rails(groups),
            Self::Nics(_, nics) => Self::Nics(groups, nics.clone()),
            Self::Flat(_) => Self::Flat(groups),
        }
    }

    /// Ranks of each group.
    pub(crate) fn ranks(&self) -> usize {
        self.groups()[0].len()
    }

    /// Local chips of each group, if the placement is inside domains.
    pub(crate) fn local_groups(&self) -> Option<&[Vec<u32>]> {
        match self {
            Self::Local(groups) | Self::Within(groups, _) => Some(groups),
            _ => None,
        }
    }

    /// The same groups with ranks in an order whose neighbours are close, the last to the first too.
    pub(crate) fn in_ring_order(&self, context: &Context) -> Result<Self> {
        self.known_order(context, "ring", |one| {
            one.reordered(context, layout::ring_order)
        })
    }

    /// The same groups with ranks numbered so that ranks that differ in one bit are close.
    pub(crate) fn in_cube_order(&self, context: &Context) -> Result<Self> {
        self.known_order(context, "cube", |one| {
            one.reordered(context, layout::cube_order)
        })
    }

    /// The same groups in an order that is made once.
    fn known_order(
        &self,
        context: &Context,
        order: &'static str,
        make: impl FnOnce(&Self) -> Result<Self>,
    ) -> Result<Self> {
        if let Self::Rails(_) | Self::Nics(..) | Self::Crews(..) = self {
            return Ok(self.clone());
        }
        let made = context.ordered(self.groups(), order, || {
            let groups = Arc::clone(make(self)?.groups());
            let whole = self.whole_box(context).filter(|_| order == "cube");
            let gray = whole.and_then(|shape| Some((shape.gray()?, shape)));
            let shape = gray.map(|(places, shape)| Arc::new(shape.order(&places)));
            let sizes = Vec::new();
            Ok(Some(Ordered {
                groups,
                shape,
                sizes,
            }))
        })?;
        let made = made.expect("an order of all groups");
        Ok(self.with(made.groups))
    }

    /// The box that a whole domain is, where that is the only group.
    fn whole_box(&self, context: &Context) -> Option<LocalBox> {
        let domain = context.machine.domain();
        let Self::Local(groups) = self else {
            return None;
        };
        let whole = Some(groups).filter(|groups| groups.len() == 1)?;
        let whole = whole
            .first()
            .filter(|group| group.len() as u32 == domain.chips())?;
        LocalBox::of(domain, whole)
    }

    /// The same groups with ranks numbered along the walks around the sides of the box that each fills, and the sizes
    /// of the sides; `None` where groups are not boxes inside a domain.
    pub(crate) fn in_box_order(&self, context: &Context) -> Result<Option<(Self, Vec<u32>)>> {
        if self.local_groups().is_none() {
            return Ok(None);
        }
        let made = context.ordered(self.groups(), "box", || self.boxes(context))?;
        Ok(made.map(|made| (self.with(made.groups), made.sizes)))
    }

    fn boxes(&self, context: &Context) -> Result<Option<Ordered>> {
        let (domain, control) = (context.machine.domain(), context.control);
        let groups = self.local_groups().unwrap_or_default();
        let mut boxes: Vec<LocalBox> = Vec::with_capacity(groups.len());
        for group in groups {
            control.check()?;
            match LocalBox::of(domain, group) {
                Some(shape) => boxes.push(shape),
                None => return Ok(None),
            }
        }
        let sizes = boxes.first().map(LocalBox::sizes).unwrap_or_default();
        if boxes.is_empty() || boxes.iter().any(|shape| shape.sizes() != sizes) {
            return Ok(None);
        }
        let walked = boxes.iter().map(|shape| shape.walked(domain, control));
        let whole = boxes.len() == 1 && boxes[0].chips() == domain.chips();
        let whole = whole && matches!(self, Self::Local(_));
        Ok(Some(Ordered {
            groups: walked.collect::<Result<_>>()?,
            shape: whole.then(|| Arc::new(boxes[0].order(&boxes[0].walks(domain)))),
            sizes,
        }))
    }

    fn reordered(
        &self,
        context: &Context,
        order: fn(&Domain, &[u32], &Control) -> Result<Vec<u32>>,
    ) -> Result<Self> {
        let (domain, control) = (context.machine.domain(), context.control);
        let chips = domain.chips();
        let ordered = |group: &[u32]| {
            control.check()?;
            order(domain, group, control)
        };
        // Listed chips that share a domain are ordered by where they are in it.
        let listed = |group: &Vec<u32>| {
            let number = group[0] / chips;
            if group.iter().any(|chip| chip / chips != number) {
                return Ok(group.clone());
            }
            let local: Vec<u32> = group.iter().map(|chip| chip % chips).collect();
            let local = ordered(&local)?.into_iter();
            Ok(local.map(|local| number * chips + local).collect())
        };
        Ok(match self {
            Self::Flat(groups) => Self::Flat(groups.iter().map(listed).collect::<Result<_>>()?),
            Self::Local(groups) | Self::Within(groups, _) => {
                let ordered = groups.iter().map(|group| ordered(group));
                self.with(ordered.collect::<Result<_>>()?)
            }
            _ => self.clone(),
        })
    }

    /// The same groups, each turned so that the member that has rank `root` in `original` comes first.
    pub(crate) fn rooted_as(&self, original: &Self, root: usize) -> Self {
        let mut both = self.groups().iter().zip(original.groups().iter());
        if both.all(|(group, original)| group[0] == original[root]) {
            return self.clone();
        }
        let turned = |(group, original): (&Vec<u32>, &Vec<u32>)| {
            let mut group = group.clone();
            let at = group.iter().position(|member| *member == original[root]);
            group.rotate_left(at.expect("a reordered group has the same members"));
            group
        };
        self.with(
            self.groups()
                .iter()
                .zip(original.groups().iter())
                .map(turned)
                .collect(),
        )
    }

    /// How ranks are the chips of a whole domain, where they were put in such an order.
    pub(crate) fn box_order(&self, context: &Context) -> Option<Arc<BoxOrder>> {
        match self {
            Self::Local(groups) => context.box_order(groups),
            _ => None,
        }
    }

    /// The pattern of the given (from, to) ranks in every group.
    pub(crate) fn pattern(&self, context: &Context, sends: &Sends) -> Result<Arc<Pattern>> {
        let ranks = self.ranks();
        let each = sends.count().unwrap_or(ranks.saturating_mul(ranks));
        let messages = each.saturating_mul(self.groups().len());
        if messages > MOST_MESSAGES {
            return Err(Error::unsupported(
                format!("{messages} messages listed one by one"),
                "use groups that hold whole UltraServers, or an algorithm with fewer messages",
            ));
        }
        context.control.check()?;
        let spacing = match self {
            Self::Rails(groups) | Self::Nics(groups, _) => context.spacing(groups),
            _ => None,
        };
        let mut pairs = Pairs::of(self.groups(), sends, spacing.as_deref());
        if let Some(shape) = self.box_order(context) {
            pairs = pairs.over(&shape);
        }
        Ok(context.pattern(self.kind(pairs)))
    }

    /// The kind of a pattern that has these messages.
    pub(crate) fn kind(&self, pairs: Pairs) -> PatternKind {
        match self {
            Self::Local(_) => PatternKind::Local(pairs),
            Self::Within(_, domains) => PatternKind::Within {
                pairs,
                domains: Arc::clone(domains),
            },
            Self::Crews(_, crews) => PatternKind::Crews {
                pairs,
                weights: None,
                crews: Arc::clone(crews),
            },
            Self::Rails(_) => PatternKind::Rails(pairs),
            Self::Nics(_, nics) => PatternKind::NicPairs {
                pairs,
                nics: nics.iter().map(|&nic| (nic, nic)).collect(),
            },
            Self::Flat(_) => PatternKind::Flat(pairs),
        }
    }

    /// The spacing of each group of domains, where they are few and evenly spaced.
    pub(crate) fn groups_apart(&self, context: &Context) -> Option<Vec<Spacing>> {
        match self {
            Self::Rails(groups) | Self::Nics(groups, _) => context.spacing(groups)?.apart(),
            _ => None,
        }
    }

    /// Seconds of latency of the longest of some chains in any group; `None` where messages have to be listed for it.
    pub(crate) fn chain_latency(&self, context: &Context, chains: &[Rule]) -> Option<f64> {
        let mut longest = 0.0;
        for group in self.groups_apart(context)? {
            for chain in chains {
                longest = f64::max(longest, total_latency(context, chain, &group)?);
            }
        }
        Some(longest)
    }

    /// Seconds of latency on the slowest way down a tree (or up, which is as long) in any group: `edges` are
    /// (parent, child) ranks, each parent a root or a child of an earlier edge.
    pub(crate) fn tree_latency(&self, context: &Context, edges: &[(u32, u32)]) -> Result<f64> {
        let mut slowest = 0.0;
        for group in self.groups().iter() {
            let mut reached = vec![0.0; group.len()];
            context.control.check()?;
            for (at, &(parent, child)) in edges.iter().enumerate() {
                if at % STRETCH == STRETCH - 1 {
                    context.control.check()?;
                }
                let latency =
                    self.latency(context, group[parent as usize], group[child as usize])?;
                reached[child as usize] = reached[parent as usize] + latency;
                slowest = f64::max(slowest, reached[child as usize]);
            }
        }
        Ok(slowest)
    }

    fn latency(&self, context: &Context, from: u32, to: u32) -> Result<f64> {
        match self {
            Self::Rails(_) | Self::Nics(..) => Ok(context.path(from, to, |_| ()).latency),
            Self::Crews(_, crews) => {
                let [from, to] = [from, to].map(|crew| crews.get(crew).domain);
                Ok(context.path(from, to, |_| ()).latency)
            }
            Self::Local(_) | Self::Within(..) => {
                let single = &context.domain_machine;
                let whole = zero_load(single, context.routing, from, to, context.control)?.latency;
                match &context.damaged {
                    Some(damaged) => {
                        damaged.latency(context.machine, (from, to), whole, context.control)
                    }
                    None => Ok(whole),
                }
            }
            Self::Flat(_) => {
                let machine = context.machine;
                let (from, to) = (
                    substitute(machine, from, context.control)?,
                    substitute(machine, to, context.control)?,
                );
                Ok(zero_load(machine, context.routing, from, to, context.control)?.latency)
            }
        }
    }

    /// The pattern of every rank to every other.
    pub(crate) fn all_pairs(&self, context: &Context) -> Result<Arc<Pattern>> {
        match self {
            Self::Rails(sets) => {
                return Ok(context.pattern(PatternKind::exchange(sets, false)));
            }
            Self::Local(groups)
                if groups.len() == 1
                    && groups[0].len() as u32 == context.machine.domain().chips() =>
            {
                return Ok(context.pattern(PatternKind::LocalAll));
            }
            _ => {}
        }
        let ranks = self.ranks();
        let messages = ranks
            .saturating_mul(ranks)
            .saturating_mul(self.groups().len());
        if messages > MOST_MESSAGES {
            return Err(Error::unsupported(
                format!("{messages} messages listed one by one"),
                "use a group that is a whole domain or whole UltraServers, or an algorithm with fewer messages",
            ));
        }
        self.pattern(context, &Sends::All)
    }
}
