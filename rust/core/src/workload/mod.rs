//! What runs on a machine. `efficiency`: how fast a chip runs the operators of a transformer.

mod efficiency;

pub use efficiency::{Attention, Efficiency, Matmul, Memory, Scores};
