//! What a call looks at.

use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::machine::Neuron;

/// Local members and domains, as [`Groups::Grid`](crate::collective::ask::group::Groups::Grid) has them.
pub(super) type Grid<'a> = (&'a [Vec<u32>], &'a [Vec<u32>]);

/// What the call looks at.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context<'a>,
    /// The same with NICs as slow as they are out of HBM.
    pub(super) nodes: &'a Context<'a>,
    pub(super) request: &'a Request,
    pub(super) neuron: &'a Neuron,
    pub(super) grid: Grid<'a>,
}
