//! What waits for what in a schedule, and an order in which it can run.

use super::{Schedule, Turn};
use crate::Control;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// When sends read and write, by level: what is read at a level sees what was written at lower ones.
pub(crate) struct Order {
    /// Level at which each send reads what it carries.
    pub(crate) reads: Vec<u32>,
    /// Level at which its receiver takes it.
    pub(crate) writes: Vec<u32>,
    /// Level of every node.
    levels: Vec<u32>,
    /// For each node, where those that it waits for begin in `causes`.
    first: Vec<usize>,
    causes: Vec<u32>,
}

/// What a send does to a block: read it at its sender, or write it at its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read(u32),
    Write(u32),
}

impl Access {
    pub(crate) fn send(self) -> u32 {
        match self {
            Self::Read(send) | Self::Write(send) => send,
        }
    }
}

/// Nodes between two looks at the cancel flag.
const STRETCH: usize = 1 << 16;

impl Order {
    /// True when `later` cannot happen before `earlier` has, whatever the messages take: by what they wait for,
    /// directly or through others.
    pub(crate) fn follows(
        &self,
        earlier: Access,
        later: Access,
        control: &Control,
    ) -> Result<bool> {
        let node = |access| match access {
            Access::Read(send) => send,
            Access::Write(send) => send + self.reads.len() as u32,
        };
        let (from, to) = (node(earlier), node(later));
        let level = self.levels[from as usize];
        let mut seen = BTreeSet::new();
        let mut open = vec![to];
        while let Some(node) = open.pop() {
            if seen.len() % STRETCH == 0 {
                control.check()?;
            }
            let (first, end) = (self.first[node as usize], self.first[node as usize + 1]);
            for &cause in &self.causes[first..end] {
                if cause == from {
                    return Ok(true);
                }
                if self.levels[cause as usize] >= level && seen.insert(cause) {
                    open.push(cause);
                }
            }
        }
        Ok(false)
    }
}

/// `to` is not before `from`; with `late`, it is after it.
struct Edge {
    from: u32,
    to: u32,
    late: u32,
}

/// Finds the order.
///
/// # Errors
/// [`Error::Schedule`] when sends wait for each other in a circle, naming them; [`Error::Cancelled`].
pub(crate) fn order(schedule: &Schedule, control: &Control) -> Result<Order> {
    let count = schedule.sends.len();
    let (edges, nodes) = edges(schedule, control)?;
    control.check()?;
    let levels = levels(nodes, &edges, control)?.map_err(|circle| deadlock(schedule, circle))?;
    let (first, causes) = by_node(nodes, &edges, |edge| (edge.to, edge.from));
    Ok(Order {
        reads: levels[..count].to_vec(),
        writes: levels[count..2 * count].to_vec(),
        levels,
        first,
        causes,
    })
}

/// Who waits for whom, and how many nodes there are: reads, writes, the gates of turns (open when the rank's turns
/// before are done), the starts of stages.
fn edges(schedule: &Schedule, control: &Control) -> Result<(Vec<Edge>, usize)> {
    let turns = turns(schedule, control)?;
    let mut stages: Vec<u32> = schedule.sends.iter().map(|send| send.stage).collect();
    stages.sort_unstable();
    stages.dedup();
    let count = schedule.sends.len();
    let write = |send: u32| count as u32 + send;
    let first_stage = 2 * count + turns.len();
    let mut edges = Vec::new();
    let mut edge = |from: u32, to: u32, late: u32| edges.push(Edge { from, to, late });
    let mut later = turns.keys().skip(1);
    for (gate, (&(stage, lane, rank, _), sends)) in (2 * count as u32..).zip(&turns) {
        let next = later.next();
        let goes_on = next.is_some_and(|next| (next.0, next.1, next.2) == (stage, lane, rank));
        for &send in sends {
            let is_sender = schedule.sends[send as usize].src == rank;
            let end = if is_sender { send } else { write(send) };
            edge(gate, end, 0);
            if goes_on {
                edge(end, gate + 1, 1);
            }
        }
        if goes_on {
            edge(gate, gate + 1, 1);
        }
        let stage = stages.partition_point(|&other| other < stage);
        edge((first_stage + stage) as u32, gate, 0);
    }
    for (index, send) in (0u32..).zip(&schedule.sends) {
        edge(index, write(index), 0);
        let stage = stages.partition_point(|&other| other <= send.stage);
        if stage < stages.len() {
            edge(write(index), (first_stage + stage) as u32, 1);
        }
        for &other in &send.after {
            edge(write(other), index, 1);
        }
    }
    Ok((edges, first_stage + stages.len()))
}

/// The sends of each turn.
fn turns(schedule: &Schedule, control: &Control) -> Result<BTreeMap<Turn, Vec<u32>>> {
    let mut turns: BTreeMap<Turn, Vec<u32>> = BTreeMap::new();
    for (index, send) in schedule.sends.iter().enumerate() {
        if index % STRETCH == 0 {
            control.check()?;
        }
        for rank in [send.src, send.dst] {
            turns.entry(send.turn(rank)).or_default().push(index as u32);
        }
    }
    Ok(turns)
}

/// The refusal of sends that wait for each other: the reads and writes among the nodes of a circle.
fn deadlock(schedule: &Schedule, circle: Vec<u32>) -> Error {
    let count = schedule.sends.len() as u32;
    let mut names = Vec::new();
    for node in circle.into_iter().filter(|&node| node < 2 * count) {
        let name = schedule.name(node % count);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Error::Schedule {
        what: format!("deadlock: {} wait for each other", names.join(", ")),
    }
}

/// What `of` says of edges, by the node that it says first: where each node's begin, and all of them.
fn by_node<T: Copy + Default>(
    nodes: usize,
    edges: &[Edge],
    of: impl Fn(&Edge) -> (u32, T),
) -> (Vec<usize>, Vec<T>) {
    let mut first = vec![0usize; nodes + 1];
    for edge in edges {
        first[of(edge).0 as usize + 1] += 1;
    }
    for node in 0..nodes {
        first[node + 1] += first[node];
    }
    let mut next = first.clone();
    let mut values = vec![T::default(); edges.len()];
    for (node, value) in edges.iter().map(of) {
        values[next[node as usize]] = value;
        next[node as usize] += 1;
    }
    (first, values)
}

/// Longest way to each node; the nodes of a circle where there is one.
fn levels(
    nodes: usize,
    edges: &[Edge],
    control: &Control,
) -> Result<std::result::Result<Vec<u32>, Vec<u32>>> {
    let mut waiting = vec![0u32; nodes];
    for edge in edges {
        waiting[edge.to as usize] += 1;
    }
    let (first, targets) = by_node(nodes, edges, |edge| (edge.from, (edge.to, edge.late)));
    let mut level = vec![0u32; nodes];
    let mut ready: Vec<u32> = (0..nodes as u32)
        .filter(|&node| waiting[node as usize] == 0)
        .collect();
    let mut done = 0;
    while let Some(node) = ready.pop() {
        if done % STRETCH == 0 {
            control.check()?;
        }
        done += 1;
        let here = level[node as usize];
        for &(to, late) in &targets[first[node as usize]..first[node as usize + 1]] {
            let to = to as usize;
            level[to] = level[to].max(here + late);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push(to as u32);
            }
        }
    }
    Ok(if done == nodes {
        Ok(level)
    } else {
        Err(circle(&waiting, edges))
    })
}

/// A circle among the nodes that still wait: each of them waits for another such, so going back must come round.
fn circle(waiting: &[u32], edges: &[Edge]) -> Vec<u32> {
    let stuck = |node: u32| waiting[node as usize] > 0;
    let mut cause = vec![u32::MAX; waiting.len()];
    for edge in edges
        .iter()
        .filter(|edge| stuck(edge.from) && stuck(edge.to))
    {
        cause[edge.to as usize] = edge.from;
    }
    let mut node = (0..waiting.len() as u32)
        .find(|&node| stuck(node))
        .unwrap_or(0);
    // After as many steps as there are nodes the walk is inside the circle.
    for _ in 0..waiting.len() {
        node = cause[node as usize];
    }
    let start = node;
    let mut found = vec![start];
    loop {
        node = cause[node as usize];
        if node == start {
            found.reverse();
            return found;
        }
        found.push(node);
    }
}
