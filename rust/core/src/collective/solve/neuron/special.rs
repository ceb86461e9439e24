//! All-to-all and permute, which the runtime has in few forms.

use super::call::Call;
use super::ground::Spot;
use super::part::{Overlap, Part, Plan, Segment};
use crate::operation::Operation::{AllToAll, SendRecv};
use crate::{Error, Result};

/// Every rank to every other of its node. A chip's ranks send R x S together; each byte is read and written once.
pub(super) fn all_to_all(call: &Call) -> Result<Plan> {
    let (locals, domains) = call.grid;
    if domains[0].len() > 1 {
        return Err(Error::unsupported(
            "neuron all_to_all across nodes",
            "the runtime keeps all-to-all inside a node (aws-neuron-sdk, nki/api/nki/collectives); \
             use a group within one node, or hierarchical",
        ));
    }
    let per_chip = call.neuron.ranks_per_chip as usize;
    let ranks = locals[0].len() * per_chip;
    if !([4, 8, 16].contains(&ranks) || ranks % 32 == 0) {
        return Err(Error::unsupported(
            format!("neuron all_to_all over {ranks} ranks ({per_chip} a chip)"),
            "the runtime takes 4, 8, 16 or a multiple of 32 ranks (aws-neuron-sdk, nki/api/nki/collectives); \
             use direct or bucket",
        ));
    }
    let bytes = per_chip as f64 * call.request.size;
    let names = ("direct", "Mesh");
    let part = Part::new(
        call,
        Spot::Local,
        AllToAll,
        (bytes, 1.0),
        names,
        (2, 2.0 * bytes),
    )?;
    Ok(Plan {
        segments: vec![Segment {
            parts: vec![part],
            overlap: Overlap::None,
        }],
        why: vec!["all-to-all is one exchange through HBM".to_owned()],
    })
}

/// Every chip to the next of a ring of neighbours.
pub(super) fn permute(call: &Call) -> Result<Plan> {
    let size = (call.request.size, 1.0);
    let hbm = 2.0 * call.request.size;
    let names = ("direct", "permute");
    let part = Part::new(call, Spot::Flat, SendRecv, size, names, (1, hbm))?;
    Ok(Plan {
        segments: vec![Segment {
            parts: vec![part],
            overlap: Overlap::Steps,
        }],
        why: vec!["permute along a ring of neighbours".to_owned()],
    })
}
