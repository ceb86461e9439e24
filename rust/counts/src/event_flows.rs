//! An event-driven engine, run once.
//!
//! ```text
//! event_flows permutation SIDE [fluid|fifo]   a random permutation of SIDE x SIDE x SIDE, ties towards higher
//! event_flows all_to_all SIDE [fluid|fifo]    all pairs
//! event_flows lockstep STEPS WIDTH [fluid|fifo]   WIDTH disjoint one-hop flows, STEPS times one after the other
//! ```

use rainier_core::fluid::{Flow, Graph, NO_GATE, Times};
use rainier_core::load::{ByteColumn, IndexColumn, Pattern, destinations};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
use rainier_core::route::{DimensionOrder, Routing, TieRule};
use rainier_core::sim::{Engine, Messages, finish_times};
use rainier_core::{Control, Result};

/// Run it and say how long the simulated time is.
pub(crate) fn simulate(
    arguments: &[String],
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let number = |at: usize| -> std::result::Result<u32, Box<dyn std::error::Error>> {
        Ok(arguments.get(at).ok_or("too few arguments")?.parse()?)
    };
    let engine = |at: usize| Engine::from_name(arguments.get(at).map_or("fluid", String::as_str));
    let makespan = match arguments.first().map(String::as_str) {
        Some("permutation") => permutation(number(1)?, engine(2)?)?,
        Some("all_to_all") => all_to_all(number(1)?, engine(2)?)?,
        Some("lockstep") => lockstep(number(1)?, number(2)?, engine(3)?)?.makespan,
        _ => return Err("see the head of event_flows.rs".into()),
    };
    println!("{makespan}");
    Ok(())
}

fn torus(side: u32) -> Result<Machine> {
    let axis = |name: &str| Axis {
        name: name.to_owned(),
        size: side,
        kind: AxisKind::Ring,
        bandwidth: 1.0,
        latency: 0.0,
    };
    let domain = Domain::new(["x", "y", "z"].map(axis).to_vec())?;
    let site = Site {
        name: "site".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    Machine::new(domain, 0.0, None, vec![site], None)
}

fn run(machine: &Machine, src: &[u32], dst: &[u32], engine: Engine) -> Result<f64> {
    let messages = Messages {
        src: IndexColumn::U32(src),
        dst: IndexColumn::U32(dst),
        bytes: ByteColumn::Scalar(1.0),
        start: ByteColumn::Scalar(0.0),
    };
    let routing = Routing::DimensionOrder(DimensionOrder {
        tie: TieRule::Positive,
        order: None,
    });
    let times = finish_times(machine, &messages, &routing, engine, &Control::default())?;
    Ok(times.into_iter().fold(0.0, f64::max))
}

fn permutation(side: u32, engine: Engine) -> Result<f64> {
    let machine = torus(side)?;
    let src: Vec<u32> = (0..machine.num_chips()).collect();
    let dst = destinations(&machine, &Pattern::Permutation { seed: 1 })?;
    run(&machine, &src, &dst, engine)
}

fn all_to_all(side: u32, engine: Engine) -> Result<f64> {
    let machine = torus(side)?;
    let chips = machine.num_chips();
    let pairs = (0..chips * chips).map(|pair| (pair / chips, pair % chips));
    let (src, dst): (Vec<u32>, Vec<u32>) = pairs.filter(|(src, dst)| src != dst).unzip();
    run(&machine, &src, &dst, engine)
}

fn lockstep(steps: u32, width: u32, engine: Engine) -> Result<Times> {
    let mut graph = Graph::default();
    let links: Vec<u32> = (0..width).map(|_| graph.resource(1.0, 0.5)).collect();
    let mut waits = NO_GATE;
    for _ in 0..steps {
        let done = graph.gate();
        for &link in &links {
            let flow = Flow {
                bytes: 1.0,
                latency: 0.5,
                waits,
                frees: [NO_GATE, done],
                ..Flow::default()
            };
            graph.flow(flow, [(link, 1.0)])?;
        }
        waits = done;
    }
    let control = Control::default();
    engine.simulate(&graph, &control)
}
