//! Messages between sites, member by member: who holds a part at one site sends it to who holds it at the other.

use super::layout::Layout;
use super::limits::Visit;
use crate::Result;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::measure::{by_site, site_bytes};
use crate::collective::program::moves::{Moves, Sends, Steps};
use crate::collective::program::schedule::Part;
use std::collections::BTreeMap;

impl Layout {
    /// Calls `visit` with every message of a part that goes between sites.
    pub(super) fn between_sites(
        &self,
        context: &Context,
        part: &Part,
        moves: &Moves,
        visit: &mut Visit,
    ) -> Result<()> {
        let PatternKind::Sites { share, .. } = part.pattern.kind else {
            unreachable!("ranks at sites belong to patterns between sites")
        };
        let sites = by_site(context.machine, &self.domains);
        let count = sites.len() as u32;
        let all: Vec<(u32, u32)> = (0..count)
            .flat_map(|from| (0..count).map(move |to| (from, to)))
            .filter(|(from, to)| from != to)
            .collect();
        let sends: &[(u32, u32)] = match &moves.sends {
            Sends::List(sends) => sends,
            Sends::All | Sends::Lazy { .. } => &all,
        };
        let Steps::Each(steps) = moves.steps else {
            unreachable!("messages between sites go in steps")
        };
        for step in 0..steps {
            for &(from, to) in sends {
                let parts = (moves.carry)(step, from, to);
                let bytes = site_bytes(&sites, share, from as usize, to as usize);
                self.leaving(from, to, &parts, bytes, step, visit)?;
            }
        }
        Ok(())
    }

    fn leaving(
        &self,
        from: u32,
        to: u32,
        parts: &[u32],
        bytes: f64,
        step: u64,
        visit: &mut Visit,
    ) -> Result<()> {
        let mut units: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for unit in 0..self.domain_units {
            let holders = (
                self.holder(&self.sites[from as usize], unit),
                self.holder(&self.sites[to as usize], unit),
            );
            units.entry(holders).or_default().push(unit);
        }
        let locals = self.locals.len() as u32;
        for ((src, dst), held) in units {
            let part = held.len() as f64 / f64::from(self.domain_units) / f64::from(locals);
            for local in 0..locals {
                let mut blocks = Vec::new();
                for &unit in &held {
                    for &site in parts {
                        for own in self.units_of_local(local) {
                            let first = self.block(unit, site, own);
                            blocks.extend(first..first + self.slices);
                        }
                    }
                }
                let (src, dst) = (self.rank(src, local), self.rank(dst, local));
                visit(step, src, dst, blocks, bytes * part)?;
            }
        }
        Ok(())
    }
}
