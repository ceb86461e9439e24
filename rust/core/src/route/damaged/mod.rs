//! Routes inside a damaged domain: which links a message takes when some are dead.

mod balance;
mod channels;
mod deadlock;
mod graph;
mod layers;
mod links;
mod minimal;
mod order;
mod overlay;
mod report;
#[cfg(test)]
mod report_tests;
mod states;
mod table;
#[cfg(test)]
mod tests;
mod up_down;
mod why;
mod wild;

pub(crate) use overlay::{Overlay, Routes};
pub use report::{Lengths, RoutingReport, report_pairs, routing_reports};

use super::{AxisOrder, DimensionOrder, Routing, spans_below};
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Axis, Damage, Domain};
use graph::{Graph, Tree};
use states::Kind;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use table::{Shared, Table};

/// Vertices of the trees that are kept: 16 MiB.
const MOST_VERTICES: usize = 1 << 21;

/// A domain without damage.
static WHOLE: Damage = Damage {
    links: Vec::new(),
    chips: Vec::new(),
    nics: [Vec::new(), Vec::new()],
    degraded: Vec::new(),
    slow_nics: [Vec::new(), Vec::new()],
};

/// How a path was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// Dimension order, rings by either way round.
    InOrder,
    /// Another order of the axes.
    OtherOrder,
    /// The shortest path.
    Shortest,
    /// So many wild hops, then dimension order.
    Wild(usize),
    /// Up, then down.
    UpDown,
    /// The shortest path that a table of all pairs has.
    Balanced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Ordered,
    WildFirst,
    Shortest,
    /// What a table of all pairs says.
    Tabled(Kind),
}

/// Routes inside one damaged domain under one policy; chips and links are local. It keeps what it finds out, so that
/// many messages cost little; each thread has its own.
#[derive(Debug)]
pub(crate) struct DomainRoutes<'a> {
    domain: &'a Domain,
    damage: &'a Damage,
    policy: Policy,
    order: AxisOrder,
    /// All axes are rings and lines.
    cabled: bool,
    spans: bool,
    graph: OnceCell<Graph>,
    table: OnceCell<Arc<Table>>,
    /// Where threads of a call share a table.
    shared: Option<&'a Shared>,
    /// Shortest paths from a chip, by chip.
    trees: RefCell<BTreeMap<u32, Arc<Tree>>>,
    steps: RefCell<Vec<(u64, f64)>>,
    ports: RefCell<BTreeMap<(bool, u32), Option<u32>>>,
    control: Control,
}

impl<'a> DomainRoutes<'a> {
    /// The routes of a policy.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for policies that spread messages over all minimal paths or all chips;
    /// [`Error::Invalid`] for an axis order that does not fit.
    pub(crate) fn new(
        domain: &'a Domain,
        damage: &'a Damage,
        routing: &Routing,
        control: &Control,
    ) -> Result<Self> {
        let policy = match routing {
            Routing::DimensionOrder(_) => Policy::Ordered,
            Routing::WildFirst => Policy::WildFirst,
            Routing::Shortest => Policy::Shortest,
            Routing::UpDown => Policy::Tabled(Kind::UpDown),
            Routing::Balanced => Policy::Tabled(Kind::Shortest),
            Routing::MinimalAdaptive | Routing::Valiant => {
                return Err(Error::unsupported(
                    "adaptive or Valiant routing in a damaged domain",
                    "use \"dor\", \"wild_first\", \"shortest\", \"up_down\" or \"balanced\", which go round damage",
                ));
            }
        };
        let order = match routing.order_on_whole(domain)? {
            Some(order) => order,
            None => DimensionOrder::default().resolve(domain.axes().len())?,
        };
        Ok(Self {
            domain,
            damage,
            policy,
            order,
            cabled: domain.axes().iter().all(Axis::is_cabled),
            spans: domain.axes().iter().any(spans_below),
            graph: OnceCell::new(),
            table: OnceCell::new(),
            shared: None,
            trees: RefCell::default(),
            steps: RefCell::default(),
            ports: RefCell::default(),
            control: control.part(),
        })
    }

    /// The same, whose table of all pairs, if there is one, others may share.
    pub(crate) fn sharing(self, shared: &'a Shared) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// Calls `visit` with the links of a message and its share on each, in travel order for a single path.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with local numbers.
    pub(crate) fn walk(&self, src: u32, dst: u32, visit: &mut impl FnMut(u64, f64)) -> Result<()> {
        // Taken, not borrowed: `visit` may walk too.
        let mut steps = self.steps.take();
        steps.clear();
        let found = self.find(src, dst, &mut steps);
        if found.is_ok() {
            steps.iter().for_each(|&(link, share)| visit(link, share));
        }
        self.steps.replace(steps);
        found.map(|_| ())
    }

    /// Appends the links of a message and its share on each.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with local numbers.
    pub(crate) fn find(&self, src: u32, dst: u32, steps: &mut Vec<(u64, f64)>) -> Result<FoundBy> {
        let found = if !self.damage.is_live(src) || !self.damage.is_live(dst) {
            None
        } else {
            self.search(src, dst, steps)?
        };
        match found {
            Some(found) => Ok(found),
            None => Err(Error::Unreachable {
                src,
                dst,
                why: why::cut(
                    self.domain,
                    self.damage,
                    self.policy == Policy::Tabled(Kind::UpDown),
                    src,
                    dst,
                    &self.control,
                )?,
            }),
        }
    }

    fn search(&self, src: u32, dst: u32, steps: &mut Vec<(u64, f64)>) -> Result<Option<FoundBy>> {
        if src == dst {
            return Ok(Some(FoundBy::InOrder));
        }
        let found = self.search_by_policy(src, dst, steps)?;
        // A search that was stopped has found nothing for that reason alone.
        self.control.check()?;
        Ok(found)
    }

    fn search_by_policy(
        &self,
        src: u32,
        dst: u32,
        steps: &mut Vec<(u64, f64)>,
    ) -> Result<Option<FoundBy>> {
        Ok(match self.policy {
            Policy::Ordered => {
                let mut axes = self.to_correct(src, dst);
                if self.in_order(axes.list(), src, dst, steps) {
                    Some(FoundBy::InOrder)
                } else if self.in_other_orders(&mut axes, src, dst, steps) {
                    Some(FoundBy::OtherOrder)
                } else {
                    self.shortest(src, dst, steps)?
                }
            }
            Policy::WildFirst => {
                if self.in_order(self.to_correct(src, dst).list(), src, dst, steps) {
                    Some(FoundBy::InOrder)
                } else {
                    self.wild_first(src, dst, steps)?.map(FoundBy::Wild)
                }
            }
            Policy::Shortest => {
                // A path as short as without damage is a shortest one.
                if self.cabled && self.minimal(src, dst, steps)? {
                    Some(FoundBy::Shortest)
                } else {
                    self.shortest(src, dst, steps)?
                }
            }
            Policy::Tabled(kind) => {
                let found = match kind {
                    Kind::Shortest => FoundBy::Balanced,
                    Kind::UpDown => FoundBy::UpDown,
                };
                let joined = self.table(kind)?.path(src, dst, steps);
                joined.then_some(found)
            }
        })
    }

    fn table(&self, kind: Kind) -> Result<&Table> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let (domain, damage, control) = (self.domain, self.damage, &self.control);
        let table = match self.shared {
            Some(shared) => shared.table(domain, damage, kind, control)?,
            None => Table::of(domain, damage, kind, control)?,
        };
        Ok(self.table.get_or_init(|| table))
    }

    fn shortest(&self, src: u32, dst: u32, steps: &mut Vec<(u64, f64)>) -> Result<Option<FoundBy>> {
        let tree = self.tree(src)?;
        if !tree.reaches(dst) {
            return Ok(None);
        }
        tree.path(dst, steps);
        Ok(Some(FoundBy::Shortest))
    }

    fn graph(&self) -> Result<&Graph> {
        if let Some(graph) = self.graph.get() {
            return Ok(graph);
        }
        let graph = Graph::of(self.domain, self.damage, false, &self.control)?;
        Ok(self.graph.get_or_init(|| graph))
    }

    /// Shortest paths from a chip.
    fn tree(&self, src: u32) -> Result<Arc<Tree>> {
        if let Some(tree) = self.trees.borrow().get(&src) {
            return Ok(Arc::clone(tree));
        }
        let (graph, control) = (self.graph()?, &self.control);
        let tree = Arc::new(Tree::grow(graph, src, control)?);
        let mut trees = self.trees.borrow_mut();
        if (trees.len() + 1) * tree.vertices() > MOST_VERTICES {
            trees.clear();
        }
        trees.insert(src, Arc::clone(&tree));
        Ok(tree)
    }

    /// The chip whose NIC sends (or, for `ingress`, receives) for `chip`: itself, or a live chip with a live NIC in
    /// that direction that the fewest hops lead to (or from). Of several, chips without a NIC take turns by number.
    /// `None` for a dead chip and where there is none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for domains too large to search.
    pub(crate) fn port(&self, ingress: bool, chip: u32) -> Result<Option<u32>> {
        if self.damage.has_nic(ingress, chip) {
            return Ok(Some(chip));
        }
        if !self.damage.is_live(chip) {
            return Ok(None);
        }
        if let Some(&found) = self.ports.borrow().get(&(ingress, chip)) {
            return Ok(found);
        }
        let (mut best, mut nearest) = (u64::MAX, Vec::new());
        let mut steps = Vec::new();
        for port in (0..self.domain.chips()).filter(|&port| self.damage.has_nic(ingress, port)) {
            let (src, dst) = if ingress { (port, chip) } else { (chip, port) };
            if self.least_hops(src, dst) > best {
                continue;
            }
            steps.clear();
            if self.search(src, dst, &mut steps)?.is_some() {
                // Shares of a tie are halves: the sum is a whole number of hops.
                let hops = steps.iter().map(|step| step.1).sum::<f64>() as u64;
                if hops < best {
                    (best, nearest) = (hops, Vec::new());
                }
                if hops == best {
                    nearest.push(port);
                }
            }
        }
        let lacks =
            |&other: &u32| self.damage.is_live(other) && !self.damage.has_nic(ingress, other);
        let turn = (0..chip).filter(lacks).count();
        let found = (!nearest.is_empty()).then(|| nearest[turn % nearest.len()]);
        self.ports.borrow_mut().insert((ingress, chip), found);
        Ok(found)
    }
}
