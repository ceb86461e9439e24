//! A synthesised schedule message by message.

use super::network::Network;
use super::plan::{Delivery, Plan, Times};
use super::{Cut, Synthesis};
use crate::operation::Operation::{self, AllGather, ReduceScatter};
use crate::schedule::{Block, Schedule, Send};
use crate::{Control, Result};
use std::collections::BTreeMap;

/// Writes `synthesis` out: in rounds, one lane whose steps are the rounds and a message for all that a link carries in
/// one; link by link, a lane for each link, whose messages follow each other and wait for what they carry. Beside the
/// schedule it returns the place of the link of each message.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn write(
    network: &Network,
    synthesis: &Synthesis,
    operation: Operation,
    size: f64,
    control: &Control,
) -> Result<(Schedule, Vec<u32>)> {
    let (mut sends, mut links) = (Vec::new(), Vec::new());
    for (stage, half) in synthesis.halves().into_iter().enumerate() {
        let page = Page {
            network,
            plan: half.plan,
            backwards: half.backwards,
            stage: stage as u32,
            base: sends.len() as u32,
        };
        match &half.plan.times {
            Times::Rounds { .. } => page.rounds(&mut sends, &mut links, control)?,
            Times::Starts(_) => page.stream(&mut sends, &mut links, control)?,
        }
    }
    let schedule = Schedule {
        operation,
        size,
        root: 0,
        shift: 0,
        chips: network.chips.clone(),
        blocks: blocks(synthesis.cut(), operation, synthesis.bytes()),
        sends,
    };
    Ok((schedule, links))
}

fn blocks(cut: Option<&Cut>, operation: Operation, bytes: f64) -> Vec<Block> {
    let owners = cut.map(Cut::owners).unwrap_or_default();
    let block = |owner| Block {
        from: (operation == AllGather).then_some(owner),
        to: (operation == ReduceScatter).then_some(owner),
        bytes,
    };
    owners.into_iter().map(block).collect()
}

/// One plan to be written. Backwards, its links are those of the reversed network, and its end is the beginning.
struct Page<'a> {
    network: &'a Network,
    plan: &'a Plan,
    backwards: bool,
    stage: u32,
    base: u32,
}

impl Page<'_> {
    fn send(&self, link: u32, blocks: Vec<u32>) -> Send {
        let wire = self.network.links[link as usize];
        Send {
            src: wire.from,
            dst: wire.to,
            bytes: blocks.len() as f64 * self.plan.bytes,
            blocks,
            reduce: self.backwards,
            stage: self.stage,
            lane: 0,
            step: 0,
            after: Vec::new(),
        }
    }

    fn rounds(&self, sends: &mut Vec<Send>, links: &mut Vec<u32>, control: &Control) -> Result<()> {
        let mut rounds = self.plan.by_round();
        if self.backwards {
            rounds.reverse();
        }
        for (step, round) in rounds.into_iter().enumerate() {
            control.check()?;
            let mut on: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (at, delivery) in round.iter().enumerate() {
                control.check_at(at)?;
                on.entry(delivery.link).or_default().push(delivery.chunk);
            }
            links.extend(on.keys());
            sends.extend(on.into_iter().map(|(link, blocks)| Send {
                step: step as u32,
                ..self.send(link, blocks)
            }));
        }
        Ok(())
    }

    fn stream(&self, sends: &mut Vec<Send>, links: &mut Vec<u32>, control: &Control) -> Result<()> {
        // By (rank, chunk), the sends that bring it there: what is sent on waits for them.
        let mut brings: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        let mut steps = vec![0u32; self.network.links.len()];
        let forwards: Vec<Delivery>;
        let deliveries = if self.backwards {
            forwards = self.plan.deliveries.iter().rev().copied().collect();
            &forwards
        } else {
            &self.plan.deliveries
        };
        for (index, delivery) in deliveries.iter().enumerate() {
            if index % 1024 == 0 {
                control.check()?;
            }
            let wire = self.network.links[delivery.link as usize];
            let step = &mut steps[delivery.link as usize];
            links.push(delivery.link);
            let known = brings.get(&(wire.from, delivery.chunk));
            sends.push(Send {
                lane: delivery.link,
                step: *step,
                after: known.cloned().unwrap_or_default(),
                ..self.send(delivery.link, vec![delivery.chunk])
            });
            *step += 1;
            let arrived = brings.entry((wire.to, delivery.chunk)).or_default();
            arrived.push(self.base + index as u32);
        }
        Ok(())
    }
}
