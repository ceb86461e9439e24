//! Which links one message takes, and which share of it each of them carries.

mod adaptive;
mod alone;
mod damaged;
mod order;
mod valiant;
mod walk;

pub use alone::{Alone, alone};
pub use damaged::{Lengths, RoutingReport, report_pairs, routing_reports};
pub use order::{DimensionOrder, TieRule};

pub(crate) use adaptive::{Scratch, spread};
pub(crate) use damaged::{DomainRoutes, Overlay, Routes};
pub(crate) use order::AxisOrder;
pub(crate) use valiant::leg;
pub(crate) use walk::{cable_from, outside, ring_shares, spans_below};

use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Domain, Machine};
use crate::memory::bytes_of;

/// How messages choose their links inside a domain. Between domains every policy takes the NICs and the
/// fabric, whose bundles spray packets evenly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    /// One axis after the other.
    DimensionOrder(DimensionOrder),
    /// Spread equally over all minimal paths; both ways round an even ring at half its size count.
    MinimalAdaptive,
    /// By way of a chip chosen uniformly from the domain, dimension order with split ties on both legs.
    /// Shares are the expectation.
    Valiant,
    /// As few non-minimal hops as damage asks for, then dimension order with split ties.
    WildFirst,
    /// Over the fewest live links; of several ways the one that first takes the lowest axis, `+` before `-`.
    Shortest,
    /// Up a breadth-first tree from the lowest chip, then down, over cables that live both ways (Autonet).
    UpDown,
}

impl Default for Routing {
    fn default() -> Self {
        Self::DimensionOrder(DimensionOrder::default())
    }
}

impl Routing {
    /// True if moving both ends of a message around rings moves its links along and changes no share.
    pub fn is_translation_invariant(&self) -> bool {
        match self {
            Self::DimensionOrder(order) => order.tie != TieRule::Simgrid,
            Self::UpDown => false,
            Self::MinimalAdaptive | Self::Valiant | Self::WildFirst | Self::Shortest => true,
        }
    }

    /// The dimension order that is the same on a whole domain: none of minimal-adaptive, Valiant and up*/down* routing,
    /// nor of shortest ways where a switch spans several axes and may be a short cut.
    pub(crate) fn order_on_whole(&self, domain: &Domain) -> Result<Option<AxisOrder>> {
        let axes = domain.axes();
        let tie = match self {
            Self::DimensionOrder(order) => return order.resolve(axes.len()).map(Some),
            Self::WildFirst => TieRule::Split,
            Self::Shortest if !axes.iter().any(spans_below) => TieRule::Positive,
            Self::Shortest | Self::UpDown | Self::MinimalAdaptive | Self::Valiant => {
                return Ok(None);
            }
        };
        let order = DimensionOrder { tie, order: None };
        order.resolve(axes.len()).map(Some)
    }

    /// True for policies that send parts of a message over many paths, and do not go round damage.
    pub(crate) fn is_spread(&self) -> bool {
        matches!(self, Self::MinimalAdaptive | Self::Valiant)
    }

    /// Checks that the policy fits the machine.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an axis order that is no permutation of the machine's axes;
    /// [`Error::Unsupported`] for adaptive or Valiant routing in domains with switches or full meshes.
    pub fn check(&self, machine: &Machine) -> Result<()> {
        self.axis_order(machine).map(|_| ())
    }

    pub(crate) fn axis_order(&self, machine: &Machine) -> Result<AxisOrder> {
        let axes = machine.domain().axes();
        let name = match self {
            Self::DimensionOrder(order) => return order.resolve(axes.len()),
            Self::MinimalAdaptive => "minimal adaptive",
            Self::Valiant => "Valiant",
            Self::WildFirst | Self::Shortest | Self::UpDown => {
                return DimensionOrder::default().resolve(axes.len());
            }
        };
        match axes.iter().find(|axis| axis.size > 1 && !axis.is_cabled()) {
            None => DimensionOrder::default().resolve(axes.len()),
            Some(axis) => Err(Error::unsupported(
                format!(
                    "{name} routing over axis {}, which is not a ring or line",
                    axis.name
                ),
                "use dimension order (\"dor\"): a switch or full mesh has one minimal path",
            )),
        }
    }
}

/// What one message does to the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Link numbers. In travel order for a single path, and for dimension order axis by axis; ascending for
    /// a message that minimal-adaptive routing spreads, and for Valiant routing between two chips of a domain.
    pub links: Vec<u64>,
    /// Share of the message that each link carries, 0 to 1 (a Valiant message may pass a link twice: to 2).
    pub shares: Vec<f64>,
    /// Links that a byte passes on average: the sum of the shares.
    pub hops: f64,
    /// Links on the longest path; for Valiant routing a bound, twice the diameter of the domain.
    pub longest_hops: u32,
    /// Seconds that the links of the longest path (or of that bound) add.
    pub latency: f64,
    /// Bytes/s at which the message moves when alone: the least bandwidth / share; infinite without links.
    pub bandwidth: f64,
    /// Seconds that the sender spends on the message; 0 for a chip that sends to itself.
    pub overhead: f64,
}

/// Calls `visit` with each link between two chips and the share of the message on it: in travel order for a
/// single path. Spread messages may visit a link several times; its shares add.
///
/// # Errors
/// [`Error::OutOfRange`] for chips outside the machine, those of [`Routing::check`], and on a damaged machine
/// [`Error::Unreachable`], and [`Error::Unsupported`] for routing that does not go round damage.
pub fn walk(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    visit: &mut impl FnMut(u64, f64),
) -> Result<()> {
    machine.check_chip(|| "src".to_owned(), i128::from(src))?;
    machine.check_chip(|| "dst".to_owned(), i128::from(dst))?;
    let overlay = Overlay::between(machine, src, dst);
    Routes::new(machine, routing, &overlay)?.walk(src, dst, &Control::default(), visit)
}

/// The route of one message between two chips.
///
/// # Errors
/// As [`walk`].
pub fn route(machine: &Machine, routing: &Routing, src: u32, dst: u32) -> Result<Route> {
    route_until(machine, routing, src, dst, &Control::default())
}

/// [`route`] that stops when `control` says so: a message that is spread over a large domain touches millions of
/// links.
///
/// # Errors
/// As [`walk`], and [`Error::Cancelled`].
pub fn route_until(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    control: &Control,
) -> Result<Route> {
    machine.check_chip(|| "src".to_owned(), i128::from(src))?;
    machine.check_chip(|| "dst".to_owned(), i128::from(dst))?;
    let overlay = Overlay::between(machine, src, dst);
    Routes::new(machine, routing, &overlay)?.route(src, dst, control)
}

impl Machine {
    /// Seconds that a sender spends on a message; 0 for a chip that sends to itself.
    pub(crate) fn overhead_between(&self, src: u32, dst: u32) -> f64 {
        match self.nic() {
            _ if src == dst => 0.0,
            Some(nic) if self.split(src).0 != self.split(dst).0 => nic.overhead,
            _ => self.overhead(),
        }
    }
}

impl Routes<'_> {
    /// The route of one message between two chips of the machine.
    ///
    /// # Errors
    /// As [`route_until`], but for chips, which must exist.
    pub(crate) fn route(&self, src: u32, dst: u32, control: &Control) -> Result<Route> {
        let (machine, routing) = (self.machine, self.routing);
        let same_domain = machine.split(src).0 == machine.split(dst).0;
        let spread = routing.is_spread() && same_domain;
        // Steps, their sums by link where it is spread, and links and shares apart.
        let most = match spread {
            true => machine.domain().links(),
            false => self.most_steps(src, dst),
        };
        let what = format_args!("a message over up to {most} links");
        let bytes = bytes_of::<[u64; 5]>(most);
        let _taken = control.take(bytes, what, "route it on a smaller domain, or by \"dor\"")?;
        let steps = if spread {
            self.added_up(src, dst, control)?
        } else {
            let mut steps = Vec::new();
            self.walk(src, dst, control, &mut |link, share| {
                steps.push((link, share));
            })?;
            steps
        };
        let bandwidth = steps.iter().fold(f64::INFINITY, |least, &(link, share)| {
            least.min(machine.link_numbers(link).0 / share)
        });
        let mut hops = steps.iter().map(|step| step.1).sum();
        let (longest_hops, latency) = if spread {
            longest(machine, routing, src, dst)
        } else {
            // The two ways round a ring are equally long wherever they share a message: the mean is the longest.
            let latency = |&(link, share): &(u64, f64)| machine.link_numbers(link).1 * share;
            (hops as u32, steps.iter().map(latency).sum())
        };
        if *routing == Routing::MinimalAdaptive {
            // All minimal paths are equally long; the sum of the shares has rounded.
            hops = f64::from(longest_hops);
        }
        let (links, shares) = steps.into_iter().unzip();
        let overhead = machine.overhead_between(src, dst);
        Ok(Route {
            links,
            shares,
            hops,
            longest_hops,
            latency,
            bandwidth,
            overhead,
        })
    }

    /// Links of a spread message inside a domain, ascending, each with its whole share.
    fn added_up(&self, src: u32, dst: u32, control: &Control) -> Result<Vec<(u64, f64)>> {
        let machine = self.machine;
        let first = machine.domain_link(machine.split(src).0, 0);
        let mut shares = vec![0.0; machine.domain().links() as usize];
        let (mut single, mut order) = (true, Vec::new());
        self.walk(src, dst, control, &mut |link, share| {
            shares[(link - first) as usize] += share;
            single &= share == 1.0;
            if single {
                order.push(link);
            }
        })?;
        if single {
            return Ok(order.into_iter().map(|link| (link, 1.0)).collect());
        }
        let links = shares
            .into_iter()
            .enumerate()
            .filter(|(_, share)| *share > 0.0);
        Ok(links
            .map(|(local, share)| (first + local as u64, share))
            .collect())
    }
}

/// Links and seconds of the longest path inside a domain of rings and lines.
fn longest(machine: &Machine, routing: &Routing, src: u32, dst: u32) -> (u32, f64) {
    let domain = machine.domain();
    let mut total = (0, 0.0);
    for (index, axis) in domain.axes().iter().enumerate() {
        let hops = match routing {
            _ if src == dst => 0,
            Routing::Valiant => {
                let (from, to) = (domain.coordinate(src, index), domain.coordinate(dst, index));
                let by = |middle| {
                    walk::least_hops(axis, from, middle) + walk::least_hops(axis, middle, to)
                };
                (0..axis.size).map(by).max().unwrap_or(0)
            }
            _ => walk::least_hops(
                axis,
                domain.coordinate(src, index),
                domain.coordinate(dst, index),
            ),
        };
        total.0 += hops;
        total.1 += f64::from(hops) * axis.latency;
    }
    total
}
