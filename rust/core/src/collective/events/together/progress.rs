//! Plans that share links by their loads, from start to end.

use super::classes::{EngineDemand, Meetings, Place, meetings};
use super::speeds::speeds;
use super::{Meeting, Plan, Shared, Together};
use crate::Control;
use crate::error::{Error, Result, not_negative, positive};
use crate::machine::Machine;

/// Ends closer than this part of the time are one.
const SAME: f64 = 1e-12;

/// The DMA engines of a chip, where they count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dma {
    /// Bytes/s of all engines of a chip.
    pub bandwidth: f64,
    /// Bytes of a collective's packets.
    pub packet: f64,
}

/// Runs plans from their `starts` on, which share the links of `machine` by their loads.
///
/// A plan is never faster than alone; one that shares nothing takes the same time to the bit. What a chip's HBM and
/// `dma` engines pass counts where a plan computes or is an answer of `algorithm="neuron"`.
///
/// # Errors
/// [`Error::Invalid`] for starts and parameters that are no numbers of seconds or bytes, or for a computation that
/// needs more than the HBM gives; [`Error::Unsupported`] for answers that have no link loads, and for computation on
/// chips that are not Trainium; [`Error::Cancelled`].
pub fn share_links(
    machine: &Machine,
    plans: &[Plan],
    starts: &[f64],
    dma: Option<Dma>,
    control: &Control,
) -> Result<Together> {
    machine.refuse_window()?;
    check_starts(plans.len(), starts)?;
    let mut seconds = Vec::with_capacity(plans.len());
    for plan in plans {
        seconds.push(match plan {
            Plan::Collective(outcome) => match outcome.priced_by() {
                None => outcome.time,
                Some(name) => {
                    return Err(Error::unsupported(
                        format!(
                            "sharing links with algorithm '{name}', whose model knows no links"
                        ),
                        "name an algorithm such as 'ring'",
                    ));
                }
            },
            Plan::Compute(compute) => positive("time_s", compute.time)?,
        });
    }
    let touched = demands(machine, plans, dma)?;
    let touched = touched
        .as_ref()
        .map(|(demands, rate)| (&demands[..], *rate));
    let met = meetings(machine, plans, &seconds, touched, control)?;
    let lost = run(&met, &seconds, starts, control)?;
    let shared = lost
        .iter()
        .zip(seconds.iter().zip(starts))
        .map(|(one, (&alone, &start))| Shared {
            alone,
            time: one.time,
            start,
            finish: start + one.time,
            slowed_by: one.worst().map(|at| meeting(machine, &met, at)),
        });
    let shared: Vec<Shared> = shared.collect();
    let (busiest, bottleneck) = match met.busiest {
        None => (0.0, None),
        Some((seconds, link, plans)) => (seconds, Some(of_link(machine, link, plans))),
    };
    Ok(Together {
        makespan: shared.iter().map(|plan| plan.finish).fold(0.0, f64::max),
        plans: shared,
        busiest,
        bottleneck,
        messages: 0,
    })
}

pub(super) fn check_starts(plans: usize, starts: &[f64]) -> Result<()> {
    if starts.len() != plans {
        return Err(Error::invalid(
            "starts",
            format!("{} values", starts.len()),
            format!("must have one for each of the {plans} plans"),
        ));
    }
    for (at, &start) in starts.iter().enumerate() {
        not_negative(format_args!("start_s of plan {at}"), start)?;
    }
    Ok(())
}

/// What plans do to chips and what chips can do, if any of them says so.
fn demands(
    machine: &Machine,
    plans: &[Plan],
    dma: Option<Dma>,
) -> Result<Option<(Vec<EngineDemand>, f64)>> {
    let computes = plans.iter().any(|plan| matches!(plan, Plan::Compute(_)));
    let (Some(neuron), Some(dma)) = (machine.neuron(), dma) else {
        if computes {
            return Err(Error::unsupported(
                "computation beside collectives on chips that are not Trainium",
                "it needs an UltraServer with neuron= and a chip with dma_bandwidth_Bps=, such as that of preset \
                 trn2; leave the computation out elsewhere",
            ));
        }
        return Ok(None);
    };
    let says = |plan: &Plan| match plan {
        Plan::Compute(_) => true,
        Plan::Collective(outcome) => outcome.says_hbm(),
    };
    if !plans.iter().any(says) {
        return Ok(None);
    }
    positive("bandwidth of the DMA engines", dma.bandwidth)?;
    positive("packet of collectives", dma.packet)?;
    let rate = neuron.hbm_bandwidth.min(dma.bandwidth);
    let mut demands = Vec::with_capacity(plans.len());
    for plan in plans {
        demands.push(match plan {
            Plan::Collective(outcome) => EngineDemand {
                bytes: outcome.hbm_bytes(),
                packet: dma.packet,
            },
            Plan::Compute(compute) => {
                positive("packet", compute.packet)?;
                not_negative("hbm_bytes", compute.hbm_bytes)?;
                if compute.hbm_bytes > rate * compute.time * (1.0 + SAME) {
                    return Err(Error::invalid(
                        "hbm_bytes",
                        compute.hbm_bytes,
                        format!(
                            "must be at most {:e}: a chip moves {rate:e} bytes/s for time_s",
                            rate * compute.time
                        ),
                    ));
                }
                EngineDemand {
                    bytes: compute.hbm_bytes,
                    packet: compute.packet,
                }
            }
        });
    }
    Ok(Some((demands, rate)))
}

/// How one plan fares.
struct Progress {
    /// Seconds of its time alone that are left.
    left: f64,
    /// It has always had full speed.
    untouched: bool,
    time: f64,
    /// (capacity, seconds lost to it).
    lost: Vec<(usize, f64)>,
}

impl Progress {
    /// Of a plan that takes so many seconds alone, before its start.
    fn of(seconds: f64) -> Self {
        Self {
            left: seconds,
            untouched: true,
            time: seconds,
            lost: Vec::new(),
        }
    }

    fn worst(&self) -> Option<usize> {
        let mut worst: Option<(usize, f64)> = None;
        for &(at, seconds) in &self.lost {
            if worst.is_none_or(|(_, most)| seconds > most) {
                worst = Some((at, seconds));
            }
        }
        worst.map(|(at, _)| at)
    }

    fn lose(&mut self, at: usize, seconds: f64) {
        match self.lost.iter_mut().find(|known| known.0 == at) {
            Some(known) => known.1 += seconds,
            None => self.lost.push((at, seconds)),
        }
    }
}

fn run(
    met: &Meetings,
    seconds: &[f64],
    starts: &[f64],
    control: &Control,
) -> Result<Vec<Progress>> {
    let mut progress: Vec<Progress> = seconds.iter().copied().map(Progress::of).collect();
    let mut done = vec![false; seconds.len()];
    let mut now = 0.0f64;
    loop {
        control.check()?;
        let active: Vec<bool> = done
            .iter()
            .zip(starts)
            .map(|(&done, &start)| !done && start <= now)
            .collect();
        let speeds = speeds(&met.capacities, &active);
        // One that was never slowed ends when it would alone, to the bit.
        let end = |plan: usize| match (progress[plan].untouched, speeds[plan].0) {
            (true, 1.0) => starts[plan] + seconds[plan],
            (_, speed) => now + progress[plan].left / speed,
        };
        let ends: Vec<f64> = (0..seconds.len())
            .map(|plan| {
                if active[plan] {
                    end(plan)
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        let waiting = (0..seconds.len()).filter(|&plan| !done[plan] && !active[plan]);
        let next_start = waiting
            .map(|plan| starts[plan])
            .fold(f64::INFINITY, f64::min);
        let next_end = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let next = next_start.min(next_end);
        if next == f64::INFINITY {
            return Ok(progress);
        }
        let passed = (next - now).max(0.0);
        for plan in (0..seconds.len()).filter(|&plan| active[plan]) {
            let (speed, held) = speeds[plan];
            let one = &mut progress[plan];
            if let (Some(at), true) = (held, passed > 0.0) {
                one.untouched = false;
                one.lose(at, passed * (1.0 - speed));
            }
            one.left = (one.left - passed * speed).max(0.0);
            if ends[plan] <= next * (1.0 + SAME) {
                done[plan] = true;
                if !one.untouched {
                    one.time = (next - starts[plan]).max(seconds[plan]);
                }
            }
        }
        now = next;
    }
}

fn meeting(machine: &Machine, met: &Meetings, at: usize) -> Meeting {
    let plans = met.capacities[at]
        .uses
        .iter()
        .map(|entry| entry.0)
        .collect();
    match met.places[at] {
        Place::Link(link) => of_link(machine, link, plans),
        Place::Chip(chip) => Meeting {
            class: "HBM by DMA".to_owned(),
            link: None,
            chip: Some(chip),
            plans,
        },
    }
}

pub(super) fn of_link(machine: &Machine, link: u64, plans: Vec<usize>) -> Meeting {
    let known = machine.link(link).expect("links that carry bytes exist");
    Meeting {
        class: known.class.name(machine),
        link: Some(link),
        chip: None,
        plans,
    }
}
