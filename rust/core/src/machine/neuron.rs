//! What a Trainium chip adds to its links when it runs a collective: ranks, DMA passes, HBM, thresholds.

use crate::error::{Error, Result, not_negative, positive};

/// Parameters of `algorithm="neuron"`; `collective/neuron` says what each one does.
#[derive(Debug, Clone, PartialEq)]
pub struct Neuron {
    /// Ranks of one chip: 4 with LNC 2, 8 with LNC 1.
    pub ranks_per_chip: u32,
    /// Seconds that each call takes, whatever it does.
    pub call: f64,
    /// Seconds of one pass of the DMA engines that waits for the pass before it.
    pub step: f64,
    /// Seconds of one step between nodes, from HBM to HBM.
    pub efa_step: f64,
    /// Bytes/s that one chip alone passes out of its HBM over its NIC.
    pub efa_goodput: f64,
    /// Bytes/s that all chips of an instance pass so together.
    pub efa_instance_goodput: f64,
    /// Chips of an instance, which follow each other by number.
    pub instance_chips: u32,
    /// Bytes/s of a chip's HBM by its data sheet.
    pub hbm_bandwidth: f64,
    /// Share of it that collectives reach.
    pub hbm_efficiency: f64,
    /// Share of the links' data-sheet rate that collectives reach.
    pub link_efficiency: f64,
    /// Links that a chip drives at once while it halves or doubles.
    pub links_at_once: f64,
    /// Largest size in bytes for Mesh.
    pub mesh_most: f64,
    /// Largest size in bytes for halving and doubling.
    pub halving_most: f64,
    /// What an all-reduce among the ranks of one chip took: (bytes, seconds), ascending by bytes; empty where it is not
    /// known.
    pub chip_all_reduce: Vec<(f64, f64)>,
    /// The rows that the parameters were fitted on, if they were.
    pub fitted_on: Option<FittedOn>,
}

/// What measured rows were of.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOn {
    /// Chips of a node.
    pub chips: u32,
    /// Nodes.
    pub nodes: u32,
    /// Ranks of a chip.
    pub ranks_per_chip: u32,
    /// Operations, by name.
    pub operations: Vec<String>,
    /// The type of their numbers, where it is known.
    pub dtype: Option<String>,
}

impl Neuron {
    pub(crate) fn validate(&self) -> Result<()> {
        if ![4, 8].contains(&self.ranks_per_chip) {
            return Err(Error::invalid(
                "ranks_per_chip",
                self.ranks_per_chip,
                "must be 4 (LNC 2) or 8 (LNC 1)",
            ));
        }
        not_negative("call", self.call)?;
        not_negative("step", self.step)?;
        not_negative("efa_step", self.efa_step)?;
        positive("efa_goodput", self.efa_goodput)?;
        positive("efa_instance_goodput", self.efa_instance_goodput)?;
        if self.instance_chips == 0 {
            return Err(Error::invalid("instance_chips", 0, "must be >= 1"));
        }
        positive("hbm_bandwidth", self.hbm_bandwidth)?;
        for (name, share) in [
            ("hbm_efficiency", self.hbm_efficiency),
            ("link_efficiency", self.link_efficiency),
        ] {
            positive(name, share)?;
            if share > 1.0 {
                return Err(Error::invalid(
                    name,
                    share,
                    "must be at most 1: no part is faster than its data sheet",
                ));
            }
        }
        positive("links_at_once", self.links_at_once)?;
        if self.links_at_once > 4.0 {
            return Err(Error::invalid(
                "links_at_once",
                self.links_at_once,
                "must be at most 4, the links of a chip in its plane",
            ));
        }
        for &(bytes, seconds) in &self.chip_all_reduce {
            positive("bytes of chip_all_reduce", bytes)?;
            not_negative("seconds of chip_all_reduce", seconds)?;
        }
        let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0;
        if !self.chip_all_reduce.windows(2).all(ascends) {
            let allowed = "must ascend by bytes";
            return Err(Error::invalid(
                "chip_all_reduce",
                "rows in another order",
                allowed,
            ));
        }
        not_negative("mesh_most", self.mesh_most)?;
        not_negative("halving_most", self.halving_most)?;
        if self.mesh_most > self.halving_most {
            return Err(Error::invalid(
                "mesh_most",
                self.mesh_most,
                format!("must be at most halving_most, {}", self.halving_most),
            ));
        }
        Ok(())
    }
}
