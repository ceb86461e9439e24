//! Where a message may be on its way, and over which links it may go on: for up*/down* routing that hangs on whether it
//! has gone down before.

use super::graph::Graph;
use super::{links, up_down};
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Damage, Domain};
use crate::memory::{Taken, bytes_of};

/// Most chips of a domain all whose pairs are routed at once.
const MOST_CHIPS: u32 = 4096;

/// Most hops that are looked at for all targets, once each: a second of them.
const MOST_LOOKS: u64 = 1 << 29;

/// Which routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The shortest ones.
    Shortest,
    /// The shortest ones that never go up after they went down.
    UpDown,
}

/// States of messages: vertices, or for up*/down* two a vertex: 2v is vertex v before any link down, 2v + 1 after one.
#[derive(Debug)]
pub(super) struct States {
    pub(super) chips: u32,
    /// States of each vertex.
    each: u32,
    first: Vec<u32>,
    /// (state there, local link), the hop of dimension order first.
    hops: Vec<(u32, u32)>,
    /// The states from which a hop leads to each.
    first_before: Vec<u32>,
    before: Vec<u32>,
}

impl States {
    /// What a domain with this damage has; bytes that it takes.
    pub(super) fn of(
        domain: &Domain,
        damage: &Damage,
        kind: Kind,
        control: &Control,
    ) -> Result<(Self, Taken)> {
        let (chips, each) = (domain.chips(), 1 + u32::from(kind == Kind::UpDown));
        let looks = u64::from(chips) * u64::from(each) * domain.links();
        if chips > MOST_CHIPS || looks > MOST_LOOKS {
            return Err(Error::unsupported(
                format!(
                    "balanced or up*/down* routes, which all pairs share, in a domain of {chips} chips and {} links",
                    domain.links()
                ),
                format!(
                    "use \"dor\", \"wild_first\" or \"shortest\", or a domain of at most {MOST_CHIPS} chips whose chips \
                     times links are at most {}",
                    MOST_LOOKS / u64::from(each)
                ),
            ));
        }
        let states = u64::from(each) * links::vertices(domain);
        let bytes = bytes_of::<[u32; 4]>(states + u64::from(each) * domain.links());
        let what = format_args!("the hops of a domain of {} links", domain.links());
        let taken = control.take(bytes, what, "use a smaller UltraServer")?;
        let graph = Graph::of(domain, damage, kind == Kind::UpDown, control)?;
        let levels = match kind {
            Kind::Shortest => Vec::new(),
            Kind::UpDown => up_down::levels(&graph, control)?,
        };
        let mut first = Vec::with_capacity(states as usize + 1);
        first.push(0);
        let mut out = Self {
            chips,
            each,
            first,
            hops: Vec::with_capacity((u64::from(each) * domain.links()) as usize),
            first_before: vec![0; states as usize + 1],
            before: Vec::new(),
        };
        let mut usual = Vec::new();
        for vertex in 0..graph.vertices() as u32 {
            control.check_at(vertex as usize)?;
            in_usual_order(domain, &graph, vertex, &mut usual);
            for fell in 0..each {
                for &(there, link) in &usual {
                    match kind {
                        Kind::Shortest => out.hops.push((there, link)),
                        Kind::UpDown => {
                            let down = up_down::falls(&levels, vertex, there);
                            if down || fell == 0 {
                                out.hops.push((2 * there + u32::from(down), link));
                            }
                        }
                    }
                }
                out.first.push(out.hops.len() as u32);
            }
        }
        out.turn_about();
        Ok((out, taken))
    }

    /// Lists the hops by where they end.
    fn turn_about(&mut self) {
        for &(there, _) in &self.hops {
            self.first_before[there as usize + 1] += 1;
        }
        for at in 1..self.first_before.len() {
            self.first_before[at] += self.first_before[at - 1];
        }
        let mut next = self.first_before.clone();
        self.before = vec![0; self.hops.len()];
        for state in 0..self.count() as u32 {
            for at in self.first[state as usize]..self.first[state as usize + 1] {
                let slot = &mut next[self.hops[at as usize].0 as usize];
                self.before[*slot as usize] = state;
                *slot += 1;
            }
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.first.len() - 1
    }

    /// The state in which a message starts.
    pub(super) fn start(&self, chip: u32) -> u32 {
        self.each * chip
    }

    /// The states in which one has arrived.
    pub(super) fn ends(&self, chip: u32) -> std::ops::Range<u32> {
        self.each * chip..self.each * (chip + 1)
    }

    /// The hops from a state: (state there, local link).
    pub(super) fn hops(&self, state: u32) -> &[(u32, u32)] {
        let at = state as usize;
        &self.hops[self.first[at] as usize..self.first[at + 1] as usize]
    }

    /// The states from which a hop leads to this one.
    pub(super) fn before(&self, state: u32) -> &[u32] {
        let at = state as usize;
        &self.before[self.first_before[at] as usize..self.first_before[at + 1] as usize]
    }

    /// Bytes that the lists take.
    pub(super) fn bytes(&self) -> u64 {
        bytes_of::<u32>((self.first.len() + self.first_before.len() + 3 * self.hops.len()) as u64)
    }
}

/// The links that leave a vertex as (vertex, link): lowest axis first, and along an axis the way of the tie rule
/// `parity` first. The first of those that lead nearer is that of dimension order.
fn in_usual_order(domain: &Domain, graph: &Graph, vertex: u32, out: &mut Vec<(u32, u32)>) {
    out.clear();
    out.extend_from_slice(graph.from(vertex));
    if vertex < domain.chips() {
        out.sort_by_key(|&(_, link)| {
            let axis = links::axis_of(domain, u64::from(link));
            let odd = domain.coordinate(vertex, axis) % 2 == 1;
            let cabled = domain.axes()[axis].is_cabled();
            let backward = links::is_backward(domain, axis, u64::from(link));
            (axis, cabled && backward != odd)
        });
    }
}
