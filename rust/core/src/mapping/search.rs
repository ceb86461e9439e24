//! Branch and bound over layouts: the dimensions are cut one after the other, and a part of a layout is dropped once
//! the least that each axis can take in it adds up to more than the best so many that are known
//! (Land and Doig 1960).

use super::FEWER;
use super::layout::Layout;
use super::space::Space;
use super::tree::Tree;
use crate::memory::{Taken, bytes_of};
use crate::{Control, Result};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

/// How many parts of layouts are looked at between two looks at the control.
const STRETCH: u32 = 1 << 10;

/// A whole layout and its seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) seconds: f64,
    /// By dimension, the number of the cut.
    pub(super) cuts: Vec<u32>,
    /// By axis, the number of the place.
    pub(super) places: Vec<u32>,
}

/// A kind of dimension, and what each axis has left.
type Left = (usize, Vec<u32>);

/// The search over trees whose `least` says what is known.
pub(super) struct Search<'a> {
    pub(super) space: &'a Space,
    /// By axis; the dimension of each of their levels is that of `levels`.
    pub(super) trees: &'a [Tree],
    pub(super) keep: usize,
    pub(super) control: &'a Control,
    /// Whole layouts that were compared by known times.
    pub(super) compared: Cell<u64>,
    /// The dimension of each level.
    levels: &'a [usize],
    steps: Cell<u32>,
    /// What lists of ways and of layouts take.
    taken: RefCell<Taken>,
    held: Cell<u64>,
    /// Ways to cut a dimension of a kind among axes that have so much left.
    fitting: RefCell<BTreeMap<Left, Rc<[u32]>>>,
}

/// A part of a layout: the dimensions of the first levels are cut.
#[derive(Clone)]
struct Partial {
    least: f64,
    cuts: Vec<u32>,
    nodes: Vec<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        space: &'a Space,
        trees: &'a [Tree],
        order: &'a [usize],
        keep: usize,
        control: &'a Control,
    ) -> Result<Self> {
        Ok(Self {
            space,
            trees,
            levels: order,
            keep,
            control,
            compared: Cell::new(0),
            steps: Cell::new(0),
            taken: RefCell::new(control.take(0, format_args!("layouts"), FEWER)?),
            held: Cell::new(0),
            fitting: RefCell::default(),
        })
    }

    /// So many of the fastest layouts, in ascending order of seconds, of those that take at most `most`: all that are
    /// faster than the last of them, and of those as fast any.
    pub(super) fn fastest(&self, most: f64) -> Result<Vec<Found>> {
        let mut best = BinaryHeap::new();
        self.descend(&self.root(), most, &mut best)?;
        let mut found: Vec<Found> = best.into_iter().map(|BySeconds(found)| found).collect();
        found.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.cuts.cmp(&b.cuts)));
        Ok(found)
    }

    fn descend(
        &self,
        partial: &Partial,
        most: f64,
        best: &mut BinaryHeap<BySeconds>,
    ) -> Result<()> {
        if partial.cuts.len() == self.space.dimensions.len() {
            let mut leaves = self.trees.iter().zip(&partial.nodes);
            let known = leaves.all(|(tree, &leaf)| tree.is_known(leaf));
            self.compared.set(self.compared.get() + u64::from(known));
            if best.len() == self.keep {
                best.pop();
            } else {
                self.hold(self.bytes_of_found())?;
            }
            best.push(BySeconds(self.whole(partial)));
            return Ok(());
        }
        let mut next = self.children(partial)?;
        next.sort_by(|a, b| a.least.total_cmp(&b.least));
        for child in next {
            let full = best.len() == self.keep;
            let worst = best
                .peek()
                .map_or(f64::INFINITY, |BySeconds(found)| found.seconds);
            if child.least > most || child.least == f64::INFINITY || (full && child.least >= worst)
            {
                break;
            }
            self.descend(&child, most, best)?;
        }
        Ok(())
    }

    /// The layouts that take less than `most`, and of those that take just that the first `ties`; in the order of
    /// layouts.
    pub(super) fn in_order(&self, most: f64, ties: usize) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut ties = ties;
        self.walk(&self.root(), most, &mut ties, &mut found)?;
        Ok(found)
    }

    fn walk(
        &self,
        partial: &Partial,
        most: f64,
        ties: &mut usize,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        if partial.least > most || (partial.least == most && *ties == 0) {
            return Ok(());
        }
        if partial.cuts.len() == self.space.dimensions.len() {
            *ties -= usize::from(partial.least == most);
            self.hold(self.bytes_of_found())?;
            found.push(self.whole(partial));
            return Ok(());
        }
        for child in self.children(partial)? {
            self.walk(&child, most, ties, found)?;
        }
        Ok(())
    }

    fn root(&self) -> Partial {
        let nodes = vec![0; self.trees.len()];
        Partial {
            least: self.least(&nodes),
            cuts: Vec::new(),
            nodes,
        }
    }

    /// The least seconds of what is below these nodes, axis after axis: sums are monotonous, bit by bit.
    fn least(&self, nodes: &[u32]) -> f64 {
        let each = self.trees.iter().zip(nodes);
        each.map(|(tree, &node)| tree.least[node as usize]).sum()
    }

    /// The parts of layouts that cut the dimension of one more level, in the order of its cuts.
    fn children(&self, partial: &Partial) -> Result<Vec<Partial>> {
        self.steps.set(self.steps.get().wrapping_add(1));
        if self.steps.get() % STRETCH == 0 {
            self.control.check()?;
        }
        let kind = self.space.kinds[self.levels[partial.cuts.len()]];
        let cuts = &self.space.cuts[kind];
        let fitting = self.fitting(kind, &partial.nodes)?;
        let child = |&number: &u32| {
            let way = &cuts.ways[number as usize];
            let nodes = self.trees.iter().zip(&partial.nodes).zip(&way.digits);
            let nodes = nodes.map(|((tree, &node), &digits)| tree.child(node, digits));
            let nodes: Vec<u32> = nodes.collect::<Option<_>>()?;
            let mut cuts = Vec::with_capacity(self.space.dimensions.len());
            cuts.extend(&partial.cuts);
            cuts.push(number);
            Some(Partial {
                least: self.least(&nodes),
                cuts,
                nodes,
            })
        };
        Ok(fitting.iter().filter_map(child).collect())
    }

    /// The ways to cut a dimension of a kind among axes that have left what these nodes have.
    fn fitting(&self, kind: usize, nodes: &[u32]) -> Result<Rc<[u32]>> {
        let each = self.trees.iter().zip(nodes);
        let left: Vec<u32> = each.map(|(tree, &node)| tree.left(node)).collect();
        let find = |(kind, left): &Left| -> Rc<[u32]> {
            let ways = (0..).zip(&self.space.cuts[*kind].ways);
            let fits = |way: &super::cuts::Way| {
                way.products
                    .iter()
                    .zip(left)
                    .all(|(got, left)| left % got == 0)
            };
            ways.filter(|(_, way)| fits(way))
                .map(|(number, _)| number)
                .collect()
        };
        let key = (kind, left);
        let mut known = self.fitting.borrow_mut();
        if let Some(fitting) = known.get(&key) {
            return Ok(Rc::clone(fitting));
        }
        let fitting = find(&key);
        self.hold(bytes_of::<u32>(fitting.len() as u64) + bytes_of::<[u64; 16]>(1))?;
        known.insert(key, Rc::clone(&fitting));
        Ok(fitting)
    }

    /// Holds so many bytes more.
    fn hold(&self, bytes: u64) -> Result<()> {
        self.held.set(self.held.get().saturating_add(bytes));
        let what = format_args!("the layouts of a ranking and what is searched for them");
        self.taken
            .borrow_mut()
            .grow_to(self.held.get(), what, FEWER)
    }

    /// Bytes of a layout that is found, and of a second list of them while they are sorted.
    fn bytes_of_found(&self) -> u64 {
        let numbers = self.space.dimensions.len() + self.trees.len();
        2 * (bytes_of::<Found>(1) + bytes_of::<u32>(numbers as u64))
    }

    fn whole(&self, partial: &Partial) -> Found {
        let leaves = self.trees.iter().zip(&partial.nodes);
        let mut cuts = vec![0; partial.cuts.len()];
        for (&dimension, &cut) in self.levels.iter().zip(&partial.cuts) {
            cuts[dimension] = cut;
        }
        Found {
            seconds: partial.least,
            cuts,
            places: leaves.map(|(tree, &leaf)| tree.place(leaf)).collect(),
        }
    }

    /// The layout of cuts by number.
    pub(super) fn layout(&self, cuts: &[u32]) -> Layout {
        let each = cuts.iter().zip(&self.space.kinds);
        let cut =
            |(&cut, &kind): (&u32, &usize)| self.space.cuts[kind].ways[cut as usize].cut.clone();
        Layout(each.map(cut).collect())
    }
}

/// Layouts, of which a heap gives up the slowest first.
struct BySeconds(Found);

impl Ord for BySeconds {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0
            .seconds
            .total_cmp(&other.0.seconds)
            .then_with(|| self.0.cuts.cmp(&other.0.cuts))
    }
}

impl PartialOrd for BySeconds {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BySeconds {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for BySeconds {}
