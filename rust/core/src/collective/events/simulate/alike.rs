//! Which messages of a schedule are alike: those of all chips of a domain, of chips that lie whole periods apart, of all
//! domains of a site.

use super::message::{by_moves, same, sends_of};
use super::sites::{classes, is_whole};
use crate::Result;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::fold::Fold;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::pattern::symmetry::distances;
use crate::collective::program::schedule::Part;
use std::sync::Arc;

/// Distances of messages, and how many of each every chip sends.
pub(super) type Distances = Vec<(u32, u32)>;

/// Parts, each once, with the distances of their messages by their moves.
pub(super) type Alike = Vec<(Part, Vec<Distances>)>;

/// Parts whose messages have distances, each once; `None` where one has other messages, so that chips differ.
pub(super) fn alike<'p>(
    context: &Context,
    parts: impl Iterator<Item = &'p Part>,
) -> Result<Option<Alike>> {
    let domain = context.domain_machine.domain();
    let mut alike = Alike::new();
    for part in parts {
        if alike.iter().any(|(other, _)| same(other, part)) {
            continue;
        }
        if let PatternKind::Local(pairs) = &part.pattern.kind {
            let moves = by_moves(part, &pairs.list());
            let of_moves = moves
                .iter()
                .map(|pairs| distances(domain, sends_of(pairs), context.control));
            let found: Option<Vec<Distances>> =
                of_moves.collect::<Result<Vec<_>>>()?.into_iter().collect();
            match found {
                Some(found) => alike.push((part.clone(), found)),
                None => return Ok(None),
            }
        }
    }
    Ok(Some(alike))
}

/// How the messages of each part repeat; nothing where some do not.
pub(super) fn folds<'p>(
    context: &Context,
    parts: impl Iterator<Item = &'p Part>,
) -> Result<Vec<(Part, Fold)>> {
    let domain = context.domain_machine.domain();
    let mut found: Vec<(Part, Fold)> = Vec::new();
    for part in parts {
        if found.iter().any(|(other, _)| same(other, part)) {
            continue;
        }
        let PatternKind::Local(pairs) = &part.pattern.kind else {
            return Ok(Vec::new());
        };
        let mut all: Option<Fold> = None;
        for moves in by_moves(part, &pairs.list()) {
            let Some(own) = Fold::of(domain, sends_of(&moves), context.control)? else {
                return Ok(Vec::new());
            };
            all = Some(all.map_or_else(|| own.clone(), |all| all.and(&own)));
        }
        found.extend(all.map(|fold| (part.clone(), fold)));
    }
    Ok(found)
}

pub(super) fn together(folds: &[(Part, Fold)]) -> Option<Fold> {
    let folds = folds.iter().map(|(_, fold)| fold.clone());
    folds.reduce(|all, fold| all.and(&fold))
}

/// Whether the domains of each site are alike in all of `parts`, whose messages go between domains.
pub(super) fn sites_are_alike<'p>(
    context: &Context,
    parts: impl Iterator<Item = &'p Part>,
) -> bool {
    let mut between: Vec<&Part> = parts.collect();
    between.sort_by_key(|part| Arc::as_ptr(&part.pattern));
    between.dedup_by(|a, b| same(a, b));
    between.iter().all(|part| match &part.pattern.kind {
        PatternKind::Rails(pairs) => by_moves(part, &pairs.list())
            .iter()
            .all(|pairs| classes(context, sends_of(pairs)).is_some()),
        PatternKind::Sites { sets, .. } => sets.iter().all(|set| is_whole(context, set)),
        _ => false,
    })
}
