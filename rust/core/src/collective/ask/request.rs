//! What is asked of a collective.

use super::choice::Choice;
use super::model::Model;
use crate::Result;
use crate::collective::tables::{Fact, Facts};
use crate::error::{Error, not_negative};
use crate::machine::Machine;
use crate::operation::Operation;

/// Largest size in bytes: sums of shares stay exact enough, and nothing real is larger.
pub const MOST_BYTES: f64 = 1e18;

/// How far from 1 the sum of the weights of a bucket's orders may be: what rounding decimals to six digits does.
const WEIGHTS_CLOSE: f64 = 1e-5;

/// Types that no switch adds up: NVLS sums others alone (NCCL's `src/device/generate.py`).
const NOT_IN_SWITCH: [&str; 4] = ["fp8", "int8", "uint8", "int16"];

/// Types of the numbers that a collective may move.
const DTYPES: [&str; 10] = [
    "fp64", "fp32", "bf16", "fp16", "fp8", "int64", "int32", "int16", "int8", "uint8",
];

/// One collective.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub operation: Operation,
    /// Bytes, as the operation defines them.
    pub size: f64,
    /// Rank of the root in each group; 0 for operations without one.
    pub root: usize,
    /// Distance of a send_recv; 0 for others.
    pub shift: i64,
    /// Which algorithm.
    pub algorithm: Choice,
    /// How contention is modelled.
    pub model: Model,
    /// How many chunks follow each other through the stages; `None` for the best.
    pub chunks: Option<u32>,
    /// The orders of domain axes that a bucket takes and their shares of the data; empty to let it choose.
    pub orders: Vec<(Vec<usize>, f64)>,
    /// The type of its numbers by name, if that was said.
    pub dtype: Option<&'static str>,
}

impl Request {
    /// A request with everything but operation and size at its default.
    pub fn new(operation: Operation, size: f64) -> Self {
        Self {
            operation,
            size,
            root: 0,
            shift: i64::from(operation == Operation::SendRecv),
            algorithm: Choice::Auto,
            model: Model::LinkLoad,
            chunks: None,
            orders: Vec::new(),
            dtype: None,
        }
    }

    /// The same for numbers of a type.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is none.
    pub fn with_dtype(self, name: Option<&str>) -> Result<Self> {
        let known = |name: &str| {
            let found = DTYPES.into_iter().find(|known| *known == name);
            found.ok_or_else(|| Error::Unknown {
                argument: "dtype".to_owned(),
                value: name.to_owned(),
                known: DTYPES.join(", "),
            })
        };
        let dtype = name.map(known).transpose()?;
        Ok(Self { dtype, ..self })
    }

    /// The type of its numbers, where they would be added up and no switch does that.
    pub(crate) fn not_in_switch(&self) -> Option<&'static str> {
        let sums = self.operation.as_run() != Operation::AllGather;
        self.dtype
            .filter(|name| sums && NOT_IN_SWITCH.contains(name))
    }

    /// What results say of it, by the names that they have for it.
    pub(crate) fn facts(&self) -> Facts {
        vec![
            ("operation", Fact::Text(self.operation.name().to_owned())),
            ("size_bytes", Fact::Number(self.size)),
            (
                "dtype",
                self.dtype
                    .map_or(Fact::Record(None), |name| Fact::Text(name.to_owned())),
            ),
        ]
    }

    /// Checks the numbers against a group of `ranks`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a size that is not a number of bytes, chunks or weights that are none, or an argument
    /// that the operation does not use; [`Error::OutOfRange`] for a root outside the group.
    pub(crate) fn validate(&self, machine: &Machine, ranks: usize) -> Result<()> {
        if self.model.engine().is_some() {
            machine.refuse_window()?;
        }
        not_negative("size", self.size)?;
        if self.size > MOST_BYTES {
            return Err(Error::invalid(
                "size",
                self.size,
                format!("must be at most {MOST_BYTES:e} bytes"),
            ));
        }
        if self.root >= ranks {
            return Err(Error::OutOfRange {
                argument: "root".to_owned(),
                value: self.root as i128,
                low: 0,
                high: ranks as i128 - 1,
            });
        }
        if self.root != 0 && !self.operation.is_rooted() {
            return Err(Error::invalid(
                "root",
                self.root,
                format!("{} has no root", self.operation.name()),
            ));
        }
        if self.shift != 0 && self.operation != Operation::SendRecv {
            return Err(Error::invalid(
                "shift",
                self.shift,
                format!("{} has no shift", self.operation.name()),
            ));
        }
        if self.operation == Operation::Barrier && self.size != 0.0 {
            return Err(Error::invalid(
                "size",
                self.size,
                "a barrier moves no bytes",
            ));
        }
        if self.chunks == Some(0) {
            return Err(Error::invalid("chunks", 0, "must be >= 1"));
        }
        self.validate_orders()
    }

    fn validate_orders(&self) -> Result<()> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let mut sum = 0.0;
        for (order, weight) in &self.orders {
            not_negative("weights", *weight)?;
            let mut axes = order.clone();
            axes.sort_unstable();
            axes.dedup();
            if axes.len() < order.len() {
                let order = format!("order {order:?}");
                return Err(Error::invalid("weights", order, "names an axis twice"));
            }
            sum += weight;
        }
        if (sum - 1.0).abs() > WEIGHTS_CLOSE {
            return Err(Error::invalid(
                "weights",
                format!("a sum of {sum}"),
                "must add up to 1",
            ));
        }
        Ok(())
    }
}
