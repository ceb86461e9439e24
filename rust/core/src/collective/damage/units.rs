//! What a pattern costs where domains are damaged, beside its cost on whole ones.

use super::class::Pairs;
use super::{Class, Hurt};
use crate::collective::pattern::Kind;
use crate::collective::scene::Scene;
use crate::collective::unit::Unit;
use crate::{Error, Result};

/// Adds the damaged domains' part to the unit of a local pattern.
pub(crate) fn inside(
    scene: &Scene,
    hurt: &Hurt,
    pairs: &[(u32, u32)],
    unit: &mut Unit,
) -> Result<()> {
    let small = hurt.classes.iter().all(Class::is_small);
    let listed = Pairs::listed(scene.machine.domain(), pairs, small);
    of_pairs(scene, hurt, &listed, unit)
}

/// Adds the damaged domains' part to the unit of every chip to every other.
pub(crate) fn inside_all(scene: &Scene, hurt: &Hurt, unit: &mut Unit) -> Result<()> {
    of_pairs(
        scene,
        hurt,
        &Pairs::All(scene.machine.domain().chips()),
        unit,
    )
}

fn of_pairs(scene: &Scene, hurt: &Hurt, pairs: &Pairs, unit: &mut Unit) -> Result<()> {
    let machine = scene.machine;
    let every = hurt.whole.is_none();
    if every {
        // No whole domain takes part: its messages count for nothing.
        (unit.latency, unit.overhead, unit.sent) = (0.0, 0.0, 0.0);
        unit.alone.clear();
    }
    let whole: Vec<f64> = unit.ledger.local.values().collect();
    for class in &hurt.classes {
        scene.control.check()?;
        let mut note = |latency: f64, slowness: f64| unit.note_alone(latency, slowness);
        let loads = class.loads(machine, pairs, &whole, every, &mut note, scene.control)?;
        unit.ledger.classes.push(loads);
        if every || !class.damage.chips.is_empty() {
            let sent = most_sent(class, pairs);
            unit.sent = unit.sent.max(sent);
            unit.overhead = unit.overhead.max(sent * machine.overhead());
        }
    }
    Ok(())
}

/// Largest number of messages that one chip sends, for all ranks that it plays.
fn most_sent(class: &Class, pairs: &Pairs) -> f64 {
    let mut sent = vec![0u32; class.seats.len()];
    for (src, dst) in pairs.all() {
        let (from, to) = (class.seats[src as usize], class.seats[dst as usize]);
        sent[from as usize] += u32::from(from != to);
    }
    f64::from(sent.into_iter().max().unwrap_or(0))
}

/// Adds the ways to and from other chips' NICs to the unit of a pattern between domains.
///
/// Rails and lanes are looked at one by one. Of the patterns that name sets of domains, the longest way to a NIC, the
/// longest between domains and the longest from a NIC count together, though they may belong to different messages.
pub(crate) fn between_domains(
    scene: &Scene,
    hurt: &Hurt,
    kind: &Kind,
    unit: &mut Unit,
) -> Result<()> {
    let roles = f64::from(hurt.most_roles());
    (unit.overhead, unit.sent) = (unit.overhead * roles, unit.sent * roles);
    if hurt
        .classes
        .iter()
        .all(|class| class.redirects.iter().all(Vec::is_empty))
    {
        return Ok(());
    }
    match kind {
        Kind::Rails(pairs) => {
            let lanes: Vec<(u32, u32)> = scene.members().map(|chip| (chip, chip)).collect();
            rails(scene, hurt, &pairs.list(), &lanes, unit);
        }
        Kind::Lanes { pairs, lanes } => rails(scene, hurt, &pairs.list(), lanes, unit),
        Kind::Star { .. } | Kind::Exchange { .. } | Kind::Sites { .. } => {
            let longest = |direction: usize| {
                let of = hurt
                    .classes
                    .iter()
                    .flat_map(|class| &class.redirects[direction]);
                of.fold((0.0, 0.0), |most: (f64, f64), redirect| {
                    (most.0.max(redirect.latency), most.1.max(redirect.slowness))
                })
            };
            let (out, into) = (longest(0), longest(1));
            let slowest = unit
                .alone
                .iter()
                .map(|message| message.1)
                .fold(0.0, f64::max);
            let latency = unit.latency + out.0 + into.0;
            unit.note_alone(latency, slowest.max(out.1).max(into.1));
        }
        Kind::Local(_)
        | Kind::LocalAll
        | Kind::InSwitch { .. }
        | Kind::Shift { .. }
        | Kind::Flat(_) => {
            return Err(Error::unsupported(
                "a local pattern as one between domains",
                "report this as a bug",
            ));
        }
    }
    Ok(())
}

/// Lanes are (sending, receiving) local chips. Only those that a NIC's loss concerns are looked at.
fn rails(scene: &Scene, hurt: &Hurt, pairs: &[(u32, u32)], lanes: &[(u32, u32)], unit: &mut Unit) {
    let extra = |class: Option<&Class>, direction: usize, chip: u32| {
        let list = &class?.redirects[direction];
        let at = list.binary_search_by_key(&chip, |redirect| redirect.chip);
        at.ok().map(|at| (list[at].latency, list[at].slowness))
    };
    for &(from, to) in pairs {
        let (sender, receiver) = (hurt.redirected(from), hurt.redirected(to));
        if sender.is_none() && receiver.is_none() {
            continue;
        }
        let way = scene.way(from, to, |_| ());
        for &(src, dst) in lanes {
            let (out, into) = (extra(sender, 0, src), extra(receiver, 1, dst));
            if out.is_some() || into.is_some() {
                let (out, into) = (out.unwrap_or_default(), into.unwrap_or_default());
                let slowness = (1.0 / way.bandwidth).max(out.1).max(into.1);
                unit.note_alone(way.latency + out.0 + into.0, slowness);
            }
        }
    }
}
