//! What a call looks at.

use super::grid::Grid;
use super::ground::Ground;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::machine::Neuron;

/// What the call looks at.
pub(super) struct Call<'a, 'm, 'n> {
    pub(super) scene: &'a OnDemand<'m>,
    /// The same with NICs as slow as they are out of HBM.
    pub(super) nodes: &'a OnDemand<'n>,
    pub(super) request: &'a Request,
    pub(super) neuron: &'a Neuron,
    pub(super) grid: Grid<'a>,
    pub(super) ground: &'a Ground,
}
