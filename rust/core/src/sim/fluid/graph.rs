//! Messages that wait for each other and share links: what both event-driven engines run.

use crate::error::{Error, Result, not_negative, positive};
use crate::memory::{self, bytes_of};

/// No gate: a flow that waits for nothing, or frees nothing.
pub const NO_GATE: u32 = u32::MAX;

/// Messages that wait for each other and share links.
///
/// ```
/// use rainier_core::{Control, fluid};
/// // Two messages of 8 bytes over one link of 4 bytes/s, the second after the first has arrived.
/// let mut graph = fluid::Graph::default();
/// let link = graph.resource(4.0, 0.5);
/// let arrived = graph.gate();
/// let first = fluid::Flow { bytes: 8.0, latency: 0.5, ..fluid::Flow::default() };
/// graph.flow(fluid::Flow { frees: [fluid::NO_GATE, arrived], ..first }, [(link, 1.0)])?;
/// graph.flow(fluid::Flow { waits: arrived, ..first }, [(link, 1.0)])?;
/// let times = fluid::simulate(&graph, &Control::default())?;
/// assert_eq!(times.arrived, [2.5, 5.0]);
/// # Ok::<(), rainier_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Bytes/s of each resource: a link, or a class of links that symmetry makes equal.
    pub capacity: Vec<f64>,
    /// Seconds that each resource adds, hop by hop. Only `fifo` reads it: the fluid takes [`Flow::latency`].
    pub latency: Vec<f64>,
    /// (resource, bytes that it carries per byte of the message), by flow, in hop order.
    pub paths: Vec<(u32, f64)>,
    /// Messages.
    pub flows: Vec<Flow>,
    /// Releases that each gate waits for. It opens with the latest of them, and at time 0 if it waits for none.
    pub gates: Vec<u32>,
}

/// One message of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// First step of its path in [`Graph::paths`].
    pub first: u32,
    /// End of its path. A message without a path leaves at once.
    pub end: u32,
    /// Size.
    pub bytes: f64,
    /// Seconds from the leaving of its last byte to the arrival of that byte; only the fluid reads it.
    pub latency: f64,
    /// Seconds from the opening of its gate (or from time 0) to its start.
    pub delay: f64,
    /// The gate that it waits for, or [`NO_GATE`].
    pub waits: u32,
    /// Gates that it releases, or [`NO_GATE`]: when its last byte has left, and when that byte has arrived.
    pub frees: [u32; 2],
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            first: 0,
            end: 0,
            bytes: 0.0,
            latency: 0.0,
            delay: 0.0,
            waits: NO_GATE,
            frees: [NO_GATE; 2],
        }
    }
}

/// When the messages of a [`Graph`] left and arrived, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// When the last byte of each flow has left its sender.
    pub sent: Vec<f64>,
    /// When that byte has arrived.
    pub arrived: Vec<f64>,
    /// The latest arrival; 0 without flows.
    pub makespan: f64,
}

impl Times {
    pub(crate) fn of(sent: Vec<f64>, arrived: Vec<f64>) -> Self {
        let makespan = arrived.iter().copied().fold(0.0, f64::max);
        Self {
            sent,
            arrived,
            makespan,
        }
    }
}

impl Graph {
    /// Adds a resource and returns its number.
    pub fn resource(&mut self, capacity: f64, latency: f64) -> u32 {
        self.capacity.push(capacity);
        self.latency.push(latency);
        self.capacity.len() as u32 - 1
    }

    /// Lets `gate` wait for `from` too.
    pub(crate) fn pass(&mut self, from: u32, gate: u32) -> Result<()> {
        let nothing = Flow {
            waits: from,
            frees: [NO_GATE, gate],
            ..Flow::default()
        };
        self.flow(nothing, []).map(|_| ())
    }

    /// Lets `gate` wait until `resource` has passed `amount` of work that waited for `ready`.
    pub(crate) fn work(&mut self, resource: u32, ready: u32, amount: f64, gate: u32) -> Result<()> {
        let work = Flow {
            bytes: amount,
            waits: ready,
            frees: [NO_GATE, gate],
            ..Flow::default()
        };
        self.flow(work, [(resource, 1.0)]).map(|_| ())
    }

    /// Adds a gate and returns its number. Each flow that frees it and comes by [`Graph::flow`] adds a release.
    pub fn gate(&mut self) -> u32 {
        self.gates.push(0);
        self.gates.len() as u32 - 1
    }

    /// Adds a flow with its path, counts its releases, and returns its number.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for gates that are not there yet, [`Error::Invalid`] for more than 2^32 - 2 steps.
    pub fn flow(&mut self, flow: Flow, path: impl IntoIterator<Item = (u32, f64)>) -> Result<u32> {
        let (first, path) = (self.paths.len(), path.into_iter());
        let more = path.size_hint().0;
        if self.paths.capacity() - first < more {
            // Beside the old list, and with what an engine makes of it.
            let room = (first + more).max(2 * self.paths.capacity());
            let bytes = bytes_of::<(u32, f64)>(4 * room as u64);
            let what = format_args!("the paths of {} messages", self.flows.len());
            memory::check(bytes, what, "simulate fewer messages at once")?;
            self.paths.reserve_exact(room - first);
        }
        self.paths.extend(path);
        self.check_sizes()?;
        for gate in flow.frees.into_iter().filter(|&gate| gate != NO_GATE) {
            self.check_gate(gate)?;
            self.gates[gate as usize] += 1;
        }
        self.flows.push(Flow {
            first: first as u32,
            end: self.paths.len() as u32,
            ..flow
        });
        Ok(self.flows.len() as u32 - 1)
    }

    /// The path of a flow.
    pub fn path(&self, flow: &Flow) -> &[(u32, f64)] {
        &self.paths[flow.first as usize..flow.end as usize]
    }

    /// Checks every number, so that an engine may trust them.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::OutOfRange`], which name what is wrong.
    pub fn check(&self) -> Result<()> {
        self.check_sizes()?;
        if self.latency.len() != self.capacity.len() {
            return Err(Error::invalid(
                "latency",
                format!("{} values", self.latency.len()),
                format!("must have one for each resource ({})", self.capacity.len()),
            ));
        }
        for (at, (&capacity, &latency)) in self.capacity.iter().zip(&self.latency).enumerate() {
            named(positive("", capacity), || format!("capacity[{at}]"))?;
            named(not_negative("", latency), || format!("latency[{at}]"))?;
        }
        for (at, &(resource, weight)) in self.paths.iter().enumerate() {
            named(positive("", weight), || format!("paths[{at}]"))?;
            if resource as usize >= self.capacity.len() {
                return Err(beyond(
                    format!("paths[{at}]"),
                    resource,
                    self.capacity.len(),
                ));
            }
        }
        let mut releases = vec![0u32; self.gates.len()];
        for (at, flow) in self.flows.iter().enumerate() {
            let field = |name| move || format!("flows[{at}].{name}");
            named(not_negative("", flow.bytes), field("bytes"))?;
            named(not_negative("", flow.latency), field("latency"))?;
            named(not_negative("", flow.delay), field("delay"))?;
            if flow.first > flow.end || flow.end as usize > self.paths.len() {
                return Err(Error::invalid(
                    format!("flows[{at}]"),
                    format!("steps {} to {}", flow.first, flow.end),
                    format!("must be a range of the {} steps", self.paths.len()),
                ));
            }
            if flow.waits != NO_GATE {
                self.check_gate(flow.waits)?;
            }
            for gate in flow.frees.into_iter().filter(|&gate| gate != NO_GATE) {
                self.check_gate(gate)?;
                releases[gate as usize] += 1;
            }
        }
        for (gate, (&wanted, &given)) in self.gates.iter().zip(&releases).enumerate() {
            // One that gets fewer never opens: a deadlock if a flow waits for it, which the engines report.
            if given > wanted {
                return Err(Error::invalid(
                    format!("gates[{gate}]"),
                    format!("{wanted} releases"),
                    format!("must wait for all {given} releases that flows give it"),
                ));
            }
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<()> {
        let sizes = [
            ("capacity", self.capacity.len()),
            ("paths", self.paths.len()),
            ("flows", self.flows.len()),
            ("gates", self.gates.len()),
        ];
        match sizes.iter().find(|(_, size)| *size >= NO_GATE as usize) {
            None => Ok(()),
            Some((name, size)) => Err(Error::invalid(
                *name,
                format!("{size} entries"),
                format!("must be fewer than {NO_GATE}: simulate fewer messages at once"),
            )),
        }
    }

    fn check_gate(&self, gate: u32) -> Result<()> {
        if (gate as usize) < self.gates.len() {
            Ok(())
        } else {
            Err(beyond("gate".to_owned(), gate, self.gates.len()))
        }
    }
}

fn beyond(argument: String, value: u32, count: usize) -> Error {
    Error::OutOfRange {
        argument,
        value: i128::from(value),
        low: 0,
        high: count as i128 - 1,
    }
}

/// Puts the name into an error, made only when there is one: graphs have millions of numbers.
fn named(checked: Result<f64>, name: impl FnOnce() -> String) -> Result<()> {
    match checked {
        Err(Error::Invalid { value, allowed, .. }) => Err(Error::Invalid {
            argument: name(),
            value,
            allowed,
        }),
        other => other.map(|_| ()),
    }
}
