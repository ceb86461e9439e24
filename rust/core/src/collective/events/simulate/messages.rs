//! The messages of patterns as an engine sees them: their routes over resources, and whose they are.

use super::evened::may_go_as_one;
use super::message::{Message, by_moves, few};
use super::network::{Network, is_inside};
use crate::collective::pattern::kind::{PatternKind, SiteShare};
use crate::collective::pattern::measure::{by_site, ports, site_flows};
use crate::collective::pattern::pairs::to_all;
use crate::collective::pattern::symmetry::class;
use crate::collective::program::schedule::Part;
use crate::machine::Machine;
use crate::route::route_until;
use crate::sim::Engine;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Network<'_> {
    /// The messages of a part that is not known yet.
    pub(super) fn found(&mut self, part: &Part) -> Result<Vec<Message>> {
        let pattern = Arc::clone(&part.pattern);
        if !is_inside(&part)
            && !matches!(
                pattern.kind,
                PatternKind::Flat(_) | PatternKind::Shift { .. }
            )
        {
            let what = "simulating messages between UltraServers";
            self.context.machine.check_own_nics(what)?;
        }
        if self.evened && may_go_as_one(part) {
            return self.as_one(part);
        }
        let shared = matches!(
            pattern.kind,
            PatternKind::Star { .. } | PatternKind::Exchange { .. } | PatternKind::Sites { .. }
        );
        if shared && self.engine == Engine::Fifo {
            let pairs = alike_pairs(&pattern.kind)?.ok_or_else(|| {
                Error::unsupported(
                    "model \"fifo\" with messages that several members of an UltraServer share",
                    "use model \"fluid\", or write the schedule out and run that",
                )
            })?;
            return self.between(part, &pairs, &self.members());
        }
        match &pattern.kind {
            PatternKind::Local(pairs) => self.inside(part, &pairs.list()),
            PatternKind::LocalAll => self.all_inside(part),
            PatternKind::InSwitch { groups, gather } => {
                let owners = groups
                    .iter()
                    .flat_map(|group| group.iter().map(move |&owner| (group, owner)));
                owners
                    .map(|(group, owner)| self.in_switch(group, owner, *gather))
                    .collect()
            }
            PatternKind::Flat(pairs) => self.listed(part, &pairs.list()),
            PatternKind::Shift { shift, .. } => {
                let groups = self.context.groups;
                few(groups.count() as u64 * groups.ranks() as u64)?;
                self.listed(part, &groups.shifted(self.context.machine, *shift))
            }
            PatternKind::Rails(pairs) if self.by_site => self.between_alike(part, &pairs.list()),
            PatternKind::Rails(pairs) => self.between(part, &pairs.list(), &self.members()),
            PatternKind::NicPairs { pairs, nics } => self.between(part, &pairs.list(), nics),
            PatternKind::Star {
                sets,
                locals,
                outward,
            } => self.star(sets, locals[0].0.len(), *outward),
            PatternKind::Exchange { sets, spread } => self.exchange(sets, *spread),
            PatternKind::Sites { sets, share } => self.between_sites(sets, *share),
            PatternKind::Within { .. } | PatternKind::Crews { .. } => Err(Error::unsupported(
                "messages between crews that are not written out",
                "report this as a bug",
            )),
        }
    }

    /// Every chip of a domain to every other.
    fn all_inside(&mut self, part: &Part) -> Result<Vec<Message>> {
        let chips = self.context.machine.domain().chips();
        if self.symmetric {
            let each = |to| self.alike(to, 0, 0);
            return (1..chips).map(each).collect();
        }
        few(u64::from(chips) * u64::from(chips - 1))?;
        // Each begins with the next one, so that no two begin with the same: what is served first come, first served
        // would crowd at chip 0 otherwise.
        let pairs: Vec<(u32, u32)> = (0..chips)
            .flat_map(|from| (1..chips).map(move |ahead| (from, (from + ahead) % chips)))
            .collect();
        self.inside(part, &pairs)
    }

    /// Between each root's domain and the others of its set.
    fn star(
        &mut self,
        sets: &[(Vec<u32>, u32)],
        members: usize,
        outward: bool,
    ) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for (set, root) in sets {
            for &domain in set.iter().filter(|domain| *domain != root) {
                let pair = if outward {
                    (*root, domain)
                } else {
                    (domain, *root)
                };
                // One message a member; the root's NIC carries them all.
                let mut message = self.rail(pair, self.context.members_per_domain(), None)?;
                let root_side = if outward { 0 } else { message.path.len() - 1 };
                let mut path = message.path.to_vec();
                path[root_side].1 = members as f64;
                message.path = path.into();
                messages.push(message);
            }
        }
        Ok(messages)
    }

    /// Between all domains of each set.
    fn exchange(&mut self, sets: &[Vec<u32>], spread: bool) -> Result<Vec<Message>> {
        // Spread, a message goes to each member there; the moves say how much of the bytes that is.
        let receivers = self.receivers(spread);
        let squares = sets.iter().map(|set| (set.len() as u64).pow(2));
        few(squares.sum::<u64>().saturating_mul(receivers as u64))?;
        let mut messages = Vec::new();
        for set in sets {
            let pairs = set
                .iter()
                .flat_map(|&from| set.iter().map(move |&to| (from, to)));
            for pair in pairs.filter(|pair| pair.0 != pair.1) {
                let message = self.rail(pair, self.context.members_per_domain(), None)?;
                messages.extend(std::iter::repeat_n(message, receivers));
            }
        }
        Ok(messages)
    }

    /// Between the sites of each set, each as one.
    fn between_sites(&mut self, sets: &[Vec<u32>], share: SiteShare) -> Result<Vec<Message>> {
        let context = self.context;
        let mut messages = Vec::new();
        for set in sets {
            let sites = by_site(context.machine, set);
            for flow in site_flows(context, set, &sites, share)? {
                // Where domains are alike, the busiest NIC and the busiest bundle of each tier stand for all.
                let mut path: BTreeMap<u32, f64> = BTreeMap::new();
                let mut pass = |resource: u32, bytes: f64| {
                    let most = path.entry(resource).or_insert(0.0);
                    *most = most.max(bytes);
                };
                for (direction, nics) in flow.nics.iter().enumerate() {
                    for &(domain, bytes) in nics {
                        pass(self.nic(direction as u64, domain, None), bytes);
                    }
                }
                for (at, (link, bytes)) in flow.fabric.into_iter().enumerate() {
                    context.control.check_at(at)?;
                    if let Some(resource) = self.fabric(link as u64) {
                        pass(resource, bytes);
                    }
                }
                let path: Vec<(u32, f64)> = path.into_iter().collect();
                messages.push(Message {
                    path: path.into(),
                    latency: flow.latency,
                    share: 1.0,
                    ends: (0, 0),
                    moves: 0,
                    send: 0,
                });
            }
        }
        Ok(messages)
    }

    /// Messages inside a domain, alike or one by one.
    fn inside(&mut self, part: &Part, pairs: &[(u32, u32)]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        if self.symmetric {
            for (moves, found) in self.distances(part).into_iter().enumerate() {
                for (distance, each) in found {
                    let message = self.alike(distance, moves as u32, 0)?;
                    messages.extend(std::iter::repeat_n(message, each as usize));
                }
            }
            return Ok(messages);
        }
        if let Some(fold) = self.fold.clone() {
            return self.folded(part, &fold);
        }
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            few((messages.len() + own.len()) as u64)?;
            for (send, pair) in own {
                self.routed(false, pair, moves as u32, send, &mut messages)?;
            }
        }
        Ok(messages)
    }

    /// What a switch adds up for one chip from all others of its group, or copies from it to them.
    fn in_switch(&mut self, group: &[u32], owner: u32, gather: bool) -> Result<Message> {
        if self.engine == Engine::Fifo {
            return Err(Error::unsupported(
                "model \"fifo\" with in_switch: a sum has no one path to be stored on",
                "use model \"fluid\" or \"link_load\"",
            ));
        }
        let machine = &self.context.domain_machine;
        let mut path = Vec::new();
        for &chip in group {
            let [up, down] = ports(self.context, group, chip)?;
            let link = if (chip == owner) == gather { up } else { down };
            path.push((self.link(machine, false, link), 1.0));
        }
        let other = if group[0] == owner {
            group[1]
        } else {
            group[0]
        };
        let found = route_until(
            machine,
            self.context.routing,
            owner,
            other,
            self.context.control,
        )?;
        Ok(Message {
            path: path.into(),
            latency: found.latency,
            share: 1.0,
            ends: (0, 0),
            moves: 0,
            send: 0,
        })
    }

    fn listed(&mut self, part: &Part, pairs: &[(u32, u32)]) -> Result<Vec<Message>> {
        few(pairs.len() as u64)?;
        let machine = self.context.machine;
        let first = machine.split(pairs.first().map_or(0, |pair| pair.0)).0;
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            for (send, pair) in own {
                // Beside patterns inside domains, what is listed is the same in the domain of every root.
                if self.mixed && machine.split(pair.0).0 != first {
                    continue;
                }
                self.routed(true, pair, moves as u32, send, &mut messages)?;
            }
        }
        Ok(messages)
    }

    /// The message of every chip over one distance.
    fn alike(&mut self, distance: u32, moves: u32, send: u32) -> Result<Message> {
        let context = self.context;
        let found = route_until(
            &context.domain_machine,
            context.routing,
            0,
            distance,
            context.control,
        )?;
        let mut by_class: BTreeMap<u64, (f64, u64)> = BTreeMap::new();
        for (&link, &share) in found.links.iter().zip(&found.shares) {
            by_class
                .entry(class(&context.domain_machine, link))
                .or_insert((0.0, link))
                .0 += share;
        }
        let path = by_class
            .into_iter()
            .map(|(class, (share, link))| {
                let numbers = context.domain_machine.link_numbers(link);
                (self.class(class, numbers), share)
            })
            .collect();
        Ok(Message {
            path,
            latency: found.latency,
            share: 1.0,
            ends: (0, 0),
            moves,
            send,
        })
    }

    /// One message by its own route; first come, first served, one that splits goes as two halves.
    fn routed(
        &mut self,
        listed: bool,
        (from, to): (u32, u32),
        moves: u32,
        send: u32,
        messages: &mut Vec<Message>,
    ) -> Result<()> {
        let context = self.context;
        context.control.check()?;
        let machine: &Machine = if listed {
            context.machine
        } else {
            &context.domain_machine
        };
        if from == to {
            return Ok(());
        }
        let mut routes = Vec::new();
        for routing in &self.routings {
            routes.push(route_until(machine, routing, from, to, context.control)?);
        }
        routes.dedup_by(|a, b| a.links == b.links);
        let share = 1.0 / routes.len() as f64;
        for found in routes {
            let path = found
                .links
                .iter()
                .zip(&found.shares)
                .map(|(&link, &share)| (self.link(machine, listed, link), share))
                .collect();
            messages.push(Message {
                path,
                latency: found.latency,
                share,
                ends: (from, to),
                moves,
                send,
            });
        }
        Ok(())
    }
}

/// The pairs of domains between which each member sends one message to the member at the same place, where an exchange
/// is that.
fn alike_pairs(kind: &PatternKind) -> Result<Option<Vec<(u32, u32)>>> {
    let PatternKind::Exchange {
        sets,
        spread: false,
    } = kind
    else {
        return Ok(None);
    };
    let count = |set: &Vec<u32>| (set.len() as u64).saturating_mul(set.len() as u64 - 1);
    few(sets.iter().map(count).sum())?;
    let of_set = |set: &Vec<u32>| -> Vec<(u32, u32)> {
        let pairs = to_all(set.len() as u32).into_iter();
        pairs
            .map(|(from, to)| (set[from as usize], set[to as usize]))
            .collect()
    };
    Ok(Some(sets.iter().flat_map(of_set).collect()))
}
