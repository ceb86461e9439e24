//! First come, first served against ASTRA-sim's congestion-aware backend, on schedules that wait.
//!
//! That backend (astra-sim/astra-network-analytical) cuts each service and each latency + service to whole
//! nanoseconds. Nothing is cut here.

use rainier_core::fluid::{Flow, Graph, NO_GATE};
use rainier_core::{Control, Result, fifo};

/// Times of a ring all-reduce in ns: chunks of `bytes` for each rank and step, `active` of them at once on the links,
/// the next one at a rank as soon as one has ended there.
struct RingAllReduce {
    ranks: usize,
    chunks: usize,
    active: usize,
    bytes: f64,
    /// Bytes/ns.
    bandwidth: f64,
    latency: f64,
    /// Before each send and at the end of a chunk.
    endpoint: f64,
    /// After each arrival that is added up.
    reduction: f64,
}

impl RingAllReduce {
    fn graph(&self) -> Result<Graph> {
        let mut graph = Graph::default();
        let links: Vec<u32> = (0..self.ranks)
            .map(|_| graph.resource(self.bandwidth, self.latency))
            .collect();
        let steps = 2 * (self.ranks - 1);
        // Gates: step `step` of a chunk has arrived at a rank.
        let arrived: Vec<u32> = (0..self.chunks * steps * self.ranks)
            .map(|_| graph.gate())
            .collect();
        let gate = |chunk: usize, step: usize, rank: usize| {
            arrived[(chunk * steps + step) * self.ranks + rank % self.ranks]
        };
        for chunk in 0..self.chunks {
            for step in 0..steps {
                for (rank, &link) in links.iter().enumerate() {
                    let (waits, delay) = match (step, chunk.checked_sub(self.active)) {
                        (0, None) => (NO_GATE, self.endpoint),
                        (0, Some(before)) => (gate(before, steps - 1, rank), 2.0 * self.endpoint),
                        (step, _) if step < self.ranks => {
                            (gate(chunk, step - 1, rank), self.endpoint + self.reduction)
                        }
                        (step, _) => (gate(chunk, step - 1, rank), self.endpoint),
                    };
                    let flow = Flow {
                        bytes: self.bytes,
                        delay,
                        waits,
                        frees: [NO_GATE, gate(chunk, step, rank + 1)],
                        ..Flow::default()
                    };
                    graph.flow(flow, [(link, 1.0)])?;
                }
            }
        }
        Ok(graph)
    }

    fn time(&self) -> Result<f64> {
        let times = fifo::simulate(&self.graph()?, &Control::default())?;
        Ok(times.makespan + self.endpoint)
    }
}

/// 64 ranks, 256 MiB in 16 chunks, 4 active; "50 GB/s", which that backend reads as 50 x 2^30 bytes/s, and 500 ns;
/// endpoint delay 10 ns; 3 passes over a chunk at 1,600 GB/s to add it up, cut to 163 ns each. It says 9,842,632 ns.
#[test]
fn ring_all_reduce_of_many_chunks() {
    let whole = RingAllReduce {
        ranks: 64,
        chunks: 16,
        active: 4,
        bytes: 262_144.0,
        bandwidth: 50.0 * 1.073_741_824,
        latency: 500.0,
        endpoint: 10.0,
        reduction: 489.0,
    };
    let ours = whole.time().unwrap();
    // Every link is busy to the end with 16 x 126 services of 4,882.8125 ns, of which ASTRA-sim cuts 0.8125.
    assert!(
        (ours - 9_842_632.0 - 2016.0 * 0.8125).abs() < 1e-6,
        "{ours}"
    );
    let cut = RingAllReduce {
        bytes: 4882.0,
        bandwidth: 1.0,
        ..whole
    };
    assert_eq!(cut.time().unwrap(), 9_842_632.0);
}
