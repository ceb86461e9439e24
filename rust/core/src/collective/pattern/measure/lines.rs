//! What messages along one axis cost, found on one line.

use crate::Result;
use crate::collective::pattern::lines::Lines;
use crate::collective::pattern::loads::Loads;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::tiles::Tiles;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::load::{ByteColumn, Flows, IndexColumn, link_loads};
use crate::machine::{Axis, AxisKind, Domain, Machine};
use crate::route::{DimensionOrder, Routing, zero_load};

/// The cost, where routes keep to the axis.
pub(super) fn lines(scene: &Scene, lines: &Lines) -> Result<Option<UnitCost>> {
    let domain = scene.domain_machine.domain();
    let Some(order) = scene.routing.order_on_whole(domain)? else {
        return Ok(None);
    };
    let axis = &domain.axes()[lines.axis];
    let plain = match &axis.kind {
        AxisKind::Switch { spans_below, tiers } => !spans_below && tiers.is_empty(),
        _ => true,
    };
    if !plain {
        return Ok(None);
    }
    let line = Machine::single(&Domain::new(vec![axis.clone()])?)?;
    let routing = Routing::DimensionOrder(DimensionOrder {
        tie: order.tie,
        order: None,
    });
    let mut sent = vec![0.0; axis.size as usize];
    let mut unit_cost = UnitCost::default();
    for &(from, to) in &lines.pairs {
        scene.control.check()?;
        sent[from as usize] += 1.0;
        let message = zero_load(&line, &routing, from, to, scene.control)?;
        unit_cost.note_zero_load(message.latency, 1.0 / message.bandwidth);
    }
    let messages = sent.into_iter().fold(0.0, f64::max);
    unit_cost.overhead = messages * scene.domain_machine.overhead();
    unit_cost.sent = messages;
    let (src, dst): (Vec<u32>, Vec<u32>) = lines.pairs.iter().copied().unzip();
    let flows = Flows {
        src: IndexColumn::U32(&src),
        dst: IndexColumn::U32(&dst),
        bytes: ByteColumn::Scalar(1.0),
    };
    let loads = link_loads(&line, &flows, &routing, 1, scene.control)?;
    unit_cost.ledger.local = on_all(domain, lines.axis, &loads);
    Ok(Some(unit_cost))
}

/// The loads of one line on every line of an axis, and nothing elsewhere.
fn on_all(domain: &Domain, number: usize, loads: &[f64]) -> Loads {
    let (axis, plan): (&Axis, _) = (&domain.axes()[number], &domain.plans()[number]);
    let mut tiles = Tiles::default();
    let nothing = |tiles: &mut Tiles, count: u64| {
        tiles.push(count as usize, count as usize, vec![0.0]);
    };
    nothing(&mut tiles, plan.first_link);
    // Links of a full mesh are in the order of lines; those of other axes go by direction, and in that as chips do.
    let (parts, each) = match axis.kind {
        AxisKind::FullMesh => (1, 1),
        _ => (2, plan.stride as usize),
    };
    for part in loads.chunks_exact(loads.len() / parts) {
        tiles.push(plan.links as usize / parts, each, part.to_vec());
    }
    nothing(&mut tiles, domain.links() - plan.first_link - plan.links);
    tiles.into()
}

#[cfg(test)]
mod tests {
    use super::super::domain;
    use super::lines;
    use crate::Control;
    use crate::collective::ask::group::Groups;
    use crate::collective::pattern::lines::{Along, BoxOrder};
    use crate::collective::pattern::scene::Scene;
    use crate::machine::{Axis, AxisKind, Domain, Machine};
    use crate::route::{DimensionOrder, Routing, TieRule};
    use proptest::prelude::*;

    fn axis() -> impl Strategy<Value = Axis> {
        let switch = AxisKind::Switch {
            spans_below: false,
            tiers: Vec::new(),
        };
        let kinds = prop_oneof![
            3 => Just(AxisKind::Ring),
            1 => Just(AxisKind::Line),
            1 => Just(AxisKind::FullMesh),
            1 => Just(switch),
        ];
        (2u32..7, kinds, 1u32..4).prop_map(|(size, kind, speed)| Axis {
            name: "a".to_owned(),
            size,
            kind,
            bandwidth: f64::from(speed) * 1e9,
            latency: 1e-6 / f64::from(speed),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn one_line_stands_for_all(
            axes in proptest::collection::vec(axis(), 1..4), tie in 0usize..6, pick in any::<u64>(),
        ) {
            let ties = [
                TieRule::Split, TieRule::Positive, TieRule::Negative, TieRule::Simgrid,
                TieRule::Parity, TieRule::Dateline,
            ];
            let order = DimensionOrder { tie: ties[tie], order: None };
            let routing = Routing::DimensionOrder(order);
            let machine = Machine::single(&Domain::new(axes.clone()).expect("sound")).expect("sound");
            let groups = Groups::all(&machine).expect("small");
            let control = Control::default();
            let scene = Scene::new(&machine, &routing, &groups, &control).expect("small");
            let domain = machine.domain();
            let side = pick as usize % axes.len();
            let size = axes[side].size;
            // Some of all pairs of places, by the bits of a number.
            let pairs = (0..size).flat_map(|from| (0..size).map(move |to| (from, to)));
            let pairs = pairs.filter(|(from, to)| from != to);
            let some = pairs.enumerate().filter(|(at, _)| pick >> (at % 61 + 2) & 1 == 1);
            let along = Along { side, places: some.map(|pair| pair.1).collect(), in_lists: false };
            let shape = BoxOrder {
                sides: (0..axes.len()).map(|at| (at, (0..axes[at].size).rev().collect())).collect(),
            };
            let found = shape.lines(&along);
            let stride = domain.plans()[side].stride;
            let listed: Vec<(u32, u32)> = (0..domain.chips())
                .flat_map(|chip| {
                    let here = domain.coordinate(chip, side);
                    let own = found.pairs.iter().filter(move |pair| pair.0 == here);
                    own.map(move |&(from, to)| (chip, chip - from * stride + to * stride))
                })
                .collect();
            let compact = lines(&scene, &found).expect("sound").expect("it keeps to its axis");
            let long = domain::local(&scene, &listed).expect("sound");
            let values = |loads: &crate::collective::pattern::loads::Loads| -> Vec<f64> {
                (0..domain.links() as usize).map(|link| loads.get(link)).collect()
            };
            prop_assert_eq!(values(&compact.ledger.local), values(&long.ledger.local));
            prop_assert_eq!(compact.ledger.busiest(&scene), long.ledger.busiest(&scene));
            prop_assert_eq!(compact.latency, long.latency);
            prop_assert_eq!((compact.sent, compact.overhead), (long.sent, long.overhead));
            let sorted = |mut pairs: Vec<(f64, f64)>| {
                pairs.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
                pairs
            };
            prop_assert_eq!(sorted(compact.zero_load), sorted(long.zero_load));
        }
    }
}
