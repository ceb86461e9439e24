//! Which flows the kernels cannot count, because damage may be in their way or their policy has no kernel: those are
//! walked one by one.

use super::columns::Flows;
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{AxisKind, Damage, Domain, Machine};
use crate::route::{AxisOrder, DomainRoutes, Overlay, Routes, Routing, spans_below};

/// Flows between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// Most chips of a domain all whose pairs are walked.
const MOST_CHIPS: u32 = 4096;

/// A set of numbers.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: u64) -> Self {
        Self(vec![0; count.div_ceil(64) as usize])
    }

    fn set(&mut self, at: u32) {
        self.0[at as usize / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: u32) -> bool {
        self.0[at as usize / 64] >> (at % 64) & 1 == 1
    }
}

/// The lines of each axis of one domain that have a dead link, ascending: no more of them than of dead links.
#[derive(Debug)]
struct Lines(Vec<Vec<u32>>);

impl Lines {
    fn of(domain: &Domain, dead: &[u64]) -> Self {
        let mut lines = vec![Vec::new(); domain.axes().len()];
        for &link in dead {
            let (axis, line) = line_of(domain, link);
            lines[axis].push(line);
        }
        for of_axis in &mut lines {
            of_axis.sort_unstable();
            of_axis.dedup();
        }
        Self(lines)
    }

    /// True if a message by this order passes a line with a dead link.
    fn hits(&self, domain: &Domain, order: &AxisOrder, src: u32, dst: u32) -> bool {
        let mut here = src;
        for axis in order.axes() {
            let (from, to) = (domain.coordinate(here, axis), domain.coordinate(dst, axis));
            if from != to {
                let line = domain.line(here, axis);
                if self.0[axis].binary_search(&line).is_ok() {
                    return true;
                }
                let stride = domain.plans()[axis].stride;
                here = here - from * stride + to * stride;
            }
        }
        false
    }
}

/// Axis and line of a local link; on a switch the line is its number, or that of the port's chip.
fn line_of(domain: &Domain, link: u64) -> (usize, u32) {
    let plans = domain.plans();
    let index = plans
        .iter()
        .rposition(|plan| plan.first_link <= link && plan.links > 0)
        .expect("local links lie in an axis");
    let (axis, plan) = (&domain.axes()[index], &plans[index]);
    let at = link - plan.first_link;
    let line = match axis.kind {
        AxisKind::Ring | AxisKind::Line => {
            let (stride, at) = (u64::from(plan.stride), at % (plan.links / 2));
            at / stride / u64::from(axis.cables()) * stride + at % stride
        }
        AxisKind::FullMesh => at / (u64::from(axis.size) * u64::from(axis.size - 1)),
        AxisKind::Switch { .. } => {
            let chips = u64::from(domain.chips());
            if at < 2 * chips {
                u64::from(domain.line((at % chips) as u32, index))
            } else {
                let switches = chips / u64::from(axis.size);
                (at - 2 * chips) / ((plan.links - 2 * chips) / switches)
            }
        }
    };
    (index, line as u32)
}

/// What is to be walked.
#[derive(Debug)]
pub(super) struct Walked<'a> {
    machine: &'a Machine,
    routing: &'a Routing,
    overlay: Overlay,
    /// The order by which whole domains are counted; without one all messages inside domains are walked, but those
    /// of spread routing.
    order: Option<AxisOrder>,
    /// For each damaged domain; `None` if all its messages are walked, for switches that span axes and spread routing.
    lines: Vec<Option<Lines>>,
    /// Domains that are dead or have damage.
    damaged: Bits,
    /// All messages between domains are walked: a fabric bundle, a WAN link or a site is dead.
    far: bool,
}

impl<'a> Walked<'a> {
    /// `None` if the kernels count all.
    ///
    /// # Errors
    /// Those of [`Routing::check`], and [`Error::Cancelled`].
    pub(super) fn of(
        machine: &'a Machine,
        routing: &'a Routing,
        control: &Control,
    ) -> Result<Option<Self>> {
        let domain = machine.domain();
        let order = routing.order_on_whole(domain)?;
        if !machine.is_damaged() && (order.is_some() || routing.is_spread()) {
            return Ok(None);
        }
        let overlay = Overlay::of(machine, control)?;
        let faults = machine.faults();
        let mut damaged = Bits::new(u64::from(machine.num_domains()));
        faults
            .domains
            .iter()
            .for_each(|&domain| damaged.set(domain));
        let by_lines = order.is_some() && !domain.axes().iter().any(spans_below);
        let lines = overlay.iter().map(|(number, damage)| {
            damaged.set(number);
            by_lines.then(|| Lines::of(domain, &damage.links))
        });
        let lines = lines.collect();
        control.check()?;
        let fabric = machine.blocks().fabric[0];
        let far =
            !faults.sites.is_empty() || faults.links.last().is_some_and(|&link| link >= fabric);
        Ok(Some(Self {
            machine,
            routing,
            overlay,
            order,
            lines,
            damaged,
            far,
        }))
    }

    /// True if walking a message begins with a search from its source.
    pub(super) fn searches_by_source(&self) -> bool {
        self.order.is_none() && !self.routing.is_spread()
    }

    /// The routes of those that are walked.
    ///
    /// # Errors
    /// Those of [`Routing::check`].
    pub(super) fn routes(&self) -> Result<Routes<'_>> {
        Routes::new(self.machine, self.routing, &self.overlay)
    }

    /// True for a message that is to be walked.
    pub(super) fn has(&self, src: u32, dst: u32) -> bool {
        let ((from, local_src), (to, local_dst)) =
            (self.machine.split(src), self.machine.split(dst));
        if from != to {
            return self.far || self.damaged.has(from) || self.damaged.has(to);
        }
        let by_policy = self.searches_by_source();
        let dead_site = || self.far && self.machine.is_dead_domain(from);
        if !self.damaged.has(from) && !dead_site() {
            return by_policy;
        }
        // A dead domain has no damage of its own.
        let Some(place) = self.overlay.place(from) else {
            return true;
        };
        let damage = self.overlay.damage(place);
        if damage.links.is_empty() && damage.chips.is_empty() {
            return by_policy;
        }
        let Some(order) = &self.order else {
            return true;
        };
        // All links of a dead chip are dead, but a message to itself passes none.
        let lines = self.lines[place].as_ref();
        src == dst
            || lines
                .is_none_or(|lines| lines.hits(self.machine.domain(), order, local_src, local_dst))
    }

    /// The error of the first flow that is cut off, whichever worker met one.
    pub(super) fn first_error(&self, met: Error, flows: &Flows, control: &Control) -> Error {
        if !matches!(met, Error::Unreachable { .. }) {
            return met;
        }
        let search = || -> Result<()> {
            let routes = self.routes()?;
            for flow in 0..flows.src.len() {
                if flow % STRETCH == 0 {
                    control.check()?;
                }
                let src = self.machine.check_chip("src", flows.src.value(flow))?;
                let dst = self.machine.check_chip("dst", flows.dst.value(flow))?;
                if self.has(src, dst) {
                    routes.walk(src, dst, control, &mut |_, _| {})?;
                }
            }
            Ok(())
        };
        search().err().unwrap_or(met)
    }
}

/// Adds the messages on each link of a whole domain whose chips send one message to each other one, walked one by one.
pub(super) fn add_all_pairs(
    domain: &Domain,
    routing: &Routing,
    loads: &mut [f64],
    control: &Control,
) -> Result<()> {
    if domain.chips() > MOST_CHIPS {
        return Err(Error::unsupported(
            format!(
                "uniform traffic by this routing in a domain of {} chips (at most {MOST_CHIPS})",
                domain.chips()
            ),
            "use dimension order (\"dor\")",
        ));
    }
    let whole = Damage::default();
    let routes = DomainRoutes::new(domain, &whole, routing, control)?;
    for src in 0..domain.chips() {
        control.check()?;
        for dst in 0..domain.chips() {
            // Counts of whole messages and halves: exact.
            routes.walk(src, dst, &mut |link, share| loads[link as usize] += share)?;
        }
    }
    Ok(())
}
