//! The ranking: the best layouts by what is known, with the prices of their places, until the best are known.

use super::FEWER;
use super::digit::Place;
use super::layout::Layout;
use super::price::{Key, Part, Prices};
use super::question::{Call, Question};
use super::search::{Found, Search};
use super::space::Space;
use super::tree::{Places, Tree};
use crate::memory::bytes_of;
use crate::threads::resolve;
use crate::{Control, Error, Result};
use std::collections::BTreeMap;

/// The fastest layouts.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// In ascending order of time; those of equal times in the order of layouts.
    pub layouts: Vec<Ranked>,
    /// How many layouts there are, those that symmetry makes equal counted once.
    pub total: u128,
    /// How many were compared by the times of all their collectives; bounds ruled the others out.
    pub compared: u64,
    /// How many collectives at places of an axis were priced.
    pub priced: u64,
}

/// A layout, and what its collectives take.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The layout.
    pub layout: Layout,
    /// The order of axes in which a plain mesh has it, the slowest first; `None` where none has.
    pub order: Option<Vec<usize>>,
    /// The collectives of each axis.
    pub parts: Vec<Vec<Part>>,
}

impl Ranked {
    fn seconds(&self, calls: &[Vec<Call>]) -> f64 {
        let axis = |(calls, parts): (&Vec<Call>, &Vec<Part>)| -> f64 {
            let each = calls.iter().zip(parts);
            each.map(|(call, part)| call.count as f64 * part.seconds)
                .sum()
        };
        calls.iter().zip(&self.parts).map(axis).sum()
    }
}

/// Finds the fastest layouts of `space`. The control's count of work done goes to `total`.
///
/// # Errors
/// [`Error::Unsupported`] for a damaged machine, for too many places, and where no layout has a model of its
/// collectives; what collectives refuse.
pub fn rank(question: &Question, space: &Space, total: u64, control: &Control) -> Result<Ranking> {
    if question.machine.is_damaged() {
        return Err(Error::unsupported(
            "the mapping of a damaged machine, whose dimensions are not alike everywhere",
            "map the healthy machine and run the mesh on the damaged one",
        ));
    }
    let mut places = Places::default();
    let inward: Vec<usize> = (0..space.dimensions.len()).rev().collect();
    let outward: Vec<usize> = (0..space.dimensions.len()).collect();
    let mut forests = [
        Forest::of(space, inward, &mut places, control)?,
        Forest::of(space, outward, &mut places, control)?,
    ];
    let mut prices = Prices::new(question, space, &places, control)?;
    for (axis, tree) in forests[0].trees.iter().enumerate() {
        prices.bound(axis, tree.places(), control)?;
    }
    let (found, compared) = refine(question, space, &mut forests, &mut prices, total, control)?;
    if let ([], Some(refusal)) = (&found[..], &prices.refusal) {
        return Err(refusal.clone());
    }
    let mut layouts = dressed(question, space, &prices, found, control)?;
    // Just where each is, and not where a symmetry puts it, times may differ.
    layouts.sort_by(|a, b| {
        a.seconds(question.calls)
            .total_cmp(&b.seconds(question.calls))
    });
    control.advance(total.saturating_sub(control.done()));
    Ok(Ranking {
        layouts,
        total: space.count()?,
        compared,
        priced: prices.priced(),
    })
}

/// The trees of all axes, with the dimension of each of their levels.
struct Forest {
    trees: Vec<Tree>,
    order: Vec<usize>,
}

impl Forest {
    fn of(
        space: &Space,
        order: Vec<usize>,
        places: &mut Places,
        control: &Control,
    ) -> Result<Self> {
        let axes = 0..space.sizes.len();
        let trees = axes.map(|axis| Tree::of(space, axis, &order, places, control));
        Ok(Self {
            trees: trees.collect::<Result<_>>()?,
            order,
        })
    }

    /// A search by what is known now.
    fn search<'a>(
        &'a mut self,
        question: &Question,
        space: &'a Space,
        prices: &Prices,
        control: &'a Control,
    ) -> Result<Search<'a>> {
        for (axis, tree) in self.trees.iter_mut().enumerate() {
            tree.settle(|place| {
                let known = prices.open(axis, place).next().is_none();
                (prices.seconds(axis, place), known)
            });
        }
        Search::new(space, &self.trees, &self.order, question.keep, control)
    }
}

/// Prices the places of the layouts that are best by what is known, until the best have no others. What is between sites
/// takes most, and rules most out: the best are searched from there inward, and put in the order of layouts outward.
fn refine(
    question: &Question,
    space: &Space,
    [inward, outward]: &mut [Forest; 2],
    prices: &mut Prices,
    total: u64,
    control: &Control,
) -> Result<(Vec<Layout>, u64)> {
    let threads = resolve(question.threads)?;
    let mut before: Vec<Found> = Vec::new();
    loop {
        let search = inward.search(question, space, prices, control)?;
        // Those that were best before bound what the best can take now.
        let again = before.iter().map(|found| revalued(prices, found));
        let most = match before.len() == question.keep {
            true => again.fold(0.0, f64::max),
            false => f64::INFINITY,
        };
        before = search.fastest(most)?;
        let certain = before
            .iter()
            .take_while(|found| open(prices, found).is_empty())
            .count();
        let share = certain as f64 / before.len().max(1) as f64;
        let done = (total as f64 * share) as u64;
        control.advance(done.min(total).saturating_sub(control.done()));
        let mut next = wanted(prices, &before);
        if next.is_empty() {
            let full = before.len() == question.keep;
            let last = before.last().map_or(0.0, |found| found.seconds);
            let below = before.iter().filter(|found| found.seconds < last).count();
            let compared = search.compared.get();
            let search = outward.search(question, space, prices, control)?;
            let ordered = match full {
                true => search.in_order(last, question.keep - below)?,
                false => search.in_order(f64::INFINITY, 0)?,
            };
            next = wanted(prices, &ordered);
            if next.is_empty() {
                let mut ordered = ordered;
                ordered.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
                let layouts = ordered
                    .iter()
                    .map(|found| search.layout(&found.cuts))
                    .collect();
                return Ok((layouts, compared));
            }
        }
        prices.price(&next, threads, control)?;
    }
}

/// Seconds of a layout by what is known now.
fn revalued(prices: &Prices, found: &Found) -> f64 {
    let axes = found.places.iter().enumerate();
    axes.map(|(axis, &place)| prices.seconds(axis, place)).sum()
}

/// What is not known of a layout, with the seconds that it takes at least.
fn open(prices: &Prices, found: &Found) -> Vec<(Key, f64)> {
    let axes = found.places.iter().enumerate();
    axes.flat_map(|(axis, &place)| prices.open(axis, place))
        .collect()
}

/// What to price next: all that is cheap, or else of each layout what takes most. What that adds may rule the layout
/// out, and the rest of it need not be known.
fn wanted(prices: &Prices, found: &[Found]) -> Vec<Key> {
    let open: Vec<Vec<(Key, f64)>> = found.iter().map(|found| open(prices, found)).collect();
    let keys = open.iter().flatten().map(|open| open.0);
    let cheap: Vec<Key> = keys.filter(|&key| prices.is_cheap(key)).collect();
    if !cheap.is_empty() {
        return cheap;
    }
    let longest = |open: &Vec<(Key, f64)>| open.iter().max_by(|a, b| a.1.total_cmp(&b.1)).copied();
    open.iter().filter_map(longest).map(|open| open.0).collect()
}

/// The layouts, each as a plain mesh has it where one does, with what their collectives take.
fn dressed(
    question: &Question,
    space: &Space,
    prices: &Prices,
    found: Vec<Layout>,
    control: &Control,
) -> Result<Vec<Ranked>> {
    // Texts of algorithms and bottlenecks, kept once for each place and once for each layout.
    let calls: usize = question.calls.iter().map(Vec::len).sum();
    let each = bytes_of::<[u64; 64]>(calls as u64 + 1);
    let what = format_args!("the collectives of {} layouts", found.len());
    let _taken = control.take(each.saturating_mul(found.len() as u64), what, FEWER)?;
    let plain = space.plain();
    let mut known: BTreeMap<(usize, usize, Place), Part> = BTreeMap::new();
    let mut ranked = Vec::with_capacity(found.len());
    for layout in found {
        let (order, layout) = match plain.get(&layout) {
            Some((order, own)) => (Some(order.clone()), own.clone()),
            None => (None, layout),
        };
        let mut parts = Vec::with_capacity(question.calls.len());
        for (axis, calls) in question.calls.iter().enumerate() {
            let place = layout.place(axis);
            let mut mine = Vec::with_capacity(calls.len());
            for number in 0..calls.len() {
                let key = (axis, number, place.clone());
                if !known.contains_key(&key) {
                    control.check()?;
                    known.insert(key.clone(), prices.part(axis, number, &place, control)?);
                }
                mine.push(known[&key].clone());
            }
            parts.push(mine);
        }
        ranked.push(Ranked {
            layout,
            order,
            parts,
        });
    }
    Ok(ranked)
}
