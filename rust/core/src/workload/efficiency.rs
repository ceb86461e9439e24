//! How fast a chip runs operators.

/// What one chip reaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Efficiency {
    /// FLOP/s of matrices at most, with what products reach of it.
    pub peak: f64,
    /// Share of the peak that large products reach.
    pub ceiling: f64,
    /// Rows, inner and outer numbers at which half of it is reached.
    pub halves: [f64; 3],
    /// Seconds that an operator takes beside its work.
    pub launch: f64,
    /// FLOP/s of attention forward and backward.
    pub attention: [f64; 2],
    /// Bytes/s that operators reach.
    pub memory: f64,
    /// Bytes of a number of matrices.
    pub number_bytes: f64,
}

impl Efficiency {
    /// Seconds of a product of rows x inner with inner x outer.
    pub fn matmul(&self, rows: f64, inner: f64, outer: f64) -> f64 {
        let [m, k, n] = self.halves;
        let flops = 2.0 * rows * inner * outer;
        let slower = (1.0 + m / rows) * (1.0 + k / inner) * (1.0 + n / outer);
        let bytes = self.number_bytes * (rows * inner + inner * outer + rows * outer);
        let computes = flops / (self.peak * self.ceiling) * slower;
        self.launch + computes.max(bytes / self.memory)
    }

    /// Seconds of attention of so many FLOPs.
    pub fn attention(&self, flops: f64, backward: bool) -> f64 {
        self.launch + flops / self.attention[usize::from(backward)]
    }

    /// Seconds of an operator that moves so many bytes.
    pub fn memory(&self, bytes: f64) -> f64 {
        self.launch + bytes / self.memory
    }
}
