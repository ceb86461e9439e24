//! Bounds from what is left of damaged domains: the live links of a chip, the live NICs of a domain, the live links
//! across a domain. A dead chip's rank counts where its substitute is.

use super::input::{BoundInput, LowerBounds};
use crate::Result;
use crate::collective::ask::group::Groups;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::damage::Class;
use crate::machine::{End, Machine};

/// Chips at both ends of each local link; `None` at a switch.
fn ends(machine: &Machine) -> Vec<[Option<u32>; 2]> {
    let local = |end: End| match end {
        End::Chip(chip) => Some(chip),
        End::Switch(_) => None,
    };
    (0..machine.domain().links())
        .map(|link| {
            let link = machine.link(link).expect("links of domain 0 exist");
            [local(link.from), local(link.to)]
        })
        .collect()
}

/// True where substitutes play ranks of dead chips everywhere, so that counts of ranks are not counts of chips.
pub(super) fn moves_ranks(context: &Context) -> bool {
    let machine = context.machine;
    match (&context.damaged, context.groups) {
        (Some(damaged), _) => damaged.whole.is_none() && damaged.moves_ranks(),
        (None, Groups::Scattered(groups)) => {
            let mut members = groups.iter().flatten();
            machine.is_damaged() && members.any(|&chip| machine.is_dead_chip(chip))
        }
        (None, Groups::Grid { .. }) => false,
    }
}

pub(super) fn damaged(
    context: &Context,
    input: &BoundInput,
    root: usize,
    found: &mut LowerBounds,
) -> Result<()> {
    let (Some(damaged), Groups::Grid { locals, domains }) = (&context.damaged, context.groups)
    else {
        return Ok(());
    };
    let ends = ends(context.machine);
    let across = domains[0].len() > 1;
    for class in &damaged.classes {
        let part = Part {
            context,
            input,
            class,
            ends: &ends,
            locals,
            root: match locals.as_slice() {
                [group] if !across && input.operation.is_rooted() => {
                    Some(class.substitutes[group[root] as usize])
                }
                _ => None,
            },
        };
        part.chips(across, found)?;
        if across {
            part.note("NICs of a damaged UltraServer", |_| true, true, found)?;
        } else {
            part.cuts(found)?;
        }
    }
    Ok(())
}

/// The damaged domains of a class as bounds see them.
struct Part<'a> {
    context: &'a Context<'a>,
    input: &'a BoundInput,
    class: &'a Class,
    ends: &'a [[Option<u32>; 2]],
    locals: &'a [Vec<u32>],
    /// The chip of the root, where there is one in each domain.
    root: Option<u32>,
}

impl Part<'_> {
    /// Bytes/s of live links out of and into a set of local chips, with their NICs where asked.
    fn capacity(&self, inside: &impl Fn(u32) -> bool, nics: bool) -> Result<[f64; 2]> {
        let mut capacity = [0.0; 2];
        // No port of a switch leaves the domain.
        let whole = (0..self.context.machine.domain().chips()).all(inside);
        for (link, ends) in self.ends.iter().enumerate() {
            self.context.control.check_at(link)?;
            if self.class.damage.is_dead(link as u64) {
                continue;
            }
            let [from, to] = ends.map(|end| end.map_or(whole, inside));
            // Between the chips of a set and a switch, or other chips.
            if from != to {
                capacity[usize::from(to)] += self.class.bandwidth[link];
            }
        }
        let machine = self.context.machine;
        if nics {
            for chip in (0..machine.domain().chips()).filter(|&chip| inside(chip)) {
                self.add_nic(chip, &mut capacity);
            }
        }
        Ok(capacity)
    }

    /// Notes for each chip what the ranks on it must send and receive over its live links, with its NIC where asked.
    fn chips(&self, nics: bool, found: &mut LowerBounds) -> Result<()> {
        let machine = self.context.machine;
        let chips = machine.domain().chips() as usize;
        let mut capacity = vec![[0.0; 2]; chips];
        for (link, &[from, to]) in self.ends.iter().enumerate() {
            self.context.control.check_at(link)?;
            if from == to || self.class.damage.is_dead(link as u64) {
                continue;
            }
            for (chip, direction) in [(from, 0), (to, 1)] {
                if let Some(chip) = chip {
                    capacity[chip as usize][direction] += self.class.bandwidth[link];
                }
            }
        }
        let mut roles = vec![vec![0u32; chips]; self.locals.len()];
        for (group, roles) in self.locals.iter().zip(&mut roles) {
            for &chip in group {
                roles[self.class.substitutes[chip as usize] as usize] += 1;
            }
        }
        for chip in 0..chips as u32 {
            let mut needed = [0.0; 2];
            for roles in &roles {
                let root = self.root.map(|root| root == chip);
                let (out, into) = self.input.crossing(f64::from(roles[chip as usize]), root);
                needed[0] += out;
                needed[1] += into;
            }
            let mut capacity = capacity[chip as usize];
            if nics {
                self.add_nic(chip, &mut capacity);
            }
            for direction in 0..2 {
                if capacity[direction] > 0.0 {
                    let name = "injection of a chip with dead links";
                    found.note(name, needed[direction] / capacity[direction]);
                }
            }
        }
        Ok(())
    }

    /// Adds the bytes/s of the NIC of a chip, as far as it lives: out, into.
    fn add_nic(&self, chip: u32, capacity: &mut [f64; 2]) {
        let Some(nic) = self.context.machine.nic() else {
            return;
        };
        for (direction, capacity) in capacity.iter_mut().enumerate() {
            if self.class.damage.has_nic(direction == 1, chip) {
                let slow = self.class.damage.slow_nics[direction].iter();
                let factor = slow.clone().find(|entry| entry.0 == chip);
                *capacity += nic.bandwidth * factor.map_or(1.0, |entry| entry.1);
            }
        }
    }

    /// Notes what the ranks on a set of chips must send and receive over what is left around it.
    fn note(
        &self,
        name: &str,
        inside: impl Fn(u32) -> bool,
        nics: bool,
        found: &mut LowerBounds,
    ) -> Result<()> {
        let mut needed = [0.0; 2];
        for group in self.locals {
            let here = group
                .iter()
                .filter(|&&chip| inside(self.class.substitutes[chip as usize]));
            let (out, into) = self
                .input
                .crossing(here.count() as f64, self.root.map(&inside));
            needed[0] += out;
            needed[1] += into;
        }
        let capacity = self.capacity(&inside, nics)?;
        for direction in 0..2 {
            if capacity[direction] > 0.0 {
                found.note(name, needed[direction] / capacity[direction]);
            }
        }
        Ok(())
    }

    /// Cuts across the axes of a group inside one domain, and what all of its chips together must send.
    fn cuts(&self, found: &mut LowerBounds) -> Result<()> {
        let machine = self.context.machine;
        let domain = machine.domain();
        for (index, axis) in domain
            .axes()
            .iter()
            .enumerate()
            .filter(|(_, axis)| axis.is_cabled())
        {
            for width in [1, axis.size / 2] {
                for first in 0..axis.size {
                    let inside = |chip: u32| {
                        let at = domain.coordinate(chip, index);
                        (at + axis.size - first) % axis.size < width
                    };
                    self.note(
                        &format!("live links across {}", axis.name),
                        inside,
                        false,
                        found,
                    )?;
                }
            }
        }
        // Chips that take no part may pass messages on, and their links count for more.
        let [group] = self.locals else { return Ok(()) };
        let mut substitutes: Vec<u32> = group
            .iter()
            .map(|&chip| self.class.substitutes[chip as usize])
            .collect();
        substitutes.sort_unstable();
        substitutes.dedup();
        let live = domain.chips() as usize - self.class.damage.chips.len();
        if substitutes.len() < live {
            return Ok(());
        }
        let mut all = 0.0;
        for &chip in &substitutes {
            all += self.capacity(&|other| other == chip, false)?[0];
        }
        let needed = self.input.partition(live as f64);
        found.note("live links of all chips", needed / all);
        Ok(())
    }
}
