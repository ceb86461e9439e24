//! A number for each fabric and WAN link, by blocks of links that are alike: the uplinks of a tier at a site, its
//! downlinks, the WAN.

use super::loads::Loads;
use crate::machine::{Machine, groups};
use std::sync::Arc;

/// Links of one kind: the first, counted from the first fabric link, how far apart they are, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Block {
    first: usize,
    step: usize,
    count: usize,
}

impl Block {
    /// Links that may be unlike others of the block: how many are like each, and the first of them. Uplinks and
    /// downlinks of a tier differ in the last alone.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let each = if self.step == 1 { self.count } else { 0 };
        let alone = (0..each).map(|at| (1, at));
        let last = self.count.saturating_sub(1);
        let tier = [(last, 0), (1, last)];
        let tier = tier.into_iter().filter(move |_| each == 0 && self.step > 1);
        let links = alone.chain(tier);
        links.map(|(count, at)| (count, self.first + at * self.step))
    }
}

/// Blocks by site, tier and direction, uplinks first; the WAN's last.
pub(crate) type Blocks = Arc<[Block]>;

/// The blocks of a machine.
pub(crate) fn blocks(machine: &Machine) -> Blocks {
    let first = machine.blocks().fabric[0];
    let mut blocks = Vec::new();
    let sites = machine.sites().iter().enumerate();
    for (site, definition) in sites.filter(|_| machine.nic().is_some()) {
        for (tier, shape) in definition.tiers.iter().enumerate() {
            let up = (machine.fabric_link(site, tier, 0, false) - first) as usize;
            blocks.extend([up, up + 1].map(|first| Block {
                first,
                step: 2,
                count: groups(shape, definition.domains) as usize,
            }));
        }
    }
    blocks.push(Block {
        first: (machine.blocks().wan - first) as usize,
        step: 1,
        count: (machine.num_links() - machine.blocks().wan) as usize,
    });
    blocks.into()
}

/// Numbers by link; empty where there is nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FabricLoads {
    blocks: Option<Blocks>,
    loads: Vec<Loads>,
}

impl FabricLoads {
    /// Numbers by block.
    pub(crate) fn new(blocks: &Blocks, loads: Vec<Loads>) -> Self {
        Self {
            blocks: Some(Arc::clone(blocks)),
            loads,
        }
    }

    /// Numbers by link, counted from the first fabric link.
    pub(crate) fn of_list(blocks: &Blocks, values: &[f64]) -> Self {
        let of_block = |block: &Block| {
            let own = (0..block.count).map(|at| values[block.first + at * block.step]);
            own.collect()
        };
        Self::new(blocks, blocks.iter().map(of_block).collect())
    }

    fn blocks(&self) -> &[Block] {
        self.blocks.as_deref().unwrap_or_default()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.loads.iter().map(Loads::bytes).sum()
    }

    /// The number of a link, counted from the first fabric link.
    pub(crate) fn get(&self, link: usize) -> f64 {
        let blocks = self.blocks();
        let Some(last) = blocks
            .partition_point(|block| block.first <= link)
            .checked_sub(1)
        else {
            return 0.0;
        };
        // Uplinks and downlinks of a tier alternate.
        let other = (link - blocks[last].first) % blocks[last].step;
        let at = last - other;
        self.loads[at].get((link - blocks[at].first) / blocks[at].step)
    }

    /// Adds `scale` times other numbers.
    pub(crate) fn add(&mut self, other: &Self, scale: f64) {
        if self.blocks.is_none() {
            self.blocks.clone_from(&other.blocks);
            self.loads.resize(other.loads.len(), Loads::default());
        }
        for (own, more) in self.loads.iter_mut().zip(&other.loads) {
            own.add(more, scale);
        }
    }

    /// The largest of what `value` makes of these numbers and others beside them, and the first link that has it.
    pub(crate) fn peak(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> (usize, f64) {
        let mut found = (0, 0.0);
        for (block, (own, others)) in self
            .blocks()
            .iter()
            .zip(self.loads.iter().zip(&other.loads))
        {
            let (at, most) = own.peak(others, &value);
            let link = block.first + at * block.step;
            if most > found.1 || (most == found.1 && most > 0.0 && link < found.0) {
                found = (link, most);
            }
        }
        found
    }

    /// Of each block of bundles, and of each WAN link alone: the first link, and the most of what `value` makes of these
    /// numbers and others beside them.
    pub(crate) fn peaks(&self, other: &Self, value: impl Fn(f64, f64) -> f64) -> Vec<(usize, f64)> {
        let mut peaks = Vec::new();
        for (block, (own, others)) in self
            .blocks()
            .iter()
            .zip(self.loads.iter().zip(&other.loads))
        {
            if block.step > 1 {
                peaks.push((block.first, own.peak(others, &value).1));
            } else {
                let each = own.values().zip(others.values());
                peaks.extend((block.first..).zip(each.map(|(own, other)| value(own, other))));
            }
        }
        peaks.retain(|peak| peak.1 > 0.0);
        peaks
    }

    /// Every link, counted from the first fabric link, with its number.
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let blocks = self.blocks().iter().zip(&self.loads);
        blocks.flat_map(|(block, loads)| {
            let links = (block.first..).step_by(block.step);
            links.zip(loads.values())
        })
    }
}
