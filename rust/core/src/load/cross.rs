//! Flows between domains: NICs, fabric bundles, WAN.

use super::cell::Cell;
use super::kernel::HalfUnits;
use crate::machine::Machine;

/// Counters of all links outside of domains, in the order of their numbers.
#[derive(Debug, Clone)]
pub(super) struct CrossCounts<T>(pub(super) Vec<T>);

impl<T: Cell> CrossCounts<T> {
    pub(super) fn new(machine: &Machine) -> Self {
        let links = machine.num_links() - machine.blocks().nic;
        Self(vec![T::default(); links as usize])
    }

    /// Counts flows whose ends lie in different domains.
    pub(super) fn count(
        &mut self,
        machine: &Machine,
        src: &[u32],
        dst: &[u32],
        half_units: impl HalfUnits<T>,
    ) {
        let first = machine.blocks().nic;
        let (nics, sharing) = (machine.num_nics() as usize, machine.chips_of_nic());
        let nic = |chip: u32| match sharing {
            1 => chip as usize,
            _ => (chip / sharing) as usize,
        };
        for (index, (&src, &dst)) in src.iter().zip(dst).enumerate() {
            let whole = half_units.times(index, 2);
            let mut add = |link: usize| self.0[link] = self.0[link].plus(whole);
            add(nic(src));
            add(nics + nic(dst));
            machine.between_domains(machine.split(src).0, machine.split(dst).0, |link| {
                add((link - first) as usize);
            });
        }
    }
}
