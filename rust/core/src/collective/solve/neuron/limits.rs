//! What the runtime refuses, in its own rules.

use super::grid::Grid;
use crate::collective::ask::group::Groups;
use crate::collective::ask::model::Model;
use crate::collective::ask::request::Request;
use crate::collective::solve::Asked;
use crate::machine::Neuron;
use crate::{Error, Result};

/// Most ranks of a KangaRing (aws-neuron-sdk, `src/libnrt/include/nrt/nec.h`).
pub(super) const KANGARING_RANKS: usize = 256;
/// Most devices of a Mesh (the same header).
pub(super) const MESH_DEVICES: usize = 128;

/// Local members and domains of groups that look alike in every node that they touch.
pub(super) fn grid(groups: &Groups) -> Result<Grid<'_>> {
    match groups {
        Groups::Grid { locals, domains } => Ok((locals, domains)),
        Groups::Scattered(_) => Err(Error::unsupported(
            "neuron over groups that differ from node to node",
            "between nodes the runtime takes symmetric groups only: the same local chips in every node \
             (aws-neuron-sdk, internode-collective-comm.rst); name such a group, or use ring or direct",
        )),
    }
}

/// Chips without parameters.
pub(super) fn no_neuron() -> Error {
    Error::unsupported(
        "neuron on a machine whose chips have no Neuron parameters",
        "it models Trainium2 machines (presets trn2, trn2-ultraserver, rainier, or an UltraServer with neuron=); \
         use auto, ring, bucket or hierarchical here",
    )
}

/// The parameters of the chips, where the runtime takes the request.
pub(super) fn check<'a>(asked: &Asked<'a>) -> Result<&'a Neuron> {
    let request = asked.request;
    let neuron = asked.machine.neuron().ok_or_else(no_neuron)?;
    if !matches!(request.model, Model::LinkLoad | Model::AlphaBeta) {
        return Err(Error::unsupported(
            format!("neuron with model {}", request.model.name()),
            "it has link loads and endpoint costs; use link_load or alpha_beta",
        ));
    }
    check_dtype(request)?;
    Ok(neuron)
}

/// The runtime has no 64-bit numbers: those of nccom-test and of NKI end at 32.
fn check_dtype(request: &Request) -> Result<()> {
    match request.dtype {
        Some(dtype) if dtype.ends_with("64") => Err(Error::unsupported(
            format!("neuron {} in {dtype}", request.operation.name()),
            "the runtime's types have 8, 16 or 32 bits (aws-neuron-sdk, nccom-test.rst and nki data types); \
             use fp32 or int32, or auto for the links alone",
        )),
        _ => Ok(()),
    }
}
