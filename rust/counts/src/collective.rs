//! One all-reduce on a torus: `collective SIDE MODEL ALGORITHM TIMES`.

use rainier_core::Control;
use rainier_core::collective::{Choice, Groups, Model, Operation, Request, run};
use rainier_core::machine::{Axis, AxisKind, Domain, Machine, Site};
use rainier_core::route::{DimensionOrder, Routing, TieRule};

/// Run it as often as asked.
pub(crate) fn all_reduce(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [side, model, algorithm, times] = words else {
        return Err("give SIDE, MODEL, ALGORITHM and TIMES".into());
    };
    let axis = |name: &str| -> Result<Axis, Box<dyn std::error::Error>> {
        Ok(Axis {
            name: name.to_owned(),
            size: side.parse()?,
            kind: AxisKind::Ring,
            bandwidth: 50e9,
            latency: 5e-7,
        })
    };
    let domain = Domain::new(vec![axis("x")?, axis("y")?, axis("z")?])?;
    let site = Site {
        name: "site".to_owned(),
        domains: 1,
        tiers: Vec::new(),
    };
    let machine = Machine::new(domain, 0.0, None, vec![site], None)?;
    let groups = Groups::all(&machine)?;
    let routing = Routing::DimensionOrder(DimensionOrder {
        tie: TieRule::Split,
        order: None,
    });
    let request = Request {
        model: Model::from_name(model)?,
        algorithm: Choice::Named(algorithm.clone()),
        ..Request::new(Operation::AllReduce, (1u64 << 30) as f64)
    };
    let mut total = 0.0;
    for _ in 0..times.parse()? {
        total += run(&machine, &groups, &routing, &request, &Control::default())?.time;
    }
    assert!(total > 0.0);
    Ok(())
}
