//! What a pattern costs where domains are damaged, beside its cost on whole ones.

use super::class::Pairs;
use super::{Class, DomainDamage};
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::{Error, Result};

/// Adds the damaged domains' part to the unit cost of a local pattern.
pub(crate) fn inside(
    scene: &Scene,
    damaged: &DomainDamage,
    pairs: &[(u32, u32)],
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let small = damaged.classes.iter().all(Class::is_small);
    let listed = Pairs::listed(scene.machine.domain(), pairs, small);
    of_pairs(scene, damaged, &listed, unit_cost)
}

/// Adds the damaged domains' part to the unit cost of every chip to every other.
pub(crate) fn inside_all(
    scene: &Scene,
    damaged: &DomainDamage,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    of_pairs(
        scene,
        damaged,
        &Pairs::All(scene.machine.domain().chips()),
        unit_cost,
    )
}

fn of_pairs(
    scene: &Scene,
    damaged: &DomainDamage,
    pairs: &Pairs,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let machine = scene.machine;
    let every = damaged.whole.is_none();
    if every {
        // No whole domain takes part: its messages count for nothing.
        (unit_cost.latency, unit_cost.overhead, unit_cost.sent) = (0.0, 0.0, 0.0);
        unit_cost.zero_load.clear();
    }
    let whole: Vec<f64> = unit_cost.ledger.local.values().collect();
    for class in &damaged.classes {
        scene.control.check()?;
        let mut note = |latency: f64, slowness: f64| unit_cost.note_zero_load(latency, slowness);
        let loads = class.loads(machine, pairs, &whole, every, &mut note, scene.control)?;
        unit_cost.ledger.classes.push(loads);
        if every || !class.damage.chips.is_empty() {
            let sent = most_sent(class, pairs);
            unit_cost.sent = unit_cost.sent.max(sent);
            unit_cost.overhead = unit_cost.overhead.max(sent * machine.overhead());
        }
    }
    Ok(())
}

/// Largest number of messages that one chip sends, for all ranks that it plays.
fn most_sent(class: &Class, pairs: &Pairs) -> f64 {
    let mut sent = vec![0u32; class.substitutes.len()];
    for (src, dst) in pairs.all() {
        let (from, to) = (
            class.substitutes[src as usize],
            class.substitutes[dst as usize],
        );
        sent[from as usize] += u32::from(from != to);
    }
    f64::from(sent.into_iter().max().unwrap_or(0))
}

/// Adds the paths to and from other chips' NICs to the unit cost of a pattern between domains.
///
/// Rails and NIC pairs are looked at one by one. Of the patterns that name sets of domains, the longest path to a NIC,
/// the longest between domains and the longest from a NIC count together, though they may belong to different messages.
pub(crate) fn between_domains(
    scene: &Scene,
    damaged: &DomainDamage,
    kind: &PatternKind,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let roles = f64::from(damaged.most_roles());
    (unit_cost.overhead, unit_cost.sent) = (unit_cost.overhead * roles, unit_cost.sent * roles);
    if damaged
        .classes
        .iter()
        .all(|class| class.redirects.iter().all(Vec::is_empty))
    {
        return Ok(());
    }
    match kind {
        PatternKind::Rails(pairs) => {
            let nics: Vec<(u32, u32)> = scene.members().map(|chip| (chip, chip)).collect();
            rails(scene, damaged, &pairs.list(), &nics, unit_cost);
        }
        PatternKind::NicPairs { pairs, nics } => {
            rails(scene, damaged, &pairs.list(), nics, unit_cost)
        }
        PatternKind::Star { .. } | PatternKind::Exchange { .. } | PatternKind::Sites { .. } => {
            let longest = |direction: usize| {
                let of = damaged
                    .classes
                    .iter()
                    .flat_map(|class| &class.redirects[direction]);
                of.fold((0.0, 0.0), |most: (f64, f64), redirect| {
                    (most.0.max(redirect.latency), most.1.max(redirect.slowness))
                })
            };
            let (out, into) = (longest(0), longest(1));
            let slowest = unit_cost
                .zero_load
                .iter()
                .map(|message| message.1)
                .fold(0.0, f64::max);
            let latency = unit_cost.latency + out.0 + into.0;
            unit_cost.note_zero_load(latency, slowest.max(out.1).max(into.1));
        }
        PatternKind::Local(_)
        | PatternKind::LocalAll
        | PatternKind::InSwitch { .. }
        | PatternKind::Shift { .. }
        | PatternKind::Flat(_) => {
            return Err(Error::unsupported(
                "a local pattern as one between domains",
                "report this as a bug",
            ));
        }
    }
    Ok(())
}

/// NIC pairs are (sending, receiving) local chips. Only those that a NIC's loss concerns are looked at.
fn rails(
    scene: &Scene,
    damaged: &DomainDamage,
    pairs: &[(u32, u32)],
    nics: &[(u32, u32)],
    unit_cost: &mut UnitCost,
) {
    let extra = |class: Option<&Class>, direction: usize, chip: u32| {
        let list = &class?.redirects[direction];
        let at = list.binary_search_by_key(&chip, |redirect| redirect.chip);
        at.ok().map(|at| (list[at].latency, list[at].slowness))
    };
    for &(from, to) in pairs {
        let (sender, receiver) = (damaged.redirected(from), damaged.redirected(to));
        if sender.is_none() && receiver.is_none() {
            continue;
        }
        let cost = scene.path(from, to, |_| ());
        for &(src, dst) in nics {
            let (out, into) = (extra(sender, 0, src), extra(receiver, 1, dst));
            if out.is_some() || into.is_some() {
                let (out, into) = (out.unwrap_or_default(), into.unwrap_or_default());
                let slowness = (1.0 / cost.bandwidth).max(out.1).max(into.1);
                unit_cost.note_zero_load(cost.latency + out.0 + into.0, slowness);
            }
        }
    }
}
