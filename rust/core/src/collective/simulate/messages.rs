//! The messages of patterns as an engine sees them: their ways over resources, who waits for whom.

use crate::collective::context::Context;
use crate::collective::cost::StageCost;
use crate::collective::group::Groups;
use crate::collective::measure::{by_site, site_flows};
use crate::collective::moves::Sends;
use crate::collective::pattern::Kind;
use crate::collective::schedule::Part;
use crate::collective::symmetry::{class, distances};
use crate::fluid::{Engine, Graph};
use crate::machine::Machine;
use crate::route::{DimensionOrder, Routing, TieRule, route_until};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Resources come in kinds; a key is the kind and a number.
const LOCAL: u64 = 0;
const CLASS: u64 = 1 << 60;
const NIC: u64 = 2 << 60;
const FABRIC: u64 = 3 << 60;
const SINGLE: u64 = 4 << 60;

/// The routings of a message, which it takes in equal parts: first come, first served, one that splits at a tie goes
/// as two.
pub(crate) fn routings(routing: &Routing, engine: Engine) -> Result<Vec<Routing>> {
    match (engine, routing) {
        (Engine::Fluid, _) => Ok(vec![routing.clone()]),
        (Engine::Fifo, Routing::DimensionOrder(order)) if order.tie == TieRule::Split => {
            let by = |tie| {
                Routing::DimensionOrder(DimensionOrder {
                    tie,
                    order: order.order.clone(),
                })
            };
            Ok(vec![by(TieRule::Positive), by(TieRule::Negative)])
        }
        (Engine::Fifo, Routing::DimensionOrder(_)) => Ok(vec![routing.clone()]),
        (Engine::Fifo, _) => Err(Error::unsupported(
            "model \"fifo\" with messages that are spread over many paths",
            "use dimension order (\"dor\"), or model \"fluid\"",
        )),
    }
}

/// One message, or several that are alike.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// (resource, bytes on it per byte of the message), in hop order.
    pub(super) path: Rc<[(u32, f64)]>,
    /// Seconds of its longest way.
    pub(super) latency: f64,
    /// Part of the bytes that goes this way: below 1 where a message is cut in two.
    pub(super) share: f64,
    /// Who sends and who receives, as far as they are told apart.
    pub(super) ends: (u32, u32),
    /// Which of the part's moves it belongs to, and which of their sends it is.
    pub(super) moves: u32,
    pub(super) send: u32,
}

/// Who is told apart at the ends of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Nobody: everybody waits for everybody.
    Nobody,
    /// Local chips, the same in every domain.
    Local,
    /// Domains, the same on every member.
    Domains,
    /// Chips of the machine.
    Chips,
}

/// What all simulations of one call share: the resources met so far and the messages of each pattern.
pub(super) struct Network<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) engine: Engine,
    /// The routings of a message, which it takes in equal parts.
    routings: Vec<Routing>,
    /// Chips of a domain are all alike in every pattern.
    symmetric: bool,
    /// Patterns inside domains and lists of chips meet in one schedule: what is listed stands for all domains.
    mixed: bool,
    resources: BTreeMap<u64, u32>,
    capacity: Vec<f64>,
    latency: Vec<f64>,
    known: Vec<(Part, Rc<[Message]>)>,
}

impl<'a> Network<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        engine: Engine,
        stages: &[Rc<StageCost>],
    ) -> Result<Self> {
        let routings = routings(context.routing, engine)?;
        let parts = || {
            let tracks = stages.iter().flat_map(|cost| &cost.stage.tracks);
            let phases = tracks.flat_map(|track| &track.phases);
            phases.flat_map(|phase| &phase.parts)
        };
        let inside = |part: &Part| matches!(part.pattern.kind, Kind::Local(_) | Kind::LocalAll);
        let listed = |part: &Part| matches!(part.pattern.kind, Kind::Flat(_));
        let mixed = parts().any(inside) && parts().any(listed);
        // First come, first served tells messages apart that arrive at once, by their numbers.
        let mut symmetric = engine == Engine::Fluid && !mixed && context.homogeneous;
        let domain = context.domain_machine.domain();
        let mut seen: Vec<&Part> = Vec::new();
        for part in parts().filter(|part| inside(part)) {
            if !symmetric {
                break;
            }
            if seen.iter().any(|other| same(other, part)) {
                continue;
            }
            seen.push(part);
            if let Kind::Local(pairs) = &part.pattern.kind {
                symmetric = by_moves(part, pairs)
                    .iter()
                    .all(|pairs| distances(domain, sends_of(pairs)).is_some());
            }
        }
        Ok(Self {
            context,
            engine,
            routings,
            symmetric,
            mixed,
            resources: BTreeMap::new(),
            capacity: Vec::new(),
            latency: Vec::new(),
            known: Vec::new(),
        })
    }

    /// A graph with the resources met so far.
    pub(super) fn graph(&self) -> Graph {
        Graph {
            capacity: self.capacity.clone(),
            latency: self.latency.clone(),
            ..Graph::default()
        }
    }

    /// Runs a graph made by [`Network::graph`].
    pub(super) fn run(&self, graph: &Graph) -> Result<crate::fluid::Times> {
        self.context.control.check()?;
        match self.engine {
            Engine::Fluid => crate::fluid::simulate(graph, self.context.control),
            Engine::Fifo => crate::fifo::simulate(graph, self.context.control),
        }
    }

    /// Whom the messages of a part tell apart.
    pub(super) fn ends(&self, part: &Part) -> Ends {
        match &part.pattern.kind {
            Kind::Local(_) | Kind::LocalAll if self.symmetric => Ends::Nobody,
            Kind::Local(_) | Kind::LocalAll => Ends::Local,
            Kind::Rails(_) => Ends::Domains,
            Kind::Flat(_) => Ends::Chips,
            Kind::Lanes { .. } | Kind::Star { .. } | Kind::Exchange { .. } | Kind::Sites { .. } => {
                Ends::Nobody
            }
        }
    }

    /// The messages of a part.
    pub(super) fn messages(&mut self, part: &Part) -> Result<Rc<[Message]>> {
        if let Some((_, messages)) = self.known.iter().find(|(other, _)| same(other, part)) {
            return Ok(Rc::clone(messages));
        }
        let messages: Rc<[Message]> = self.found(part)?.into();
        self.known.push((part.clone(), Rc::clone(&messages)));
        Ok(messages)
    }

    fn found(&mut self, part: &Part) -> Result<Vec<Message>> {
        let context = self.context;
        let pattern = Rc::clone(&part.pattern);
        match &pattern.kind {
            Kind::Local(pairs) => self.inside(part, pairs),
            Kind::LocalAll => {
                let chips = context.machine.domain().chips();
                if self.symmetric {
                    let each = |to| self.alike(to, 0, 0);
                    return (1..chips).map(each).collect();
                }
                let count = u64::from(chips) * u64::from(chips - 1);
                few(count)?;
                let pairs: Vec<(u32, u32)> = (0..chips)
                    .flat_map(|from| (0..chips).map(move |to| (from, to)))
                    .filter(|(from, to)| from != to)
                    .collect();
                self.inside(part, &pairs)
            }
            Kind::Flat(pairs) => self.listed(part, pairs),
            Kind::Rails(pairs) => self.between(part, pairs, context.lanes(), None),
            Kind::Lanes { pairs, lanes } => {
                self.between(part, pairs, lanes.len() as f64, lanes.first().copied())
            }
            Kind::Star {
                sets,
                locals,
                outward,
            } => {
                let members = locals[0].0.len() as f64;
                let mut messages = Vec::new();
                for (set, root) in sets {
                    for &domain in set.iter().filter(|domain| *domain != root) {
                        let pair = if *outward {
                            (*root, domain)
                        } else {
                            (domain, *root)
                        };
                        // One message a member; the root's NIC carries them all.
                        let mut message = self.rail(pair, context.lanes(), None)?;
                        let root_side = if *outward { 0 } else { message.path.len() - 1 };
                        let mut path = message.path.to_vec();
                        path[root_side].1 = members;
                        message.path = path.into();
                        messages.push(message);
                    }
                }
                Ok(messages)
            }
            Kind::Exchange { sets, spread } => {
                // Spread, a message goes to each member there; the moves say how much of the bytes that is.
                let receivers = match context.groups {
                    Groups::Grid { locals, .. } if *spread => locals[0].len(),
                    _ => 1,
                };
                let squares = sets.iter().map(|(set, _)| (set.len() as u64).pow(2));
                few(squares.sum::<u64>().saturating_mul(receivers as u64))?;
                let mut messages = Vec::new();
                for (set, bytes) in sets {
                    let pairs = set
                        .iter()
                        .flat_map(|&from| set.iter().map(move |&to| (from, to)));
                    for pair in pairs.filter(|pair| pair.0 != pair.1) {
                        let mut message = self.rail(pair, context.lanes(), None)?;
                        message.share = *bytes;
                        messages.extend(std::iter::repeat_n(message, receivers));
                    }
                }
                Ok(messages)
            }
            Kind::Sites { sets, share } => {
                let mut messages = Vec::new();
                for set in sets {
                    let sites = by_site(context.machine, set);
                    for flow in site_flows(context, set, &sites, *share)? {
                        let mut path = Vec::new();
                        for (direction, nics) in flow.nics.iter().enumerate() {
                            for &(domain, bytes) in nics {
                                path.push((self.nic(direction as u64, domain, None), bytes));
                            }
                        }
                        for (link, bytes) in flow.fabric {
                            path.push((self.fabric(link as u64), bytes));
                        }
                        messages.push(Message {
                            path: path.into(),
                            latency: flow.latency,
                            share: 1.0,
                            ends: (0, 0),
                            moves: 0,
                            send: 0,
                        });
                    }
                }
                Ok(messages)
            }
        }
    }

    /// Messages inside a domain, alike or one by one.
    fn inside(&mut self, part: &Part, pairs: &[(u32, u32)]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            if self.symmetric {
                let domain = self.context.domain_machine.domain();
                let found = distances(domain, sends_of(&own))
                    .expect("the schedule was found to be symmetric");
                for (distance, each) in found {
                    for _ in 0..each {
                        messages.push(self.alike(distance, moves as u32, 0)?);
                    }
                }
                continue;
            }
            few((messages.len() + own.len()) as u64)?;
            for (send, pair) in own {
                self.routed(false, pair, moves as u32, send, &mut messages)?;
            }
        }
        Ok(messages)
    }

    fn listed(&mut self, part: &Part, pairs: &[(u32, u32)]) -> Result<Vec<Message>> {
        few(pairs.len() as u64)?;
        let machine = self.context.machine;
        let first = machine.split(pairs.first().map_or(0, |pair| pair.0)).0;
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            for (send, pair) in own {
                // Beside patterns inside domains, what is listed is the same in the domain of every root.
                if self.mixed && machine.split(pair.0).0 != first {
                    continue;
                }
                self.routed(true, pair, moves as u32, send, &mut messages)?;
            }
        }
        Ok(messages)
    }

    /// The message of every chip over one distance.
    fn alike(&mut self, distance: u32, moves: u32, send: u32) -> Result<Message> {
        let context = self.context;
        let way = route_until(
            &context.domain_machine,
            context.routing,
            0,
            distance,
            context.control,
        )?;
        let mut by_class: BTreeMap<u64, (f64, u64)> = BTreeMap::new();
        for (&link, &share) in way.links.iter().zip(&way.shares) {
            by_class
                .entry(class(&context.domain_machine, link))
                .or_insert((0.0, link))
                .0 += share;
        }
        let path = by_class
            .into_iter()
            .map(|(class, (share, link))| {
                let numbers = context.domain_machine.link_numbers(link);
                (self.resource(CLASS | class, || numbers), share)
            })
            .collect();
        Ok(Message {
            path,
            latency: way.latency,
            share: 1.0,
            ends: (0, 0),
            moves,
            send,
        })
    }

    /// One message by its own route; first come, first served, one that splits goes as two halves.
    fn routed(
        &mut self,
        listed: bool,
        (from, to): (u32, u32),
        moves: u32,
        send: u32,
        messages: &mut Vec<Message>,
    ) -> Result<()> {
        let context = self.context;
        context.control.check()?;
        let machine: &Machine = if listed {
            context.machine
        } else {
            &context.domain_machine
        };
        if from == to {
            return Ok(());
        }
        let mut ways = Vec::new();
        for routing in &self.routings {
            ways.push(route_until(machine, routing, from, to, context.control)?);
        }
        ways.dedup_by(|a, b| a.links == b.links);
        let share = 1.0 / ways.len() as f64;
        for way in ways {
            let path = way
                .links
                .iter()
                .zip(&way.shares)
                .map(|(&link, &share)| (self.link(machine, listed, link), share))
                .collect();
            messages.push(Message {
                path,
                latency: way.latency,
                share,
                ends: (from, to),
                moves,
                send,
            });
        }
        Ok(())
    }

    /// Messages between domains, `lanes` alike for each pair.
    fn between(
        &mut self,
        part: &Part,
        pairs: &[(u32, u32)],
        lanes: f64,
        lane: Option<(u32, u32)>,
    ) -> Result<Vec<Message>> {
        few(pairs.len() as u64)?;
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            for (send, pair) in own {
                messages.push(Message {
                    moves: moves as u32,
                    send,
                    ..self.rail(pair, lanes, lane)?
                });
            }
        }
        Ok(messages)
    }

    /// A message from a member of one domain to one of another, `lanes` of which share the fabric. Either all members
    /// are alike, or it goes from one local chip to another: each of those has a NIC of its own.
    fn rail(
        &mut self,
        (from, to): (u32, u32),
        lanes: f64,
        lane: Option<(u32, u32)>,
    ) -> Result<Message> {
        self.context.control.check()?;
        let mut links = Vec::new();
        let way = self.context.way(from, to, |link| links.push(link));
        let mut path = vec![(self.nic(0, from, lane.map(|lane| lane.0)), 1.0)];
        for link in links {
            path.push((self.fabric(link as u64), lanes));
        }
        path.push((self.nic(1, to, lane.map(|lane| lane.1)), 1.0));
        Ok(Message {
            path: path.into(),
            latency: way.latency,
            share: 1.0,
            ends: (from, to),
            moves: 0,
            send: 0,
        })
    }

    fn link(&mut self, machine: &Machine, listed: bool, link: u64) -> u32 {
        let numbers = machine.link_numbers(link);
        let local = machine.domain().links();
        let key = match (listed, self.mixed) {
            (false, _) => LOCAL | link,
            (true, true) if link < machine.blocks().nic => LOCAL | link % local,
            (true, _) => SINGLE | link,
        };
        self.resource(key, || numbers)
    }

    /// The NIC of a local chip of a domain, or of any of its members where they are alike.
    fn nic(&mut self, direction: u64, domain: u32, local: Option<u32>) -> u32 {
        let nic = self.context.machine.nic();
        let numbers = nic.map_or((f64::INFINITY, 0.0), |nic| (nic.bandwidth, nic.latency));
        let chip = local.map_or(0, |local| u64::from(local) + 1) << 33;
        let key = NIC | chip | direction << 32 | u64::from(domain);
        self.resource(key, || numbers)
    }

    fn fabric(&mut self, link: u64) -> u32 {
        let machine = self.context.machine;
        let numbers = machine.link_numbers(machine.blocks().fabric[0] + link);
        self.resource(FABRIC | link, || numbers)
    }

    fn resource(&mut self, key: u64, numbers: impl FnOnce() -> (f64, f64)) -> u32 {
        if let Some(&known) = self.resources.get(&key) {
            return known;
        }
        let (capacity, latency) = numbers();
        let number = self.capacity.len() as u32;
        self.capacity.push(capacity);
        self.latency.push(latency);
        self.resources.insert(key, number);
        number
    }
}

/// True when two parts have the same messages in the same lanes.
fn same(a: &Part, b: &Part) -> bool {
    let lengths = |part: &Part| -> Vec<usize> {
        part.moves.iter().map(|moves| count(&moves.sends)).collect()
    };
    Rc::ptr_eq(&a.pattern, &b.pattern) && lengths(a) == lengths(b)
}

fn count(sends: &Sends) -> usize {
    match sends {
        Sends::List(sends) => sends.len(),
        Sends::All => usize::MAX,
    }
}

/// The pattern's messages by the moves that they belong to, each with its place among the sends of those moves: in
/// every group, the messages of one after those of another.
type Numbered = Vec<(u32, (u32, u32))>;

fn by_moves(part: &Part, pairs: &[(u32, u32)]) -> Vec<Numbered> {
    if let [_] = &part.moves[..] {
        let sends = count(&part.moves[0].sends).min(pairs.len()).max(1);
        let numbered = |(at, &pair)| ((at % sends) as u32, pair);
        return vec![pairs.iter().enumerate().map(numbered).collect()];
    }
    let counts: Vec<usize> = part.moves.iter().map(|moves| count(&moves.sends)).collect();
    let of_group: usize = counts.iter().sum();
    let mut found = vec![Numbered::new(); counts.len()];
    for group in pairs.chunks(of_group) {
        let mut first = 0;
        for (moves, &own) in counts.iter().enumerate() {
            let numbered = (0..).zip(group[first..first + own].iter().copied());
            found[moves].extend(numbered);
            first += own;
        }
    }
    found
}

fn sends_of(numbered: &Numbered) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
    numbered.iter().map(|entry| entry.1)
}

fn few(messages: u64) -> Result<()> {
    if messages > super::MOST_MESSAGES as u64 {
        return Err(Error::unsupported(
            format!("simulating {messages} messages at once"),
            "use model \"link_load\", or an algorithm with fewer messages",
        ));
    }
    Ok(())
}
