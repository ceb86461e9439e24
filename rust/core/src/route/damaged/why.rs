//! What cuts two chips of a domain apart, in words.

use super::graph::Graph;
use super::links::{self, Edge};
use crate::Control;
use crate::error::Result;
use crate::machine::{Damage, Domain};

/// Most links that are named one by one.
const MOST_NAMED: usize = 6;

/// Why no path leads from `src` to `dst`. Chips are named by coordinates, which are the same in every domain.
pub(super) fn cut(
    domain: &Domain,
    damage: &Damage,
    both_ways: bool,
    src: u32,
    dst: u32,
    control: &Control,
) -> Result<String> {
    for chip in [src, dst] {
        if !damage.is_live(chip) {
            return Ok(format!("chip {chip} is dead"));
        }
    }
    let graph = Graph::of(domain, damage, both_ways, control)?;
    let from = spread(&graph, src, false, control)?;
    let into = spread(&graph, dst, true, control)?;
    let chips = |side: &[bool]| {
        side.iter()
            .take(domain.chips() as usize)
            .filter(|in_it| **in_it)
            .count()
    };
    let (sent, received) = (chips(&from), chips(&into));
    let outward = sent <= received;
    let (side, count) = if outward {
        (&from, sent)
    } else {
        (&into, received)
    };
    let mut named = Vec::new();
    let mut around = 0;
    links::for_each(domain, |Edge { from, to, link }| {
        control.check_at(link as usize)?;
        let (inner, outer) = if outward { (from, to) } else { (to, from) };
        if side[inner as usize] && !side[outer as usize] {
            around += 1;
            let at =
                (count > 1).then(|| place(domain, if from < domain.chips() { from } else { to }));
            named.push(format!(
                "{}{}",
                links::words(domain, link),
                at.unwrap_or_default()
            ));
        }
        Ok(())
    })?;
    let more = named.len().saturating_sub(MOST_NAMED);
    named.truncate(MOST_NAMED);
    let mut list = named.join(", ");
    if more > 0 {
        list = format!("{list} and {more} more");
    }
    let (end, how, verb) = if outward {
        ("sender", "out of", "reaches")
    } else {
        ("receiver", "into", "is reached from")
    };
    let cables = if both_ways {
        "; up*/down* uses only cables that live both ways"
    } else {
        ""
    };
    Ok(if count == 1 {
        format!("all {around} links {how} the {end} are dead: {list}{cables}")
    } else {
        format!("the {end} {verb} only an island of {count} chips; dead around it: {list}{cables}")
    })
}

/// Vertices that `start` reaches, or that reach it if `backward`.
fn spread(graph: &Graph, start: u32, backward: bool, control: &Control) -> Result<Vec<bool>> {
    let mut sources: Vec<Vec<u32>> = Vec::new();
    if backward {
        sources = vec![Vec::new(); graph.vertices()];
        for from in 0..graph.vertices() as u32 {
            control.check()?;
            for &(to, _) in graph.from(from) {
                sources[to as usize].push(from);
            }
        }
    }
    let mut seen = vec![false; graph.vertices()];
    seen[start as usize] = true;
    let mut queue = vec![start];
    while let Some(here) = queue.pop() {
        control.check()?;
        let mut reach = |there: u32| {
            if !std::mem::replace(&mut seen[there as usize], true) {
                queue.push(there);
            }
        };
        if backward {
            sources[here as usize]
                .iter()
                .for_each(|&there| reach(there));
        } else {
            graph.from(here).iter().for_each(|&(there, _)| reach(there));
        }
    }
    Ok(seen)
}

/// " at (1, 0, 2)".
fn place(domain: &Domain, chip: u32) -> String {
    let at: Vec<String> = (0..domain.axes().len())
        .map(|axis| domain.coordinate(chip, axis).to_string())
        .collect();
    format!(" at ({})", at.join(", "))
}
