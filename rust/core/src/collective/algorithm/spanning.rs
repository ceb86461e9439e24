//! Spanning trees from a root over the links of a box of chips, no two on the same link in the same direction.
//!
//! As many such trees as links enter the poorest other chip exist (Edmonds 1973). Where all sides are alike they follow
//! from coordinates: at each chip the trees of every axis enter along another axis, and those of one axis from another
//! neighbour on it. Where sides differ, they are packed one by one (`tree_packing.rs`).

use std::sync::Arc;

/// (parent, child) chips of a tree, parents first; chips count along the sides, the first fastest.
pub(super) type Tree = Vec<(u32, u32)>;

/// Makes a tree: lists of all edges of a large box are only kept while they are looked at.
pub(super) type Maker = Arc<dyn Fn() -> Tree + Send + Sync>;

/// What joins the chips of a line of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// Both neighbours, the last and the first too.
    Ring,
    /// Both neighbours.
    Line,
    /// All others.
    All,
}

/// One side of the box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Side {
    pub(super) size: u32,
    pub(super) joined: Joined,
    /// Bytes/s to one of those that it joins.
    pub(super) bandwidth: f64,
    /// Place of the root.
    pub(super) root: u32,
}

impl Side {
    /// How many trees of one line there are.
    pub(super) fn trees(&self) -> u32 {
        match self.joined {
            Joined::Ring => 2,
            Joined::Line => 1,
            Joined::All => self.size - 1,
        }
    }

    /// So many places further on, cyclically.
    fn ahead(&self, place: u32, by: u32) -> u32 {
        (place + by) % self.size
    }

    /// The place next to the root's that a tree reaches first.
    fn first(&self, tree: u32) -> u32 {
        match self.joined {
            Joined::Ring if tree == 1 => self.ahead(self.root, self.size - 1),
            Joined::Line if self.root + 1 == self.size => self.root - 1,
            Joined::Line => self.root + 1,
            Joined::Ring | Joined::All => self.ahead(self.root, 1 + tree),
        }
    }

    /// From which place a tree of one line enters another than the root's.
    fn before(&self, place: u32, tree: u32) -> u32 {
        match self.joined {
            Joined::Ring if tree == 0 => self.ahead(place, self.size - 1),
            Joined::Ring => self.ahead(place, 1),
            Joined::Line if place > self.root => place - 1,
            Joined::Line => place + 1,
            Joined::All if place == self.first(tree) => self.root,
            Joined::All => self.first(tree),
        }
    }

    /// The places that one is joined to, and by how many links each.
    pub(super) fn peers(&self, place: u32) -> Vec<(u32, u32)> {
        let neighbours = [place.checked_sub(1), Some(place + 1)];
        match self.joined {
            Joined::Ring if self.size == 2 => vec![(1 - place, 2)],
            Joined::Ring => [1, self.size - 1]
                .map(|by| (self.ahead(place, by), 1))
                .into(),
            Joined::Line => neighbours
                .into_iter()
                .flatten()
                .filter(|&peer| peer < self.size)
                .map(|peer| (peer, 1))
                .collect(),
            Joined::All => (0..self.size)
                .filter(|&peer| peer != place)
                .map(|peer| (peer, 1))
                .collect(),
        }
    }
}

/// How many trees there are at most.
pub(super) fn most(sides: &[Side]) -> u64 {
    sides.iter().map(|side| u64::from(side.trees())).sum()
}

/// The number of the chip at a place of each side.
pub(super) fn number(sides: &[Side], place: impl Fn(&Side) -> u32) -> u32 {
    let chip = |number, side: &Side| number * side.size + place(side);
    sides.iter().rev().fold(0, chip)
}

/// Chips of the box.
pub(super) fn chips(sides: &[Side]) -> u32 {
    sides.iter().map(|side| side.size).product()
}

/// As many trees of every axis as the side with the fewest has.
pub(super) fn by_coordinates(sides: &[Side]) -> Vec<Maker> {
    let each = sides.iter().map(Side::trees).min().unwrap_or(0);
    let own = (0..sides.len()).flat_map(|axis| (0..each).map(move |tree| (axis, tree)));
    let shared: Arc<[Side]> = sides.into();
    own.map(|(axis, tree)| -> Maker {
        let sides = Arc::clone(&shared);
        Arc::new(move || {
            let parents = (0..chips(&sides)).map(|chip| parent(&sides, chip, axis, tree));
            by_depth(&parents.collect::<Vec<_>>())
        })
    })
    .collect()
}

/// From which chip a tree of an axis enters another than the root.
///
/// Along the last side, counted on from the axis, on which the chip is away from the root. Where it is not away on the
/// axis itself, the tree comes back to it along that, which no other tree does there.
fn parent(sides: &[Side], chip: u32, axis: usize, tree: u32) -> Option<u32> {
    let (mut place, mut stride, mut rest) = (Vec::new(), Vec::new(), chip);
    for side in sides {
        place.push(rest % side.size);
        stride.push(
            stride
                .last()
                .map_or(1, |last| last * sides[stride.len() - 1].size),
        );
        rest /= side.size;
    }
    let away = |at: &usize| place[*at] != sides[*at].root;
    let last = (0..sides.len())
        .rev()
        .map(|by| (axis + by) % sides.len())
        .find(away)?;
    let (at, from) = match away(&axis) {
        true => (last, sides[last].before(place[last], tree)),
        false => (axis, sides[axis].first(tree)),
    };
    Some(chip - place[at] * stride[at] + from * stride[at])
}

/// The edges of a tree, nearest to the root first.
fn by_depth(parents: &[Option<u32>]) -> Tree {
    let mut depth = vec![0u32; parents.len()];
    for chip in 0..parents.len() {
        let mut path = Vec::new();
        let mut at = chip;
        // Depths are at least 1 where they are known: that of the root is looked up too.
        while let (0, Some(parent)) = (depth[at], parents[at]) {
            path.push(at);
            at = parent as usize;
        }
        for at in path.into_iter().rev() {
            depth[at] = depth[parents[at].map_or(at, |parent| parent as usize)] + 1;
        }
    }
    let edges = parents.iter().zip(0..);
    let mut edges: Tree = edges
        .filter_map(|(parent, child)| parent.map(|parent| (parent, child)))
        .collect();
    edges.sort_by_key(|&(_, child)| depth[child as usize]);
    edges
}
