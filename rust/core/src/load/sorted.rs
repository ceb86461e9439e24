//! Flows in the order of their sources, for policies that search once from each: loads do not depend on the order.

use super::columns::{ByteColumn, Flows, IndexColumn};
use crate::Control;
use crate::error::Result;
use crate::machine::Machine;

/// Columns of their own.
pub(super) struct Sorted {
    src: Vec<u32>,
    dst: Vec<u32>,
    bytes: Bytes,
}

enum Bytes {
    Scalar(f64),
    PerFlow(Vec<f64>),
}

impl Sorted {
    pub(super) fn flows(&self) -> Flows<'_> {
        Flows {
            src: IndexColumn::U32(&self.src),
            dst: IndexColumn::U32(&self.dst),
            bytes: match &self.bytes {
                Bytes::Scalar(bytes) => ByteColumn::Scalar(*bytes),
                Bytes::PerFlow(bytes) => ByteColumn::PerFlow(bytes),
            },
        }
    }
}

/// `None` if a chip does not exist, which the count will name.
pub(super) fn by_source(
    machine: &Machine,
    flows: &Flows,
    control: &Control,
) -> Result<Option<Sorted>> {
    let count = flows.src.len();
    let (mut src, mut dst) = (vec![0; count], vec![0; count]);
    let chips = machine.num_chips();
    let good = flows.src.copy(0, chips, &mut src) & flows.dst.copy(0, chips, &mut dst);
    if !good {
        return Ok(None);
    }
    control.check()?;
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&flow| src[flow]);
    control.check()?;
    let pick = |column: &[u32]| order.iter().map(|&flow| column[flow]).collect();
    Ok(Some(Sorted {
        src: pick(&src),
        dst: pick(&dst),
        bytes: match flows.bytes {
            ByteColumn::Scalar(bytes) => Bytes::Scalar(bytes),
            ByteColumn::PerFlow(bytes) => {
                Bytes::PerFlow(order.iter().map(|&flow| bytes[flow]).collect())
            }
        },
    }))
}
