//! Which stages a collective needs on the tiers that its groups span.

use crate::collective::algorithm::find;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::collective::pattern::crews::{Crew, Crews};
use crate::operation::Operation;
use crate::{Error, Result};

/// Names that `algorithm=` may give per tier, in this order.
pub(crate) const TIERS: [&str; 3] = ["domain", "site", "wan"];

/// One stage to fill with an algorithm.
pub(super) struct PlannedStage {
    pub(super) tier: usize,
    pub(super) place: Place,
    pub(super) operation: Operation,
    pub(super) size: f64,
    /// The stage of the root's domain, beside another one on the same tier that does something else.
    pub(super) shares_tier: bool,
}

/// Where a stage takes place.
pub(super) enum Place {
    /// Inside each domain.
    Domain,
    /// Inside the domain of the root only.
    RootDomain,
    /// Across the domains of each site.
    Site,
    /// Across the domains of each site, from its leader: the root's domain, or the first of another site.
    SiteFromLeader,
    /// Between the leaders of the sites.
    Leaders,
    /// Across all domains, sites regardless.
    Rails,
    /// Between sites.
    Wan,
    /// Inside each domain, where so many chips own all parts.
    Owners(u32),
    /// Across all domains, so many chips of each for all of it.
    Speakers(u32),
}

/// The algorithm that the caller wants for each of [`TIERS`].
pub(super) fn pinned_algorithms<'a>(
    stage_plan: &[PlannedStage],
    pinned: Option<&'a [String]>,
) -> Result<[Option<&'a str>; 3]> {
    let mut out = [None; 3];
    let Some(pinned) = pinned else { return Ok(out) };
    let spanned: Vec<usize> = (0..3)
        .filter(|tier| stage_plan.iter().any(|planned| planned.tier == *tier))
        .collect();
    if pinned.len() != spanned.len() {
        let names: Vec<&str> = spanned.iter().map(|&tier| TIERS[tier]).collect();
        return Err(Error::invalid(
            "algorithm",
            format!("{} names", pinned.len()),
            format!(
                "this group spans the tiers {}: give one name for each",
                names.join(", ")
            ),
        ));
    }
    for (tier, name) in spanned.into_iter().zip(pinned) {
        find(name)?;
        out[tier] = Some(name.as_str());
    }
    Ok(out)
}

/// The stages of a request over a grid, in order.
pub(super) fn stage_plan(
    context: &Context,
    request: &Request,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
) -> Result<Vec<PlannedStage>> {
    let (in_domain, across) = (locals[0].len(), domains[0].len());
    let machine = context.machine;
    let wan = domains
        .iter()
        .any(|set| machine.site_of(set[0]) != machine.site_of(set[set.len() - 1]));
    if across == 1 || (in_domain == 1 && !wan) {
        return Err(one_tier());
    }
    let several_in_a_site = domains.iter().any(|set| {
        set.windows(2)
            .any(|pair| machine.site_of(pair[0]) == machine.site_of(pair[1]))
    });
    let mut stage_plan = every_stage(request, request.size / in_domain as f64, wan)?;
    stage_plan.retain(|planned| match planned.place {
        Place::Domain | Place::RootDomain => in_domain > 1,
        Place::Site | Place::SiteFromLeader => several_in_a_site,
        Place::Wan | Place::Leaders => wan,
        Place::Rails | Place::Speakers(_) | Place::Owners(_) => true,
    });
    Ok(stage_plan)
}

pub(super) fn one_tier() -> Error {
    Error::unsupported(
        "hierarchical over a group that spans one tier",
        "use bucket, ring or another algorithm of that tier",
    )
}

/// The stages of a request over crews, in order, sites regardless: every way to do it.
pub(super) fn plans_of_crews(request: &Request, crews: &Crews) -> Result<Vec<Vec<PlannedStage>>> {
    if request.operation == Operation::AllToAll {
        return Err(Error::unsupported(
            "hierarchical all_to_all over unlike chips of UltraServers",
            "use direct, or name groups that hold the same chips of each UltraServer",
        ));
    }
    let mut stage_plan = every_stage(request, request.size, false)?;
    stage_plan.retain(|planned| !matches!(planned.place, Place::Wan | Place::Leaders));
    for planned in &mut stage_plan {
        if let Place::Site | Place::SiteFromLeader = planned.place {
            planned.place = Place::Rails;
        }
    }
    let root = request.root as u32;
    let at_root = |crew: &&Crew| crew.ranks.binary_search(&root).is_ok();
    let several = crews
        .all
        .iter()
        .filter(at_root)
        .any(|crew| crew.ranks.len() > 1);
    stage_plan.retain(|planned| several || !matches!(planned.place, Place::RootDomain));
    let mut plans = vec![stage_plan];
    if request.operation.as_run() == Operation::AllReduce {
        let stage = |tier, place, operation| PlannedStage {
            tier,
            place,
            operation,
            size: request.size,
            shares_tier: false,
        };
        plans.push(vec![
            stage(0, Place::Domain, Operation::Reduce),
            stage(1, Place::Speakers(1), Operation::AllReduce),
            stage(0, Place::Domain, Operation::Broadcast),
        ]);
        // As many of each as the smallest has: no NIC sends more than there, by the fewest messages.
        let fewest = crews.fewest();
        if fewest > 1
            && crews
                .all
                .iter()
                .any(|crew| crew.ranks.len() as u32 > fewest)
        {
            plans.push(vec![
                stage(0, Place::Owners(fewest), Operation::ReduceScatter),
                stage(1, Place::Speakers(fewest), Operation::AllReduce),
                stage(0, Place::Owners(fewest), Operation::AllGather),
            ]);
        }
    }
    Ok(plans)
}

/// The stages of a request on all tiers; `share` is what each chip of a domain has of its size.
fn every_stage(request: &Request, share: f64, wan: bool) -> Result<Vec<PlannedStage>> {
    use Operation::*;
    let (size, operation) = (request.size, request.operation.as_run());
    let planned = |tier, place, operation, size| PlannedStage {
        tier,
        place,
        operation,
        size,
        shares_tier: false,
    };
    let inside = |operation| planned(0, Place::Domain, operation, size);
    let root = |operation| PlannedStage {
        shares_tier: matches!(request.operation, Broadcast | Reduce),
        ..planned(0, Place::RootDomain, operation, size)
    };
    let site = |operation| planned(1, Place::Site, operation, share);
    let rails = |operation, size| planned(1, Place::Rails, operation, size);
    let between = |operation| planned(2, Place::Wan, operation, size);
    Ok(match operation {
        AllReduce if wan => vec![
            inside(ReduceScatter),
            site(ReduceScatter),
            between(AllReduce),
            site(AllGather),
            inside(AllGather),
        ],
        AllReduce => vec![inside(ReduceScatter), site(AllReduce), inside(AllGather)],
        ReduceScatter => vec![
            inside(ReduceScatter),
            site(ReduceScatter),
            between(ReduceScatter),
        ],
        AllGather => vec![between(AllGather), site(AllGather), inside(AllGather)],
        AllToAll => vec![inside(AllToAll), rails(AllToAll, size)],
        Broadcast => vec![
            root(Scatter),
            planned(2, Place::Leaders, Broadcast, share),
            planned(1, Place::SiteFromLeader, Broadcast, share),
            inside(AllGather),
        ],
        Reduce => vec![
            inside(ReduceScatter),
            planned(1, Place::SiteFromLeader, Reduce, share),
            planned(2, Place::Leaders, Reduce, share),
            root(Gather),
        ],
        Scatter => vec![root(Scatter), rails(Scatter, share)],
        Gather => vec![rails(Gather, share), root(Gather)],
        SendRecv | Barrier => {
            return Err(Error::unsupported(
                format!("hierarchical {}", operation.name()),
                "use direct",
            ));
        }
    })
}

/// Whether an error concerns one option only.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unsupported { .. } | Error::Unreachable { .. })
}
