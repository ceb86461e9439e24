//! What the runtime does with a request, tier by tier.

use super::between::{between_nodes, between_sites};
use super::call::Call;
use super::choice::inside;
use super::part::Plan;
use super::special;
use crate::Result;
use crate::operation::Operation::{self, AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};

/// What the runtime does.
pub(super) fn planned(call: &Call) -> Result<Plan> {
    match call.request.operation.as_run() {
        SendRecv => special::permute(call),
        AllToAll => special::all_to_all(call),
        operation => hierarchical(call, operation),
    }
}

/// Inside the node, between nodes, between sites, or several of these.
fn hierarchical(call: &Call, operation: Operation) -> Result<Plan> {
    let (locals, domains) = call.grid;
    let size = call.request.size;
    let mut plan = Plan::default();
    if domains[0].len() == 1 {
        let halves: &[Operation] = match operation {
            AllReduce => &[ReduceScatter, AllGather],
            ReduceScatter => &[ReduceScatter],
            _ => &[AllGather],
        };
        inside(call, halves, size, &mut plan)?;
        return Ok(plan);
    }
    let machine = call.scene.machine;
    let wan = domains
        .iter()
        .any(|set| machine.site_of(set[0]) != machine.site_of(set[set.len() - 1]));
    let share = size / locals[0].len() as f64;
    let plan_of = &mut plan;
    match operation {
        AllReduce => {
            inside(call, &[ReduceScatter], size, plan_of)?;
            if wan {
                between_nodes(call, ReduceScatter, share, plan_of)?;
                between_sites(call, domains, AllReduce, size, plan_of)?;
                between_nodes(call, AllGather, share, plan_of)?;
            } else {
                between_nodes(call, AllReduce, share, plan_of)?;
            }
            inside(call, &[AllGather], size, plan_of)?;
        }
        ReduceScatter => {
            inside(call, &[ReduceScatter], size, plan_of)?;
            between_nodes(call, ReduceScatter, share, plan_of)?;
            if wan {
                between_sites(call, domains, ReduceScatter, size, plan_of)?;
            }
        }
        _ => {
            if wan {
                between_sites(call, domains, AllGather, size, plan_of)?;
            }
            between_nodes(call, AllGather, share, plan_of)?;
            inside(call, &[AllGather], size, plan_of)?;
        }
    }
    Ok(plan)
}
