//! What is cut in two ways at once: experts beside dense parts, ends of the model on one stage, short rows.

use super::*;
use crate::workload::model::{Experts, Latent};
use crate::workload::state::{shares, stage_numbers};
use crate::workload::traffic::row_bytes;
use std::cell::RefCell;

/// Eight experts in each layer, of which a token visits two.
fn sparse() -> Job {
    let mut model = gpt(1024, 16, 8);
    let h = 1024.0;
    model.experts = Some(Experts {
        count: 8,
        per_token: 2,
        width: 4096,
        shared_width: 0,
    });
    model.layers = vec![
        Kind {
            sparse: true,
            ..PLAIN
        };
        8
    ];
    model.numbers.expert = 8.0 * h * h;
    job(model)
}

/// Remembers what is asked.
#[derive(Default)]
struct Asks(RefCell<Vec<(Operation, Axis, f64)>>);

impl Prices for Asks {
    fn time(&self, operation: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        let ask = (operation, axis.clone(), bytes);
        if axis.size() > 1 && bytes > 0.0 && !self.0.borrow().contains(&ask) {
            self.0.borrow_mut().push(ask);
        }
        Ok(0.0)
    }
}

fn asks(job: &Job, layout: &Layout, chips: u64) -> Vec<(Operation, Axis, f64)> {
    let plan = Plan::new(job, layout, chips).expect("fits");
    let (asks, control) = (Asks::default(), Control::default());
    let runs = Runs {
        efficiency: &efficiency(),
        overlap: Overlap::NONE,
        prices: &asks,
        control: &control,
    };
    step(&plan, &runs).expect("runs");
    asks.0.into_inner()
}

/// 64 replicas in copies of 16: of each expert, with 8 ranks for all, 8 replicas in copies of 2.
#[test]
fn experts_have_as_many_copies_as_all_else() {
    let job = sparse();
    let layout = Layout {
        dp: 64,
        ep: 8,
        zero: 3,
        shard: 16,
        ..layout()
    };
    let plan = Plan::new(&job, &layout, 64).expect("fits");
    assert_eq!(shares(&plan), (16.0, 2.0));
    let other = Layout { shard: 4, ..layout };
    let refused = Plan::new(&job, &other, 64).expect_err("16 copies of 8 replicas");
    assert!(matches!(refused, Error::Invalid { argument, .. } if argument == "shard"));
}

/// Of what islands trade, each rank has its share: of dense parts over all its replicas, of experts over theirs.
#[test]
fn islands_trade_each_number_once() {
    let job = sparse();
    let layout = Layout {
        dp: 16,
        ep: 8,
        islands: 2,
        ..layout()
    };
    let plan = Plan::new(&job, &layout, 32).expect("fits");
    let state = stage_numbers(&plan, 0);
    let bytes = 4.0 * (state.dense / 16.0 + state.expert / 2.0);
    let traded = asks(&job, &layout, 32);
    assert!(traded.contains(&(Operation::AllReduce, plan.axes.islands.clone(), bytes)));
}

/// A stage that has both ends of the model keeps an embedding that is the head once, and adds nothing up for it.
#[test]
fn ends_on_one_stage_share_weights() {
    let mut model = gpt(1024, 16, 16);
    model.numbers.head = 0.0;
    let job = job(model);
    let of = |schedule, virtual_stages| {
        let layout = Layout {
            pp: 4,
            schedule,
            virtual_stages,
            ..layout()
        };
        let plan = Plan::new(&job, &layout, 4).expect("fits");
        let all: f64 = (0..4).map(|stage| stage_numbers(&plan, stage).all()).sum();
        let tied = asks(&job, &layout, 4);
        let numbers = 51_200.0 * 1024.0 * 4.0;
        (
            all,
            tied.contains(&(Operation::SendRecv, plan.axes.pp.clone(), numbers)),
        )
    };
    let (apart, trades) = of(Schedule::OneF1B, 1);
    let (together, trades_too) = of(Schedule::ZbV, 2);
    assert_eq!(apart - together, 51_200.0 * 1024.0);
    assert!(trades && !trades_too);
}

/// Cut as all else is, experts are where all else is, whichever ranks are next to each other.
#[test]
fn experts_that_are_cut_as_all_else_are_where_it_is() {
    use crate::workload::order::Dense::{Cp, Dp, Pp, Tp};
    let job = sparse();
    let layout = Layout {
        tp: 4,
        etp: 4,
        dp: 8,
        sequence_parallel: true,
        order: Order([Dp, Tp, Cp, Pp]),
        ..layout()
    };
    let axes = Plan::new(&job, &layout, 32).expect("fits").axes;
    assert_eq!(axes.expert_replicas, axes.replicas);
    assert_eq!(axes.etp, axes.tp);
    let between = Layout {
        pp: 2,
        etp: 1,
        order: Order([Tp, Cp, Pp, Dp]),
        ..layout
    };
    let refused = Plan::new(&job, &between, 64).expect_err("no even steps");
    assert!(matches!(refused, Error::Unsupported { .. }));
}

/// Ranks gather the short rows of latent attention, not the rows that those are made of.
#[test]
fn latent_attention_gathers_short_rows() {
    let mut model = gpt(1024, 16, 4);
    model.latent = Some(Latent {
        q_rank: Some(192),
        kv_rank: 64,
        nope: 32,
        rope: 16,
        value: 32,
    });
    let job = job(model);
    let layout = Layout {
        tp: 4,
        sequence_parallel: true,
        ..layout()
    };
    let plan = Plan::new(&job, &layout, 4).expect("fits");
    let (short, tp) = (2048.0 * 2.0 * (192.0 + 64.0 + 16.0), &plan.axes.tp);
    let asked = asks(&job, &layout, 4);
    for (operation, bytes) in [
        (Operation::AllGather, short),
        (Operation::ReduceScatter, short),
        (Operation::AllGather, row_bytes(&plan)),
    ] {
        assert!(asked.contains(&(operation, tp.clone(), bytes)));
    }
}

/// More work never makes a step of a schedule that splits the backward pass shorter, whatever hides behind it.
#[test]
fn weights_that_are_shared_hide_where_their_gradients_are() {
    let of = |sequence: u32, schedule, virtual_stages| {
        let mut job = job(gpt(1024, 16, 16));
        (job.sequence, job.attended) = (sequence, [f64::from(sequence); 2]);
        let layout = Layout {
            pp: 4,
            dp: 4,
            zero: 3,
            schedule,
            virtual_stages,
            ..layout()
        };
        let plan = Plan::new(&job, &layout, 16).expect("fits");
        let control = Control::default();
        let runs = Runs {
            efficiency: &efficiency(),
            overlap: Overlap {
                data: true,
                ..Overlap::NONE
            },
            prices: &Seconds(0.1),
            control: &control,
        };
        step(&plan, &runs).expect("runs").seconds()
    };
    for (schedule, virtual_stages) in [
        (Schedule::ZbH1, 1),
        (Schedule::ZbV, 2),
        (Schedule::DualPipe, 1),
    ] {
        for sequence in [512, 1024, 2048, 4096, 8192] {
            assert!(
                of(2 * sequence, schedule, virtual_stages)
                    >= of(sequence, schedule, virtual_stages)
            );
        }
    }
}

/// Rows turn round on the last stage of a V without a way to go: of four stages three ways in each of both chunks.
#[test]
fn rows_stay_at_the_bottom_of_a_v() {
    let job = job(gpt(1024, 16, 16));
    let of = |each: f64| {
        let layout = Layout {
            pp: 4,
            schedule: Schedule::ZbV,
            virtual_stages: 2,
            microbatch: 64,
            ..layout()
        };
        run(&job, &layout, 4, each).expect("runs").seconds()
    };
    // One microbatch: down, back up, and the same with gradients.
    assert!((of(1.0) - of(0.0) - 12.0).abs() < 1e-9);
}

/// Gradients that are not kept are scattered once a microbatch, of which each direction of DualPipe has half.
#[test]
fn both_directions_scatter_their_own_gradients() {
    let job = job(gpt(1024, 16, 16));
    let of = |schedule| {
        let layout = Layout {
            pp: 4,
            dp: 4,
            zero: 2,
            schedule,
            ..layout()
        };
        let parts = run(&job, &layout, 16, 1.0).expect("runs").parts;
        parts.get(Part::Data)
    };
    // 16 microbatches and a gathering of weights; of both chunks of a stage at once, 8.
    assert_eq!(of(Schedule::OneF1B), 16.0 + 1.0);
    assert_eq!(of(Schedule::DualPipe), 8.0 + 1.0);
}
