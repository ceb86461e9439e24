//! What links inside damaged domains carry more or less than those of whole ones: found for patterns, summed for a
//! class when that class may have the busiest link.

use crate::memory::bytes_of;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// (local link, bytes more or less), ascending, beside the loads of whole domains.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    loads: Vec<(u32, f64)>,
    /// The busiest of these links, once asked for.
    peak: OnceLock<Option<Peak>>,
    /// Seconds of the busiest of them along each axis, once asked for.
    along: OnceLock<Box<[f64]>>,
}

/// Bytes on a local link, and its bytes/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peak {
    pub(crate) link: u32,
    pub(crate) bytes: f64,
    pub(crate) bandwidth: f64,
}

impl Peak {
    pub(crate) fn seconds(&self) -> f64 {
        self.bytes / self.bandwidth
    }
}

/// Changes of all classes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Classes {
    /// Nothing is inside domains.
    #[default]
    None,
    Found(Arc<Found>),
    Sum(Arc<Sum>),
}

/// Seconds that no link along an axis is busy for longer than, inside domains of a class: class by class. Links of one
/// axis are busy in the same steps of a collective, those of others in others.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub(super) axes: usize,
    pub(super) seconds: Vec<f64>,
}

impl Bounds {
    fn of(&self, class: usize) -> &[f64] {
        let from = class * self.axes;
        self.seconds.get(from..from + self.axes).unwrap_or(&[])
    }
}

/// Those of one pattern.
#[derive(Debug)]
pub(crate) struct Found {
    /// The number of the pattern.
    number: u32,
    changes: Vec<Arc<Changes>>,
    bounds: Bounds,
}

/// Others, so many times each, one after another.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    terms: Vec<(Classes, f64)>,
    bounds: OnceLock<Bounds>,
    recipe: OnceLock<Option<u32>>,
    /// By class, those that were asked for.
    made: Mutex<BTreeMap<usize, Arc<Changes>>>,
}

impl Classes {
    pub(super) fn found(number: u32, changes: Vec<Arc<Changes>>, bounds: Bounds) -> Self {
        Self::Found(Arc::new(Found {
            number,
            changes,
            bounds,
        }))
    }

    /// A number for how these are made of those of patterns: `of` gives sums of the same (number, scale) the same one.
    /// The loads of whole domains beside them are made in the same way.
    pub(super) fn recipe(&self, of: &impl Fn(Vec<(u32, u64)>) -> Option<u32>) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Found(found) => Some(2 * found.number),
            Self::Sum(sum) => *sum.recipe.get_or_init(|| {
                let term = |(term, scale): &(Self, f64)| Some((term.recipe(of)?, scale.to_bits()));
                let terms: Option<Vec<_>> = sum.terms.iter().map(term).collect();
                Some(2 * of(terms?)? + 1)
            }),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Adds `scale` times others.
    pub(super) fn add(&mut self, others: &Self, scale: f64) {
        let term = (others.clone(), scale);
        match self {
            Self::Sum(sum) => match Arc::get_mut(sum) {
                Some(own) => {
                    own.terms.push(term);
                    own.bounds.take();
                    own.recipe.take();
                    own.made = Mutex::default();
                }
                None => {
                    let terms = sum.terms.iter().cloned().chain([term]);
                    *self = Self::sum(terms.collect());
                }
            },
            Self::Found(_) => *self = Self::sum(vec![(self.clone(), 1.0), term]),
            Self::None => *self = Self::sum(vec![term]),
        }
    }

    fn sum(terms: Vec<(Self, f64)>) -> Self {
        Self::Sum(Arc::new(Sum {
            terms,
            ..Sum::default()
        }))
    }

    fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::None => None,
            Self::Found(found) => Some(&found.bounds),
            Self::Sum(sum) => Some(sum.bounds()),
        }
    }

    /// Seconds that no link inside domains of a class is busy for longer than, but for rounding.
    pub(super) fn bound(&self, class: usize) -> f64 {
        match self.bounds().map(|bounds| bounds.of(class)) {
            None | Some([]) => f64::INFINITY,
            Some(along) => along.iter().copied().fold(0.0, f64::max),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Found(found) => found.changes.len(),
            Self::Sum(sum) => sum.terms.iter().map(|term| term.0.len()).max().unwrap_or(0),
        }
    }

    /// Those of a class.
    pub(super) fn of(&self, class: usize) -> Arc<Changes> {
        match self {
            Self::None => Arc::default(),
            Self::Found(found) => found.changes.get(class).cloned().unwrap_or_default(),
            Self::Sum(sum) => sum.of(class),
        }
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Found(found) => {
                let changes: usize = found.changes.iter().map(|changes| changes.len()).sum();
                bytes_of::<(u32, f64)>(changes as u64)
            }
            Self::None | Self::Sum(_) => 0,
        }
    }
}

impl Sum {
    fn bounds(&self) -> &Bounds {
        self.bounds.get_or_init(|| {
            let mut sum = Bounds::default();
            for (at, (term, scale)) in self.terms.iter().enumerate() {
                let Some(bounds) = term.bounds() else {
                    return Bounds::default();
                };
                if at == 0 {
                    sum.axes = bounds.axes;
                    sum.seconds = vec![0.0; bounds.seconds.len()];
                }
                if sum.seconds.len() != bounds.seconds.len() {
                    return Bounds::default();
                }
                for (sum, bound) in sum.seconds.iter_mut().zip(&bounds.seconds) {
                    *sum += scale * bound;
                }
            }
            sum
        })
    }

    fn of(&self, class: usize) -> Arc<Changes> {
        let known = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known().get(&class) {
            return Arc::clone(made);
        }
        let sum = self.terms.iter().fold(Changes::default(), |sum, term| {
            sum.with(&term.0.of(class), term.1)
        });
        let made = Arc::new(sum);
        known().insert(class, Arc::clone(&made));
        made
    }
}

impl PartialEq for Classes {
    fn eq(&self, other: &Self) -> bool {
        let classes = 0..self.len().max(other.len());
        classes
            .into_iter()
            .all(|class| self.of(class) == other.of(class))
    }
}

impl Changes {
    /// The change of a link; `None` where it has none.
    pub(super) fn get(&self, link: u64) -> Option<f64> {
        let at = self.binary_search_by_key(&link, |entry| u64::from(entry.0));
        at.ok().map(|at| self.loads[at].1)
    }

    /// The busiest, as `find` finds it the first time: the loads of whole domains beside them are always the same.
    pub(super) fn peak(&self, find: impl FnOnce() -> Option<Peak>) -> Option<Peak> {
        *self.peak.get_or_init(find)
    }

    /// Seconds of the busiest along each axis, as `find` finds them the first time.
    pub(super) fn along(&self, find: impl FnOnce() -> Box<[f64]>) -> &[f64] {
        self.along.get_or_init(find)
    }

    /// With `scale` times others, beside other loads of whole domains.
    pub(super) fn with(&self, others: &[(u32, f64)], scale: f64) -> Self {
        if self.is_empty() {
            let scaled = others.iter().map(|&(link, bytes)| (link, scale * bytes));
            return scaled.collect::<Vec<_>>().into();
        }
        merged(&self.loads, others, scale).into()
    }
}

impl From<Vec<(u32, f64)>> for Changes {
    fn from(loads: Vec<(u32, f64)>) -> Self {
        Self {
            loads,
            peak: OnceLock::new(),
            along: OnceLock::new(),
        }
    }
}

impl Deref for Changes {
    type Target = [(u32, f64)];

    fn deref(&self) -> &[(u32, f64)] {
        &self.loads
    }
}

impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.loads == other.loads
    }
}

/// Ascending numbers with `scale` times those of another list.
pub(super) fn merged<K: Ord + Copy>(a: &[(K, f64)], b: &[(K, f64)], scale: f64) -> Vec<(K, f64)> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (left, right) = (a.get(i), b.get(j));
        match (left, right) {
            (Some(&(link, bytes)), Some(&(other, more))) if link == other => {
                out.push((link, bytes + scale * more));
                i += 1;
                j += 1;
            }
            (Some(&entry), Some(&(other, _))) if entry.0 < other => {
                out.push(entry);
                i += 1;
            }
            (Some(&entry), None) => {
                out.push(entry);
                i += 1;
            }
            (_, Some(&(other, more))) => {
                out.push((other, scale * more));
                j += 1;
            }
            (None, None) => unreachable!("the loop ends first"),
        }
    }
    out
}
