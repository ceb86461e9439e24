//! What makes a machine a TPU slice to XLA: the part, for which its compiler has rules.

use super::gpu::named;
use crate::error::Result;

/// Parts that XLA's compiler tells apart and that come in slices of a torus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tpu {
    /// TPU v4, its two cores one device.
    V4,
    /// TPU v5e.
    V5e,
    /// TPU v5p.
    V5p,
    /// TPU v6e (Trillium).
    V6e,
    /// TPU7x (Ironwood).
    Tpu7x,
}

impl Tpu {
    /// All of them, as the compiler names them.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::V4, "v4"),
        (Self::V5e, "v5e"),
        (Self::V5p, "v5p"),
        (Self::V6e, "v6e"),
        (Self::Tpu7x, "tpu7x"),
    ];

    /// The part of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown).
    pub fn from_name(name: &str) -> Result<Self> {
        named("tpu", &Self::ALL, name)
    }

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V5e => "v5e",
            Self::V5p => "v5p",
            Self::V6e => "v6e",
            Self::Tpu7x => "tpu7x",
        }
    }
}
