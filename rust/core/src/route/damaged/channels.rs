//! How many virtual channels the routes of a domain need.

use super::deadlock::Waiting;
use super::layers::Layer;
use super::{DomainRoutes, FoundBy};
use crate::Control;
use crate::error::Result;
use crate::machine::Domain;

/// Channels of the messages in `waiting`, which follow the rules of their policy, and of the pairs in `others`, which
/// are given channels one by one: those of the rules where they fit, else further ones. And a cycle of the former, if
/// they have one.
pub(super) fn needed(
    domain: &Domain,
    routes: &DomainRoutes,
    mut waiting: Waiting,
    mut others: Vec<(u32, u32)>,
    control: &Control,
) -> Result<(u32, Vec<(u64, u32)>)> {
    waiting.merge();
    let ruled = waiting.used();
    let cycle = waiting.cycle().unwrap_or_default();
    if others.is_empty() || !cycle.is_empty() {
        return Ok((ruled, cycle));
    }
    // What comes first decides how many are needed: by sender, and by receiver.
    let by_sender = further(domain, routes, (&mut waiting, ruled), &others, control)?;
    others.sort_unstable_by_key(|&(src, dst)| (dst, src));
    let by_receiver = further(domain, routes, (&mut waiting, ruled), &others, control)?;
    Ok((ruled + by_sender.min(by_receiver), cycle))
}

/// Channels that pairs need beside so many of the rules, first come, first served.
fn further(
    domain: &Domain,
    routes: &DomainRoutes,
    (waiting, ruled): (&mut Waiting, u32),
    pairs: &[(u32, u32)],
    control: &Control,
) -> Result<u32> {
    let mut of_rules = if ruled > 0 { waiting.layer() } else { None };
    let mut layers: Vec<Layer> = Vec::new();
    let (mut steps, mut waits) = (Vec::new(), Vec::new());
    for (at, &(src, dst)) in pairs.iter().enumerate() {
        control.check_at(at)?;
        steps.clear();
        let Some(found) = routes.search(src, dst, &mut steps)? else {
            continue;
        };
        if let Some(layer) = &mut of_rules {
            let how = if ruled > 1 { found } else { FoundBy::UpDown };
            waiting.waits_of(&steps, how, &mut waits);
            if layer.take(&waits) {
                continue;
            }
        }
        waiting.waits_of(&steps, FoundBy::UpDown, &mut waits);
        if !layers.iter_mut().any(|layer| layer.take(&waits)) {
            let mut layer = Layer::empty(domain.links());
            layer.take(&waits);
            layers.push(layer);
        }
    }
    Ok(layers.len() as u32)
}
