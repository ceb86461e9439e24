//! The machine: a scale-up domain repeated over sites, NICs, site fabrics, a WAN. A handful of numbers
//! whatever the number of chips; coordinates and link numbers are computed from them.

mod axis;
mod blocks;
mod broken;
mod damage;
mod divisor;
mod domain;
mod fabric;
mod faults;
mod figures;
mod gpu;
mod link;
mod live;
mod modes;
mod named;
mod nccl_timing;
mod neuron;
mod numbering;
mod runs;
mod sample;
mod site;
mod tpu;
mod wan;
mod window;

pub use axis::{Axis, AxisKind};
pub use damage::Damage;
pub use divisor::Divisor;
pub use domain::{AxisPlan, Domain, MAX_AXES, MAX_CHIPS};
pub use fabric::{Tier, tiers_crossed};
pub use faults::Faults;
pub use gpu::{Cpu, Generation, Gpu, NcclVersion};
pub use link::{End, Link, LinkClass};
pub use named::LinkName;
pub use nccl_timing::NcclTiming;
pub use neuron::{FittedOn, Neuron};
pub use sample::Rates;
pub use site::{Nic, Site};
pub use tpu::{Tpu, TpuPart};
pub use wan::{Wan, WanShape};

pub(crate) use blocks::Blocks;
pub(crate) use fabric::{bundle_bandwidth, groups, tier_links};

use crate::error::{Error, Result, not_negative, positive};
use fabric::validate_tiers;
use std::sync::Arc;

/// Most bounds of sites that are gone through one by one.
const MOST_SCANNED: usize = 16;

/// A whole machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    domain: Domain,
    overhead: f64,
    nic: Option<Nic>,
    sites: Vec<Site>,
    wan: Option<Wan>,
    launch: f64,
    window: Option<f64>,
    gpu: Option<Gpu>,
    neuron: Option<Neuron>,
    tpu: Option<Tpu>,
    faults: Arc<Faults>,
    blocks: Blocks,
    by_domain: Divisor,
}

/// Where a chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Site number.
    pub site: u32,
    /// Domain number inside the site.
    pub domain: u32,
    /// Chip number inside the domain.
    pub local: u32,
}

/// Domains of all sites, each of which has some and proper tiers.
fn count_domains(sites: &[Site]) -> Result<u64> {
    let mut domains = 0;
    for site in sites {
        if site.domains == 0 {
            return Err(Error::invalid(
                format!("ultraservers of site {}", site.name),
                0,
                "must be >= 1",
            ));
        }
        validate_tiers(&site.tiers)?;
        domains += u64::from(site.domains);
    }
    Ok(domains)
}

impl Machine {
    /// Builds a machine. `overhead` is what a sender spends on each message inside a domain, in seconds.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bad numbers, for several domains without NICs, for several sites without a WAN.
    pub fn new(
        domain: Domain,
        overhead: f64,
        nic: Option<Nic>,
        sites: Vec<Site>,
        wan: Option<Wan>,
    ) -> Result<Self> {
        not_negative("overhead", overhead)?;
        if let Some(nic) = &nic {
            positive("nic bandwidth", nic.bandwidth)?;
            not_negative("nic latency", nic.latency)?;
            not_negative("nic overhead", nic.overhead)?;
            if nic.chips == 0 || domain.chips() % nic.chips != 0 {
                let allowed = format!("must divide the {} chips of an UltraServer", domain.chips());
                return Err(Error::invalid("chips of the nic", nic.chips, allowed));
            }
        }
        let domains = count_domains(&sites)?;
        if domains * u64::from(domain.chips()) > MAX_CHIPS {
            return Err(Error::invalid(
                "chips",
                domains * u64::from(domain.chips()),
                format!("a machine has at most {MAX_CHIPS}"),
            ));
        }
        match domains {
            0 => {
                let allowed = "a machine has at least one site";
                return Err(Error::invalid("sites", "none", allowed));
            }
            2.. if nic.is_none() => {
                let allowed = format!("{domains} UltraServers need NICs to reach each other");
                return Err(Error::invalid("nic", "none", allowed));
            }
            _ => {}
        }
        match &wan {
            Some(wan) => wan.validate(sites.len())?,
            None if sites.len() > 1 => {
                let allowed = format!("{} sites need a WAN to reach each other", sites.len());
                return Err(Error::invalid("wan", "none", allowed));
            }
            None => {}
        }
        let blocks = Blocks::new(&domain, nic.as_ref(), &sites, wan.as_ref());
        let by_domain = Divisor::new(domain.chips());
        Ok(Self {
            domain,
            overhead,
            nic,
            sites,
            wan,
            launch: 0.0,
            window: None,
            gpu: None,
            neuron: None,
            tpu: None,
            faults: Arc::default(),
            blocks,
            by_domain,
        })
    }

    /// One domain alone, whose messages cost senders nothing to start.
    pub(crate) fn single(domain: &Domain) -> Result<Self> {
        let site = Site {
            name: String::new(),
            domains: 1,
            tiers: Vec::new(),
        };
        Self::new(domain.clone(), 0.0, None, vec![site], None)
    }

    /// The same machine where a collective call takes at least `launch` seconds: its issue overlaps the transfer.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is not a finite number of seconds, zero or above.
    pub fn with_launch(self, launch: f64) -> Result<Self> {
        not_negative("launch", launch)?;
        Ok(Self { launch, ..self })
    }

    /// The same machine with GPUs that NCCL's tuning model knows.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bad numbers.
    pub fn with_gpu(self, gpu: Gpu) -> Result<Self> {
        gpu.validate()?;
        Ok(Self {
            gpu: Some(gpu),
            ..self
        })
    }

    /// The same machine with NICs of `rate` bytes/s, under a fabric that is as fast as before.
    pub(crate) fn with_nics_at(&self, rate: f64) -> Self {
        let mut slower = self.clone();
        if let Some(nic) = &mut slower.nic {
            let share = rate / nic.bandwidth;
            nic.bandwidth = rate;
            let sites = slower.sites.iter_mut();
            for tier in sites.flat_map(|site| &mut site.tiers) {
                tier.oversubscription *= share;
            }
        }
        slower
    }

    /// The same machine, whose chips run collectives as `neuron` says.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a parameter that is not usable.
    pub fn with_neuron(self, neuron: Neuron) -> Result<Self> {
        neuron.validate()?;
        Ok(Self {
            neuron: Some(neuron),
            ..self
        })
    }

    /// The same machine, whose domain is a slice of TPUs.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a parameter that is not usable.
    pub fn with_tpu(self, tpu: Tpu) -> Result<Self> {
        tpu.validate()?;
        Ok(Self {
            tpu: Some(tpu),
            ..self
        })
    }

    /// What XLA asks of its chips, if they are TPUs.
    pub fn tpu(&self) -> Option<&Tpu> {
        self.tpu.as_ref()
    }

    /// How its chips run collectives, if they are Trainium.
    pub fn neuron(&self) -> Option<&Neuron> {
        self.neuron.as_ref()
    }

    /// Least seconds that a collective call takes.
    pub fn launch(&self) -> f64 {
        self.launch
    }

    /// What NCCL's tuning model asks of the GPUs, on a machine that says so.
    pub fn gpu(&self) -> Option<&Gpu> {
        self.gpu.as_ref()
    }

    /// The scale-up domain that is repeated.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Seconds that a sender spends on each message inside a domain.
    pub fn overhead(&self) -> f64 {
        self.overhead
    }

    /// What each NIC is, if there are NICs.
    pub fn nic(&self) -> Option<&Nic> {
        self.nic.as_ref()
    }

    /// Chips that share a NIC; 1 where there is none.
    pub fn chips_of_nic(&self) -> u32 {
        self.nic.as_ref().map_or(1, |nic| nic.chips)
    }

    /// NICs of the whole machine.
    pub fn num_nics(&self) -> u32 {
        let chips = self.num_chips();
        self.nic.as_ref().map_or(0, |nic| chips / nic.chips)
    }

    /// Refuses what is not modelled where chips share NICs.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub(crate) fn check_own_nics(&self, what: &str) -> Result<()> {
        match self.chips_of_nic() {
            1 => Ok(()),
            chips => Err(Error::unsupported(
                format!("{what} where {chips} chips share a NIC"),
                "give each chip its own part: Nic(bandwidth / chips, latency, overhead)",
            )),
        }
    }

    /// The sites.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The WAN between sites, if there is one.
    pub fn wan(&self) -> Option<&Wan> {
        self.wan.as_ref()
    }

    /// Chips of the whole machine.
    pub fn num_chips(&self) -> u32 {
        self.num_domains() * self.domain.chips()
    }

    /// Domains of the whole machine.
    pub fn num_domains(&self) -> u32 {
        self.blocks.first_domain[self.sites.len()]
    }

    /// Directed links of the whole machine.
    pub fn num_links(&self) -> u64 {
        self.blocks.end
    }

    pub(crate) fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Number of the first domain of a site, counted over the machine.
    pub fn first_domain(&self, site: usize) -> u32 {
        self.blocks.first_domain[site]
    }

    /// Domain (counted over the machine) and local number of a chip.
    #[inline(always)]
    pub fn split(&self, chip: u32) -> (u32, u32) {
        self.by_domain.div_rem(chip)
    }

    /// Site of a domain that is counted over the machine.
    #[inline(always)]
    pub fn site_of(&self, domain: u32) -> usize {
        let first = &self.blocks.first_domain;
        if first.len() > MOST_SCANNED {
            return first.partition_point(|&first| first <= domain) - 1;
        }
        // Of few sites a scan beats a search.
        let mut site = 0;
        while domain >= first[site + 1] {
            site += 1;
        }
        site
    }

    /// Where a chip is.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn place(&self, chip: u32) -> Result<Place> {
        self.check_chip("chip", i128::from(chip))?;
        let (domain, local) = self.split(chip);
        let site = self.site_of(domain);
        Ok(Place {
            site: site as u32,
            domain: domain - self.first_domain(site),
            local,
        })
    }

    /// Checks a chip number given as `argument`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check_chip(&self, argument: impl std::fmt::Display, chip: i128) -> Result<u32> {
        if (0..i128::from(self.num_chips())).contains(&chip) {
            Ok(chip as u32)
        } else {
            Err(Error::OutOfRange {
                argument: argument.to_string(),
                value: chip,
                low: 0,
                high: i128::from(self.num_chips()) - 1,
            })
        }
    }

    /// Tiers of the site fabric that a message between two domains of one site crosses.
    pub(crate) fn tiers_crossed_between(&self, site: usize, a: u32, b: u32) -> usize {
        let first = self.first_domain(site);
        tiers_crossed(&self.sites[site].tiers, a - first, b - first)
    }

    /// Bytes/s that the NICs of one domain carry together, each direction.
    pub(crate) fn domain_nic_bandwidth(&self) -> f64 {
        self.nic.as_ref().map_or(0.0, |nic| {
            nic.bandwidth * f64::from(self.domain.chips() / nic.chips)
        })
    }
}
