//! Messages inside a domain of which one stands for all that lie whole periods of the pattern away.

use super::message::{Message, by_moves};
use super::network::Network;
use crate::Result;
use crate::collective::pattern::fold::Fold;
use crate::collective::pattern::kind::PatternKind;
use crate::collective::program::schedule::Part;
use crate::route::route_until;
use std::collections::BTreeMap;

impl Network<'_> {
    /// The messages of the chips that stand for all others, over the links that do: each of them carries what it would
    /// of all messages.
    pub(super) fn folded(&mut self, part: &Part, fold: &Fold) -> Result<Vec<Message>> {
        let PatternKind::Local(pairs) = &part.pattern.kind else {
            unreachable!("only lists of messages inside domains are folded")
        };
        let context = self.context;
        let machine = &context.domain_machine;
        let domain = machine.domain();
        let mut messages = Vec::new();
        for (moves, own) in by_moves(part, &pairs.list()).into_iter().enumerate() {
            for (at, (send, (from, to))) in own.into_iter().enumerate() {
                context.control.check_at(at)?;
                if fold.chip(domain, from) != from || from == to {
                    continue;
                }
                let found = route_until(machine, context.routing, from, to, context.control)?;
                let mut path: BTreeMap<u64, f64> = BTreeMap::new();
                for (&link, share) in found.links.iter().zip(&found.shares) {
                    *path.entry(fold.link(domain, link)).or_insert(0.0) += share;
                }
                let path = path.into_iter();
                messages.push(Message {
                    path: path
                        .map(|(link, share)| (self.link(machine, false, link), share))
                        .collect(),
                    latency: found.latency,
                    share: 1.0,
                    ends: (from, fold.chip(domain, to)),
                    moves: moves as u32,
                    send,
                });
            }
        }
        Ok(messages)
    }
}
