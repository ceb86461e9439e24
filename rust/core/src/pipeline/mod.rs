#![allow(missing_docs, clippy::all)]
//! placeholder until the pipeline room lands
use crate::{Control, Result};
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    GPipe,
    OneF1B,
    Interleaved,
    ZbH1,
    ZbH2,
    ZbV,
    DualPipe,
}
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chunk {
    pub forward: f64,
    pub backward: f64,
    pub weights: f64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    pub schedule: Schedule,
    pub stages: u32,
    pub virtual_stages: u32,
    pub microbatches: u32,
    pub chunks: Vec<Chunk>,
    pub transfer: Vec<f64>,
}
pub struct Ran {
    pub seconds: f64,
    pub idle: Vec<f64>,
    pub in_flight: Vec<f64>,
}
impl Pipeline {
    pub fn validate(&self) -> Result<()> {
        Ok(())
    }
}
pub fn simulate(p: &Pipeline, _c: &Control) -> Result<Ran> {
    let s: f64 = p
        .chunks
        .iter()
        .map(|c| c.forward + c.backward + c.weights)
        .sum();
    let each = s / f64::from(p.stages);
    Ok(Ran {
        seconds: each * f64::from(p.microbatches + p.stages - 1),
        idle: vec![],
        in_flight: (0..p.stages)
            .map(|i| f64::from((p.stages - i).min(p.microbatches)))
            .collect(),
    })
}

impl Schedule {
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "gpipe" => Self::GPipe,
            "1f1b" => Self::OneF1B,
            "interleaved" => Self::Interleaved,
            "zb-h1" => Self::ZbH1,
            "zb-h2" => Self::ZbH2,
            "zb-v" => Self::ZbV,
            _ => Self::DualPipe,
        })
    }
}
