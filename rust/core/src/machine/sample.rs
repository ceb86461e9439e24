//! Faults drawn at random: what has broken after some hours, by the failure rate of each kind of part.
//!
//! A part that fails at a constant rate has failed after t hours with probability p = 1 - exp(-rate t). Instead of
//! asking each part, the distance to the next one that failed is drawn: it is geometric, floor(-ln(u) / (rate t)) for
//! a uniform u. The number of faults is binomial, no part is drawn twice, and the work grows with the faults only.

use super::{AxisKind, Faults, Machine};
use crate::Control;
use crate::error::{Error, Result, not_negative};
use crate::memory::{Taken, bytes_of};
use crate::random::SplitMix64;

/// Failures per part and hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// A chip by itself.
    pub chip: f64,
    /// A cable inside a domain: both directions are lost.
    pub cable: f64,
    /// The NIC of a chip, with its cable.
    pub nic: f64,
    /// A host: all of its chips are lost.
    pub host: f64,
    /// A domain as a whole.
    pub domain: f64,
    /// Chips of a host, consecutive by number, where hosts fail; a smaller domain is one host.
    pub chips_per_host: u32,
}

/// Kinds of parts, each with random numbers of its own: a rate that changes leaves the other kinds as they were.
#[derive(Clone, Copy)]
enum Part {
    Chip,
    Cable,
    Nic,
    Host,
    Domain,
}

impl Rates {
    fn check(&self, machine: &Machine, hours: f64) -> Result<u32> {
        let rates = [
            ("chip", self.chip),
            ("cable", self.cable),
            ("nic", self.nic),
            ("host", self.host),
            ("ultraserver", self.domain),
        ];
        for (part, rate) in rates {
            not_negative(format_args!("{part}_per_hour"), rate)?;
        }
        not_negative("hours", hours)?;
        let chips = machine.domain.chips();
        let host = self.chips_per_host.min(chips);
        if host == 0 || (self.host > 0.0 && chips % host != 0) {
            return Err(Error::invalid(
                "chips_per_host",
                self.chips_per_host,
                format!(
                    "must divide the {chips} chips of an UltraServer: name rates with a number that does"
                ),
            ));
        }
        Ok(host)
    }
}

impl Machine {
    /// What has broken after `hours` without repair. Depends on the arguments alone: draws of one seed differ by
    /// their number, whoever makes them and in which order.
    ///
    /// # Errors
    /// [`Error::Invalid`] for rates and hours that are not finite and at least 0, and hosts that do not divide a
    /// domain; [`Error::Memory`]; [`Error::Cancelled`].
    pub fn sample_faults(
        &self,
        rates: &Rates,
        hours: f64,
        seed: u64,
        draw: u64,
        control: &Control,
    ) -> Result<Faults> {
        let host = rates.check(self, hours)?;
        self.check_own_nics("faults")?;
        let _taken = self.reckon_sample(rates, hours, control)?;
        let chips = u64::from(self.num_chips());
        let failed = |part: Part, rate: f64, parts: u64| {
            let random = stream(seed, draw, part as u64);
            failed(parts, rate * hours, random, control)
        };
        let small = |list: Vec<u64>| -> Vec<u32> { list.into_iter().map(|at| at as u32).collect() };
        let mut faults = Faults {
            chips: small(failed(Part::Chip, rates.chip, chips)?),
            domains: small(failed(
                Part::Domain,
                rates.domain,
                u64::from(self.num_domains()),
            )?),
            ..Faults::default()
        };
        if self.nic.is_some() {
            faults.nics = small(failed(Part::Nic, rates.nic, chips)?);
        }
        for first in failed(Part::Host, rates.host, chips / u64::from(host))? {
            let first = first as u32 * host;
            faults.chips.extend(first..first + host);
        }
        faults.chips.sort_unstable();
        faults.chips.dedup();
        let per_domain = self.cables();
        let cables = per_domain * u64::from(self.num_domains());
        for cable in failed(Part::Cable, rates.cable, cables)? {
            let domain = (cable / per_domain) as u32;
            let both = self.cable(cable % per_domain);
            let links = both.map(|link| self.domain_link(domain, link));
            faults.links.extend(links);
        }
        faults.links.sort_unstable();
        Ok(faults)
    }

    /// Takes what the faults of one draw are expected to take, while they are listed.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn reckon_sample(
        &self,
        rates: &Rates,
        hours: f64,
        control: &Control,
    ) -> Result<Taken> {
        let chips = f64::from(self.num_chips());
        let cables = (self.cables() * u64::from(self.num_domains())) as f64;
        // No more than so many of each kind on average; of a host, all of its chips.
        let expected = |parts: f64, rate: f64| parts * (rate * hours).min(1.0);
        let nics = if self.nic.is_some() { chips } else { 0.0 };
        let singles = expected(chips, rates.chip)
            + expected(chips, rates.host)
            + expected(nics, rates.nic)
            + expected(f64::from(self.num_domains()), rates.domain);
        // Numbers of parts and what they break, in lists that are moved as they grow.
        let bytes =
            3.0 * (singles + 3.0 * expected(cables, rates.cable)) * bytes_of::<u64>(1) as f64;
        let what = format_args!("the faults of one draw");
        control.take(bytes as u64, what, "ask for fewer hours")
    }

    /// Cables of one domain, ports to switches among them; bundles between switches are many cables each and are not.
    fn cables(&self) -> u64 {
        (0..self.domain.axes().len())
            .map(|axis| self.axis_cables(axis))
            .sum()
    }

    fn axis_cables(&self, axis: usize) -> u64 {
        match self.domain.axes()[axis].kind {
            AxisKind::Switch { .. } => u64::from(self.domain.chips()),
            _ => self.domain.plans()[axis].links / 2,
        }
    }

    /// Both local links of a cable of a domain.
    fn cable(&self, mut cable: u64) -> [u64; 2] {
        let mut axis = 0;
        while cable >= self.axis_cables(axis) {
            cable -= self.axis_cables(axis);
            axis += 1;
        }
        let first = self.domain.plans()[axis].first_link;
        let AxisKind::FullMesh = self.domain.axes()[axis].kind else {
            let half = self.axis_cables(axis);
            return [first + cable, first + half + cable];
        };
        let size = u64::from(self.domain.axes()[axis].size);
        let (line, mut pair) = (
            cable / (size * (size - 1) / 2),
            cable % (size * (size - 1) / 2),
        );
        let mut low = 0;
        while pair >= size - 1 - low {
            pair -= size - 1 - low;
            low += 1;
        }
        let high = low + 1 + pair;
        let of_line = first + line * size * (size - 1);
        [
            of_line + low * (size - 1) + high - 1,
            of_line + high * (size - 1) + low,
        ]
    }
}

/// Random numbers for one kind of part in one draw.
fn stream(seed: u64, draw: u64, part: u64) -> SplitMix64 {
    let mut state = seed;
    for word in [draw, part] {
        state = SplitMix64::new(state).next_u64() ^ word;
    }
    SplitMix64::new(SplitMix64::new(state).next_u64())
}

/// Which of so many parts have failed, ascending; `exposure` is rate times time.
fn failed(
    parts: u64,
    exposure: f64,
    mut random: SplitMix64,
    control: &Control,
) -> Result<Vec<u64>> {
    let mut out = Vec::new();
    if exposure <= 0.0 {
        return Ok(out);
    }
    let mut next: u64 = 0;
    loop {
        control.check_at(out.len())?;
        // The middle of one of 2^53 equal intervals: never 0 or 1.
        let uniform = ((random.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let gap = -logarithm(uniform) / exposure;
        if gap >= (parts - next) as f64 {
            return Ok(out);
        }
        next += gap as u64;
        if next >= parts {
            return Ok(out);
        }
        out.push(next);
        next += 1;
        if next == parts {
            return Ok(out);
        }
    }
}

/// The natural logarithm of a normal number above 0, to about 2 ulp, of operations that IEEE 754 fixes to the bit:
/// those of mathematical libraries differ from machine to machine.
fn logarithm(value: f64) -> f64 {
    let bits = value.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh s; |s| < 0.172, so 12 terms reach the last bit.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut series = 0.0;
    for power in (0..12).rev() {
        series = series * square + 1.0 / f64::from(2 * power + 1);
    }
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_library() {
        let mut random = SplitMix64::new(3);
        for _ in 0..100_000 {
            let uniform = ((random.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
            let (own, library) = (logarithm(uniform), uniform.ln());
            assert!(
                (own - library).abs() <= 1e-15 * library.abs().max(1.0),
                "{uniform}"
            );
        }
        assert_eq!(logarithm(1.0), 0.0);
        assert_eq!(logarithm(0.5), -std::f64::consts::LN_2);
    }

    #[test]
    fn all_or_none_fail_at_the_ends() {
        let random = || SplitMix64::new(1);
        assert!(
            failed(1000, 0.0, random(), &Control::default())
                .unwrap()
                .is_empty()
        );
        assert!(
            failed(1000, 1e-300, random(), &Control::default())
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            failed(1000, 1e9, random(), &Control::default()).unwrap(),
            (0..1000).collect::<Vec<_>>()
        );
        assert!(
            failed(0, 1e9, random(), &Control::default())
                .unwrap()
                .is_empty()
        );
    }
}
