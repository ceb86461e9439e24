//! What a chip's NIC passes out of HBM: less than its rate, and less again where all of an instance send.

use super::grid::Grid;
use crate::machine::{Machine, Neuron};

/// Bytes/s that each of the chips of a group passes over its NIC.
pub(super) fn goodput(machine: &Machine, neuron: &Neuron, (locals, _): Grid) -> f64 {
    let rate = machine.nic().map_or(f64::INFINITY, |nic| nic.bandwidth);
    let mut senders = vec![0u32; machine.domain().chips().div_ceil(neuron.instance_chips) as usize];
    for chip in locals.iter().flatten() {
        senders[(chip / neuron.instance_chips) as usize] += 1;
    }
    let most = senders.into_iter().max().unwrap_or(1).max(1);
    rate.min(neuron.efa_goodput)
        .min(neuron.efa_instance_goodput / f64::from(most))
}

/// The machine with NICs that pass no more than that; `None` where they do not anyway, or none are used.
pub(super) fn slowed(machine: &Machine, neuron: &Neuron, grid: Grid) -> Option<Machine> {
    let nic = machine.nic().filter(|_| grid.1[0].len() > 1)?;
    let rate = goodput(machine, neuron, grid);
    (rate < nic.bandwidth).then(|| machine.with_nics_at(rate))
}
