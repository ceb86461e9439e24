//! `algorithm="neuron"`: collectives as the AWS Neuron runtime runs them on Trainium.
//!
//! # What it does
//! The runtime chooses by size: Mesh, then recursive halving and doubling (RDH), then KangaRing, with a plain ring
//! where those do not apply (`choice.rs`). Between nodes it runs a ring, RDH or a mesh, and collectives that span
//! nodes are hierarchical: all-gather is between nodes then inside, reduce-scatter inside then between, all-reduce
//! reduce-scatter inside, all-reduce between, all-gather inside. A node is the scale-up domain of the machine: a
//! 16-chip instance or an UltraServer. Between sites the runtime has nothing: a group that spans some does what it does
//! in one site, and between sites (after its reduce-scatters, before its all-gathers) the schedule that is fastest on
//! the links, priced by them. Sources: aws-neuron-sdk, `neuron-runtime/explore/`
//! `intranode-collective-comm.rst` and `internode-collective-comm.rst`, `neuron-runtime/about/collectives.rst`.
//!
//! # What it costs
//! Links are one of three things that a call waits for. With p chips, R ranks a chip (4 with LNC 2, 8 with LNC 1),
//! size S bytes and f = (p - 1) / p:
//!
//! | algorithm | passes, AG / RS | bytes of HBM a chip, AG / RS | links |
//! |---|---|---|---|
//! | Mesh | 2 / 2 | RS + S/p / RS + S/p | `direct`, a copy for each of the R ranks |
//! | RDH | log2 p + 1 / 2 log2 p + 1 | (2f + R) S / (3f + R + 1) S | `halving_doubling`, `links_at_once` links |
//! | KangaRing | pR/2 - 1 both | 3 (R/2) f S / 4 (R/2) f S | `multi_ring` |
//! | ring | pR - 1 both | 4 (R/2) f S / 6 (R/2) f S | `ring` |
//!
//! A *pass* is one run of the DMA engines that waits for the one before it, semaphores and the hop included; an RDH
//! step of a reduce-scatter is two, the exchange and the reduction; steps inside the chip read all operands in one
//! pass. Mesh takes "two stages" and KangaRing "O(N/2)" steps of its N = pR ranks in the vendor's words. HBM bytes of
//! KangaRing and ring are the vendor's touches for each pair of a primary and a secondary rank (3 and 4; 4 and 6).
//! Those of Mesh and RDH are counted here by the same rule: an operand is read once, a result is written once for each
//! rank that keeps it. So an RDH all-gather reads and writes what crosses (2f S), then each rank's S/R is read once
//! and written to R - 1 others (R S); a reduce-scatter first reads R S and writes S on the chip, then moves f S with
//! two reads and a write. All-reduce is both, and shares the call.
//!
//! ```text
//! T      = call + sum over segments
//! link   = seconds of the busiest link by `link_load` / link_efficiency
//!          (a chip drives `links_at_once` links together in RDH: its ranks work on different axes)
//! hbm    = bytes of HBM / (hbm_bandwidth x hbm_efficiency)
//! Mesh      passes x step + link + hbm
//! RDH       min over pieces c = 1, 2, ... of  c x passes x step + max(link, hbm) + min(link, hbm) / c
//! rings     passes x step + max(link, hbm) + min(link, hbm) / passes     (steps overlap but for one)
//! inter     max(steps x efa_step, latency of the links) + max(link, hbm)
//! wan       as links have it
//! ```
//! In an all-reduce inside a node, both halves form one segment: passes, link and hbm add before the maximum is taken.
//!
//! Between nodes a chip's NIC passes min(its rate, `efa_goodput`, `efa_instance_goodput` / chips of its instance in the
//! call) bytes/s, the fabric above what it is: 19.3 GB/s were measured out of the HBM of one chip, 270 GB/s out of 16
//! (kvcache-ai/Mooncake, pull request 3888), of 25 and 400 by the data sheet. Sites of unlike size run side by side, and
//! the slowest counts. No sum is below what links allow: where it would be, the rest is a row of its own.
//!
//! # What is fitted
//! Three numbers, shared by all operations and sizes: `call`, `step` and `hbm_efficiency`. `link_efficiency` is fitted
//! too, and stays at its limit of 1 on the public table; `links_at_once` = 2 is a structure, not a fit (1 and 4 were
//! tried: they need link rates above or far below the data sheet). The thresholds are the vendor's unless a table
//! contradicts them: the public one has RDH up to 64 MiB, where the documentation says 56 MB, and 1 MiB still behaves
//! as Mesh, where it says below 1 MB. `python -m rainier_fast.measure.refit` prints the fit and its residuals.
//!
//! # How far to trust the fit
//! On the 18 public rows the mean error is 3.4 % (worst 8.6 %); with each size predicted by a fit on the others 4.0 %
//! (worst 9.9 %). Two things flatter the second figure. The algorithm that ran at a size is taken as known: with the
//! vendor's thresholds (1 MB, 56 MB) the left-out sizes 1 and 64 MiB would run another one and err by 18 to 36 %. And
//! the structure (which steps overlap, what counts as a pass) was chosen among thousands of combinations by the same
//! measure, with straight-line fits of further rows of the same report in sight; only rows that no one has looked at
//! tell its error.
//!
//! # Inside one chip
//! A group of one chip is its ranks. What their all-reduce takes is read off six measured rows (10 KiB to 100 MiB, bf16,
//! four ranks; whn09/xpu-perf, `workloads/models/qwen3_5_27b/README.md`, 2026-09-03) by lines between them: 105 to
//! 118 us up to 640 KiB, 107 GB/s of bus bandwidth at the end, and on at that rate. They were timed around calls of eager
//! PyTorch, whose dispatch (55 to 65 us there) is in them and not in `call`. Other operations are refused: of those the
//! source has best rates alone.
//!
//! # What it is not
//! Measured tables exist for one 16-chip instance with LNC 2, all-reduce, all-gather and reduce-scatter in bf16 only.
//! Anything else (UltraServers, several nodes, sites, all-to-all, permute, LNC 1, other types) stands on the same
//! numbers, unvalidated, and is named in `Outcome::unmeasured`. Types differ in nothing but that name: DMA engines add up
//! in fp32 whatever the type is (aws-neuron-sdk, `nki.isa.dma_compute`), and what that costs is not published. Which
//! inter-node algorithm runs at which size is not published; the fastest is taken, and congestion of a Mesh is left out.
//! Whether pieces overlap from stage to stage is not published either; they do not here. Nor are KangaRing's cycles of a
//! whole UltraServer: there each plane runs its own, and a ring joins the planes. Time falls where the size crosses a
//! threshold to an algorithm that is faster there: the runtime does that too.

mod answer;
mod between;
mod call;
mod choice;
mod goodput;
mod grid;
mod ground;
mod in_chip;
mod limits;
mod neighbours;
mod part;
mod planes;
mod planned;
mod prepared;
mod special;
mod unmeasured;

use crate::Result;
use crate::collective::answer::outcome::Outcome;
use crate::collective::pattern::context::OnDemand;
use crate::collective::price::bound::bounds;
use crate::collective::solve::{Asked, Solver};
use crate::operation::Operation::{self, AllGather, AllReduce, AllToAll, ReduceScatter, SendRecv};
use answer::fill;
use call::Call;
use ground::Ground;
pub(crate) use in_chip::asks as asks_inside_chips;
use planned::planned;

/// A row of the table of solvers.
pub(crate) const SOLVER: Solver = Solver {
    name: in_chip::NAME,
    summary: "Trainium as its runtime does it: Mesh, RDH, KangaRing or ring by size, with HBM and DMA costs",
    operations: OPERATIONS,
    takes_chunks: false,
    on_damage: false,
    is_bounded: false,
    run,
    time: None,
    prepare: Some(prepared::prepare),
    schedule: Err((
        "a schedule of neuron, which is endpoint costs beside the links",
        "name the algorithm that it chose: mesh, halving_doubling, multi_ring or ring",
    )),
};

/// The operations that the runtime has.
const OPERATIONS: &[Operation] = &[AllReduce, ReduceScatter, AllGather, AllToAll, SendRecv];

/// Runs a request as the Neuron runtime does, and puts the answer into `outcome`.
///
/// # Errors
/// [`Error::Unsupported`] where the machine is not Trainium or the runtime has a rule against it.
fn run(asked: &Asked, outcome: &mut Outcome) -> Result<()> {
    let request = asked.request;
    let neuron = limits::check(asked)?;
    if asked.groups.ranks() == 1 {
        return in_chip::answer(neuron, request, outcome);
    }
    let scene = &asked.scene()?;
    let context = scene.get()?;
    let grid = limits::grid(asked.groups)?;
    let slowed = goodput::slowed(context.machine, neuron, grid);
    let slowed = slowed.as_ref().unwrap_or(asked.machine);
    let nodes = OnDemand::new(slowed, asked.routing, asked.groups, asked.control);
    let call = Call {
        scene,
        nodes: &nodes,
        request,
        neuron,
        grid,
        ground: &Ground::new(context, request, grid)?,
    };
    let plan = planned(&call)?;
    outcome.unmeasured = unmeasured::parts(&call, &plan);
    fill(&call, plan, outcome)?;
    outcome.bounds = bounds(context, request)?;
    outcome.wait_for_links();
    Ok(())
}
