//! How fast one chip runs the operators of a transformer, as fitted to measured tables. Every time grows with every size.

use crate::error::{Result, not_negative, positive};

/// Matrix products of one precision.
///
/// `launch + hypot(2 (M N + area) (K + depth) / rate, bytes / bandwidth) + M K conversion / bandwidth`: a product is
/// held up by its FLOPs and by its bytes, and where both are alike by both; outputs that are too few for all of a chip
/// take as long as `area` more, sums that are too short as long as `depth` more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matmul {
    /// FLOP/s of products without end.
    pub rate: f64,
    /// Bytes/s at which operands and outputs move.
    pub bandwidth: f64,
    /// Seconds of a call that do not depend on its sizes.
    pub launch: f64,
    /// Numbers of the output that take as long as filling the chip does.
    pub area: f64,
    /// Numbers of the sum that take as long as filling an engine does.
    pub depth: f64,
    /// Bytes that converting a number of the first operand moves; 0 where it comes as the engines take it.
    pub conversion: f64,
    /// Bytes of a number of the operands.
    pub bytes_in: f64,
    /// Bytes of a number of the output.
    pub bytes_out: f64,
}

impl Matmul {
    /// Seconds of a product of M x K with K x N.
    pub fn time(&self, m: f64, k: f64, n: f64) -> f64 {
        let computes = 2.0 * (m * n + self.area) * (k + self.depth) / self.rate;
        let bytes = self.bytes_in * k * (m + n) + self.bytes_out * m * n;
        let moves = bytes / self.bandwidth;
        let converts = self.conversion * m * k / self.bandwidth;
        self.launch + (computes * computes + moves * moves).sqrt() + converts
    }

    fn check(&self) -> Result<()> {
        positive("matmul rate", self.rate)?;
        positive("matmul bandwidth", self.bandwidth)?;
        positive("matmul bytes_in", self.bytes_in)?;
        positive("matmul bytes_out", self.bytes_out)?;
        not_negative("matmul launch", self.launch)?;
        not_negative("matmul area", self.area)?;
        not_negative("matmul depth", self.depth)?;
        not_negative("matmul conversion", self.conversion)?;
        Ok(())
    }
}

/// What attention is asked to do: every query of every head and sequence is a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Queries times heads times sequences.
    pub rows: f64,
    /// Keys times heads that have keys of their own, times sequences.
    pub kv_rows: f64,
    /// Keys that a query sees, in the mean: [`Scores::seen`].
    pub keys: f64,
    /// Numbers of a query and of a key.
    pub key: f64,
    /// Numbers of a value.
    pub value: f64,
}

impl Scores {
    /// Keys that a query sees in the mean: the last `queries` of `keys` see themselves and all before, or the last
    /// `window` of those; without a mask all see all.
    pub fn seen(queries: f64, keys: f64, causal: bool, window: Option<f64>) -> f64 {
        if !causal {
            return keys;
        }
        let before = keys - queries;
        let most = window.unwrap_or(keys).min(keys);
        // So many queries see fewer keys than the window has, each one more than the one before.
        let growing = (most - before).clamp(0.0, queries);
        let sum = growing * before + growing * (growing + 1.0) / 2.0 + (queries - growing) * most;
        sum / queries
    }

    /// FLOPs of the products, forward or backward; a fused kernel makes the scores again in the backward pass.
    pub fn flops(&self, backward: bool) -> f64 {
        self.rows * self.keys * self.flops_of_score(backward)
    }

    /// Two products forward, five backward: scores, and gradients of them, of values, queries and keys.
    fn flops_of_score(&self, backward: bool) -> f64 {
        if backward {
            6.0 * self.key + 4.0 * self.value
        } else {
            2.0 * (self.key + self.value)
        }
    }
}

/// Fused attention: `launch + (rows + few) (keys (FLOPs of a score + score) + row) / rate + bytes / bandwidth`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    /// FLOP/s of products without end, forward.
    pub rate: f64,
    /// Share of it that the backward pass reaches.
    pub backward: f64,
    /// Bytes/s at which queries, keys, values and outputs move.
    pub bandwidth: f64,
    /// Seconds of a call that do not depend on its sizes.
    pub launch: f64,
    /// Rows that take as long as filling the chip does.
    pub few: f64,
    /// FLOPs that the softmax of a score takes as long as.
    pub score: f64,
    /// FLOPs that each row takes as long as beside its scores.
    pub row: f64,
    /// Bytes of a number.
    pub bytes: f64,
}

impl Attention {
    /// Seconds forward or backward; the backward pass moves twice the bytes: what went in and out, and its gradients.
    pub fn time(&self, scores: &Scores, backward: bool) -> f64 {
        let (share, passes) = if backward {
            (self.backward, 2.0)
        } else {
            (1.0, 1.0)
        };
        let each = scores.keys * (scores.flops_of_score(backward) + self.score) + self.row;
        let numbers = (scores.rows + scores.kv_rows) * (scores.key + scores.value);
        self.launch
            + (scores.rows + self.few) * each / (self.rate * share)
            + passes * self.bytes * numbers / self.bandwidth
    }

    fn check(&self) -> Result<()> {
        positive("attention rate", self.rate)?;
        positive("attention backward", self.backward)?;
        positive("attention bandwidth", self.bandwidth)?;
        positive("attention bytes", self.bytes)?;
        not_negative("attention launch", self.launch)?;
        not_negative("attention few", self.few)?;
        not_negative("attention score", self.score)?;
        not_negative("attention row", self.row)?;
        Ok(())
    }
}

/// Operators that only move bytes: norms, activations, sums, the optimizer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Bytes/s that are reached.
    pub bandwidth: f64,
    /// Seconds of a call that do not depend on its bytes.
    pub launch: f64,
}

impl Memory {
    /// Seconds of an operator that moves so many bytes.
    pub fn time(&self, bytes: f64) -> f64 {
        self.launch + bytes / self.bandwidth
    }
}

/// How fast one chip runs operators, with products of one precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Efficiency {
    /// Matrix products.
    pub matmul: Matmul,
    /// Fused attention.
    pub attention: Attention,
    /// What only moves bytes.
    pub memory: Memory,
}

impl Efficiency {
    /// All three, where their numbers can be; else the name of the one that cannot.
    pub fn new(matmul: Matmul, attention: Attention, memory: Memory) -> Result<Self> {
        matmul.check()?;
        attention.check()?;
        positive("memory bandwidth", memory.bandwidth)?;
        not_negative("memory launch", memory.launch)?;
        Ok(Self {
            matmul,
            attention,
            memory,
        })
    }

    /// Seconds of a product of M x K with K x N.
    pub fn matmul(&self, m: f64, k: f64, n: f64) -> f64 {
        self.matmul.time(m, k, n)
    }

    /// Seconds of attention, forward or backward.
    pub fn attention(&self, scores: &Scores, backward: bool) -> f64 {
        self.attention.time(scores, backward)
    }

    /// Seconds of an operator that moves so many bytes.
    pub fn memory(&self, bytes: f64) -> f64 {
        self.memory.time(bytes)
    }
}
