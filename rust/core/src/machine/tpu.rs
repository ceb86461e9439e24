//! What makes a machine a slice of TPUs to XLA: the part, for which its compiler has rules, and what calls add to links.

use super::gpu::named;
use crate::error::{Error, Result, not_negative, positive};

/// Parts that XLA's compiler tells apart and that come in slices of a torus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TpuPart {
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

/// Parameters of `algorithm="xla"`; `collective/solve/xla` says what each one does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tpu {
    /// The part.
    pub part: TpuPart,
    /// Share of the links' data-sheet rate that collectives reach.
    pub link_efficiency: f64,
    /// Share of the launch of a call that no bytes hide.
    pub exposed_launch: f64,
}

impl TpuPart {
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
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        named("part", &Self::ALL, name)
    }

    /// The name that users write.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|row| row.0 == self);
        found.map_or("", |row| row.1)
    }
}

impl Tpu {
    pub(crate) fn validate(&self) -> Result<()> {
        positive("link_efficiency", self.link_efficiency)?;
        not_negative("exposed_launch", self.exposed_launch)?;
        for (name, share) in [
            ("link_efficiency", self.link_efficiency),
            ("exposed_launch", self.exposed_launch),
        ] {
            if share > 1.0 {
                return Err(Error::invalid(name, share, "must be at most 1"));
            }
        }
        Ok(())
    }
}
