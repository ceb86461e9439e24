//! Prices of patterns, for calls over the same domains and chips of a machine.

use super::damage::{DomainDamage, KnownDamage, between_domains, inside};
use super::kind::PatternKind;
use super::ledger::Busiest;
use super::measure;
use super::scene::Scene;
use super::unit_cost::UnitCost;
use crate::memory::Taken;
use crate::weigh::Scale;
use crate::{Control, Error, Result};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What to do about steps that do not fit.
const SMALLER: &str = "use a smaller group or smaller UltraServers, or name one algorithm";

/// Patterns with their prices, for calls that differ in nothing that prices look at: the same machine, domains of
/// groups, local groups of as many chips, and as many of those. What is broken inside domains may differ, where the
/// groups do not.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    patterns: Arc<Mutex<Shelved>>,
    damage: Option<KnownDamage>,
}

#[derive(Default)]
struct Shelved {
    all: Vec<Arc<Whole>>,
    /// How many were made so far.
    made: u32,
}

impl Shelf {
    /// One for calls over the same groups that differ in what is broken inside domains.
    pub(crate) fn of_damage(control: &Control) -> Result<Self> {
        Ok(Self {
            patterns: Arc::default(),
            damage: Some(KnownDamage::new(control)?),
        })
    }

    /// The damage that calls before have met.
    pub(super) fn damage(&self) -> Option<&KnownDamage> {
        self.damage.as_ref()
    }

    /// What stands on it; a call that panicked meanwhile left it whole.
    fn shelved(&self) -> MutexGuard<'_, Shelved> {
        self.patterns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a kind of pattern.
    pub(super) fn find(&self, kind: PatternKind) -> Arc<Whole> {
        let mut shelved = self.shelved();
        if let Some(known) = shelved.all.iter().find(|known| known.kind == kind) {
            return Arc::clone(known);
        }
        let made = shelved.make(kind);
        shelved.all.push(Arc::clone(&made));
        made
    }

    /// A pattern that is not kept.
    pub(super) fn apart(&self, kind: PatternKind) -> Arc<Whole> {
        self.shelved().make(kind)
    }

    /// Forgets what no pattern has any more, if nobody shares it.
    pub(super) fn forget(&self) {
        if Arc::strong_count(&self.patterns) == 1 {
            let held = |known: &Arc<Whole>| Arc::strong_count(known) > 1;
            self.shelved().all.retain(held);
        }
    }
}

impl Shelved {
    fn make(&mut self, kind: PatternKind) -> Arc<Whole> {
        self.made += 1;
        Arc::new(Whole {
            kind,
            number: self.made,
            unit_cost: OnceLock::new(),
            busiest: OnceLock::new(),
        })
    }
}

/// A kind of pattern and, once asked for, its cost where nothing is broken.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) kind: PatternKind,
    /// No other on the shelf has it.
    number: u32,
    /// With what stands for its memory.
    unit_cost: OnceLock<(UnitCost, Taken)>,
    busiest: OnceLock<Option<Busiest>>,
}

impl Whole {
    fn unit_cost(&self, scene: &Scene) -> Result<&UnitCost> {
        if let Some((unit_cost, _)) = self.unit_cost.get() {
            return Ok(unit_cost);
        }
        let unit_cost = measure::whole(scene, &self.kind)?;
        let taken = taken(scene, &unit_cost)?;
        Ok(&self.unit_cost.get_or_init(|| (unit_cost, taken)).0)
    }
}

fn taken(scene: &Scene, unit_cost: &UnitCost) -> Result<Taken> {
    let what = format_args!("the loads of one step of a collective");
    scene.control.take(unit_cost.ledger.bytes(), what, SMALLER)
}

/// A pattern of one call.
#[derive(Debug)]
pub(crate) struct Pattern {
    whole: Arc<Whole>,
    /// Its cost where something is broken.
    damaged: OnceLock<(UnitCost, Taken)>,
    busiest: OnceLock<Option<Busiest>>,
}

impl Deref for Pattern {
    type Target = Whole;

    fn deref(&self) -> &Whole {
        &self.whole
    }
}

impl Pattern {
    pub(super) fn new(whole: Arc<Whole>) -> Self {
        Self {
            whole,
            damaged: OnceLock::new(),
            busiest: OnceLock::new(),
        }
    }

    /// Counts what it takes, with its cost.
    pub(crate) fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(0);
        on.shared(&self.whole, |whole, on| {
            on.one::<Whole>(0);
            whole.kind.weigh(on);
            let cost = whole.unit_cost.get();
            on.add(cost.map_or(0, |cost| cost.0.bytes()));
        });
        on.add(self.damaged.get().map_or(0, |cost| cost.0.bytes()));
    }

    pub(super) fn is(&self, whole: &Arc<Whole>) -> bool {
        Arc::ptr_eq(&self.whole, whole)
    }

    /// The cost of one byte a message.
    pub(crate) fn unit_cost(&self, scene: &Scene) -> Result<&UnitCost> {
        let Some(damaged) = &scene.damaged else {
            return self.whole.unit_cost(scene);
        };
        if let Some((unit_cost, _)) = self.damaged.get() {
            return Ok(unit_cost);
        }
        let mut unit_cost = self.whole.unit_cost(scene)?.clone();
        self.on_damage(scene, damaged, &mut unit_cost)?;
        let taken = taken(scene, &unit_cost)?;
        Ok(&self.damaged.get_or_init(|| (unit_cost, taken)).0)
    }

    fn on_damage(
        &self,
        scene: &Scene,
        damaged: &DomainDamage,
        unit_cost: &mut UnitCost,
    ) -> Result<()> {
        match &self.kind {
            PatternKind::Local(_) | PatternKind::LocalAll => {
                inside(scene, damaged, &self.kind, self.number, unit_cost)
            }
            PatternKind::InSwitch { .. } => Err(Error::unsupported(
                "in_switch in a damaged UltraServer",
                "name another algorithm, or leave the UltraServer out of the group",
            )),
            // Listed groups have no domains that are alike.
            PatternKind::Flat(_) | PatternKind::Within { .. } | PatternKind::Crews { .. } => Ok(()),
            kind => between_domains(scene, damaged, kind, unit_cost),
        }
    }

    /// The busiest link with one byte a message.
    pub(crate) fn busiest(&self, scene: &Scene) -> Result<Option<&Busiest>> {
        let known = match scene.damaged {
            Some(_) => &self.busiest,
            None => &self.whole.busiest,
        };
        if let Some(busiest) = known.get() {
            return Ok(busiest.as_ref());
        }
        let busiest = self.unit_cost(scene)?.ledger.busiest(scene)?;
        Ok(known.get_or_init(|| busiest).as_ref())
    }
}
