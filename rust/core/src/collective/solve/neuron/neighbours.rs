//! Which chips of groups a permute may join.

use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::route::route;
use crate::{Error, Result};

/// Groups whose chips send to neighbours.
pub(super) fn neighbours(context: &Context, request: &Request) -> Result<Vec<Vec<u32>>> {
    let machine = context.machine;
    let mut groups = Vec::with_capacity(context.groups.count());
    for group in 0..context.groups.count() {
        let members = context.groups.members(machine, group);
        let ranks = members.len() as i64;
        for (rank, &chip) in members.iter().enumerate() {
            let to = members[(rank as i64 + request.shift).rem_euclid(ranks) as usize];
            let same_node = machine.split(chip).0 == machine.split(to).0;
            if !same_node || route(machine, context.routing, chip, to)?.longest_hops != 1 {
                return Err(Error::unsupported(
                    format!(
                        "neuron send_recv from chip {chip} to chip {to}, which are not neighbours"
                    ),
                    "the runtime permutes along rings of physically adjacent ranks only \
                     (aws-neuron-sdk, neuron-runtime/about/collectives.rst); name a group in ring order, or use direct",
                ));
            }
        }
        groups.push(members);
    }
    Ok(groups)
}
