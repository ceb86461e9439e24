//! What collectives of a layout take.

use super::axes::Axis;
use crate::Control;
use crate::collective::{Choice, Groups, Keeper, Request};
use crate::error::Result;
use crate::machine::Machine;
use crate::operation::Operation;
use crate::route::Routing;
use std::cell::RefCell;
use std::sync::Arc;

/// Whoever knows what collectives take.
pub trait Prices {
    /// Seconds of a collective of so many bytes over all groups of an axis at once.
    ///
    /// # Errors
    /// Those of [`run`](crate::collective::run()).
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64>;
}

/// One collective that was priced.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// What it does.
    pub operation: Operation,
    /// Over which chips.
    pub axis: Axis,
    /// Bytes, as the operation means them.
    pub bytes: f64,
    /// Seconds of one, alone.
    pub seconds: f64,
    /// Its algorithm.
    pub algorithm: String,
    /// The class of links that bounds it, if one does.
    pub bottleneck: String,
}

/// Prices of a machine, by what its keeper has kept.
pub struct Kept<'a> {
    /// Where they run.
    pub machine: &'a Machine,
    /// What calls before have priced.
    pub keeper: &'a Keeper,
    /// Which algorithm.
    pub algorithm: &'a Choice,
    /// Which routes.
    pub routing: &'a Routing,
    /// Type of the numbers.
    pub dtype: Option<&'static str>,
    /// Of the call.
    pub control: &'a Control,
    /// What was priced, each once.
    pub priced: RefCell<Vec<Priced>>,
}

impl Kept<'_> {
    /// The groups of an axis.
    ///
    /// # Errors
    /// Those of [`Groups::mesh_axis`].
    pub fn groups(&self, axis: &Axis) -> Result<Arc<Groups>> {
        match axis {
            Axis::Digit { size, stride } => self.keeper.mesh_axis(self.machine, *size, *stride),
            Axis::Listed(groups) => Ok(Arc::clone(groups)),
        }
    }

    /// What is asked for.
    pub fn request(&self, operation: Operation, bytes: f64) -> Request {
        Request {
            algorithm: self.algorithm.clone(),
            dtype: self.dtype,
            ..Request::new(operation, bytes)
        }
    }
}

impl Prices for Kept<'_> {
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        if axis.size() == 1 || bytes == 0.0 {
            return Ok(0.0);
        }
        self.control.check()?;
        let is =
            |one: &Priced| one.operation == operation && one.axis == *axis && one.bytes == bytes;
        if let Some(known) = self.priced.borrow().iter().find(|one| is(one)) {
            return Ok(known.seconds);
        }
        let groups = self.groups(axis)?;
        let request = self.request(operation, bytes);
        let outcome =
            self.keeper
                .run(self.machine, &groups, self.routing, &request, self.control)?;
        let bottleneck = outcome.bottleneck.map(|link| link.class);
        self.priced.borrow_mut().push(Priced {
            operation,
            axis: axis.clone(),
            bytes,
            seconds: outcome.time,
            algorithm: outcome.algorithm,
            bottleneck: bottleneck.unwrap_or_default(),
        });
        Ok(outcome.time)
    }
}
