//! What is asked of a collective.

use super::algorithm::{find, unsupported};
use super::choice::Choice;
use super::model::Model;
use super::nccl;
use super::neuron;
use super::synthesized;
use crate::Result;
use crate::error::{Error, not_negative};
use crate::operation::Operation;

/// Largest size in bytes: sums of shares stay exact enough, and nothing real is larger.
pub const MOST_BYTES: f64 = 1e18;

/// How far from 1 the sum of the weights of a bucket's orders may be: what rounding decimals to six digits does.
const WEIGHTS_CLOSE: f64 = 1e-5;

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
        }
    }

    /// Checks the numbers against a group of `ranks`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a size that is not a number of bytes or an argument that the operation does not use;
    /// [`Error::OutOfRange`] for a root outside the group.
    pub(crate) fn validate(&self, ranks: usize) -> Result<()> {
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
        self.validate_orders()?;
        self.validate_algorithm()
    }

    fn validate_orders(&self) -> Result<()> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let named = match &self.algorithm {
            Choice::Named(name) => name == "bucket",
            Choice::Tiers(names) => names.iter().any(|name| name == "bucket"),
            Choice::Auto => false,
        };
        if !named {
            return Err(Error::invalid(
                "weights",
                format!("{} orders", self.orders.len()),
                "only the algorithm bucket takes weights of orders",
            ));
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

    fn validate_algorithm(&self) -> Result<()> {
        if self.chunks == Some(0) {
            return Err(Error::invalid("chunks", 0, "must be >= 1"));
        }
        let takes_chunks = match &self.algorithm {
            Choice::Auto => true,
            Choice::Named(name) if name == nccl::NAME => {
                if !nccl::OPERATIONS.contains(&self.operation) {
                    return Err(Error::unsupported(
                        format!("algorithm 'nccl' for {}", self.operation.name()),
                        format!(
                            "it does {}; name another algorithm",
                            nccl::OPERATIONS
                                .iter()
                                .map(|one| one.name())
                                .collect::<Vec<_>>()
                                .join(", ")
                        ),
                    ));
                }
                false
            }
            // What it does and does not is for `neuron` to say.
            Choice::Named(name) if name == neuron::NAME => false,
            // Its chunks are those of each rank's share.
            Choice::Named(name) if name == synthesized::NAME => {
                synthesized::check(self.operation)?;
                true
            }
            Choice::Named(name) => {
                let hierarchical = name == "hierarchical";
                if !hierarchical && !find(name)?.operations.contains(&self.operation.as_run()) {
                    return Err(unsupported(name, self.operation.as_run()));
                }
                hierarchical
            }
            Choice::Tiers(names) => {
                for name in names {
                    if [
                        "hierarchical",
                        "auto",
                        nccl::NAME,
                        neuron::NAME,
                        synthesized::NAME,
                    ]
                    .contains(&name.as_str())
                    {
                        return Err(Error::invalid(
                            "algorithm",
                            format!("{name:?} for one tier"),
                            "a tuple names an algorithm of its own for each tier",
                        ));
                    }
                    find(name)?;
                }
                true
            }
        };
        if !takes_chunks && self.chunks.is_some_and(|chunks| chunks > 1) {
            return Err(Error::unsupported(
                "chunks with an algorithm of one tier",
                "only hierarchical pipelines chunks through its stages, and synthesized cuts shares into them",
            ));
        }
        Ok(())
    }
}
