//! What a call takes beside the schedule that stands for it.
//!
//! ```text
//! time = overhead + max(launch + hops, exposed x launch + bytes on the busiest links / efficiency)
//! ```
//! The first byte goes when the call is launched, and takes its hops. Calls follow each other: all of a launch but the
//! share `exposed` goes on beside the bytes of the call before, and so do hops, since bytes go in many small pieces.
//! Links carry `efficiency` of their data sheet. The launch of each part and both shares, once for all parts, are fitted
//! to points of two measured curves (`validation/tpu.py`): hops beside bytes fit better than hops before them.

use crate::collective::answer::outcome::Outcome;
use crate::collective::answer::rows::Row;
use crate::machine::{Machine, Tpu};

/// Puts the times of an answer by link loads right.
pub(super) fn apply(machine: &Machine, tpu: &Tpu, outcome: &mut Outcome) {
    let (launch, hops) = (machine.launch(), outcome.latency);
    let bytes = (outcome.time - hops - outcome.overhead).max(0.0) / tpu.link_efficiency;
    let exposed = tpu.exposed_launch * launch;
    let before = outcome.time;
    // What of launch and hops the bytes do not hide.
    let rest = (launch + hops - exposed - bytes).max(0.0);
    outcome.latency = rest.min(hops);
    let launched = exposed + (rest - outcome.latency);
    outcome.overhead += launched;
    outcome.time = outcome.overhead + outcome.latency + bytes;
    let told = outcome.told.rows(machine);
    for row in told.stages.iter_mut().chain(&mut told.phases) {
        row.serialisation /= tpu.link_efficiency;
        row.latency = 0.0;
        row.time = row.overhead + row.serialisation;
    }
    if let Some(bottleneck) = outcome.bottleneck.as_mut().filter(|_| outcome.time > 0.0) {
        bottleneck.utilisation *= before / outcome.time;
    }
    let stage = format!("{} beside its bytes", outcome.operation.name());
    let of_launch = Row::of_overhead(&stage, "launch that no bytes hide", launched);
    let of_hops = Row {
        latency: outcome.latency,
        overhead: 0.0,
        ..Row::of_overhead(&stage, "hops that no bytes hide", outcome.latency)
    };
    for row in [of_launch, of_hops] {
        if row.time > 0.0 {
            outcome.told.stages.push(Row {
                what: String::new(),
                ..row.clone()
            });
            outcome.told.phases.push(row);
        }
    }
}
