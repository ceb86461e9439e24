//! What the runtime refuses, in its own rules.

use crate::collective::ask::group::Groups;
use crate::collective::pattern::context::Context;
use crate::{Error, Result};

/// Most ranks of a KangaRing (aws-neuron-sdk, `src/libnrt/include/nrt/nec.h`).
pub(super) const KANGARING_RANKS: usize = 256;
/// Most devices of a Mesh (the same header).
pub(super) const MESH_DEVICES: usize = 128;

/// Local members and domains, as [`Groups::Grid`] has them.
pub(super) type Sides<'a> = (&'a [Vec<u32>], &'a [Vec<u32>]);

/// Local members and domains of groups that look alike in every node that they touch.
pub(super) fn grid<'a>(context: &Context<'a>) -> Result<Sides<'a>> {
    match context.groups {
        Groups::Grid { locals, domains } => Ok((locals, domains)),
        Groups::Scattered(_) => Err(Error::unsupported(
            "neuron over groups that differ from node to node",
            "between nodes the runtime takes symmetric groups only: the same local chips in every node \
             (aws-neuron-sdk, internode-collective-comm.rst); name such a group, or use ring or direct",
        )),
    }
}

/// EFA joins the nodes of one site; the runtime knows no slower tier.
pub(super) fn one_site(context: &Context, domains: &[Vec<u32>]) -> Result<()> {
    let machine = context.machine;
    let spans = |set: &&Vec<u32>| machine.site_of(set[0]) != machine.site_of(set[set.len() - 1]);
    if domains.iter().any(|set| spans(&set)) {
        return Err(Error::unsupported(
            "neuron over several sites",
            "the runtime's algorithms between nodes step over EFA inside one site; \
             use hierarchical, or a group within a site",
        ));
    }
    Ok(())
}
