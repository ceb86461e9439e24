//! Progressive filling of flows that all run at once, as `fluid/progressive_fill.rs` does it, in little memory: four
//! bytes for a flow on a link, and its way walked again when it is taken off.

use super::fluid::{Residual, Stops};
use super::messages::FEWER;
use super::used_links::{Names, UsedLinks};
use super::ways::Ways;
use crate::Control;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::memory::{Taken, bytes_of};
use std::cmp::Reverse;

/// Entries of the heap between two looks at the cancel flag.
const STRETCH: usize = 1 << 12;

/// Shares of flows on links, by the place of the flow among those of the link.
enum Weights {
    /// Few values, and which.
    Few { values: Vec<f64>, which: Vec<u8> },
    Each(Vec<f64>),
}

impl Weights {
    #[inline]
    fn at(&self, place: usize) -> f64 {
        match self {
            Self::Few { values, which } => match which.get(place) {
                Some(&which) => values[which as usize],
                None => values[0],
            },
            Self::Each(weights) => weights[place],
        }
    }
}

/// Links that flows share, and the flows on each.
pub(super) struct AllRates {
    names: Names,
    capacity: Vec<f64>,
    /// Where the flows of each link begin.
    first: Vec<u32>,
    flows: Vec<u32>,
    weights: Weights,
    /// What each flow has alone, ascending, where that is finite.
    caps: Vec<(u64, u32, bool)>,
    #[expect(dead_code, reason = "held for its drop")]
    taken: [Taken; 2],
}

impl AllRates {
    /// The flows on each link that one of them uses.
    pub(super) fn of(machine: &Machine, ways: &Ways, control: &Control) -> Result<Self> {
        let flows = ways.flows();
        let used = UsedLinks::of(machine, ways, control)?;
        let (links, steps) = (used.capacity.len() as u64, used.steps);
        if steps >= u64::from(u32::MAX) {
            return Err(Error::unsupported(
                format!("messages over {steps} links in all"),
                "ask for fewer at once: less than 2^32",
            ));
        }
        let each = match used.shares.len() {
            0 => 8,
            1 => 0,
            _ => 1,
        };
        let bytes = ((4 + each) * steps)
            .saturating_add(bytes_of::<(f64, (u64, u32, bool))>(flows as u64))
            .saturating_add(bytes_of::<(Residual, [u64; 7])>(links));
        let what = format_args!("the links of {flows} messages");
        let taken = control.take(bytes, what, FEWER)?;
        let places = |each: u64| if each > 0 { steps as usize } else { 0 };
        let weights = match each {
            8 => Weights::Each(vec![0.0; places(8)]),
            each => Weights::Few {
                values: used.shares,
                which: vec![0; places(each)],
            },
        };
        let mut rates = Self {
            names: used.names,
            capacity: used.capacity,
            first: Vec::with_capacity(links as usize + 1),
            flows: vec![0; steps as usize],
            weights,
            caps: Vec::with_capacity(flows),
            taken: [taken, used.taken],
        };
        let mut next = used.flows;
        let mut begin = 0;
        for count in &mut next {
            rates.first.push(begin);
            begin += std::mem::replace(count, begin);
        }
        rates.first.push(begin);
        rates.list(ways, next, control)?;
        Ok(rates)
    }

    /// Lists the flows of each link; `next` is where the next one of each goes.
    fn list(&mut self, ways: &Ways, mut next: Vec<u32>, control: &Control) -> Result<()> {
        for flow in 0..ways.flows() {
            let mut cap = f64::INFINITY;
            ways.walk(flow, control, &mut |link, share| {
                let link = self.names.number(link);
                let place = next[link] as usize;
                next[link] += 1;
                self.flows[place] = flow as u32;
                cap = cap.min(self.capacity[link] / share);
                match &mut self.weights {
                    Weights::Few { values, which } if !which.is_empty() => {
                        let at = values.iter().position(|value| *value == share);
                        which[place] = at.unwrap_or(0) as u8;
                    }
                    Weights::Few { .. } => (),
                    Weights::Each(weights) => weights[place] = share,
                }
            })?;
            if cap.is_finite() {
                self.caps.push((cap.to_bits(), flow as u32, true));
            }
        }
        control.check()?;
        self.caps.sort_unstable();
        control.check()
    }

    /// The rates of all flows.
    pub(super) fn fill(mut self, ways: &Ways, control: &Control) -> Result<Vec<f64>> {
        let mut residuals = self.empty_links(control)?;
        let mut still_rising = self.caps.len();
        let mut stops = Stops::of(
            self.shared(&residuals),
            std::mem::take(&mut self.caps),
        );
        let mut rates = vec![f64::INFINITY; ways.flows()];
        let mut stopped = Vec::new();
        let mut popped = 0usize;
        while still_rising > 0 {
            let Some((key, index, is_flow)) = stops.pop() else {
                break;
            };
            popped += 1;
            if popped % STRETCH == 0 {
                control.check()?;
            }
            let now = f64::from_bits(key);
            stopped.clear();
            let mut level = now;
            if is_flow {
                stopped.extend(rates[index as usize].is_infinite().then_some(index));
            } else {
                let residual = residuals[index as usize];
                if residual.rising == 0 {
                    continue;
                }
                // Rounding may take a hair too much: levels never fall.
                level = (residual.left / residual.weights).max(now);
                if level > now {
                    stops.push(level, index);
                    continue;
                }
                level = self.full(index, &rates, &mut stopped).max(now);
            }
            still_rising -= stopped.len();
            for &flow in &stopped {
                rates[flow as usize] = level;
                ways.walk(flow as usize, control, &mut |link, share| {
                    residuals[self.names.number(link)].hold(level, share);
                })?;
            }
        }
        Ok(rates)
    }

    /// Residuals of links on which every flow rises.
    fn empty_links(&self, control: &Control) -> Result<Vec<Residual>> {
        let mut residuals = Vec::with_capacity(self.capacity.len());
        for (link, &capacity) in self.capacity.iter().enumerate() {
            control.check_at(link)?;
            let on_link = self.on_link(link);
            residuals.push(Residual {
                left: capacity,
                rising: on_link.len() as u32,
                weights: on_link.map(|place| self.weights.at(place)).sum(),
            });
        }
        Ok(residuals)
    }

    /// When those links would be full that several flows share: whom one flow has to itself, its cap tells.
    fn shared(&self, residuals: &[Residual]) -> Vec<Reverse<(u64, u32, bool)>> {
        let level = |(link, residual): (u32, &Residual)| {
            let level = residual.left / residual.weights;
            (residual.rising > 1).then_some(Reverse((level.to_bits(), link, false)))
        };
        (0..).zip(residuals).filter_map(level).collect()
    }

    /// The level of a link that is full now, and its flows that rise. What was taken off step by step has rounded:
    /// light flows beside heavy ones would get a wrong rate.
    fn full(&self, link: u32, rates: &[f64], stopped: &mut Vec<u32>) -> f64 {
        let (mut left, mut weights) = (self.capacity[link as usize], 0.0);
        for place in self.on_link(link as usize) {
            let (flow, weight) = (self.flows[place], self.weights.at(place));
            let rate = rates[flow as usize];
            if rate.is_infinite() {
                weights += weight;
                stopped.push(flow);
            } else {
                left -= rate * weight;
            }
        }
        left / weights
    }

    fn on_link(&self, link: usize) -> std::ops::Range<usize> {
        self.first[link] as usize..self.first[link + 1] as usize
    }
}

