//! The sides of a box of chips, around which rings run.

use super::job::Job;
use crate::collective::pattern::context::Pattern;
use crate::collective::pattern::lines::Along;
use crate::collective::pattern::rule::Rule;
use crate::collective::program::layout::LocalBox;
use crate::collective::program::moves::Sends;
use crate::collective::program::placement::Placement;
use crate::collective::program::rank_map::RankMap;
use crate::{Error, Result};
use std::sync::Arc;

/// The sides of the group's box, each with the pattern of its rings in both directions.
pub(super) struct Sides {
    pub(super) boxes: Vec<LocalBox>,
    /// The groups, their ranks counted along the walks around the sides, side 0 fastest.
    pub(super) placement: Placement,
    pub(super) sizes: Vec<u32>,
    pub(super) patterns: Vec<Arc<Pattern>>,
    /// Messages of each side, forward and backward.
    pub(super) sends: Vec<[Sends; 2]>,
    pub(super) rank_map: Arc<RankMap>,
    /// Seconds of the busiest link to pass one byte per rank around the ring, both directions sharing it.
    pub(super) seconds_per_byte: Vec<f64>,
    /// Seconds that a rank spends on starting the messages of all steps, each side once.
    pub(super) overhead: f64,
}

impl Sides {
    pub(super) fn of(job: &Job, name: &str) -> Result<Self> {
        let refused = |why: &str| {
            Error::unsupported(
                format!("{name} over {why}"),
                "use ring, direct or hierarchical",
            )
        };
        let groups = job
            .placement
            .local_groups()
            .ok_or_else(|| refused("chips of several UltraServers"))?;
        let domain = job.context.machine.domain();
        let boxes: Vec<LocalBox> = groups
            .iter()
            .map(|group| LocalBox::of(domain, group))
            .collect::<Option<_>>()
            .ok_or_else(|| refused("a group that is not a box of axis positions"))?;
        let sizes = boxes[0].sizes();
        let placement = match job.placement.in_box_order(job.context)? {
            Some((placement, _)) => placement,
            None => {
                let control = job.context.control;
                let walked = boxes.iter().map(|shape| shape.walked(domain, control));
                job.placement.with(walked.collect::<Result<_>>()?)
            }
        };
        let (mut patterns, mut sends) = (Vec::new(), Vec::new());
        let mut seconds_per_byte = Vec::new();
        let mut overhead = 0.0;
        for (side, &size) in sizes.iter().enumerate() {
            let all = both_ways(&sizes, side);
            let pattern = placement.pattern(job.context, &all)?;
            sends.push([false, true].map(|backward| ring_sends(&sizes, side, backward)));
            let busiest = pattern.busiest(job.context)?;
            seconds_per_byte.push(busiest.map_or(0.0, |busiest| busiest.seconds / 2.0));
            overhead += f64::from(size - 1) * pattern.unit_cost(job.context)?.overhead;
            patterns.push(pattern);
        }
        Ok(Self {
            boxes,
            rank_map: placement.rank_map(),
            placement,
            sizes,
            patterns,
            sends,
            seconds_per_byte,
            overhead,
        })
    }

    pub(super) fn axis_name<'a>(&self, job: &Job<'a>, side: usize) -> &'a str {
        &job.context.machine.domain().axes()[self.boxes[0].sides[side].0].name
    }
}

/// Place of a rank along a side, ranks counted with side 0 fastest.
pub(super) fn digit(sizes: &[u32], rank: u32, side: usize) -> u32 {
    rank / sizes[..side].iter().product::<u32>() % sizes[side]
}

/// Messages one place forward or backward along a side, around each of its lines.
fn ring_sends(sizes: &[u32], side: usize, backward: bool) -> Sends {
    let ranks = sizes.iter().product::<u32>();
    let sizes = sizes.to_vec();
    Sends::Lazy {
        count: ranks as usize,
        make: Arc::new(move || listed(&sizes, side, backward)),
        rule: None,
    }
}

/// Those forward, then those backward.
fn both_ways(sizes: &[u32], side: usize) -> Sends {
    let (ranks, size) = (sizes.iter().product::<u32>(), sizes[side]);
    let forward = (0..size).map(|here| (here, (here + 1) % size));
    let backward = forward.clone().map(|(here, next)| (next, here));
    let along = Along {
        side,
        places: forward.chain(backward).collect(),
        in_lists: true,
    };
    let sizes = sizes.to_vec();
    let sends = Sends::Lazy {
        count: 2 * ranks as usize,
        make: Arc::new(move || {
            [false, true]
                .map(|back| listed(&sizes, side, back))
                .concat()
        }),
        rule: None,
    };
    sends.ruled(Rule::along(ranks, along))
}

fn listed(sizes: &[u32], side: usize, backward: bool) -> Vec<(u32, u32)> {
    let stride: u32 = sizes[..side].iter().product();
    let (size, ranks) = (sizes[side], sizes.iter().product());
    (0..ranks)
        .map(|rank: u32| {
            let here = rank / stride % size;
            let next = rank - here * stride + (here + 1) % size * stride;
            if backward { (next, rank) } else { (rank, next) }
        })
        .collect()
}
