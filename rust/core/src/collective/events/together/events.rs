//! Plans message by message: all of them in one fluid graph.
//!
//! Plans that share no link, directly or through others, are simulated apart: they are the same to the bit as alone.

use super::pipeline::Pipeline;
use super::progress::{check_starts, of_link};
use super::route_table::{RouteTable, RoutedSchedule};
use super::written::{MOST_WRITTEN, Written, too_many};
use super::{Meeting, Shared, Together};
use crate::fluid::{Flow, Graph, NO_GATE, simulate};
use crate::machine::Machine;
use crate::route::Routing;
use crate::sim::Engine;
use crate::{Control, Result};
use std::collections::BTreeMap;
use std::ops::Range;

/// A plan written out: what [`write_out`](crate::collective::write_out) made of its request, or schedules of one's own.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Its messages.
    pub written: &'a [Written],
    /// How they are routed.
    pub routing: &'a Routing,
    /// Seconds at which it starts.
    pub start: f64,
}

/// A plan with the routes of its messages.
struct RoutedPlan<'a> {
    schedules: Vec<RoutedSchedule<'a>>,
    /// Bytes on each of its links.
    bytes: BTreeMap<u32, f64>,
    start: f64,
}

/// Runs plans message by message under fair rates; each message waits for what its schedule says, and shares its links
/// with all that is there. A call takes no less than the launch of its machine, as alone.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for starts that are no numbers of seconds,
/// [`Error::Unsupported`](crate::Error::Unsupported) for more messages than are simulated at once,
/// [`Error::Unreachable`](crate::Error::Unreachable) for a message without a route,
/// [`Error::Cancelled`](crate::Error::Cancelled), and those of [`Schedule::check`](crate::schedule::Schedule::check).
pub fn share_messages(machine: &Machine, plans: &[Work], control: &Control) -> Result<Together> {
    machine.refuse_window()?;
    let starts: Vec<f64> = plans.iter().map(|plan| plan.start).collect();
    check_starts(plans.len(), &starts)?;
    let (pipelines, messages) = pipelines(plans)?;
    let Some(first) = plans.first() else {
        return Ok(nothing());
    };
    let mut route_table = RouteTable::new(machine, first.routing, Engine::Fluid, control)?;
    let mut routed = Vec::with_capacity(plans.len());
    for (plan, pipelines) in plans.iter().zip(&pipelines) {
        route_table.reroute(plan.routing, Engine::Fluid)?;
        routed.push(routed_plan(&mut route_table, plan, pipelines)?);
    }
    let launch = machine.launch();
    let alone = |plan| by_itself(&route_table, plan, launch, control);
    let mut shared = routed.iter().map(alone).collect::<Result<Vec<_>>>()?;
    let totals = totals(&routed);
    let mut sets = joined(&routed, route_table.num_links());
    while let Some(mut set) = sets.pop() {
        if set.len() == 1 {
            continue;
        }
        set.sort_by(|&a, &b| starts[a].total_cmp(&starts[b]));
        let members: Vec<&RoutedPlan> = set.iter().map(|&at| &routed[at]).collect();
        // Counted from the first start, so that the same plans later take the same.
        let first = starts[set[0]];
        let ends = run(&route_table, &members, first, control)?;
        let parts = apart(&set, &ends, &starts);
        if parts.len() > 1 {
            sets.extend(parts);
            continue;
        }
        for (&at, end) in set.iter().zip(ends) {
            let plan = &mut shared[at];
            plan.time = called(end - (plan.start - first), launch, &routed[at]);
            plan.finish = plan.start + plan.time;
            plan.slowed_by = meeting(machine, &route_table, &routed, &totals, at);
        }
    }
    let numbers = route_table.graph().capacity;
    let busiest = totals
        .iter()
        .map(|(&link, (bytes, users))| (bytes / numbers[link as usize], link, users))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    Ok(Together {
        makespan: shared.iter().map(|plan| plan.finish).fold(0.0, f64::max),
        plans: shared,
        busiest: busiest.map_or(0.0, |(seconds, ..)| seconds),
        bottleneck: busiest
            .map(|(_, link, users)| of_link(machine, route_table.link(link), users.clone())),
        messages,
    })
}

/// A plan that has the machine to itself.
fn by_itself(
    route_table: &RouteTable,
    plan: &RoutedPlan,
    launch: f64,
    control: &Control,
) -> Result<Shared> {
    let seconds = run(route_table, &[plan], plan.start, control)?[0];
    let alone = called(seconds, launch, plan);
    Ok(Shared {
        alone,
        time: alone,
        start: plan.start,
        finish: plan.start + alone,
        slowed_by: None,
    })
}

fn nothing() -> Together {
    Together {
        plans: Vec::new(),
        makespan: 0.0,
        busiest: 0.0,
        bottleneck: None,
        messages: 0,
    }
}

/// A call takes no less than its launch, unless nothing moves.
fn called(seconds: f64, launch: f64, plan: &RoutedPlan) -> f64 {
    let moves = plan
        .schedules
        .iter()
        .any(|schedule| !schedule.send_routes.is_empty());
    if moves { seconds.max(launch) } else { seconds }
}

/// The chunks and pieces of every plan, and all messages: coarser than the plans say where they would be too many.
fn pipelines(plans: &[Work]) -> Result<(Vec<Vec<Pipeline>>, usize)> {
    let of_plan = |plan: &Work| {
        plan.written
            .iter()
            .map(|one| one.pipeline.clone())
            .collect()
    };
    let mut pipelines: Vec<Vec<Pipeline>> = plans.iter().map(of_plan).collect();
    loop {
        let counts: Vec<usize> = plans
            .iter()
            .zip(&pipelines)
            .map(|(plan, own)| {
                plan.written
                    .iter()
                    .zip(own)
                    .map(|(one, own)| one.messages(own))
                    .sum()
            })
            .collect();
        let messages = counts.iter().sum();
        if messages <= MOST_WRITTEN {
            return Ok((pipelines, messages));
        }
        // The plans with the most messages first, whatever their order.
        let mut largest = counts.clone();
        largest.sort_unstable();
        largest.dedup();
        let mut halved = false;
        for count in largest.into_iter().rev() {
            for at in (0..plans.len()).filter(|&at| counts[at] == count) {
                for own in &mut pipelines[at] {
                    halved |= own.coarsen();
                }
            }
            if halved {
                break;
            }
        }
        if !halved {
            return Err(too_many(messages));
        }
    }
}

fn routed_plan<'a>(
    route_table: &mut RouteTable,
    plan: &Work<'a>,
    pipelines: &'a [Pipeline],
) -> Result<RoutedPlan<'a>> {
    let mut schedules = Vec::new();
    for (written, pipeline) in plan.written.iter().zip(pipelines) {
        written.check(route_table.machine())?;
        for chips in &written.groups {
            schedules.push(route_table.routed(&written.schedule, Some(pipeline), chips)?);
        }
    }
    let mut bytes: BTreeMap<u32, f64> = BTreeMap::new();
    for one in &schedules {
        one.loads(|link, load| {
            if load > 0.0 {
                *bytes.entry(link).or_default() += load;
            }
        });
    }
    Ok(RoutedPlan {
        schedules,
        bytes,
        start: plan.start,
    })
}

/// Seconds at which each plan has ended, counted from `zero`.
fn run(
    route_table: &RouteTable,
    plans: &[&RoutedPlan],
    zero: f64,
    control: &Control,
) -> Result<Vec<f64>> {
    let mut graph = route_table.graph();
    let mut flows: Vec<Range<usize>> = Vec::with_capacity(plans.len());
    for plan in plans {
        let from = graph.flows.len();
        let begins = begins(
            &mut graph,
            if zero < plan.start {
                plan.start - zero
            } else {
                0.0
            },
        )?;
        for schedule in &plan.schedules {
            schedule.put(&mut graph, begins, control)?;
        }
        flows.push(from..graph.flows.len());
    }
    let times = simulate(&graph, control)?;
    let latest = |flows: Range<usize>| times.arrived[flows].iter().copied().fold(0.0, f64::max);
    Ok(flows.into_iter().map(latest).collect())
}

/// A gate that opens after so many seconds.
fn begins(graph: &mut Graph, seconds: f64) -> Result<u32> {
    if seconds == 0.0 {
        return Ok(NO_GATE);
    }
    let gate = graph.gate();
    let start = Flow {
        delay: seconds,
        frees: [gate, NO_GATE],
        ..Flow::default()
    };
    graph.flow(start, [])?;
    Ok(gate)
}

/// Bytes on each link, and the plans that use it.
fn totals(plans: &[RoutedPlan]) -> BTreeMap<u32, (f64, Vec<usize>)> {
    let mut totals: BTreeMap<u32, (f64, Vec<usize>)> = BTreeMap::new();
    for (at, plan) in plans.iter().enumerate() {
        for (&link, &bytes) in &plan.bytes {
            let known = totals.entry(link).or_default();
            known.0 += bytes;
            known.1.push(at);
        }
    }
    totals
}

/// Plans that meet on links, directly or through others, ascending.
fn joined(plans: &[RoutedPlan], links: usize) -> Vec<Vec<usize>> {
    let mut of: Vec<usize> = (0..plans.len()).collect();
    let mut owner: Vec<Option<usize>> = vec![None; links];
    for (at, plan) in plans.iter().enumerate() {
        for &link in plan.bytes.keys() {
            match owner[link as usize] {
                None => owner[link as usize] = Some(at),
                Some(other) => {
                    let (keep, drop) = (of[other].min(of[at]), of[other].max(of[at]));
                    of.iter_mut()
                        .filter(|set| **set == drop)
                        .for_each(|set| *set = keep);
                }
            }
        }
    }
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, set) in of.into_iter().enumerate() {
        sets.entry(set).or_default().push(at);
    }
    sets.into_values().collect()
}

/// The plans of a set, by start, cut where one starts when all before it have ended: those after it run as if there had
/// been none.
fn apart(set: &[usize], ends: &[f64], starts: &[f64]) -> Vec<Vec<usize>> {
    let first = starts[set[0]];
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut latest = f64::NEG_INFINITY;
    for (&at, &end) in set.iter().zip(ends) {
        match parts.last_mut() {
            Some(part) if starts[at] - first < latest => part.push(at),
            _ => parts.push(vec![at]),
        }
        latest = latest.max(end);
    }
    parts
}

/// The link that a plan shares with others and that is busiest with all of them.
fn meeting(
    machine: &Machine,
    route_table: &RouteTable,
    plans: &[RoutedPlan],
    totals: &BTreeMap<u32, (f64, Vec<usize>)>,
    at: usize,
) -> Option<Meeting> {
    let shared = plans[at].bytes.keys().filter_map(|link| {
        let (bytes, users) = &totals[link];
        let id = route_table.link(*link);
        (users.len() > 1).then(|| (bytes / machine.link_numbers(id).0, id, users))
    });
    let worst = shared.reduce(|best, next| {
        let better = next.0 > best.0 || next.0 == best.0 && next.1 < best.1;
        if better { next } else { best }
    });
    worst.map(|(_, id, users)| of_link(machine, id, users.clone()))
}
