//! From a compact schedule to one of the first group, message by message.

mod layout;
mod limits;
mod seating;
mod sites;

use super::context::Context;
use super::moves::Steps;
use super::request::Request;
use super::schedule::{Repeat, Stage};
use super::seats::SeatKind;
use crate::schedule::{Schedule, Send};
use crate::{Error, Result};
use layout::Layout;
pub(crate) use limits::MOST_RANKS_WRITTEN;
use limits::{MOST_CARRIED, MOST_SENDS};
use seating::Seating;

/// The schedule that `stages` are, for the first group.
pub(crate) fn unroll(context: &Context, request: &Request, stages: &[Stage]) -> Result<Schedule> {
    let layout = Layout::of(context, request, stages)?;
    let mut sends = Vec::new();
    let mut carried = 0;
    for (index, stage) in stages.iter().enumerate() {
        for (number, track) in stage.tracks.iter().enumerate() {
            let mut first_step = 0;
            for phase in &track.phases {
                let mut steps = match phase.repeat {
                    Repeat::Steps(count) => count,
                    Repeat::Wave { hops, .. } => hops,
                };
                let parts = phase.parts.iter();
                for (part, moves) in
                    parts.flat_map(|part| part.moves.iter().map(move |moves| (part, moves)))
                {
                    if let Steps::Once(own) = &moves.steps {
                        let last = own.iter().copied().max().unwrap_or(0);
                        steps = steps.max(u64::from(last) + 1);
                    }
                    let mut visit = |step: u64, src, dst, blocks: Vec<u32>, share: f64| {
                        carried += blocks.len();
                        sends.push(Send {
                            src,
                            dst,
                            blocks,
                            bytes: part.bytes * moves.factor(step) * share,
                            reduce: moves.reduce,
                            stage: index as u32,
                            lane: (number as u32) << 16 | moves.lane,
                            step: first_step + step as u32,
                            after: Vec::new(),
                        });
                        if sends.len() > MOST_SENDS || carried > MOST_CARRIED {
                            return Err(Error::unsupported(
                                format!("more than {MOST_SENDS} messages written out one by one"),
                                "look at the schedule of a smaller group",
                            ));
                        }
                        if sends.len() % 1024 == 0 {
                            context.control.check()?;
                        }
                        Ok(())
                    };
                    if moves.seats.kind == SeatKind::Sites {
                        layout.between_sites(context, part, moves, &mut visit)?;
                        continue;
                    }
                    for seating in Seating::of(&layout, &moves.seats, track.spread.as_ref()) {
                        seating.each(&layout, moves, phase.space, &mut visit)?;
                    }
                }
                first_step += steps as u32;
            }
        }
    }
    Ok(Schedule {
        operation: request.operation,
        size: request.size,
        root: request.root,
        shift: request.shift,
        chips: layout.chips(context),
        blocks: layout.blocks(request),
        sends,
    })
}
