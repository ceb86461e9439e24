//! What a call looks at.

use crate::collective::context::Context;
use crate::collective::request::Request;
use crate::machine::Neuron;

/// What the call looks at.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) request: &'a Request,
    pub(super) neuron: &'a Neuron,
}
