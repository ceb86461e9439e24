//! Steps against what papers count by hand.

mod cuts;

use super::axes::Axis;
use super::efficiency::{Attention, Efficiency, Matmul, Memory};
use super::layout::Context;
use super::memory::memory;
use super::model::{Kind, Numbers};
use super::traffic::Overlap;
use super::*;
use crate::operation::Operation;
use crate::pipeline::Schedule;
use crate::{Control, Error, Result};

const PLAIN: Kind = Kind {
    sparse: false,
    windowed: false,
};

/// A GPT block of arXiv 2205.05198: 4h inside the MLP, one product, dropout.
fn gpt(hidden: u32, heads: u32, layers: usize) -> Model {
    let h = f64::from(hidden);
    Model {
        hidden,
        vocab: 51_200,
        heads,
        kv_heads: heads,
        head_size: hidden / heads,
        latent: None,
        ffn: 4 * hidden,
        gated: false,
        experts: None,
        norms: 2,
        rope: false,
        layers: vec![PLAIN; layers],
        mtp: 0,
        numbers: Numbers {
            attention: 4.0 * h * h,
            every: 13.0 * h,
            mlp: 8.0 * h * h,
            embedding: 51_200.0 * h,
            head: 51_200.0 * h,
            ..Numbers::default()
        },
    }
}

fn job(model: Model) -> Job {
    Job {
        model,
        sequence: 2048,
        batch: 64,
        attended: [2048.0, 2048.0],
        activation_bytes: 2.0,
        dispatch_bytes: 2.0,
        weight_bytes: 2.0,
        gradient_bytes: 4.0,
        optimizer_bytes: 12.0,
        recompute: Recompute::None,
        fused_attention: false,
        dropout: true,
        imbalance: 1.0,
        host: 0.0,
    }
}

fn layout() -> Layout {
    Layout {
        tp: 1,
        pp: 1,
        cp: 1,
        dp: 1,
        ep: 1,
        etp: 1,
        zero: 0,
        shard: 0,
        microbatch: 1,
        schedule: Schedule::OneF1B,
        virtual_stages: 1,
        sequence_parallel: false,
        context: Context::Ring,
        order: Order::default(),
        split: Vec::new(),
        overlap: true,
        islands: 1,
        outer_every: 1,
    }
}

/// Chips of 1 TFLOP/s and 1 TB/s without any other cost.
fn efficiency() -> Efficiency {
    Efficiency {
        matmul: Matmul {
            rate: 1e12,
            bandwidth: 1e30,
            launch: 0.0,
            area: 0.0,
            depth: 0.0,
            conversion: 0.0,
            bytes_in: 2.0,
            bytes_out: 2.0,
        },
        attention: Attention {
            rate: 1e12,
            backward: 1.0,
            bandwidth: 1e30,
            launch: 0.0,
            few: 0.0,
            score: 0.0,
            row: 0.0,
            bytes: 2.0,
        },
        memory: Memory {
            bandwidth: 1e30,
            launch: 0.0,
        },
    }
}

/// A second for each collective.
struct Seconds(f64);

impl Prices for Seconds {
    fn time(&self, _: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        Ok(if axis.size() == 1 || bytes == 0.0 {
            0.0
        } else {
            self.0
        })
    }
}

fn run(job: &Job, layout: &Layout, chips: u64, each: f64) -> Result<Step> {
    let plan = Plan::new(job, layout, chips)?;
    let control = Control::default();
    let runs = Runs {
        efficiency: &efficiency(),
        overlap: Overlap::NONE,
        prices: &Seconds(each),
        control: &control,
    };
    step(&plan, &runs)
}

/// Bytes of activations of one layer of a GPT of h = 1,024, 16 heads, by what is shared, as the paper's table 2 has them.
#[test]
fn activations_of_a_layer_are_those_of_the_paper() {
    let (s, h, a, t) = (2048.0, 1024.0, 16.0, 4.0);
    let scores = 5.0 * a * s / h;
    let wanted = |whole: f64| s * h * whole;
    let cases = [
        (1, false, Recompute::None, wanted(34.0 + scores)),
        (
            4,
            false,
            Recompute::None,
            wanted(10.0 + 24.0 / t + scores / t),
        ),
        (4, true, Recompute::None, wanted((34.0 + scores) / t)),
        (4, true, Recompute::Selective, wanted(34.0 / t)),
        (4, false, Recompute::Full, wanted(2.0)),
    ];
    for (tp, sequence_parallel, recompute, wanted) in cases {
        let job = Job {
            recompute,
            ..job(gpt(1024, 16, 1))
        };
        let layout = Layout {
            tp,
            sequence_parallel,
            ..layout()
        };
        let plan = Plan::new(&job, &layout, u64::from(tp)).expect("fits");
        assert_eq!(
            memory(&plan, 0, 1.0).activations,
            wanted,
            "{tp} {recompute:?}"
        );
    }
}

/// Bytes of model state of one parameter: Rajbhandari et al., arXiv 1910.02054, figure 1, with gradients in four bytes.
#[test]
fn replicas_share_what_zero_says() {
    let job = job(gpt(1024, 16, 8));
    let all = {
        let one = layout();
        let held = memory(&Plan::new(&job, &one, 1).expect("fits"), 0, 0.0);
        held.weights / 2.0
    };
    for (zero, each) in [
        (0, 18.0),
        (1, 6.0 + 12.0 / 8.0),
        (2, 2.0 + 16.0 / 8.0),
        (3, 18.0 / 8.0),
    ] {
        let layout = Layout {
            dp: 8,
            zero,
            ..layout()
        };
        let held = memory(&Plan::new(&job, &layout, 8).expect("fits"), 0, 0.0);
        let state = held.weights + held.gradients + held.optimizer;
        assert!((state / all - each).abs() < 1e-9, "zero {zero}");
    }
}

/// 72 B l s h^2 (1 + s/6h + V/12lh) FLOPs of arXiv 2104.04473 (equation 3, without what is computed again).
#[test]
fn a_step_on_ideal_chips_takes_the_flops_of_the_paper() {
    let (l, s, h, v, b) = (8.0, 2048.0, 1024.0, 51_200.0, 64.0);
    let flops = 72.0 * b * l * s * h * h * (1.0 + s / (6.0 * h) + v / (12.0 * l * h));
    let job = job(gpt(1024, 16, 8));
    let step = run(&job, &layout(), 1, 0.0).expect("runs");
    assert!((step.seconds() / (flops / 1e12) - 1.0).abs() < 1e-9);
    let parts: f64 = Part::ALL.iter().map(|&part| step.parts.get(part)).sum();
    assert!((parts - step.seconds()).abs() <= 1e-12 * parts);
}

/// Collectives of a second each: their number is the number of seconds (facts of Korthikanti et al., section 4.2.2).
#[test]
fn collectives_are_as_many_as_the_papers_say() {
    let job = job(gpt(1024, 16, 8));
    let layout = Layout { tp: 4, ..layout() };
    // Two all-reduces forward and two backward of each layer and microbatch; beside the layers one of embedded rows, three
    // of the loss, one of the head's gradients.
    let step = run(&job, &layout, 4, 1.0).expect("runs");
    assert_eq!(step.parts.get(Part::Tensor), (4.0 * 8.0 + 5.0) * 64.0);
    let layout = Layout {
        sequence_parallel: true,
        ..layout
    };
    // Two gatherings and two scatterings each way, and two more gatherings for gradients of weights; beside the layers, as
    // recorded of megatron-core 0.19.2, a scattering, a gathering and three sums forward, two gatherings and a scattering back.
    let step = run(&job, &layout, 4, 1.0).expect("runs");
    assert_eq!(step.parts.get(Part::Tensor), (10.0 * 8.0 + 8.0) * 64.0);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let job = job(gpt(1024, 16, 8));
    let refused = |layout: Layout, chips: u64| match Plan::new(&job, &layout, chips) {
        Err(Error::Invalid { argument, .. }) => argument,
        other => panic!("{other:?}"),
    };
    let cases = [
        (Layout { tp: 3, ..layout() }, 3, "tp"),
        (Layout { dp: 3, ..layout() }, 4, "dp"),
        (Layout { dp: 48, ..layout() }, 48, "batch"),
        (
            Layout {
                cp: 4096,
                ..layout()
            },
            4096,
            "cp",
        ),
        (
            Layout {
                ep: 2,
                dp: 2,
                ..layout()
            },
            2,
            "ep",
        ),
        (Layout { pp: 16, ..layout() }, 16, "pp"),
        (
            Layout {
                zero: 4,
                ..layout()
            },
            1,
            "zero",
        ),
        (
            Layout {
                virtual_stages: 2,
                ..layout()
            },
            1,
            "virtual",
        ),
        (
            Layout {
                shard: 3,
                zero: 1,
                dp: 4,
                ..layout()
            },
            4,
            "shard",
        ),
        (
            Layout {
                split: vec![9],
                ..layout()
            },
            1,
            "split",
        ),
    ];
    for (layout, chips, argument) in cases {
        assert_eq!(refused(layout, chips), argument);
    }
}

/// Ranks that keep only their part of gradients scatter after each microbatch; those that keep all, once.
#[test]
fn gradients_that_are_not_kept_are_scattered_each_time() {
    let job = job(gpt(1024, 16, 8));
    let of = |zero: u8| {
        let layout = Layout {
            dp: 8,
            zero,
            ..layout()
        };
        run(&job, &layout, 8, 1.0)
            .expect("runs")
            .parts
            .get(Part::Data)
    };
    // 64 sequences over 8 replicas: 8 microbatches. Weights are gathered once.
    assert_eq!(of(0), 1.0);
    assert_eq!(of(1), 2.0);
    assert_eq!(of(2), 9.0);
    // Each of the eight layers of each microbatch: two gatherings and a scattering. Embedding and head: one of each.
    assert_eq!(of(3), 3.0 * 8.0 * 8.0 + 2.0);
}
