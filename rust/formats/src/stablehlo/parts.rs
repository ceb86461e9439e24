//! Parts of a program: its functions, and regions of loops and branches.

use crate::program::Item;
use std::collections::BTreeMap;

/// Parts by number, and which of them are functions.
pub(super) struct Parts<'a> {
    pub(super) items: Vec<Vec<Item>>,
    /// Number of each function, whether it is there, and where it was called first.
    functions: BTreeMap<&'a [u8], (usize, bool, Option<usize>)>,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            items: vec![Vec::new()],
            functions: BTreeMap::new(),
        }
    }
}

impl<'a> Parts<'a> {
    /// The part of what stands in no function.
    pub(super) const OUTSIDE: usize = 0;

    /// A new part.
    pub(super) fn add(&mut self) -> usize {
        self.items.push(Vec::new());
        self.items.len() - 1
    }

    /// The part of a function that is defined, or declared without a body; None if there is one of the name.
    pub(super) fn define(&mut self, name: &'a [u8], has_body: bool) -> Option<usize> {
        let next = self.items.len();
        let (part, there, _) = self.functions.entry(name).or_insert((next, false, None));
        if *part == next {
            self.items.push(Vec::new());
        }
        if *there && has_body {
            return None;
        }
        *there = true;
        Some(*part)
    }

    /// The part of a function that is called at `at`.
    pub(super) fn called(&mut self, name: &'a [u8], at: usize) -> usize {
        let next = self.items.len();
        let (part, _, called) = self
            .functions
            .entry(name)
            .or_insert((next, false, Some(at)));
        if *part == next {
            self.items.push(Vec::new());
        }
        called.get_or_insert(at);
        *part
    }

    /// Where a function is called that is not there.
    pub(super) fn missing(&self) -> Option<usize> {
        let missing = self.functions.values().filter(|(_, there, _)| !there);
        missing.filter_map(|(_, _, called)| *called).min()
    }

    /// The part of a function.
    pub(super) fn function(&self, name: &[u8]) -> Option<usize> {
        self.functions.get(name).map(|(part, ..)| *part)
    }

    /// Parts of the functions that nothing calls, as they stand in the text.
    pub(super) fn roots(&self) -> Vec<usize> {
        let uncalled = self
            .functions
            .values()
            .filter(|(_, _, called)| called.is_none());
        let mut parts: Vec<usize> = uncalled.map(|(part, ..)| *part).collect();
        parts.sort_unstable();
        parts
    }

    /// Whether there is any function.
    pub(super) fn has_functions(&self) -> bool {
        !self.functions.is_empty()
    }
}
