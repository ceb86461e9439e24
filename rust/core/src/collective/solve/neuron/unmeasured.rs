//! The parts of an answer that rest on no measurement, by name.

use super::call::Call;
use super::goodput::goodput;
use super::part::{Overlap, Plan};

/// What of a plan was never measured as it is here.
pub(super) fn parts(call: &Call, plan: &Plan) -> Vec<String> {
    let mut out = inside(call);
    let nodes = call.grid.1[0].len() as u32;
    let fitted = call.neuron.fitted_on.as_ref();
    if fitted.is_some_and(|fitted| fitted.nodes == nodes) {
        return out;
    }
    let between = |overlap: Overlap| plan.segments.iter().any(|one| one.overlap == overlap);
    if between(Overlap::Nodes) {
        let rate = goodput(call.scene.machine, call.neuron, call.grid);
        out.push(format!(
            "between nodes: steps of {} us and {} GB/s a NIC are those of single transfers, and the algorithm is the \
             fastest of the vendor's; no collective was measured",
            thousandths(call.neuron.efa_step * 1e6),
            thousandths(rate / 1e9),
        ));
    }
    if between(Overlap::Links) {
        out.push(
            "between sites: by the links alone; the vendor has no algorithm for it, and none was measured"
                .to_owned(),
        );
    }
    out
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What differs inside the node from the rows that the parameters were fitted on.
fn inside(call: &Call) -> Vec<String> {
    let neuron = call.neuron;
    let Some(fitted) = &neuron.fitted_on else {
        return vec!["inside the node: parameters that were given, not fitted to rows".to_owned()];
    };
    let mut out = Vec::new();
    let chips = call.grid.0[0].len() as u32;
    if chips != fitted.chips {
        out.push(format!(
            "inside the node: {chips} {} by figures that were fitted on {}",
            if chips == 1 { "chip" } else { "chips" },
            fitted.chips
        ));
    }
    if neuron.ranks_per_chip != fitted.ranks_per_chip {
        out.push(format!(
            "inside the node: {} ranks a chip by figures that were fitted on {}",
            neuron.ranks_per_chip, fitted.ranks_per_chip
        ));
    }
    let operation = call.request.operation.as_run().name();
    if !fitted.operations.iter().any(|known| known == operation) {
        let known = fitted.operations.join(", ");
        out.push(format!(
            "{operation}: by figures that were fitted on {known}"
        ));
    }
    match (call.request.dtype, &fitted.dtype) {
        (Some(asked), Some(known)) if asked != known => out.push(format!(
            "{asked}: by its bytes, with figures that were fitted on {known}"
        )),
        (Some(asked), None) => out.push(format!(
            "{asked}: by its bytes, with figures that were fitted on rows of no type that is known"
        )),
        _ => {}
    }
    out
}
