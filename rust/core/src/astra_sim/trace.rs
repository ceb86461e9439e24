//! Which nodes of a trace are free to run.

use super::ask::{Kind, Node};
use super::plan::fails;
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// A trace, its nodes by number.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) nodes: Vec<Node>,
    children: Vec<Vec<u32>>,
    waits: Vec<u32>,
}

/// How far a rank is in its trace.
#[derive(Debug)]
pub(super) struct Progress {
    waits: Vec<u32>,
    pub(super) free: BTreeSet<u32>,
    pub(super) ongoing: u32,
    host: bool,
    computing: bool,
    talking: bool,
}

/// What of a rank a node takes; receiving takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Compute,
    Talk,
    Nothing,
}

fn part(node: &Node) -> Part {
    match node.kind {
        _ if node.host => Part::Host,
        Kind::Compute(_) => Part::Compute,
        Kind::Receive(..) => Part::Nothing,
        _ => Part::Talk,
    }
}

impl Trace {
    pub(super) fn of(mut nodes: Vec<Node>, number: usize) -> Result<Self> {
        nodes.sort_by_key(|node| node.id);
        let invalid = |value: String, allowed: &str| Error::Invalid {
            argument: format!("workload: trace {number}"),
            value,
            allowed: allowed.to_owned(),
        };
        if let Some(pair) = nodes.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(invalid(
                format!("two nodes {}", pair[0].id),
                "must number its nodes",
            ));
        }
        let mut children = vec![Vec::new(); nodes.len()];
        let mut waits = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            let parents: BTreeSet<u64> = node.waits.iter().copied().collect();
            for &parent in &parents {
                let Ok(parent) = nodes.binary_search_by_key(&parent, |node| node.id) else {
                    let value = format!("node {} that waits for node {parent}", node.id);
                    return Err(invalid(value, "must wait for nodes of its own"));
                };
                children[parent].push(at as u32);
            }
            waits.push(parents.len() as u32);
        }
        if !waits.contains(&0) {
            return Err(fails(
                &format!("no node of trace {number} is free to begin"),
                "each rank needs one node at least that waits for none",
            ));
        }
        Ok(Self {
            nodes,
            children,
            waits,
        })
    }

    pub(super) fn begin(&self) -> Progress {
        let free = (0..self.waits.len() as u32).filter(|&at| self.waits[at as usize] == 0);
        Progress {
            free: free.collect(),
            waits: self.waits.clone(),
            ongoing: 0,
            host: false,
            computing: false,
            talking: false,
        }
    }
}

impl Progress {
    pub(super) fn may_begin(&self, node: &Node) -> bool {
        match part(node) {
            Part::Host => !self.host,
            Part::Compute => !self.computing,
            Part::Talk => !self.talking,
            Part::Nothing => true,
        }
    }

    pub(super) fn begin(&mut self, at: u32, node: &Node) {
        self.free.remove(&at);
        self.ongoing += 1;
        self.hold(node, true);
    }

    pub(super) fn end(&mut self, at: u32, trace: &Trace) {
        self.ongoing -= 1;
        self.hold(&trace.nodes[at as usize], false);
        for &child in &trace.children[at as usize] {
            let waits = &mut self.waits[child as usize];
            *waits -= 1;
            if *waits == 0 {
                self.free.insert(child);
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.free.is_empty() && self.ongoing == 0
    }

    fn hold(&mut self, node: &Node, held: bool) {
        match part(node) {
            Part::Host => self.host = held,
            Part::Compute => self.computing = held,
            Part::Talk => self.talking = held,
            Part::Nothing => {}
        }
    }
}
