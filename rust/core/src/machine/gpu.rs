//! What makes a machine a GPU machine to NCCL: the figures that its tuning model asks of a node.

use super::nccl_timing::NcclTiming;
use crate::error::{Error, Result, not_negative};

/// Generations of NVIDIA GPUs that NCCL's tables tell apart and that come with NVSwitch nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Compute capability 8.0: A100.
    Ampere,
    /// Compute capability 9.0: H100, H200.
    Hopper,
    /// Compute capability 10.0 and 10.3: B200, B300, GB200, GB300.
    Blackwell,
}

/// Releases of NCCL whose tables differ for machines here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NcclVersion {
    /// 2.29.2, which public tables were measured with.
    V2_29_2,
    /// 2.30.7.
    V2_30_7,
}

/// Host processors that NCCL's tables tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpu {
    /// x86 by Intel.
    Intel,
    /// x86 by AMD.
    Amd,
    /// Arm: Grace.
    Arm,
}

/// The GPUs of a node and what carries their messages. A node is a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// Generation.
    pub generation: Generation,
    /// NVLinks of one GPU.
    pub nvlinks: u32,
    /// NICs of a node, which share its rate; `None` for one of each GPU's own.
    pub nics: Option<u32>,
    /// The host's processor.
    pub cpu: Cpu,
    /// Seconds that the network plugin reports for one message between nodes.
    pub network_latency: f64,
    /// Whether the protocol LL may be used.
    pub ll: bool,
    /// Whether the protocol LL128 may be used.
    pub ll128: bool,
    /// Whether network switches reduce (CollNet, NVLink SHARP over the network).
    pub collnet: bool,
    /// The release of NCCL that runs.
    pub version: NcclVersion,
    /// Times leave latencies out; the choice, whose tables have them, is the same.
    pub silent: bool,
    /// What its parts take, fitted to measurements; `None` for what NCCL's own tables say.
    pub timing: Option<NcclTiming>,
}

impl Generation {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Ampere, "ampere"),
        (Self::Hopper, "hopper"),
        (Self::Blackwell, "blackwell"),
    ];

    /// The generation of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        named("generation", &Self::ALL, name)
    }

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ampere => "ampere",
            Self::Hopper => "hopper",
            Self::Blackwell => "blackwell",
        }
    }
}

impl NcclVersion {
    const ALL: [(Self, &'static str); 2] = [(Self::V2_29_2, "2.29.2"), (Self::V2_30_7, "2.30.7")];

    /// The release of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        named("version", &Self::ALL, name)
    }

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2_29_2 => "2.29.2",
            Self::V2_30_7 => "2.30.7",
        }
    }
}

impl Cpu {
    /// The processor of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn from_name(name: &str) -> Result<Self> {
        let all = [
            (Self::Intel, "intel"),
            (Self::Amd, "amd"),
            (Self::Arm, "arm"),
        ];
        named("cpu", &all, name)
    }
}

pub(super) fn named<T: Copy>(argument: &str, all: &[(T, &'static str)], name: &str) -> Result<T> {
    all.iter()
        .find(|row| row.1 == name)
        .map(|row| row.0)
        .ok_or_else(|| Error::Unknown {
            argument: argument.to_owned(),
            value: name.to_owned(),
            known: all.iter().map(|row| row.1).collect::<Vec<_>>().join(", "),
        })
}

impl Gpu {
    /// A GPU of `generation` as NCCL's tables have it: all protocols, an Intel host, NCCL 2.30.7, nothing fitted.
    pub fn new(generation: Generation, nvlinks: u32) -> Self {
        Self {
            generation,
            nvlinks,
            nics: None,
            cpu: Cpu::Intel,
            network_latency: 0.0,
            ll: true,
            ll128: true,
            collnet: false,
            version: NcclVersion::V2_30_7,
            silent: false,
            timing: None,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        if self.nvlinks == 0 {
            return Err(Error::invalid("nvlinks", 0, "must be >= 1"));
        }
        if self.nics == Some(0) {
            return Err(Error::invalid("nics", 0, "must be >= 1"));
        }
        not_negative("network_latency", self.network_latency)?;
        self.timing.as_ref().map_or(Ok(()), NcclTiming::validate)
    }
}
