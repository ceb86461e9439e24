//! What a policy does in one domain: how long and how loaded its routes are, and whether they can deadlock.

use super::deadlock::Waiting;
use super::{DomainRoutes, FoundBy, WHOLE, channels};
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Damage, Domain, Machine};
use crate::route::Routing;

/// Most chips of a domain all whose pairs are routed.
const MOST_CHIPS: u32 = 4096;

/// Lengths and loads of the routes of all pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lengths {
    /// Mean hops of the pairs that are joined.
    pub mean: f64,
    /// Most hops.
    pub longest: u32,
    /// Highest load of a link when each chip sends one byte to each other chip that it reaches.
    pub load: f64,
}

/// What a policy does in a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingReport {
    /// The domain, the first of those that are alike.
    pub domain: u32,
    /// Domains with the same damage.
    pub alike: u32,
    /// Ordered pairs of different live chips.
    pub pairs: u64,
    /// Those that no route of the policy joins.
    pub cut: u64,
    /// Pairs that go by another order of the axes.
    pub other_order: u64,
    /// Pairs that dimension order sends by the shortest path.
    pub detours: u64,
    /// Pairs with wild hops.
    pub wild: u64,
    /// Most wild hops of a pair.
    pub wild_hops: u32,
    /// The policy promises that messages cannot deadlock, given its virtual channels.
    pub promised: bool,
    /// Virtual channels of a link that its routes need: one where they have no cycle with one, and as many as it takes
    /// to give each pair of `"balanced"` one, and each that dimension order turns aside one beside its own.
    pub virtual_channels: u32,
    /// Links (numbers of the machine) and virtual channels that wait for each other in a cycle; empty if there is
    /// none, and then no messages can deadlock.
    pub cycle: Vec<(u64, u32)>,
    /// Of this domain.
    pub damaged: Lengths,
    /// Of the same domain without damage.
    pub healthy: Lengths,
}

/// What `routing` does in each distinct damaged domain, or in the first domain if none is damaged; or in `domain`.
/// [`Control::advance`] is told of pairs, those of the healthy domain too.
///
/// # Errors
/// [`Error::Unsupported`] for spread routing and for domains of more than 4,096 chips; [`Error::OutOfRange`] for a
/// domain that does not exist, [`Error::Invalid`] for one that is dead; [`Error::Cancelled`].
pub fn routing_reports(
    machine: &Machine,
    routing: &Routing,
    domain: Option<u32>,
    control: &Control,
) -> Result<Vec<RoutingReport>> {
    if routing.is_spread() {
        return Err(Error::unsupported(
            "a report on adaptive or Valiant routing",
            "use \"dor\", \"wild_first\", \"shortest\", \"up_down\" or \"balanced\"",
        ));
    }
    let chips = machine.domain().chips();
    if chips > MOST_CHIPS {
        return Err(Error::unsupported(
            format!("a report on all pairs of a domain of {chips} chips (at most {MOST_CHIPS})"),
            "use a smaller domain, or ask for single routes",
        ));
    }
    let distinct = distinct(machine, domain)?;
    let local = machine.domain();
    let mut healthy = RoutingReport::blank();
    survey(local, &WHOLE, routing, control, &mut healthy)?;
    distinct
        .into_iter()
        .map(|(number, alike, damage)| {
            let mut report = RoutingReport {
                domain: number,
                alike,
                ..RoutingReport::blank()
            };
            survey(local, &damage, routing, control, &mut report)?;
            report.healthy = healthy.damaged;
            for (link, _) in &mut report.cycle {
                *link = machine.domain_link(number, *link);
            }
            Ok(report)
        })
        .collect()
}

/// Pairs that [`routing_reports`] routes; 0 for a domain that it refuses.
pub fn report_pairs(machine: &Machine, domain: Option<u32>) -> u64 {
    let chips = u64::from(machine.domain().chips());
    distinct(machine, domain).map_or(0, |found| {
        (chips * (chips - 1)).saturating_mul(1 + found.len() as u64)
    })
}

/// Domains with distinct damage inside: the first, how many are alike, the damage.
fn distinct(machine: &Machine, domain: Option<u32>) -> Result<Vec<(u32, u32, Damage)>> {
    let numbers = match domain {
        Some(number) if number >= machine.num_domains() => {
            return Err(Error::OutOfRange {
                argument: "ultraserver".to_owned(),
                value: i128::from(number),
                low: 0,
                high: i128::from(machine.num_domains()) - 1,
            });
        }
        Some(number) if machine.is_dead_domain(number) => {
            return Err(Error::invalid(
                "ultraserver",
                number,
                "this one is dead: name one that works",
            ));
        }
        Some(number) => vec![number],
        None if machine.damaged_domains().is_empty() => {
            let mut all = 0..machine.num_domains();
            let live = all.find(|&number| !machine.is_dead_domain(number));
            live.into_iter().collect()
        }
        None => machine.damaged_domains(),
    };
    let mut distinct: Vec<(u32, u32, Damage)> = Vec::new();
    for number in numbers {
        let found = machine.damage_of(number)?.unwrap_or_default();
        let damage = Damage {
            links: found.links,
            chips: found.chips,
            ..Damage::default()
        };
        match distinct.iter_mut().find(|other| other.2 == damage) {
            Some(other) => other.1 += 1,
            None => distinct.push((number, 1, damage)),
        }
    }
    Ok(distinct)
}

impl RoutingReport {
    fn blank() -> Self {
        Self {
            domain: 0,
            alike: 1,
            pairs: 0,
            cut: 0,
            other_order: 0,
            detours: 0,
            wild: 0,
            wild_hops: 0,
            promised: false,
            virtual_channels: 0,
            cycle: Vec::new(),
            damaged: Lengths::default(),
            healthy: Lengths::default(),
        }
    }

    /// Counts how a pair was joined; true if its route follows no rule that gives it virtual channels.
    fn note(&mut self, found: FoundBy, routing: &Routing) -> bool {
        match found {
            FoundBy::OtherOrder => self.other_order += 1,
            FoundBy::Shortest if matches!(routing, Routing::DimensionOrder(_)) => self.detours += 1,
            FoundBy::Balanced => {}
            FoundBy::Wild(hops) => {
                self.wild += 1;
                self.wild_hops = self.wild_hops.max(hops as u32);
                return false;
            }
            FoundBy::InOrder | FoundBy::Shortest | FoundBy::UpDown => return false,
        }
        true
    }
}

/// Routes all pairs of a domain.
fn survey(
    domain: &Domain,
    damage: &Damage,
    routing: &Routing,
    control: &Control,
    report: &mut RoutingReport,
) -> Result<()> {
    let routes = DomainRoutes::new(domain, damage, routing, control)?;
    let mut waiting = Waiting::new(domain);
    let mut loads = vec![0.0; domain.links() as usize];
    let (mut steps, mut total) = (Vec::new(), 0.0);
    // Pairs that are given channels one by one.
    let mut others = Vec::new();
    let what = format_args!("a list of pairs that need virtual channels");
    let mut taken = control.take(0, what, "use a smaller UltraServer")?;
    let live = |chip: &u32| damage.is_live(*chip);
    for src in (0..domain.chips()).filter(live) {
        control.check()?;
        for dst in (0..domain.chips()).filter(live).filter(|&dst| dst != src) {
            report.pairs += 1;
            steps.clear();
            let Some(found) = routes.search(src, dst, &mut steps)? else {
                report.cut += 1;
                continue;
            };
            let mut hops = 0.0;
            for &(link, share) in &steps {
                hops += share;
                loads[link as usize] += share;
            }
            total += hops;
            report.damaged.longest = report.damaged.longest.max(hops as u32);
            if report.note(found, routing) {
                taken.reserve(&mut others, 1, what, "use a smaller UltraServer")?;
                others.push((src, dst));
            } else {
                waiting.add(&steps, found);
            }
        }
        control.advance(u64::from(domain.chips()) - 1);
    }
    let joined = report.pairs - report.cut;
    report.damaged.mean = if joined > 0 {
        total / joined as f64
    } else {
        0.0
    };
    report.damaged.load = loads.into_iter().fold(0.0, f64::max);
    report.promised = match routing {
        Routing::WildFirst | Routing::UpDown | Routing::Balanced => true,
        Routing::DimensionOrder(_) => report.other_order + report.detours == 0,
        _ => false,
    };
    (report.virtual_channels, report.cycle) =
        channels::needed(domain, &routes, waiting, others, control)?;
    Ok(())
}
