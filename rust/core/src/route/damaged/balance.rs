//! Routes of all pairs at once, spread by counting: of the shortest hops towards a target each state has one, as in the
//! forwarding tables of a subnet manager, and hops are changed while that lowers what is most loaded.
//!
//! One message from each chip to each other counts one on each link that it passes. From the hops of dimension order on,
//! target after target and from the farthest state inwards, the messages that pass a state are taken off their links
//! and put where the sum of the fourth powers of the loads grows least: a high power is led by the busiest links, and
//! unlike the highest load alone it falls with each step. Sweeps over all targets end when the highest load falls by
//! less than a hundredth. No route gets longer.

use super::states::States;
use crate::{Control, Result};

/// No hop: the target itself, or a state that it is not reached from.
pub(super) const NONE: u16 = u16::MAX;

const FAR: u32 = u32::MAX;

/// Sweeps after which even a load that still falls is good enough.
const MOST_SWEEPS: usize = 8;

/// The hops of all states towards all chips, target by target: numbers in [`States::hops`].
pub(super) fn balanced(states: &States, links: u64, control: &Control) -> Result<Vec<u16>> {
    let count = states.count();
    let mut balance = Balance {
        states,
        load: vec![0; links as usize],
        distance: vec![FAR; count],
        order: Vec::with_capacity(count),
        flow: vec![0; count],
    };
    let mut next = vec![NONE; states.chips as usize * count];
    for (dst, next) in (0..).zip(next.chunks_mut(count)) {
        control.check()?;
        balance.begin(dst, next);
    }
    let mut highest = balance.highest();
    for _ in 0..MOST_SWEEPS {
        for (dst, next) in (0..).zip(next.chunks_mut(count)) {
            control.check()?;
            balance.improve(dst, next);
        }
        let before = std::mem::replace(&mut highest, balance.highest());
        if highest * 100 > before * 99 {
            break;
        }
    }
    Ok(next)
}

struct Balance<'a> {
    states: &'a States,
    /// Messages on each link.
    load: Vec<u64>,
    /// Hops to the target, the states from which it is reached, nearest first, and the messages that pass each.
    distance: Vec<u32>,
    order: Vec<u32>,
    flow: Vec<u64>,
}

impl Balance<'_> {
    fn highest(&self) -> u64 {
        self.load.iter().copied().max().unwrap_or(0)
    }

    /// Finds how far all states are from a target.
    fn search(&mut self, dst: u32) {
        self.distance.fill(FAR);
        self.order.clear();
        for end in self.states.ends(dst) {
            self.distance[end as usize] = 0;
            self.order.push(end);
        }
        let mut at = 0;
        while let Some(&here) = self.order.get(at) {
            at += 1;
            let farther = self.distance[here as usize] + 1;
            for &before in self.states.before(here) {
                let distance = &mut self.distance[before as usize];
                if *distance == FAR {
                    *distance = farther;
                    self.order.push(before);
                }
            }
        }
    }

    /// Counts the messages that pass each state; `visit` gets each hop and those that take it.
    fn count(&mut self, dst: u32, next: &[u16], mut visit: impl FnMut(&mut [u64], u32, u64)) {
        self.flow.fill(0);
        for chip in (0..self.states.chips).filter(|&chip| chip != dst) {
            self.flow[self.states.start(chip) as usize] = 1;
        }
        for &state in self.order.iter().rev() {
            if let Some(&(there, link)) = hop(self.states, next, state) {
                let flow = self.flow[state as usize];
                self.flow[there as usize] += flow;
                visit(&mut self.load, link, flow);
            }
        }
    }

    /// The hops of a state that lead nearer, by number.
    fn nearer(&self, state: u32) -> impl Iterator<Item = u16> + '_ {
        let wanted = self.distance[state as usize].wrapping_sub(1);
        let hops = (0..).zip(self.states.hops(state));
        hops.filter(move |(_, hop)| self.distance[hop.0 as usize] == wanted)
            .map(|(number, _)| number)
    }

    /// Takes the first hops.
    fn begin(&mut self, dst: u32, next: &mut [u16]) {
        self.search(dst);
        for &state in &self.order {
            if self.distance[state as usize] > 0 {
                next[state as usize] = self.nearer(state).next().unwrap_or(NONE);
            }
        }
        self.count(dst, next, |load, link, flow| load[link as usize] += flow);
    }

    /// Takes hops whose links are less loaded.
    fn improve(&mut self, dst: u32, next: &mut [u16]) {
        self.search(dst);
        self.count(dst, next, |_, _, _| {});
        let states = self.states;
        for at in (0..self.order.len()).rev() {
            let state = self.order[at];
            let (flow, was) = (self.flow[state as usize], next[state as usize]);
            if flow == 0 || was == NONE || self.nearer(state).nth(1).is_none() {
                continue;
            }
            along(states, next, state, |there, link| {
                self.load[link as usize] -= flow;
                self.flow[there as usize] -= flow;
            });
            let (mut best, mut least) = (was, self.cost(next, state, flow));
            for number in self.nearer(state).filter(|&number| number != was) {
                next[state as usize] = number;
                let cost = self.cost(next, state, flow);
                if cost < least {
                    (best, least) = (number, cost);
                }
            }
            next[state as usize] = best;
            along(states, next, state, |there, link| {
                self.load[link as usize] += flow;
                self.flow[there as usize] += flow;
            });
        }
    }

    /// How much the fourth powers of the loads grow if `flow` messages go on from a state.
    fn cost(&self, next: &[u16], state: u32, flow: u64) -> f64 {
        let (flow, mut cost) = (flow as f64, 0.0);
        along(self.states, next, state, |_, link| {
            let load = self.load[link as usize] as f64;
            let sum = load + flow;
            cost += flow * (load + sum) * (load * load + sum * sum);
        });
        cost
    }
}

/// The hop of a state: (state there, local link).
pub(super) fn hop<'a>(states: &'a States, next: &[u16], state: u32) -> Option<&'a (u32, u32)> {
    states.hops(state).get(usize::from(next[state as usize]))
}

/// Calls `visit` with each state and link on the way from a state to the target.
pub(super) fn along(states: &States, next: &[u16], state: u32, mut visit: impl FnMut(u32, u32)) {
    let mut here = state;
    while let Some(&(there, link)) = hop(states, next, here) {
        visit(there, link);
        here = there;
    }
}
