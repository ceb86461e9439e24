//! Domains with the same damage.

use super::Hurt;
use std::ops::Deref;
use std::sync::Arc;

/// Domains with the same damage, and how their messages go.
pub(crate) struct Class {
    hurt: Arc<Hurt>,
    /// The domains, ascending.
    pub(crate) domains: Vec<u32>,
    /// What is found out about the damage is kept for the calls to come.
    pub(super) kept: bool,
}

impl Class {
    pub(super) fn new(hurt: Arc<Hurt>, domains: Vec<u32>, kept: bool) -> Self {
        Self {
            hurt,
            domains,
            kept,
        }
    }
}

impl Deref for Class {
    type Target = Hurt;

    fn deref(&self) -> &Hurt {
        &self.hurt
    }
}
