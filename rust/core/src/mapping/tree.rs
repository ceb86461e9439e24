//! The places that one axis of a mesh can have, as a tree: a level for each dimension of the machine, in some order.

use super::FEWER;
use super::digit::{Place, without_order};
use super::dimension::Dimension;
use super::space::Space;
use crate::memory::{Taken, bytes_of};
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// Most nodes of a tree.
const MOST_NODES: usize = 1 << 21;

/// The places of one axis.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Least seconds of the places below each node.
    pub(super) least: Vec<f64>,
    /// Of leaves, whether these are the times of their places.
    known: Vec<bool>,
    taken: Taken,
}

struct Node {
    /// What the axis has left to get.
    left: u32,
    /// (Number of its digits in this dimension, node), ascending.
    children: Vec<(u32, u32)>,
    /// Of a leaf, the number of its place.
    place: u32,
}

/// Places of all axes by number, each once.
#[derive(Default)]
pub(super) struct Places {
    numbers: BTreeMap<Place, u32>,
    pub(super) all: Vec<Place>,
}

impl Places {
    fn number(&mut self, place: Place) -> u32 {
        let next = self.all.len() as u32;
        *self.numbers.entry(place).or_insert_with_key(|place| {
            self.all.push(place.clone());
            next
        })
    }

    /// By place, the number of one at which all costs the same that does not look at the order of ranks; where rings may be
    /// `turned`, of fewer.
    pub(super) fn without_order(&self, dimensions: &[Dimension], turned: bool) -> Vec<u32> {
        let number = |place: &Place| {
            let plain = self.numbers.get(&without_order(dimensions, place, turned));
            // What others reflect they may leave as it is, in another place of the tree.
            *plain.expect("every place is there with ranks in order")
        };
        self.all.iter().map(number).collect()
    }
}

impl Tree {
    /// The places of axis number `axis`; `order` names the dimension of each level.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for too many.
    pub(super) fn of(
        space: &Space,
        axis: usize,
        order: &[usize],
        places: &mut Places,
        control: &Control,
    ) -> Result<Self> {
        let root = Node {
            left: space.sizes[axis],
            children: Vec::new(),
            place: 0,
        };
        let mut tree = Self {
            nodes: vec![root],
            least: Vec::new(),
            known: Vec::new(),
            taken: control.take(0, format_args!("places of an axis"), FEWER)?,
        };
        let mut done = vec![Vec::new(); order.len()];
        tree.grow(space, order, 0, &mut done, places, control)?;
        tree.least = vec![0.0; tree.nodes.len()];
        tree.known = vec![false; tree.nodes.len()];
        Ok(tree)
    }

    fn grow(
        &mut self,
        space: &Space,
        order: &[usize],
        node: usize,
        done: &mut Place,
        places: &mut Places,
        control: &Control,
    ) -> Result<()> {
        let Some((&at, after)) = order.split_first() else {
            self.nodes[node].place = places.number(done.clone());
            return Ok(());
        };
        control.check()?;
        let cuts = &space.cuts[space.kinds[at]];
        let left = self.nodes[node].left;
        let sizes = after
            .iter()
            .map(|&later| u64::from(space.dimensions[later].size));
        let room: u64 = sizes.product();
        for (number, digits) in (0..).zip(&cuts.digits) {
            let factor = cuts.factor(number);
            // What is left must divide what is to come: then some later dimensions can take it.
            if left % factor != 0 || room % u64::from(left / factor) != 0 {
                continue;
            }
            if self.nodes.len() >= MOST_NODES {
                return Err(Error::unsupported(
                    format!("axes: more than {MOST_NODES} places for one of them"),
                    "name fewer axes, or larger ones that are split afterwards",
                ));
            }
            self.reckon(space)?;
            let child = self.nodes.len();
            self.nodes[node].children.push((number, child as u32));
            self.nodes.push(Node {
                left: left / factor,
                children: Vec::new(),
                place: 0,
            });
            done[at].clone_from(digits);
            self.grow(space, after, child, done, places, control)?;
        }
        Ok(())
    }

    /// Takes what twice as many nodes need, whenever they are that many more; each may be a leaf with a place of its own.
    fn reckon(&mut self, space: &Space) -> Result<()> {
        let nodes = self.nodes.len();
        if !nodes.is_power_of_two() {
            return Ok(());
        }
        let dimensions = space.dimensions.len() as u64;
        // A place and its key, a list of digits in each dimension.
        let place = 2 * bytes_of::<[Vec<[u32; 4]>; 2]>(dimensions);
        let each = bytes_of::<(Node, [u64; 4])>(1) + place;
        let what = format_args!("{} places of an axis", 2 * nodes);
        self.taken.grow_to(2 * nodes as u64 * each, what, FEWER)
    }

    /// The node below, where the axis has such digits; `None` where it cannot.
    pub(super) fn child(&self, node: u32, digits: u32) -> Option<u32> {
        let children = &self.nodes[node as usize].children;
        let found = children
            .binary_search_by_key(&digits, |child| child.0)
            .ok()?;
        Some(children[found].1)
    }

    pub(super) fn left(&self, node: u32) -> u32 {
        self.nodes[node as usize].left
    }

    /// The number of the place of a leaf.
    pub(super) fn place(&self, leaf: u32) -> u32 {
        self.nodes[leaf as usize].place
    }

    /// The numbers of all places.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> + '_ {
        let leaves = self.nodes.iter().filter(|node| node.children.is_empty());
        leaves.map(|node| node.place)
    }

    /// Whether the time of the place of a leaf is known.
    pub(super) fn is_known(&self, leaf: u32) -> bool {
        self.known[leaf as usize]
    }

    /// Takes seconds by place, and whether they are its time, and finds the least below every node.
    pub(super) fn settle(&mut self, seconds: impl Fn(u32) -> (f64, bool)) {
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if node.children.is_empty() {
                (self.least[at], self.known[at]) = seconds(node.place);
                continue;
            }
            // Children come after their parents.
            let below = node
                .children
                .iter()
                .map(|child| self.least[child.1 as usize]);
            self.least[at] = below.fold(f64::INFINITY, f64::min);
        }
    }
}
