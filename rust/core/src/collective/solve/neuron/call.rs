//! What a call looks at.

use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::machine::Neuron;

/// What the call looks at.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) request: &'a Request,
    pub(super) neuron: &'a Neuron,
}
