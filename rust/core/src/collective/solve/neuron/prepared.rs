//! Times at many sizes: all is priced once that does not depend on the size.

use super::answer::{full_name, seconds};
use super::call::Call;
use super::goodput;
use super::ground::{Floor, Ground};
use super::limits;
use super::planned::planned;
use crate::Result;
use crate::collective::ask::request::Request;
use crate::collective::pattern::context::OnDemand;
use crate::collective::price::bound::bounds_of_size;
use crate::collective::solve::{Asked, AtSizes, Search};
use crate::machine::Machine;
use crate::weigh::Scale;

/// A request over groups that the runtime runs, priced for one byte.
struct Kept {
    unit: Request,
    /// The machine with NICs as slow as they are out of HBM.
    slowed: Option<Machine>,
    ground: Ground,
    floor: Floor,
    answer: String,
}

/// Prices a request.
pub(super) fn prepare(asked: &Asked) -> Result<Search> {
    let neuron = limits::check(asked)?;
    let scene = asked.scene()?;
    let context = scene.get()?;
    let grid = limits::grid(asked.groups)?;
    let kept = Kept {
        unit: asked.request.clone(),
        slowed: goodput::slowed(asked.machine, neuron, grid),
        ground: Ground::new(context, asked.request, grid)?,
        floor: Floor::new(context, asked.request)?,
        answer: String::new(),
    };
    Search::of(asked, &scene, kept)
}

impl AtSizes for Kept {
    fn time(&mut self, scene: &OnDemand, size: f64) -> Result<f64> {
        let Some(neuron) = scene.machine.neuron() else {
            return Err(limits::no_neuron());
        };
        let request = Request {
            size,
            ..self.unit.clone()
        };
        let slowed = self.slowed.as_ref().unwrap_or(scene.machine);
        let nodes = OnDemand::new(slowed, scene.routing, scene.groups, scene.control);
        let call = Call {
            scene,
            nodes: &nodes,
            request: &request,
            neuron,
            grid: limits::grid(scene.groups)?,
            ground: &self.ground,
        };
        let plan = planned(&call)?;
        let time = seconds(&call, &plan);
        let floor = self.floor;
        self.answer = full_name(&plan);
        if floor.is_below(time, size) {
            return Ok(time);
        }
        let bounds = bounds_of_size(scene.get()?, &request, false, &mut Some(floor.latency()))?;
        Ok(bounds
            .first()
            .map_or(time, |highest| highest.seconds.max(time)))
    }

    fn answer(&self) -> &str {
        &self.answer
    }

    fn weigh(&self, on: &mut Scale) {
        on.one::<Self>(self.answer.len() as u64);
        self.ground.weigh(on);
    }
}
