//! What a pattern costs where domains are damaged, beside its cost on whole ones.

use super::change::Change;
use super::offers::bounds;
use super::pairs::Pairs;
use super::{Class, DomainDamage};
use crate::collective::pattern::changes::{Changes, Classes};
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::scene::Scene;
use crate::collective::pattern::unit_cost::UnitCost;
use crate::{Error, Result};
use std::cell::OnceCell;
use std::sync::Arc;

/// Adds the damaged domains' part to the unit cost of a local pattern, which has this number.
pub(crate) fn inside(
    scene: &Scene,
    damaged: &DomainDamage,
    kind: &PatternKind,
    number: u32,
    unit_cost: &mut UnitCost,
) -> Result<()> {
    let machine = scene.machine;
    let every = damaged.whole.is_none();
    if every {
        // No whole domain takes part: its messages count for nothing.
        (unit_cost.latency, unit_cost.overhead, unit_cost.sent) = (0.0, 0.0, 0.0);
        unit_cost.zero_load.clear();
    }
    // Nothing is listed where all is known.
    let listed: OnceCell<(Pairs, Vec<f64>)> = OnceCell::new();
    let of_class = |class: &Class| -> Result<Change> {
        scene.control.check()?;
        let kept = class.kept && !every;
        if let Some(known) = kept.then(|| class.changes.get(number)).flatten() {
            return Ok(known);
        }
        let (pairs, whole) = listed.get_or_init(|| {
            let pairs = Pairs::of(machine.domain(), kind, class.is_small());
            (pairs, unit_cost.ledger.local.values().collect())
        });
        let change = class.change(machine, pairs, whole, every, scene.control)?;
        if let (true, Some(known)) = (kept, &damaged.known) {
            class
                .changes
                .keep(number, &change, |bytes| known.room(bytes));
        }
        Ok(change)
    };
    let changes: Vec<Change> = (damaged.classes.iter().map(of_class)).collect::<Result<_>>()?;
    let loads: Vec<&Changes> = changes.iter().map(|change| &*change.loads).collect();
    let bounds = bounds(scene, damaged, &unit_cost.ledger.local, &loads);
    let found = changes.iter().map(|change| Arc::clone(&change.loads));
    unit_cost.ledger.classes = Classes::found(number, found.collect(), bounds);
    for change in changes {
        for &(latency, slowness) in &change.notes {
            unit_cost.note_zero_load(latency, slowness);
        }
        unit_cost.sent = unit_cost.sent.max(change.sent);
        unit_cost.overhead = unit_cost.overhead.max(change.sent * machine.overhead());
    }
    Ok(())
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
    if damaged.redirected.is_empty() {
        return Ok(());
    }
    match kind {
        PatternKind::Rails(pairs) => damaged.concerned(pairs, |from, to| {
            let ends = [(from, 0), (to, 1)];
            let ends = ends.map(|(domain, at)| Some((damaged.redirected(domain)?, at)));
            let longest = match ends {
                [Some(out), Some(into)] => {
                    let chips = [out, into].into_iter().flat_map(|(class, at)| {
                        class.redirects[at].iter().map(|redirect| redirect.chip)
                    });
                    let nics = chips.filter(|&chip| scene.is_member(chip));
                    let nics = nics.map(|chip| (chip, chip));
                    return rail(scene, damaged, (from, to), nics, unit_cost);
                }
                [one, other] => one.or(other).map(|(class, at)| class.longest(scene, at)),
            };
            let cost = scene.path_cost(from, to);
            for &(latency, slowness) in longest.unwrap_or_default() {
                let slowness = (1.0 / cost.bandwidth).max(slowness);
                unit_cost.note_zero_load(cost.latency + latency, slowness);
            }
        }),
        PatternKind::NicPairs { pairs, nics } => damaged.concerned(pairs, |from, to| {
            rail(scene, damaged, (from, to), nics.iter().copied(), unit_cost);
        }),
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
        | PatternKind::Within { .. }
        | PatternKind::Crews { .. }
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
fn rail(
    scene: &Scene,
    damaged: &DomainDamage,
    (from, to): (u32, u32),
    nics: impl Iterator<Item = (u32, u32)>,
    unit_cost: &mut UnitCost,
) {
    let extra = |class: Option<&Class>, direction: usize, chip: u32| {
        let list = &class?.redirects[direction];
        let at = list.binary_search_by_key(&chip, |redirect| redirect.chip);
        at.ok().map(|at| (list[at].latency, list[at].slowness))
    };
    let (sender, receiver) = (damaged.redirected(from), damaged.redirected(to));
    let cost = scene.path_cost(from, to);
    for (src, dst) in nics {
        let (out, into) = (extra(sender, 0, src), extra(receiver, 1, dst));
        if out.is_some() || into.is_some() {
            let (out, into) = (out.unwrap_or_default(), into.unwrap_or_default());
            let slowness = (1.0 / cost.bandwidth).max(out.1).max(into.1);
            unit_cost.note_zero_load(cost.latency + out.0 + into.0, slowness);
        }
    }
}
