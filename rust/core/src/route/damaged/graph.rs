//! The live links of a domain as a graph, and shortest paths over it.

use super::links::{self, Edge};
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::{Damage, Domain};
use crate::memory;

/// Most links of a domain whose graph is built: 2 GiB of them.
const MOST_LINKS: u64 = 1 << 28;

const NONE: u32 = u32::MAX;

/// Live links by the vertex that they leave.
#[derive(Debug)]
pub(super) struct Graph {
    first: Vec<u32>,
    /// (vertex at the end, local link), in the order of [`links::for_each`].
    edges: Vec<(u32, u32)>,
}

impl Graph {
    /// The live links; `both_ways`: only those whose other direction lives too.
    pub(super) fn of(
        domain: &Domain,
        damage: &Damage,
        both_ways: bool,
        control: &Control,
    ) -> Result<Self> {
        let vertices = links::vertices(domain);
        if domain.links() > MOST_LINKS || vertices > MOST_LINKS {
            return Err(Error::unsupported(
                format!("paths round damage in a domain of {} links", domain.links()),
                format!("use a domain of at most {MOST_LINKS} links"),
            ));
        }
        let bytes = 8 * domain.links() + 8 * vertices;
        let what = format_args!("paths round damage in a domain of {} links", domain.links());
        memory::check(bytes, what, "use a smaller domain")?;
        let lives = |edge: &Edge| {
            let reversed = || both_ways && damage.is_dead(links::reverse(domain, edge.link));
            !damage.is_dead(edge.link) && !reversed()
        };
        let mut first = vec![0; vertices as usize + 1];
        links::for_each(domain, |edge| {
            control.check_at(edge.link as usize)?;
            first[edge.from as usize + 1] += u32::from(lives(&edge));
            Ok(())
        })?;
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut next = first.clone();
        let mut edges = vec![(0, 0); first[first.len() - 1] as usize];
        links::for_each(domain, |edge| {
            control.check_at(edge.link as usize)?;
            if lives(&edge) {
                let slot = &mut next[edge.from as usize];
                edges[*slot as usize] = (edge.to, edge.link as u32);
                *slot += 1;
            }
            Ok(())
        })?;
        Ok(Self { first, edges })
    }

    pub(super) fn vertices(&self) -> usize {
        self.first.len() - 1
    }

    /// The links that leave a vertex: (vertex at the end, local link).
    pub(super) fn from(&self, vertex: u32) -> &[(u32, u32)] {
        let at = vertex as usize;
        &self.edges[self.first[at] as usize..self.first[at + 1] as usize]
    }
}

/// Shortest paths from one vertex to all others.
#[derive(Debug)]
pub(super) struct Tree {
    /// The vertex before, and the link from there.
    by: Vec<(u32, u32)>,
    root: u32,
}

impl Tree {
    /// Breadth first. Where several paths are shortest, the one whose first links come first in the graph wins.
    pub(super) fn grow(graph: &Graph, root: u32, control: &Control) -> Result<Self> {
        let mut by = vec![(NONE, NONE); graph.vertices()];
        by[root as usize] = (root, NONE);
        let mut queue = vec![root];
        let mut at = 0;
        while let Some(&here) = queue.get(at) {
            at += 1;
            control.check()?;
            for &(there, link) in graph.from(here) {
                let slot = &mut by[there as usize];
                if slot.0 == NONE {
                    *slot = (here, link);
                    queue.push(there);
                }
            }
        }
        Ok(Self { by, root })
    }

    pub(super) fn reaches(&self, vertex: u32) -> bool {
        self.by[vertex as usize].0 != NONE
    }

    pub(super) fn vertices(&self) -> usize {
        self.by.len()
    }

    /// Appends the links from the root to `vertex`, which it reaches.
    pub(super) fn path(&self, vertex: u32, steps: &mut Vec<(u64, f64)>) {
        let start = steps.len();
        let mut here = vertex;
        while here != self.root {
            let (before, link) = self.by[here as usize];
            steps.push((u64::from(link), 1.0));
            here = before;
        }
        steps[start..].reverse();
    }
}
