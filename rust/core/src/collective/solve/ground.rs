//! Where the ranks of a request sit, for all algorithms that run over the whole group.

use crate::Result;
use crate::collective::algorithm::{ALGORITHMS, Algorithm, Extent, Job};
use crate::collective::ask::group::Groups;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::program::alternatives::Program;
use crate::collective::program::placement::Placement;
use crate::operation::Operation;
use crate::weigh::Scale;

/// Placements of a request.
pub(super) struct Ground {
    placement: Placement,
    tier: &'static str,
    /// The domains, of groups that have several chips in each of several.
    rails: Option<Placement>,
}

impl Ground {
    /// Counts what it takes.
    pub(super) fn weigh(&self, on: &mut Scale) {
        self.placement.weigh(on);
        if let Some(rails) = &self.rails {
            rails.weigh(on);
        }
    }

    pub(super) fn of(context: &Context, request: &Request) -> Self {
        let everyone = || -> Vec<Vec<u32>> {
            (0..context.groups.count())
                .map(|group| context.groups.members(context.machine, group))
                .collect()
        };
        let mut rails = None;
        let (placement, tier) = match context.groups {
            Groups::Scattered(groups) => (Placement::Flat(groups.clone().into()), "machine"),
            // Domains are alike where nothing is broken.
            Groups::Grid { .. }
                if request.operation == Operation::SendRecv && context.machine.is_damaged() =>
            {
                (Placement::Flat(everyone().into()), "machine")
            }
            Groups::Grid { locals, domains } if locals[0].len() == 1 && domains[0].len() > 1 => {
                (Placement::Rails(domains.clone().into()), "machine")
            }
            Groups::Grid { locals, domains } => {
                rails = (domains[0].len() > 1).then(|| Placement::Rails(domains.clone().into()));
                (Placement::Local(locals.clone().into()), "domain")
            }
        };
        Self {
            placement,
            tier,
            rails,
        }
    }

    /// What steps take there at least; `None` where nothing is known of it.
    pub(super) fn extent<'a>(
        &'a self,
        context: &'a Context,
        request: &Request,
    ) -> Option<Extent<'a>> {
        let (model, root) = (request.model, request.root);
        match &self.rails {
            Some(rails) => Extent::across(context, model, (&self.placement, rails), root),
            None => Extent::new(context, model, &self.placement, root),
        }
    }

    /// What an algorithm writes for the groups of a request.
    pub(super) fn program(
        &self,
        context: &Context,
        request: &Request,
        row: &Algorithm,
    ) -> Result<Program> {
        let job = Job {
            context,
            placement: &self.placement,
            operation: request.operation.as_run(),
            size: request.size,
            root: request.root,
            shift: request.shift,
            orders: &request.orders,
            table: ALGORITHMS,
            tier: self.tier,
        };
        match (context.groups, &self.rails) {
            (Groups::Grid { locals, domains }, Some(_)) => row.flat(&job, locals, domains),
            _ => row.program(&job),
        }
    }
}
