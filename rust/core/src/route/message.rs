//! The route of one message: its links, its time when alone.

use super::damaged::{Overlay, Routes};
use super::routing::Routing;
use super::walk::least_hops;
use crate::Control;
use crate::error::Result;
use crate::machine::Machine;
use crate::memory::bytes_of;

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
/// [`Error::OutOfRange`](crate::Error::OutOfRange) for chips outside the machine, those of [`Routing::check`], and on a
/// damaged machine [`Error::Unreachable`](crate::Error::Unreachable), and
/// [`Error::Unsupported`](crate::Error::Unsupported) for routing that does not go round damage.
pub fn walk(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    visit: &mut impl FnMut(u64, f64),
) -> Result<()> {
    machine.check_chip("src", i128::from(src))?;
    machine.check_chip("dst", i128::from(dst))?;
    let control = Control::default();
    let overlay = Overlay::between(machine, src, dst, &control)?;
    Routes::new(machine, routing, &overlay)?.walk(src, dst, &control, visit)
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
/// As [`walk`], and [`Error::Cancelled`](crate::Error::Cancelled).
pub fn route_until(
    machine: &Machine,
    routing: &Routing,
    src: u32,
    dst: u32,
    control: &Control,
) -> Result<Route> {
    machine.check_chip("src", i128::from(src))?;
    machine.check_chip("dst", i128::from(dst))?;
    let overlay = Overlay::between(machine, src, dst, control)?;
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
        let site = |chip: u32| machine.site_of(machine.split(chip).0);
        let bandwidth = match machine.has_window() && site(src) != site(dst) {
            true => machine.windowed(bandwidth, latency),
            false => bandwidth,
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
                let by = |middle| least_hops(axis, from, middle) + least_hops(axis, middle, to);
                (0..axis.size).map(by).max().unwrap_or(0)
            }
            _ => least_hops(
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
