//! Routes over a whole machine, healthy or damaged: inside a domain, and from domain to domain by NICs that live.

use super::table::Shared;
use super::{DomainRoutes, WHOLE};
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Damage, Machine};
use crate::memory;
use crate::route::walk::{inside, least_hops, runs_inside};
use crate::route::{AxisOrder, Routing, Run, Scratch, adaptive, outside, valiant};
use std::cell::OnceCell;

/// Links between two looks at the cancel flag: well below a millisecond.
const VISITS_BETWEEN_CHECKS: u32 = 1 << 14;

/// Chips of a domain from which on a message may pass so many links that it has to be stopped on its way.
const LONG_WAY: u32 = 1 << 24;

/// More links than a message passes on a switch or in the fabric of its sites.
const FEW_LINKS: u64 = 64;

/// The damage of some domains, found once for many messages.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Ascending.
    domains: Vec<u32>,
    damages: Vec<Damage>,
    /// Tables of all pairs, of each domain and of those without damage.
    tables: Vec<Shared>,
    whole: Shared,
}

impl Overlay {
    /// That of all domains.
    pub(crate) fn of(machine: &Machine, control: &Control) -> Result<Self> {
        Self::of_domains(machine, machine.damaged_domains(), control)
    }

    /// That of the domains of two chips.
    pub(crate) fn between(
        machine: &Machine,
        src: u32,
        dst: u32,
        control: &Control,
    ) -> Result<Self> {
        if !machine.is_damaged() {
            return Ok(Self::default());
        }
        let mut domains = vec![machine.split(src).0, machine.split(dst).0];
        domains.sort_unstable();
        domains.dedup();
        Self::of_domains(machine, domains, control)
    }

    fn of_domains(machine: &Machine, domains: Vec<u32>, control: &Control) -> Result<Self> {
        let mut overlay = Self::default();
        let mut bytes = 0;
        for domain in domains {
            control.check()?;
            if let Some(damage) = machine.damage_of(domain)? {
                bytes += damage.bytes();
                let what = format_args!("the dead links of damaged UltraServers");
                memory::check(bytes, what, "name fewer faults")?;
                overlay.domains.push(domain);
                overlay.damages.push(damage);
                overlay.tables.push(Shared::default());
            }
        }
        Ok(overlay)
    }

    /// Each damaged domain.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Damage)> {
        self.domains.iter().copied().zip(&self.damages)
    }

    /// That of the domain at this place.
    pub(crate) fn damage(&self, place: usize) -> &Damage {
        &self.damages[place]
    }

    /// Place of a domain in the lists.
    pub(crate) fn place(&self, domain: u32) -> Option<usize> {
        self.domains.binary_search(&domain).ok()
    }
}

/// Routes between any two chips of a machine under one policy. Each thread has its own.
#[derive(Debug)]
pub(crate) struct Routes<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) routing: &'a Routing,
    overlay: &'a Overlay,
    on_whole: Option<AxisOrder>,
    damaged: Vec<OnceCell<DomainRoutes<'a>>>,
    whole: OnceCell<DomainRoutes<'a>>,
}

fn kept<'c, 'a>(
    cell: &'c OnceCell<DomainRoutes<'a>>,
    make: impl FnOnce() -> Result<DomainRoutes<'a>>,
) -> Result<&'c DomainRoutes<'a>> {
    if let Some(routes) = cell.get() {
        return Ok(routes);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl<'a> Routes<'a> {
    /// `overlay` must hold the damage of the domains of all messages.
    ///
    /// # Errors
    /// Those of [`Routing::check`].
    pub(crate) fn new(
        machine: &'a Machine,
        routing: &'a Routing,
        overlay: &'a Overlay,
    ) -> Result<Self> {
        routing.check(machine)?;
        Ok(Self {
            machine,
            routing,
            overlay,
            on_whole: routing.order_on_whole(machine.domain())?,
            damaged: overlay.domains.iter().map(|_| OnceCell::new()).collect(),
            whole: OnceCell::new(),
        })
    }

    /// The routes of a domain with damage.
    fn damaged(&self, place: usize, control: &Control) -> Result<&DomainRoutes<'a>> {
        let (domain, damage) = (self.machine.domain(), &self.overlay.damages[place]);
        kept(&self.damaged[place], || {
            let routes = DomainRoutes::new(domain, damage, self.routing, control)?;
            Ok(routes.sharing(&self.overlay.tables[place]))
        })
    }

    /// Calls `visit` with the links of a message and its share on each, with numbers of the machine; nothing is
    /// visited before an error but [`Error::Cancelled`].
    ///
    /// # Errors
    /// [`Error::Unreachable`]; [`Error::Unsupported`] for spread routing where damage is in the way;
    /// [`Error::Cancelled`].
    pub(crate) fn walk(
        &self,
        src: u32,
        dst: u32,
        control: &Control,
        visit: &mut impl FnMut(u64, f64),
    ) -> Result<()> {
        // A search over a large domain takes a while.
        control.check()?;
        let machine = self.machine;
        let ((from, local_src), (to, local_dst)) = (machine.split(src), machine.split(dst));
        if !machine.is_damaged() {
            if from == to {
                return self.inside_whole(from, local_src, local_dst, control, visit);
            }
            outside(machine, src, dst, |link| visit(link, 1.0));
            return Ok(());
        }
        let cut = |why: String| Error::Unreachable { src, dst, why };
        if let Some(dead) = [src, dst]
            .into_iter()
            .find(|&chip| machine.is_dead_chip(chip))
        {
            return Err(cut(format!("chip {dead} is dead")));
        }
        if from == to {
            return self
                .inside_one(from, local_src, local_dst, control, visit)
                .map_err(|error| self.in_words(error, src, dst));
        }
        let (out, into) = (
            self.port(false, src, control)?,
            self.port(true, dst, control)?,
        );
        let no_port = |how: &str, number: u32| {
            cut(format!(
                "its NIC is dead, and no chip of UltraServer {number} that it can {how} has a live one"
            ))
        };
        let out = out.ok_or_else(|| no_port("reach", from))?;
        let into = into.ok_or_else(|| no_port("be reached from", to))?;
        let mut links = Vec::new();
        machine
            .live_between(from, to, |link| links.push(link))
            .map_err(cut)?;
        self.inside_one(from, local_src, machine.split(out).1, control, visit)?;
        visit(machine.nic_link(false, out), 1.0);
        links.iter().for_each(|&link| visit(link, 1.0));
        visit(machine.nic_link(true, into), 1.0);
        self.inside_one(to, machine.split(into).1, local_dst, control, visit)
    }

    /// Calls `visit` with the links of a message by dimension order on a whole machine, in runs.
    pub(crate) fn runs(&self, order: &AxisOrder, src: u32, dst: u32, visit: &mut impl FnMut(Run)) {
        let machine = self.machine;
        let ((from, local_src), (to, local_dst)) = (machine.split(src), machine.split(dst));
        if from != to {
            return outside(machine, src, dst, |link| visit(Run::link(link, 1.0)));
        }
        let base = machine.domain_link(from, 0);
        runs_inside(machine.domain(), order, local_src, local_dst, |run| {
            let first = base + run.first;
            visit(Run { first, ..run });
        });
    }

    /// The order of axes where messages take them in order and nothing is in the way.
    pub(crate) fn order(&self) -> Option<&AxisOrder> {
        match self.machine.is_damaged() {
            true => None,
            false => self.on_whole.as_ref(),
        }
    }

    /// About as many links as [`Routes::walk`] visits for a message that is not spread, ties split; searches round
    /// damage may find longer ways.
    pub(crate) fn most_steps(&self, src: u32, dst: u32) -> u64 {
        let machine = self.machine;
        let domain = machine.domain();
        let ((from, local_src), (to, local_dst)) = (machine.split(src), machine.split(dst));
        let outside = 2 * machine.sites().len() as u64 + FEW_LINKS;
        if machine.is_damaged() || self.on_whole.is_none() {
            let sides = domain.axes().iter().map(|axis| u64::from(axis.size));
            return 2 * sides.sum::<u64>() + outside;
        }
        if from != to {
            return outside;
        }
        let hops = domain.axes().iter().enumerate().map(|(at, axis)| {
            let ends = [local_src, local_dst].map(|chip| domain.coordinate(chip, at));
            match axis.is_cabled() {
                true => 2 * u64::from(least_hops(axis, ends[0], ends[1])),
                false => FEW_LINKS,
            }
        });
        hops.sum()
    }

    /// The chip whose NIC serves a live chip.
    fn port(&self, ingress: bool, chip: u32, control: &Control) -> Result<Option<u32>> {
        let (domain, local) = self.machine.split(chip);
        match self.overlay.place(domain) {
            Some(place) if !self.overlay.damages[place].has_nic(ingress, local) => {
                let port = self.damaged(place, control)?.port(ingress, local)?;
                Ok(port.map(|port| chip - local + port))
            }
            _ => Ok(Some(chip)),
        }
    }

    /// Ends as numbers of the machine.
    fn in_words(&self, error: Error, src: u32, dst: u32) -> Error {
        match error {
            Error::Unreachable { why, .. } => Error::Unreachable { src, dst, why },
            other => other,
        }
    }

    /// Links between two live chips of a domain.
    fn inside_one(
        &self,
        domain: u32,
        src: u32,
        dst: u32,
        control: &Control,
        visit: &mut impl FnMut(u64, f64),
    ) -> Result<()> {
        match self.overlay.place(domain) {
            Some(place) if src != dst && !self.overlay.damages[place].links.is_empty() => {
                let first = self.machine.domain_link(domain, 0);
                let routes = self.damaged(place, control)?;
                routes.walk(src, dst, &mut |link, share| visit(first + link, share))
            }
            _ => self.inside_whole(domain, src, dst, control, visit),
        }
    }

    /// Links between two chips of a domain whose links all live.
    fn inside_whole(
        &self,
        number: u32,
        src: u32,
        dst: u32,
        control: &Control,
        visit: &mut impl FnMut(u64, f64),
    ) -> Result<()> {
        let domain = self.machine.domain();
        let first = self.machine.domain_link(number, 0);
        let mut visited = 0u32;
        if let Some(order) = &self.on_whole {
            if domain.chips() < LONG_WAY {
                inside(domain, order, src, dst, |link, share| {
                    visit(first + link, share);
                });
                return Ok(());
            }
            // Such a walk cannot end early, but it can be quick about the rest.
            let mut met = Ok(());
            inside(domain, order, src, dst, |link, share| {
                visited = visited.wrapping_add(1);
                if visited % VISITS_BETWEEN_CHECKS == 0 && met.is_ok() {
                    met = control.check();
                }
                if met.is_ok() {
                    visit(first + link, share);
                }
            });
            return met;
        }
        let mut checked = |link: u64, share: f64| {
            visit(first + link, share);
            visited = visited.wrapping_add(1);
            if visited % VISITS_BETWEEN_CHECKS == 0 {
                control.check()
            } else {
                Ok(())
            }
        };
        match self.routing {
            Routing::MinimalAdaptive => {
                adaptive::spread(domain, src, dst, &mut Scratch::default(), checked)
            }
            Routing::Valiant => valiant::detour(domain, src, dst, checked),
            _ => {
                let make = || {
                    let routes = DomainRoutes::new(domain, &WHOLE, self.routing, control)?;
                    Ok(routes.sharing(&self.overlay.whole))
                };
                let mut answer = Ok(());
                kept(&self.whole, make)?.walk(src, dst, &mut |link, share| {
                    if answer.is_ok() {
                        answer = checked(link, share);
                    }
                })?;
                answer
            }
        }
    }
}
