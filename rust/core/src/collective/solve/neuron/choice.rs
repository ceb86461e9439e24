//! Which algorithm runs, and what it takes.

use super::call::Call;
use super::ground::Spot;
use super::limits::{KANGARING_RANKS, MESH_DEVICES};
use super::part::{Overlap, Part, Plan, Segment};
use crate::operation::Operation::{self, ReduceScatter};
use crate::{Error, Result};

/// Adds the operations `halves`, one after another, inside each node.
pub(super) fn inside(call: &Call, halves: &[Operation], size: f64, plan: &mut Plan) -> Result<()> {
    let neuron = call.neuron;
    let chips = call.ground.local().ranks();
    let ranks = chips * neuron.ranks_per_chip as usize;
    if chips == 1 {
        // The ranks of one chip are a node of their own; the rest goes between nodes.
        plan.explain(
            "one chip of each node takes part, whose ranks gather and reduce in its HBM".to_owned(),
        );
        return push(call, halves, size, &Kind::OnChip, plan);
    }
    let shown = |bytes: f64| format!("{} MiB", bytes / 1048576.0);
    let whole = call.request.size;
    let (mesh, halving) = (neuron.mesh_most, neuron.halving_most);
    let mut refused = String::new();
    if whole <= mesh {
        if chips <= MESH_DEVICES {
            plan.explain(format!("Mesh inside the node: size up to {}", shown(mesh)));
            return push(call, halves, size, &Kind::Mesh, plan);
        }
        refused = format!("; no Mesh, which takes {MESH_DEVICES} devices at most (nec.h)");
    }
    if whole <= halving {
        if chips.is_power_of_two() {
            let above = shown(mesh);
            plan.explain(format!(
                "RDH inside the node: size above {above}, up to {}{refused}",
                shown(halving)
            ));
            return push(call, halves, size, &Kind::Halving, plan);
        }
        refused += "; no RDH, which takes a power of two of chips";
    }
    if ranks > KANGARING_RANKS {
        refused += &format!("; no KangaRing, which takes {KANGARING_RANKS} ranks at most (nec.h)");
    } else if whole > halving {
        let above = shown(halving);
        if accepted(push(call, halves, size, &Kind::KangaRing, plan))? {
            plan.explain(format!("KangaRing inside the node: size above {above}"));
            return Ok(());
        }
        if call.ground.has_planes() {
            push_planes(call, halves, size, plan)?;
            plan.explain(format!(
                "KangaRing inside the node: size above {above}; its cycles of an UltraServer are not published, \
                 so each plane has its own and a ring joins the planes"
            ));
            return Ok(());
        }
        refused += "; no KangaRing, whose cycles are published for whole square planes of a torus";
    }
    plan.explain(format!("ring inside the node{refused}"));
    push(call, halves, size, &Kind::Ring, plan)
}

/// Adds a KangaRing in each plane, and a ring that joins the planes.
fn push_planes(call: &Call, halves: &[Operation], size: f64, plan: &mut Plan) -> Result<()> {
    let mut parts = Vec::with_capacity(2 * halves.len());
    let share = size / call.ground.at(Spot::Planes).ranks() as f64;
    for &half in halves {
        parts.push(part(call, Spot::Planes, half, size, &Kind::KangaRing)?);
        parts.push(part(call, Spot::Lines, half, share, &Kind::Across)?);
    }
    plan.segments.push(Segment {
        parts,
        overlap: Overlap::Steps,
    });
    Ok(())
}

/// Whether an algorithm applied.
fn accepted(tried: Result<()>) -> Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(Error::Unsupported { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

enum Kind {
    OnChip,
    Mesh,
    Halving,
    KangaRing,
    /// A ring of the chips that hold the same share in several planes.
    Across,
    Ring,
}

fn push(call: &Call, halves: &[Operation], size: f64, kind: &Kind, plan: &mut Plan) -> Result<()> {
    let overlap = match kind {
        Kind::Mesh => Overlap::None,
        Kind::OnChip | Kind::Halving => Overlap::Pieces,
        Kind::KangaRing | Kind::Across | Kind::Ring => Overlap::Steps,
    };
    let parts = halves
        .iter()
        .map(|&half| part(call, Spot::Local, half, size, kind))
        .collect::<Result<_>>()?;
    plan.segments.push(Segment { parts, overlap });
    Ok(())
}

/// The table of the module's page.
fn part(call: &Call, spot: Spot, half: Operation, size: f64, kind: &Kind) -> Result<Part> {
    let neuron = call.neuron;
    let reduces = half == ReduceScatter;
    let chips = call.ground.at(spot).ranks() as f64;
    let ranks = f64::from(neuron.ranks_per_chip);
    let moved = size * (chips - 1.0) / chips;
    let pairs = ranks / 2.0;
    let either = |gather: f64, reduce: f64| if reduces { reduce } else { gather };
    let new = |sized, names, passes: f64, hbm| {
        Part::new(call, spot, half, sized, names, (passes as u64, hbm))
    };
    match kind {
        Kind::OnChip => {
            let touched = size * either(ranks, ranks + 1.0);
            new((size, 1.0), ("direct", "the chip's HBM"), 1.0, touched)
        }
        Kind::Mesh => {
            let touched = ranks * size + size / chips;
            new((size * ranks, 1.0), ("direct", "Mesh"), 2.0, touched)
        }
        Kind::Halving => {
            let steps = chips.log2();
            let passes = either(steps, 2.0 * steps) + 1.0;
            let touched = either(
                2.0 * moved + ranks * size,
                3.0 * moved + (ranks + 1.0) * size,
            );
            let links_at_once = neuron.links_at_once;
            new(
                (size, links_at_once),
                ("halving_doubling", "RDH"),
                passes,
                touched,
            )
        }
        Kind::KangaRing => {
            let passes = chips * ranks / 2.0 - 1.0;
            let touched = pairs * moved * either(3.0, 4.0);
            new((size, 1.0), ("multi_ring", "KangaRing"), passes, touched)
        }
        Kind::Across => {
            let touched = pairs * moved * either(3.0, 4.0);
            new((size, 1.0), ("ring", "ring"), chips - 1.0, touched)
        }
        Kind::Ring => {
            let passes = chips * ranks - 1.0;
            let touched = pairs * moved * either(4.0, 6.0);
            new((size, 1.0), ("ring", "ring"), passes, touched)
        }
    }
}
