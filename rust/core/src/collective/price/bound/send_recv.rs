//! Bounds of send_recv, whose messages are known one by one: what leaves and enters a domain, a group of a tier, a site.

use super::input::LowerBounds;
use crate::Result;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::Context;
use crate::machine::bundle_bandwidth;
use std::collections::BTreeMap;

/// Messages out of and into each place.
type Passing<K> = BTreeMap<K, (f64, f64)>;

/// What NICs, tiers and the WAN must carry for a grid of groups.
pub(super) fn of_grid(
    context: &Context,
    request: &Request,
    locals: &[Vec<u32>],
    domains: &[Vec<u32>],
    found: &mut LowerBounds,
) -> Result<()> {
    let machine = context.machine;
    let Some(nic) = machine.nic() else {
        return Ok(());
    };
    let (in_domain, bytes) = (locals[0].len(), locals.len() as f64 * request.size);
    let seconds = |(out, into): (f64, f64), (fast_out, fast_in): (f64, f64)| {
        f64::max(bytes * out / fast_out, bytes * into / fast_in)
    };
    let nics = (locals.len() * in_domain) as f64 * nic.bandwidth;
    let passing = |place: &dyn Fn(u32) -> (usize, u32)| {
        let mut all = Passing::new();
        for set in domains {
            passing(context, request.shift, in_domain, set, place, &mut all)?;
        }
        Ok::<_, crate::Error>(all)
    };
    for (_, messages) in passing(&|domain| (0, domain))? {
        found.note("NICs of an UltraServer", seconds(messages, (nics, nics)));
    }
    let tiers = machine.sites().iter().map(|site| site.tiers.len());
    for index in 0..tiers.max().unwrap_or(0) {
        // Sites with fewer tiers have one group there, which nothing is known to hold back.
        let group = |domain: u32| {
            let site = machine.site_of(domain);
            let tier = machine.sites()[site].tiers.get(index);
            let at = domain - machine.first_domain(site);
            (site, tier.map_or(u32::MAX, |tier| at / tier.group))
        };
        for ((site, group), messages) in passing(&group)? {
            let definition = &machine.sites()[site];
            let Some(tier) = definition.tiers.get(index) else {
                continue;
            };
            let leaf = machine.domain_nic_bandwidth();
            let fast = bundle_bandwidth(tier, definition.domains, group, leaf);
            let name = format!("fabric tier {}", index + 1);
            found.note(name, seconds(messages, (fast, fast)));
        }
    }
    let Some(wan) = machine.wan() else {
        return Ok(());
    };
    for ((site, _), messages) in passing(&|domain| (machine.site_of(domain), 0))? {
        let fast = wan.around(site, machine.sites().len());
        let name = format!("WAN of {}", machine.sites()[site].name);
        found.note(name, seconds(messages, fast));
    }
    Ok(())
}

/// Adds the messages of one group of a set of domains that pass from one place to another.
fn passing(
    context: &Context,
    shift: i64,
    in_domain: usize,
    set: &[u32],
    place: &dyn Fn(u32) -> (usize, u32),
    all: &mut Passing<(usize, u32)>,
) -> Result<()> {
    let ranks = (set.len() * in_domain) as i64;
    let shift = shift.rem_euclid(ranks) as usize;
    let (whole, rest) = (shift / in_domain, shift % in_domain);
    for (at, &from) in set.iter().enumerate() {
        context.control.check_at(at)?;
        // The last `rest` ranks of a domain reach one domain further.
        for (step, messages) in [(whole, in_domain - rest), (whole + 1, rest)] {
            let to = set[(at + step) % set.len()];
            let (from, to) = (place(from), place(to));
            if messages > 0 && from != to {
                all.entry(from).or_default().0 += messages as f64;
                all.entry(to).or_default().1 += messages as f64;
            }
        }
    }
    Ok(())
}

/// What the NICs of the members in a domain must carry for groups that are plain lists of chips.
pub(super) fn of_lists(
    context: &Context,
    request: &Request,
    groups: &[Vec<u32>],
    found: &mut LowerBounds,
) -> Result<()> {
    let Some(nic) = context.machine.nic() else {
        return Ok(());
    };
    let home = |chip: u32| context.machine.split(chip).0;
    // Members of each domain; messages out of it and into it.
    let mut all: BTreeMap<u32, (f64, f64, f64)> = BTreeMap::new();
    for group in groups {
        let shift = request.shift.rem_euclid(group.len() as i64) as usize;
        for (at, &from) in group.iter().enumerate() {
            context.control.check_at(at)?;
            let to = home(group[(at + shift) % group.len()]);
            let from = home(from);
            all.entry(from).or_default().0 += 1.0;
            if from != to {
                all.entry(from).or_default().1 += 1.0;
                all.entry(to).or_default().2 += 1.0;
            }
        }
    }
    for (members, out, into) in all.into_values() {
        let seconds = f64::max(out, into) * request.size / (members * nic.bandwidth);
        found.note("NICs of an UltraServer", seconds);
    }
    Ok(())
}
