//! Spanning trees that share no link, by coordinates or, over sides that are unlike, packed one by one: a tree takes a
//! link if all chips can still be reached as often as there are trees to come (Lovasz 1976).

use super::spanning::{Maker, Side, Tree, by_coordinates, chips, number};
use crate::{Control, Result};
use std::sync::Arc;

/// Most links that trees are packed over: each asks for a flow that may pass them all.
const MOST_LINKS: usize = 4096;
/// Most units that a link's bandwidth is told in, so that few trees are made of links of unlike bandwidth.
const MOST_UNITS: u32 = 8;

/// Trees that share the data evenly.
pub(super) struct Trees {
    pub(super) all: Vec<Maker>,
    /// They keep the links of the poorest chip busy.
    pub(super) even: bool,
}

/// As many trees as enter the poorest chip; of sides that are unlike and too large, as many as the poorest side has on
/// each.
pub(super) fn trees(sides: &[Side], control: &Control) -> Result<Trees> {
    let like =
        |side: &Side| side.trees() == sides[0].trees() && side.bandwidth == sides[0].bandwidth;
    let even = sides.iter().all(like);
    if let Some(links) = (!even).then(|| Links::of(sides)).flatten() {
        let packed = links.packed(number(sides, |side| side.root), control)?;
        let kept = |tree: Tree| -> Maker { Arc::new(move || tree.clone()) };
        return Ok(Trees {
            all: packed.into_iter().map(kept).collect(),
            even: true,
        });
    }
    Ok(Trees {
        all: by_coordinates(sides),
        even,
    })
}

/// A link that trees may take, as often as it has units of bandwidth.
struct Link {
    from: u32,
    to: u32,
    units: u32,
}

/// The links of a box.
struct Links {
    all: Vec<Link>,
    /// Links out of each chip and into it.
    out: Vec<Vec<u32>>,
    into: Vec<Vec<u32>>,
}

impl Links {
    /// All links, unless they are too many.
    fn of(sides: &[Side]) -> Option<Self> {
        let chips = chips(sides);
        let each: u32 = sides
            .iter()
            .map(|side| side.peers(side.root).len() as u32)
            .sum();
        if u64::from(chips) * u64::from(each) > MOST_LINKS as u64 {
            return None;
        }
        let units = units(sides);
        let mut links = Self {
            all: Vec::new(),
            out: vec![Vec::new(); chips as usize],
            into: vec![Vec::new(); chips as usize],
        };
        for from in 0..chips {
            let mut stride = 1;
            for (side, units) in sides.iter().zip(&units) {
                let place = from / stride % side.size;
                for (peer, links_each) in side.peers(place) {
                    let to = from - place * stride + peer * stride;
                    links.out[from as usize].push(links.all.len() as u32);
                    links.into[to as usize].push(links.all.len() as u32);
                    links.all.push(Link {
                        from,
                        to,
                        units: links_each * units,
                    });
                }
                stride *= side.size;
            }
        }
        (links.all.len() <= MOST_LINKS).then_some(links)
    }

    /// Trees of one unit each, as many as reach every chip.
    fn packed(mut self, root: u32, control: &Control) -> Result<Vec<Tree>> {
        self.nearest_first(root);
        let chips = self.out.len() as u32;
        let mut least = u32::MAX;
        for chip in (0..chips).filter(|&chip| chip != root) {
            control.check()?;
            least = least.min(self.flow(root, chip, least));
        }
        (0..least)
            .map(|tree| self.take_tree(root, least - 1 - tree, control))
            .collect()
    }

    /// Puts links into a chip in the order of their distance from the root, so that flows find it soon.
    fn nearest_first(&mut self, root: u32) {
        let mut distance = vec![u32::MAX; self.out.len()];
        distance[root as usize] = 0;
        let mut reached = vec![root];
        let mut at = 0;
        while let Some(&chip) = reached.get(at) {
            for &link in &self.out[chip as usize] {
                let to = self.all[link as usize].to;
                if distance[to as usize] == u32::MAX {
                    distance[to as usize] = distance[chip as usize] + 1;
                    reached.push(to);
                }
            }
            at += 1;
        }
        for into in &mut self.into {
            into.sort_by_key(|&link| distance[self.all[link as usize].from as usize]);
        }
    }

    /// Takes a tree, breadth first, that leaves every chip to be reached by `others` more.
    ///
    /// A link that cannot be taken enters a set of chips that no further link may enter: it never can be.
    fn take_tree(&mut self, root: u32, others: u32, control: &Control) -> Result<Tree> {
        let mut tree = Tree::new();
        let mut reached = vec![false; self.out.len()];
        reached[root as usize] = true;
        let mut chips = vec![root];
        let mut at = 0;
        while let Some(&from) = chips.get(at) {
            for which in 0..self.out[from as usize].len() {
                let link = self.out[from as usize][which] as usize;
                let to = self.all[link].to;
                if reached[to as usize] || self.all[link].units == 0 {
                    continue;
                }
                control.check()?;
                self.all[link].units -= 1;
                if self.flow(root, to, others) < others {
                    self.all[link].units += 1;
                    continue;
                }
                reached[to as usize] = true;
                chips.push(to);
                tree.push((from, to));
            }
            at += 1;
        }
        Ok(tree)
    }

    /// Units that get from the root to a chip at once, up to `most` (Ford and Fulkerson 1956), looked for backwards.
    fn flow(&self, root: u32, chip: u32, most: u32) -> u32 {
        let mut used = vec![0u32; self.all.len()];
        for found in 0..most {
            // The link by which a chip was reached, and whether it is given up.
            let mut by: Vec<Option<(u32, bool)>> = vec![None; self.out.len()];
            let mut waiting = vec![chip];
            while let Some(at) = waiting.pop().filter(|_| by[root as usize].is_none()) {
                let mut reach = |other: u32, link: u32, given_up: bool| {
                    if other != chip && by[other as usize].is_none() {
                        by[other as usize] = Some((link, given_up));
                        waiting.push(other);
                    }
                };
                for &link in &self.out[at as usize] {
                    if used[link as usize] > 0 {
                        reach(self.all[link as usize].to, link, true);
                    }
                }
                // The nearest is the last to be put on the stack, and so the next to be looked at.
                for &link in self.into[at as usize].iter().rev() {
                    if used[link as usize] < self.all[link as usize].units {
                        reach(self.all[link as usize].from, link, false);
                    }
                }
            }
            let mut at = root;
            while at != chip {
                let Some((link, given_up)) = by[at as usize] else {
                    return found;
                };
                let ends = &self.all[link as usize];
                if given_up {
                    used[link as usize] -= 1;
                    at = ends.from;
                } else {
                    used[link as usize] += 1;
                    at = ends.to;
                }
            }
        }
        most
    }
}

/// Bandwidth of each side in the largest unit of which all are multiples, or nearly.
fn units(sides: &[Side]) -> Vec<u32> {
    let bandwidths = || sides.iter().map(|side| side.bandwidth);
    let (least, most) = (
        bandwidths().fold(f64::INFINITY, f64::min),
        bandwidths().fold(0.0, f64::max),
    );
    let whole = |cut: &u32| {
        let of = |bandwidth: f64| bandwidth / least * f64::from(*cut);
        bandwidths().all(|bandwidth| (of(bandwidth) - of(bandwidth).round()).abs() < 1e-9)
    };
    let fits = |cut: &u32| most / least * f64::from(*cut) <= f64::from(MOST_UNITS);
    let unit = match (1..=MOST_UNITS).take_while(fits).find(whole) {
        Some(cut) => least / f64::from(cut),
        None => f64::min(least, most / f64::from(MOST_UNITS)),
    };
    bandwidths()
        .map(|bandwidth| ((bandwidth / unit + 1e-9) as u32).clamp(1, MOST_UNITS))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::spanning::Joined;
    use super::{Links, Maker, Side, by_coordinates, chips, number, trees, units};
    use crate::Control;
    use std::collections::BTreeMap;

    /// Boxes of sides of such sizes, from the root in every place.
    fn boxes(sides: &[(u32, Joined, f64)]) -> Vec<Vec<Side>> {
        let all: u32 = sides.iter().map(|side| side.0).product();
        let rooted = |root: u32| {
            let mut rest = root;
            let side = |&(size, joined, bandwidth): &(u32, Joined, f64)| {
                let root = rest % size;
                rest /= size;
                Side {
                    size,
                    joined,
                    bandwidth,
                    root,
                }
            };
            sides.iter().map(side).collect()
        };
        (0..all).map(rooted).collect()
    }

    /// How many trees there are, each of which spans all chips, no link being taken more often than it has units.
    fn spanning(sides: &[Side], units: &[u32], trees: &[Maker]) -> usize {
        let root = number(sides, |side| side.root);
        let mut taken: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for tree in trees {
            let mut reached = vec![false; chips(sides) as usize];
            reached[root as usize] = true;
            for (parent, child) in tree() {
                assert!(reached[parent as usize], "parents come first: {sides:?}");
                assert!(!reached[child as usize], "twice at {child}: {sides:?}");
                reached[child as usize] = true;
                *taken.entry((parent, child)).or_insert(0) += 1;
            }
            assert!(reached.into_iter().all(|reached| reached), "{sides:?}");
        }
        for ((from, to), taken) in taken {
            let mut stride = 1;
            let mut there = 0;
            for (side, units) in sides.iter().zip(units) {
                let [at, peer] = [from, to].map(|chip| chip / stride % side.size);
                if from - at * stride + peer * stride == to && at != peer {
                    let links = side.peers(at).into_iter().find(|own| own.0 == peer);
                    there = links.map_or(0, |links| links.1) * units;
                }
                stride *= side.size;
            }
            assert!(
                taken <= there,
                "{from} to {to}: {taken} on {there}, {sides:?}"
            );
        }
        trees.len()
    }

    #[test]
    fn trees_by_coordinates_span_and_share_no_link() {
        for sizes in [
            &[2][..],
            &[5],
            &[2, 2],
            &[3, 4],
            &[4, 4],
            &[2, 3, 4],
            &[2, 3, 2, 3],
        ] {
            for (joined, each) in [(Joined::Ring, 2), (Joined::Line, 1)] {
                let sides: Vec<_> = sizes.iter().map(|&size| (size, joined, 1.0)).collect();
                for sides in boxes(&sides) {
                    let trees = by_coordinates(&sides);
                    let count = spanning(&sides, &vec![1; sides.len()], &trees);
                    assert_eq!(count, each * sides.len());
                }
            }
        }
        for sides in boxes(&[(6, Joined::All, 1.0), (6, Joined::All, 1.0)]) {
            let trees = by_coordinates(&sides);
            assert_eq!(spanning(&sides, &[1, 1], &trees), 10);
        }
    }

    #[test]
    fn packed_trees_are_as_many_as_enter_the_poorest_chip() {
        use Joined::{All, Line, Ring};
        for (sides, expected) in [
            (&[(4, Ring, 2.0), (4, Ring, 2.0), (3, Ring, 1.0)][..], 10),
            (&[(4, Ring, 1.0), (3, Line, 1.0)], 3),
            (&[(3, Line, 2.0), (4, Line, 3.0)], 5),
            (&[(4, All, 1.0), (2, Ring, 1.5)], 12),
            (&[(2, Line, 5.0), (3, Ring, 1.0)], 4),
        ] {
            for sides in boxes(sides) {
                let trees = trees(&sides, &Control::default()).expect("trees");
                assert_eq!(
                    spanning(&sides, &units(&sides), &trees.all),
                    expected,
                    "{sides:?}"
                );
            }
        }
    }

    #[test]
    fn too_many_links_are_not_packed() {
        let sides = &boxes(&[(64, Joined::Ring, 2.0), (32, Joined::Ring, 1.0)])[0];
        assert!(Links::of(sides).is_none());
        let trees = trees(sides, &Control::default()).expect("trees");
        assert!(!trees.even);
        assert_eq!(spanning(sides, &[1, 1], &trees.all), 4);
    }
}
