//! From a compact schedule to one of the first group, message by message.

mod assignment;
mod crews;
mod layout;
mod limits;
mod sites;

use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::program::moves::{Moves, Space, Steps};
use crate::collective::program::rank_map::RankKind;
use crate::collective::program::schedule::{Part, Phase, Repeat, Spread, Stage};
use crate::schedule::{Block, Schedule, Send};
use crate::{Error, Result};
use assignment::Assignment;
use crews::CrewLayout;
use layout::Layout;
pub(crate) use limits::MOST_RANKS_WRITTEN;
use limits::{MOST_CARRIED, MOST_SENDS, Visit};

/// Lanes of one track: as many as fit 16 bits, as tracks do.
const LANES: u32 = 1 << 16;

/// The lane of a schedule that the first lane of a track is.
fn first_lane(track: usize) -> Result<u32> {
    let lane = u32::try_from(track)
        .ok()
        .and_then(|track| track.checked_mul(LANES));
    lane.ok_or_else(|| too_many(track, "tracks"))
}

fn lane_of(first: u32, lane: u32) -> Result<u32> {
    if lane < LANES {
        return Ok(first + lane);
    }
    Err(too_many(lane as usize, "lanes of one track"))
}

fn too_many(number: usize, what: &str) -> Error {
    Error::unsupported(
        format!("a schedule of more than {number} {what} written out"),
        format!("look at one of a smaller group (at most {LANES})"),
    )
}

/// The schedule that `stages` are, for the first group.
pub(crate) fn unroll(context: &Context, request: &Request, stages: &[Stage]) -> Result<Schedule> {
    let mut writer = Writer {
        context,
        data: Data::of(context, request, stages)?,
        sends: Vec::new(),
        carried: 0,
    };
    for (index, stage) in stages.iter().enumerate() {
        for (number, track) in stage.tracks.iter().enumerate() {
            let first_lane = first_lane(number)?;
            let mut step = 0;
            for phase in &track.phases {
                step +=
                    writer.phase(phase, track.spread.as_ref(), index as u32, first_lane, step)?;
            }
        }
    }
    Ok(Schedule {
        operation: request.operation,
        size: request.size,
        root: request.root,
        shift: request.shift,
        chips: context.groups.members(context.machine, 0),
        blocks: writer.data.blocks(request),
        sends: writer.sends,
    })
}

/// How the data of the first group is cut.
enum Data<'a> {
    /// Of groups that hold the same chips of each domain, or that are lists.
    Even(Layout),
    /// Of others.
    Crews(CrewLayout<'a>),
}

impl<'a> Data<'a> {
    fn of(context: &'a Context, request: &Request, stages: &[Stage]) -> Result<Self> {
        Ok(match CrewLayout::of(context, request, stages)? {
            Some(layout) => Self::Crews(layout),
            None => Self::Even(Layout::of(context, request, stages)?),
        })
    }

    fn blocks(&self, request: &Request) -> Vec<Block> {
        match self {
            Self::Even(layout) => layout.blocks(request),
            Self::Crews(layout) => layout.blocks(request),
        }
    }

    /// Calls `visit` with every message of some moves.
    fn each(
        &self,
        context: &Context,
        (part, moves): (&Part, &Moves),
        space: Space,
        spread: Option<&Spread>,
        visit: &mut Visit,
    ) -> Result<()> {
        let layout = match self {
            Self::Crews(layout) => return layout.each(part, moves, space, visit),
            Self::Even(layout) => layout,
        };
        if moves.rank_map.kind == RankKind::Sites {
            return layout.between_sites(context, part, moves, visit);
        }
        for assignment in Assignment::of(layout, &moves.rank_map, spread) {
            assignment.each(layout, moves, space, visit)?;
        }
        Ok(())
    }
}

/// Writes the messages of a schedule.
struct Writer<'a> {
    context: &'a Context<'a>,
    data: Data<'a>,
    sends: Vec<Send>,
    /// Blocks that they carry.
    carried: usize,
}

impl Writer<'_> {
    /// Writes a phase of `stage`, in lanes from `first_lane` and steps from `first_step`; returns its steps.
    fn phase(
        &mut self,
        phase: &Phase,
        spread: Option<&Spread>,
        stage: u32,
        first_lane: u32,
        first_step: u32,
    ) -> Result<u32> {
        let mut steps = match phase.repeat {
            Repeat::Steps(count) => count,
            Repeat::Wave { hops, .. } => hops,
        };
        let (context, data) = (self.context, &self.data);
        let parts = phase.parts.iter();
        for (part, moves) in
            parts.flat_map(|part| part.moves.iter().map(move |moves| (part, moves)))
        {
            if let Steps::Once(own) = &moves.steps {
                let last = own.iter().copied().max().unwrap_or(0);
                steps = steps.max(u64::from(last) + 1);
            }
            let mut visit = |step: u64, src, dst, blocks: Vec<u32>, share: f64| {
                self.carried += blocks.len();
                self.sends.push(Send {
                    src,
                    dst,
                    blocks,
                    bytes: part.bytes * moves.factor(step) * share,
                    reduce: moves.reduce,
                    stage,
                    lane: lane_of(first_lane, moves.lane)?,
                    step: first_step + step as u32,
                    after: Vec::new(),
                });
                if self.sends.len() > MOST_SENDS || self.carried > MOST_CARRIED {
                    return Err(Error::unsupported(
                        format!("more than {MOST_SENDS} messages written out one by one"),
                        "look at the schedule of a smaller group",
                    ));
                }
                context.control.check()
            };
            data.each(context, (part, moves), phase.space, spread, &mut visit)?;
        }
        Ok(steps as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_of_tracks_never_meet() {
        let last = first_lane(65_535).expect("the last track");
        assert_eq!(lane_of(last, 65_535).expect("its last lane"), u32::MAX);
        assert!(matches!(first_lane(65_536), Err(Error::Unsupported { .. })));
        assert!(matches!(lane_of(0, 65_536), Err(Error::Unsupported { .. })));
    }
}
