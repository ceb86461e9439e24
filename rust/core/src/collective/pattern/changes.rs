//! What links inside damaged domains of a class carry more or less than those of whole ones.

use std::ops::Deref;
use std::sync::OnceLock;

/// (local link, bytes more or less), ascending, beside the loads of whole domains.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    loads: Vec<(u32, f64)>,
    /// The busiest of these links, once asked for.
    peak: OnceLock<Option<Peak>>,
}

/// Bytes on a local link, and its bytes/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peak {
    pub(crate) link: u32,
    pub(crate) bytes: f64,
    pub(crate) bandwidth: f64,
}

impl Changes {
    /// The busiest, as `find` finds it the first time: the loads of whole domains beside them are always the same.
    pub(super) fn peak(&self, find: impl FnOnce() -> Option<Peak>) -> Option<Peak> {
        *self.peak.get_or_init(find)
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
