//! Loads of random flows on a cubic torus.
//!
//! `random_flows [side = 32] [flows = 10000000] [routing = dor|dor+|adaptive|valiant] [threads = 1]
//! [bytes = scalar|i64|i128]`; 0 flows measures the setting up.

use rainier_core::load::{ByteColumn, Flows, IndexColumn, SplitMix64, link_loads};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
use rainier_core::route::{DimensionOrder, Routing, TieRule};
use rainier_core::{Control, Error, Result};
use std::time::Instant;

fn torus(side: u32) -> Result<Machine> {
    let axis = |name: &str| Axis {
        name: name.to_owned(),
        size: side,
        kind: AxisKind::Ring,
        bandwidth: 50e9,
        latency: 1e-6,
    };
    let site = Site {
        name: "site".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    let domain = Domain::new(["x", "y", "z"].map(axis).to_vec())?;
    Machine::new(domain, 0.0, None, vec![site], None)
}

/// Count them once and say how long that took.
pub(crate) fn load(arguments: &[String]) -> Result<()> {
    let text = |at: usize, default: &str| {
        let given = arguments.get(at).map(String::as_str);
        given.unwrap_or(default).to_owned()
    };
    let number = |at: usize, default: &str| {
        let value = text(at, default);
        value
            .parse::<u32>()
            .map_err(|_| Error::invalid(format!("argument {}", at + 1), value, "must be a number"))
    };
    let machine = torus(number(0, "32")?)?;
    let flows = number(1, "10000000")? as usize;
    let routing = match text(2, "dor").as_str() {
        "adaptive" => Routing::MinimalAdaptive,
        "valiant" => Routing::Valiant,
        "dor+" => Routing::DimensionOrder(DimensionOrder {
            tie: TieRule::Positive,
            order: None,
        }),
        _ => Routing::default(),
    };
    let mut random = SplitMix64::new(1);
    let mut chips = || -> Vec<u32> {
        let draw = |_| random.below(machine.num_chips());
        (0..flows).map(draw).collect()
    };
    let (src, dst) = (chips(), chips());
    let per_flow: Vec<f64> = match text(4, "scalar").as_str() {
        "i64" => (0..flows).map(|flow| (flow % 1000) as f64).collect(),
        "i128" => (0..flows).map(|flow| 0.1 * (flow % 1000) as f64).collect(),
        _ => Vec::new(),
    };
    let flows = Flows {
        src: IndexColumn::U32(&src),
        dst: IndexColumn::U32(&dst),
        bytes: if per_flow.is_empty() {
            ByteColumn::Scalar(1.0)
        } else {
            ByteColumn::PerFlow(&per_flow)
        },
    };
    let threads = number(3, "1")? as usize;
    let start = Instant::now();
    let loads = link_loads(&machine, &flows, &routing, threads, &Control::default())?;
    let seconds = start.elapsed().as_secs_f64();
    let total: f64 = loads.iter().sum();
    let most = loads.iter().copied().fold(0.0, f64::max);
    println!("{seconds:.4} s, hop bytes {total}, most {most}");
    Ok(())
}
