//! Messages that leave, or arrive, by another chip's NIC.

use super::rerouted::route_cost;
use crate::machine::{Damage, Machine};
use crate::route::{DomainRoutes, Routing};
use crate::{Control, Error, Result};

/// The path of one chip's messages to a NIC that is not its own, or from there to it.
pub(crate) struct Redirect {
    /// The local chip whose messages these are.
    pub(crate) chip: u32,
    /// The chip whose NIC they take.
    pub(crate) port: u32,
    /// Local links on the path, and the share of a message on each.
    pub(crate) path: Vec<(u64, f64)>,
    /// Seconds that those add.
    pub(crate) latency: f64,
    /// Seconds per byte of the slowest of them.
    pub(crate) slowness: f64,
}

pub(super) fn redirects(
    machine: &Machine,
    routing: &Routing,
    damage: &Damage,
    substitutes: &[u32],
    ingress: bool,
    control: &Control,
) -> Result<Vec<Redirect>> {
    let routes = DomainRoutes::new(machine.domain(), damage, routing, control)?;
    let mut out = Vec::new();
    for (chip, &substitute) in (0u32..).zip(substitutes) {
        if damage.has_nic(ingress, chip) {
            continue;
        }
        control.check()?;
        let Some(port) = routes.port(ingress, substitute)? else {
            let why = format!(
                "no NIC of its UltraServer that it reaches {}",
                if ingress { "receives" } else { "sends" }
            );
            return Err(Error::Unreachable {
                src: substitute,
                dst: substitute,
                why: format!("{why} (chips counted inside the UltraServer)"),
            });
        };
        let mut path = Vec::new();
        let (from, to) = if ingress {
            (port, substitute)
        } else {
            (substitute, port)
        };
        let mut note = |link: u64, share: f64| path.push((link, share));
        let (latency, slowness) = route_cost(machine, &routes, damage, from, to, &mut note)?;
        out.push(Redirect {
            chip,
            port,
            path,
            latency,
            slowness,
        });
    }
    Ok(out)
}
