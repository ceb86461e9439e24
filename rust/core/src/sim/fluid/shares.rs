//! Max-min fair rates of the flows that run now, while flows come and go.
//!
//! Every link has a level: the rate that it leaves to each flow that nothing else holds back; infinite while it
//! has room for all. Every flow has the least level on its path, and never more than it would have alone, its cap.
//! [`Shares::update`] finds the levels anew, all of them (`progressive_fill.rs`) or those that a change reaches
//! (`update_rates.rs`). Where many flows pass, a change does not touch them one by one (`crowds.rs`).

use super::crowd::{Crowd, NO_CROWD};
use super::graph::Graph;
use super::scratch::{Marks, Work};
use crate::Control;
use crate::error::Result;
use crate::memory::{Taken, bytes_of};

/// Flows between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;
/// No link holds the flow back: it runs at its cap.
pub(super) const OWN_CAP: u32 = u32::MAX;

/// Flows on a link from which on they are a crowd, and below which they are none.
pub(super) const CROWD: [u32; 2] = [64, 16];

/// What a flow gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// Bytes/s; stale while a crowd holds the flow back: [`Shares::rate`].
    pub(super) rate: f64,
    /// Bytes/s when alone: the least capacity / weight on its path.
    pub(super) cap: f64,
    /// The link that holds it back, or [`OWN_CAP`].
    pub(super) bottleneck: u32,
}

/// A link on the path of a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) link: u32,
    /// Where the flow stands among the flows of the link while it runs.
    place: u32,
    /// Bytes on the link per byte of the flow.
    pub(super) weight: f64,
}

/// A flow on a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkFlow {
    pub(super) flow: u32,
    step: u32,
    pub(super) weight: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) capacity: f64,
    pub(super) level: f64,
    /// Its flows start here, and so many of them run now.
    first: u32,
    pub(super) flows: u32,
    /// Its place among the crowds, or [`NO_CROWD`].
    pub(super) crowd: u32,
}

pub(crate) struct Shares {
    pub(super) shares: Vec<Share>,
    pub(super) links: Vec<Link>,
    /// Steps by flow, from `first[flow]` to `first[flow + 1]`, each link once.
    first: Vec<u32>,
    pub(super) steps: Vec<Step>,
    link_flows: Vec<LinkFlow>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: Taken,
    running: u32,
    /// Flows that started since rates were settled.
    pub(super) started: Vec<u32>,
    /// Links whose flows changed since then.
    pub(super) touched: Marks,
    /// Flows whose rate may have changed, and the rate that they had when rates were last settled.
    changed: Vec<(u32, f64)>,
    noted: Marks,
    pub(super) work: Work,
    pub(super) crowds: Vec<Crowd>,
    pub(super) crowding: Crowding,
}

/// Which links have crowds, and who watches whom.
pub(super) struct Crowding {
    /// Flows on a link from which on they are a crowd, and below which they are none.
    pub(super) from_until: [u32; 2],
    /// How many links have one.
    pub(super) count: u32,
    /// Places without a crowd, and those that the next change may use: somebody still reads their clocks.
    pub(super) free: Vec<u32>,
    pub(super) leaving: Vec<u32>,
    /// Crowds whose level has changed since rates were settled, or that are new.
    pub(super) changed: Vec<u32>,
    /// How often each link was watched anew.
    pub(super) watched: Vec<u32>,
    /// Links that are to be watched anew.
    pub(super) unwatched: Marks,
}

impl Shares {
    /// Nobody runs yet. The graph must have passed [`Graph::check`].
    pub(crate) fn of(graph: &Graph, control: &Control) -> Result<Self> {
        let (links, flows) = (graph.capacity.len(), graph.flows.len());
        let bytes = bytes_of::<(Step, LinkFlow)>(graph.paths.len() as u64)
            .saturating_add(bytes_of::<[u64; 16]>(links as u64))
            .saturating_add(bytes_of::<[u64; 16]>(flows as u64));
        let what = format_args!("the shares of {flows} messages on {links} links");
        let taken = control.take(bytes, what, "ask for fewer messages at once")?;
        let (first, steps, seen) = steps(graph, control)?;
        let alone = |step: &Step| graph.capacity[step.link as usize] / step.weight;
        let share = |ends: &[u32]| Share {
            rate: 0.0,
            cap: steps[ends[0] as usize..ends[1] as usize]
                .iter()
                .map(alone)
                .fold(f64::INFINITY, f64::min),
            bottleneck: OWN_CAP,
        };
        let shares = first.windows(2).map(share).collect();
        let mut next = 0;
        let link = |(&capacity, (flows, _)): (&f64, (u32, u32))| {
            let first = next;
            next += flows;
            Link {
                capacity,
                level: f64::INFINITY,
                first,
                flows: 0,
                crowd: NO_CROWD,
            }
        };
        let nobody = LinkFlow {
            flow: 0,
            step: 0,
            weight: 0.0,
        };
        Ok(Self {
            shares,
            links: graph.capacity.iter().zip(seen).map(link).collect(),
            first,
            link_flows: vec![nobody; steps.len()],
            steps,
            taken,
            running: 0,
            started: Vec::new(),
            touched: Marks::new(links),
            changed: Vec::new(),
            noted: Marks::new(flows),
            work: Work::new(links),
            crowds: Vec::new(),
            crowding: Crowding {
                from_until: CROWD,
                count: 0,
                free: Vec::new(),
                leaving: Vec::new(),
                changed: Vec::new(),
                watched: vec![0; links],
                unwatched: Marks::new(links),
            },
        })
    }

    /// Bytes/s of a flow as of the last [`Shares::update`]; infinite without a path.
    #[inline]
    pub(crate) fn rate(&self, flow: u32) -> f64 {
        let share = &self.shares[flow as usize];
        match self.crowd_of(share.bottleneck) {
            NO_CROWD => share.rate,
            _ => self.links[share.bottleneck as usize].level,
        }
    }

    /// Lets a flow run; rates are stale until they are settled.
    pub(crate) fn start(&mut self, flow: u32) {
        self.running += 1;
        self.started.push(flow);
        self.note(flow);
        for step in self.first[flow as usize]..self.first[flow as usize + 1] {
            let Step { link, weight, .. } = self.steps[step as usize];
            let row = &mut self.links[link as usize];
            let place = row.first + row.flows;
            row.flows += 1;
            self.link_flows[place as usize] = LinkFlow { flow, step, weight };
            self.steps[step as usize].place = place;
            self.touched.add(link);
        }
        self.shares[flow as usize] = self.least(flow);
        self.come(flow);
    }

    /// Takes a flow off its links that ran when rates were last settled.
    pub(crate) fn stop(&mut self, flow: u32) {
        self.running -= 1;
        self.go(flow);
        for step in self.first[flow as usize]..self.first[flow as usize + 1] {
            let Step { link, place, .. } = self.steps[step as usize];
            let row = &mut self.links[link as usize];
            row.flows -= 1;
            let last = self.link_flows[(row.first + row.flows) as usize];
            self.link_flows[place as usize] = last;
            self.steps[last.step as usize].place = place;
            self.touched.add(link);
        }
        let share = &mut self.shares[flow as usize];
        (share.rate, share.bottleneck) = (0.0, OWN_CAP);
    }

    /// True if flows came or went since rates were settled.
    pub(crate) fn is_stale(&self) -> bool {
        !self.touched.members.is_empty() || !self.started.is_empty()
    }

    /// Finds the rates of all flows that run.
    pub(crate) fn update(&mut self, control: &Control) -> Result<()> {
        self.begin_crowds();
        if self.running as usize == self.started.len() {
            self.no_crowds();
            self.progressive_fill(control)?;
        } else {
            self.update_rates(control)?;
        }
        self.settle_crowds(control)?;
        self.started.clear();
        self.touched.clear();
        self.noted.clear();
        Ok(())
    }

    /// Flows whose rate the last [`Shares::update`] may have changed, each with its old rate: 0 for one that has
    /// just started.
    pub(crate) fn changed(&self) -> &[(u32, f64)] {
        &self.changed
    }

    /// Forgets them.
    pub(crate) fn forget(&mut self) {
        self.changed.clear();
    }

    /// Which steps are those of a flow.
    pub(super) fn range(&self, flow: u32) -> std::ops::Range<usize> {
        self.first[flow as usize] as usize..self.first[flow as usize + 1] as usize
    }

    pub(super) fn steps_of(&self, flow: u32) -> &[Step] {
        &self.steps[self.range(flow)]
    }

    pub(super) fn flows_on(&self, link: u32) -> &[LinkFlow] {
        let row = &self.links[link as usize];
        &self.link_flows[row.first as usize..(row.first + row.flows) as usize]
    }

    /// What the levels leave to a flow.
    pub(super) fn least(&self, flow: u32) -> Share {
        let cap = self.shares[flow as usize].cap;
        let mut share = Share {
            rate: cap,
            cap,
            bottleneck: OWN_CAP,
        };
        for step in self.steps_of(flow) {
            let level = self.links[step.link as usize].level;
            if level < share.rate {
                share.rate = level;
                share.bottleneck = step.link;
            }
        }
        share
    }

    /// Keeps the rate that a flow had before it changes.
    pub(super) fn note(&mut self, flow: u32) {
        if self.noted.add(flow) {
            self.changed.push((flow, self.rate(flow)));
        }
    }
}

/// Where each flow's steps begin, the steps, each link of a flow once, and for each link how many flows pass it, with
/// the last step on it, which tells whether the flow has passed it before.
type Steps = (Vec<u32>, Vec<Step>, Vec<(u32, u32)>);

fn steps(graph: &Graph, control: &Control) -> Result<Steps> {
    let links = graph.capacity.len();
    let mut first = Vec::with_capacity(graph.flows.len() + 1);
    first.push(0);
    let mut steps: Vec<Step> = Vec::with_capacity(graph.paths.len());
    let mut seen = vec![(0u32, u32::MAX); links];
    for (at, flow) in graph.flows.iter().enumerate() {
        if at % STRETCH == 0 {
            control.check()?;
        }
        let begin = steps.len();
        for &(link, weight) in graph.path(flow) {
            let (flows, last) = &mut seen[link as usize];
            let before = *last as usize;
            if before < steps.len() && before >= begin {
                steps[before].weight += weight;
                continue;
            }
            *last = steps.len() as u32;
            *flows += 1;
            steps.push(Step {
                link,
                place: 0,
                weight,
            });
        }
        first.push(steps.len() as u32);
    }
    Ok((first, steps, seen))
}
