//! What an all-reduce among the ranks of one chip takes: rows that were measured, and lines between them.

use crate::collective::answer::outcome::{Candidate, Outcome};
use crate::collective::answer::rows::Row;
use crate::collective::ask::request::Request;
use crate::collective::tables::Fact;
use crate::machine::{Machine, Neuron};
use crate::operation::Operation::AllReduce;
use crate::{Error, Result};

/// The type of the numbers that were added up.
const MEASURED: &str = "bf16";

/// Puts what groups of one chip take into `outcome`: their ranks are its logical cores.
///
/// # Errors
/// [`Error::Unsupported`] for what has no measurement.
pub(super) fn answer(neuron: &Neuron, request: &Request, outcome: &mut Outcome) -> Result<()> {
    let ranks = neuron.ranks_per_chip;
    let rows = &neuron.chip_all_reduce;
    let (Some(&(_, floor)), AllReduce) = (rows.first(), request.operation) else {
        return Err(Error::unsupported(
            format!(
                "neuron {} among the {ranks} ranks (logical cores) of one chip",
                request.operation.name()
            ),
            "of what happens inside a chip an all-reduce of 4 ranks per chip (LNC 2) on Trainium2 is known; \
             name a group of several chips, or give chip_all_reduce= to Neuron",
        ));
    };
    if let Some(other) = request.dtype.filter(|&dtype| dtype != MEASURED) {
        return Err(Error::unsupported(
            format!("neuron all_reduce of {other} among the ranks (logical cores) of one chip"),
            format!(
                "it is measured in {MEASURED}; leave dtype= out to take its time for as many bytes"
            ),
        ));
    }
    let time = between(rows, request.size);
    let name = "neuron(one chip)".to_owned();
    outcome.algorithm.clone_from(&name);
    outcome.time = time;
    outcome.overhead = floor.min(time);
    outcome.candidates = vec![Candidate {
        algorithm: name,
        outcome: Ok(time),
    }];
    outcome.chosen = vec![("algorithm", Fact::Text("one chip".to_owned()))];
    outcome.note = format!(
        "measured among the {ranks} ranks (logical cores) of one chip in {MEASURED}, what PyTorch takes to dispatch a call \
         included; lines between the rows"
    );
    let stage = Row {
        stage: "all-reduce inside the chip".to_owned(),
        tier: "domain".to_owned(),
        steps: 1,
        bytes: request.size,
        overhead: outcome.overhead,
        serialisation: time - outcome.overhead,
        time,
        ..Row::default()
    };
    let phase = Row {
        what: "as measured".to_owned(),
        ..stage.clone()
    };
    outcome.tell(stage, phase);
    Ok(())
}

/// What requests call the runtime.
pub(super) const NAME: &str = "neuron";

/// Whether a request by name asks for what happens among the ranks of single chips.
pub(crate) fn asks(machine: &Machine, ranks: usize, request: &Request) -> bool {
    let named = request.algorithm.names().eq([NAME]);
    ranks == 1 && named && machine.neuron().is_some()
}

/// Seconds at a size: those of the first row below it, on the line between two rows, and above the last at its rate.
fn between(rows: &[(f64, f64)], size: f64) -> f64 {
    let above = rows.iter().position(|row| size < row.0);
    match above {
        Some(0) => rows[0].1,
        Some(at) => {
            let ((low, least), (high, most)) = (rows[at - 1], rows[at]);
            least + (most - least) * (size - low) / (high - low)
        }
        None => {
            let (last, seconds) = rows[rows.len() - 1];
            seconds * (size / last)
        }
    }
}
