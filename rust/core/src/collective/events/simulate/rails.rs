//! Messages between domains: one for each pair of members that are alike, one for each site whose domains are, or one
//! by one.

use super::message::{Message, by_moves, few, sends_of};
use super::network::Network;
use super::sites::classes;
use crate::Result;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::schedule::Part;
use crate::sim::Engine;

impl Network<'_> {
    /// Messages between domains over each pair of NICs: alike, they are one for each pair; first come, first served,
    /// they meet on the links of the fabric one by one.
    pub(super) fn between(
        &mut self,
        part: &Part,
        pairs: &[(u32, u32)],
        nics: &[(u32, u32)],
    ) -> Result<Vec<Message>> {
        let one_by_one = self.engine == Engine::Fifo;
        let each = if one_by_one { nics.len() } else { 1 };
        few((pairs.len() as u64).saturating_mul(each as u64))?;
        // The members are alike where all of them send; otherwise each pair has NICs of its own.
        let all = matches!(
            part.pattern.kind,
            PatternKind::Rails(_) | PatternKind::Exchange { .. }
        );
        let nic = nics.first().copied().filter(|_| !all);
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            for (send, pair) in own {
                let placed = |message: Message| Message {
                    moves: moves as u32,
                    send,
                    ..message
                };
                if !one_by_one {
                    messages.push(placed(self.rail(pair, nics.len() as f64, nic)?));
                    continue;
                }
                for (at, &nic) in (0..).zip(nics) {
                    let mut message = self.rail(pair, 1.0, Some(nic))?;
                    let end = |domain: u32| domain * nics.len() as u32 + at;
                    message.ends = (end(pair.0), end(pair.1));
                    messages.push(placed(message));
                }
            }
        }
        Ok(messages)
    }

    /// Every member, as the NICs of messages from it to the one at the same place.
    pub(super) fn members(&self) -> Vec<(u32, u32)> {
        self.context
            .members()
            .map(|member| (member, member))
            .collect()
    }

    /// Messages between domains, one for each site for all that are alike there.
    pub(super) fn between_alike(
        &mut self,
        part: &Part,
        pairs: &[(u32, u32)],
    ) -> Result<Vec<Message>> {
        let context = self.context;
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, pairs).into_iter().enumerate() {
            let found = classes(context, sends_of(&own))
                .expect("the domains of each site were found to be alike");
            for class in found {
                let (from, to) = class.example;
                let cost = context.path(from, to, |_| ());
                let mut path = vec![(self.nic(0, from, None), 1.0), (self.nic(1, to, None), 1.0)];
                for (tier, shape) in context.machine.sites()[class.site].tiers[..class.tiers]
                    .iter()
                    .enumerate()
                {
                    let weight = f64::from(shape.group) * context.members_per_domain();
                    for down in [false, true] {
                        let link = context.machine.fabric_link(class.site, tier, 0, down);
                        let link = link - context.machine.blocks().fabric[0];
                        path.extend(self.fabric(link).map(|resource| (resource, weight)));
                    }
                }
                messages.push(Message {
                    path: path.into(),
                    latency: cost.latency,
                    share: 1.0,
                    ends: (class.site as u32, class.site as u32),
                    moves: moves as u32,
                    send: 0,
                });
            }
        }
        Ok(messages)
    }

    /// A message from a member of one domain to one of another, `nics` of which share the fabric. Either all members
    /// are alike, or it goes from one local chip to another: each of those has a NIC of its own.
    pub(super) fn rail(
        &mut self,
        (from, to): (u32, u32),
        nics: f64,
        nic: Option<(u32, u32)>,
    ) -> Result<Message> {
        self.context.control.check()?;
        let mut links = Vec::new();
        let cost = self.context.path(from, to, |link| links.push(link));
        let mut path = vec![(self.nic(0, from, nic.map(|nic| nic.0)), 1.0)];
        for link in links {
            path.extend(self.fabric(link as u64).map(|resource| (resource, nics)));
        }
        path.push((self.nic(1, to, nic.map(|nic| nic.1)), 1.0));
        Ok(Message {
            path: path.into(),
            latency: cost.latency,
            share: 1.0,
            ends: (from, to),
            moves: 0,
            send: 0,
        })
    }
}
