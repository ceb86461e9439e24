//! Groups of a program, each once.

use super::collective::Who;
use crate::error::Result;
use crate::program::{Groups, Ids, Mode, World, as_groups, as_pairs};
use std::collections::BTreeMap;

/// Groups by the text that says them.
#[derive(Default)]
pub(super) struct GroupTable<'a> {
    seen: BTreeMap<(&'a [u8], Mode), Option<usize>>,
    pub(super) groups: Vec<Groups>,
}

impl<'a> GroupTable<'a> {
    /// The number of the groups; None where the text does not say them.
    pub(super) fn add(&mut self, who: Who<'a>, world: World) -> Result<Option<usize>> {
        let (key, made) = match who {
            Who::Unknown => return Ok(None),
            Who::Pairs(ids, mode, at) => {
                let key = (at.rest(), mode);
                if let Some(known) = self.seen.get(&key) {
                    return Ok(*known);
                }
                (key, Some(as_pairs(ids, mode, world, at)?))
            }
            Who::Groups(ids, mode, at) => {
                // What names no groups has no text of its own.
                let text = if matches!(ids, Ids::All) {
                    b""
                } else {
                    at.rest()
                };
                let key = (text, mode);
                if let Some(known) = self.seen.get(&key) {
                    return Ok(*known);
                }
                (key, as_groups(ids, mode, world, at)?)
            }
        };
        let number = made.map(|groups| {
            self.groups.push(groups);
            self.groups.len() - 1
        });
        self.seen.insert(key, number);
        Ok(number)
    }
}
