//! Domains with the same damage.

use super::Hurt;
use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::Arc;

/// Domains with the same damage, and how their messages go.
pub(crate) struct Class {
    hurt: Arc<Hurt>,
    /// The domains, ascending.
    pub(crate) domains: Vec<u32>,
    /// What is found out about the damage is kept for the calls to come.
    pub(super) kept: bool,
    /// The longest ways to other NICs, and from them: (seconds of latency, seconds per byte).
    pub(super) longest: [OnceCell<Vec<(f64, f64)>>; 2],
}

impl Class {
    pub(super) fn new(hurt: Arc<Hurt>, domains: Vec<u32>, kept: bool) -> Self {
        Self {
            hurt,
            domains,
            kept,
            longest: Default::default(),
        }
    }
}

impl Deref for Class {
    type Target = Hurt;

    fn deref(&self) -> &Hurt {
        &self.hurt
    }
}
