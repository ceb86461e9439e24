//! Where the ranks of a call sit, and what operations by algorithms cost there for one byte: the same for every size.

use super::grid::Grid;
use super::neighbours::neighbours;
use super::planes::planes;
use crate::Result;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::{Context, OnDemand};
use crate::collective::price::bound::bounds;
use crate::collective::price::cost::StageCost;
use crate::collective::price::priced::Priced;
use crate::collective::program::placement::Placement;
use crate::collective::solve::hierarchical::places::site_placements;
use crate::operation::Operation;
use crate::weigh::Scale;
use std::cell::RefCell;
use std::sync::Arc;

/// A placement of a call.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spot {
    /// Inside the node.
    Local,
    /// Square planes of it.
    Planes,
    /// Lines that cross those.
    Lines,
    /// Between nodes, sites of equal size together.
    Site(usize),
    /// Chips as they are listed.
    Flat,
}

/// An operation by an algorithm at a spot.
type Key = (Spot, Operation, &'static str);

/// Placements of a call, and what was priced on them.
pub(super) struct Ground {
    local: Placement,
    sites: Vec<Placement>,
    planes: Option<(Placement, Placement)>,
    flat: Option<Placement>,
    priced: RefCell<Vec<(Key, Priced)>>,
}

impl Ground {
    /// Of groups that the runtime takes.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) where a send goes to a chip that is no neighbour.
    pub(super) fn new(
        context: &Context,
        request: &Request,
        (locals, domains): Grid,
    ) -> Result<Self> {
        let local = Placement::Local(locals.into());
        let sites = match domains[0].len() {
            1 => Vec::new(),
            _ => site_placements(context, domains, None),
        };
        let flat = match request.operation.as_run() {
            Operation::SendRecv => Some(Placement::Flat(neighbours(context, request)?.into())),
            _ => None,
        };
        Ok(Self {
            planes: planes(context.machine.domain(), &local),
            local,
            sites,
            flat,
            priced: RefCell::default(),
        })
    }

    pub(super) fn local(&self) -> &Placement {
        &self.local
    }

    pub(super) fn sites(&self) -> &[Placement] {
        &self.sites
    }

    /// Whether the groups are boxes that have square planes, and lines that cross them.
    pub(super) fn has_planes(&self) -> bool {
        self.planes.is_some()
    }

    pub(super) fn at(&self, spot: Spot) -> &Placement {
        let planes = || self.planes.as_ref().expect("planes are asked for first");
        match spot {
            Spot::Local => &self.local,
            Spot::Planes => &planes().0,
            Spot::Lines => &planes().1,
            Spot::Site(number) => &self.sites[number],
            Spot::Flat => self.flat.as_ref().expect("it is listed first"),
        }
    }

    /// The stage of what was priced, as a size has it; prices it if it was not.
    pub(super) fn stage(
        &self,
        scene: &OnDemand,
        key: Key,
        scale: f64,
        price: impl FnOnce(&Context) -> Result<Priced>,
    ) -> Result<Arc<StageCost>> {
        let known = self.priced.borrow().iter().position(|one| one.0 == key);
        let at = match known {
            Some(at) => at,
            None => {
                let priced = price(scene.get()?)?;
                let mut all = self.priced.borrow_mut();
                all.push((key, priced));
                all.len() - 1
            }
        };
        let stages = self.priced.borrow_mut()[at].1.at(&|| scene.get(), scale)?;
        let [stage] = &stages[..] else {
            unreachable!("algorithms over one placement that neuron uses build one stage")
        };
        Ok(Arc::clone(stage))
    }

    /// Counts what it takes.
    pub(super) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        self.local.weigh(on);
        self.sites.iter().for_each(|site| site.weigh(on));
        if let Some((planes, lines)) = &self.planes {
            planes.weigh(on);
            lines.weigh(on);
        }
        if let Some(flat) = &self.flat {
            flat.weigh(on);
        }
        let priced = self.priced.borrow();
        priced.iter().for_each(|(_, priced)| priced.weigh(on));
    }
}

/// What links allow at least: seconds from distance, and for each byte.
#[derive(Clone, Copy)]
pub(super) struct Floor {
    latency: f64,
    per_byte: f64,
}

/// Shares by which a floor may be off, since bounds of a size are added up in another order.
const SLACK: f64 = 1e-6;

impl Floor {
    /// Of a request for one byte.
    pub(super) fn new(context: &Context, unit: &Request) -> Result<Self> {
        let mut floor = Self {
            latency: 0.0,
            per_byte: 0.0,
        };
        for bound in bounds(context, unit)? {
            match bound.name.as_str() {
                "latency" => floor.latency = bound.seconds,
                _ => floor.per_byte = floor.per_byte.max(bound.seconds),
            }
        }
        Ok(floor)
    }

    /// Whether no bound of this size is above these seconds.
    pub(super) fn is_below(&self, seconds: f64, size: f64) -> bool {
        self.latency.max(self.per_byte * size) * (1.0 + SLACK) < seconds
    }

    pub(super) fn latency(&self) -> f64 {
        self.latency
    }
}
