//! Laws of serving, with collectives that take what their bytes say.

use super::{Cut, Demand, Engine, Load, Moments, Pace, Runs, Served, Service, events, serve};
use crate::Control;
use crate::error::Result;
use crate::operation::Operation;
use crate::pipeline::Schedule;
use crate::workload::{
    Attention, Axis, Context, Efficiency, Kind, Layout, Matmul, Memory, Model, Numbers, Order,
    Prices,
};

struct Flat;

impl Prices for Flat {
    fn time(&self, _: Operation, axis: &Axis, bytes: f64) -> Result<f64> {
        let pays = axis.size() > 1 && bytes > 0.0;
        Ok(if pays { 1e-5 + bytes / 1e11 } else { 0.0 })
    }
}

fn model() -> Model {
    Model {
        hidden: 4096,
        vocab: 128_256,
        heads: 32,
        kv_heads: 8,
        head_size: 128,
        latent: None,
        ffn: 14_336,
        gated: true,
        experts: None,
        norms: 2,
        rope: true,
        layers: vec![Kind::ALL[0]; 32],
        mtp: 0,
        numbers: Numbers {
            attention: 41.9e6,
            every: 8192.0,
            mlp: 176.2e6,
            embedding: 525.3e6,
            head: 525.3e6,
            ..Numbers::default()
        },
    }
}

fn service(engine: Engine) -> Service {
    Service {
        model: model(),
        input: 1024.0,
        output: 256.0,
        lengths: vec![],
        weight_bytes: 2.0,
        activation_bytes: 2.0,
        cache_bytes: 2.0,
        head_bytes: 2.0,
        window: None,
        engine,
        lockstep: false,
        most_tokens: 2048.0,
        chunk: 8192.0,
        prompts: vec![],
        contexts: vec![],
        batches: vec![],
        prefix_hit: 0.0,
        speculation: None,
        imbalance: 1.0,
        bank: 96e9,
        taken: 0.9,
        cache_share: 1.0,
    }
}

fn layout(tp: u32) -> Layout {
    Layout {
        tp,
        pp: 1,
        cp: 1,
        dp: 1,
        ep: 1,
        etp: tp,
        zero: 0,
        shard: 0,
        microbatch: 1,
        schedule: Schedule::OneF1B,
        virtual_stages: 1,
        sequence_parallel: false,
        context: Context::Ring,
        order: Order::named(&["tp", "cp", "dp", "pp"].map(str::to_owned)).unwrap(),
        split: vec![],
        overlap: false,
        islands: 1,
        outer_every: 1,
    }
}

fn efficiency(bandwidth: f64) -> Efficiency {
    let matmul = Matmul {
        rate: 4e14,
        bandwidth,
        launch: 1e-6,
        area: 0.0,
        depth: 0.0,
        conversion: 0.0,
        bytes_in: 2.0,
        bytes_out: 2.0,
    };
    let attention = Attention {
        rate: 2e14,
        backward: 0.8,
        bandwidth,
        launch: 1e-6,
        few: 0.0,
        score: 0.0,
        row: 0.0,
        bytes: 2.0,
    };
    let memory = Memory {
        bandwidth,
        launch: 1e-6,
    };
    Efficiency::new(matmul, attention, memory).unwrap()
}

fn pace(cache: f64) -> Pace {
    Pace {
        layer: 1e-5,
        sparse: 1e-5,
        expert: 0.0,
        decode: 1.0,
        prefill: 1.0,
        collective: 1.0,
        cache,
        step: 1e-3,
        sequence: 0.0,
        request: 1e-2,
    }
}

fn run(service: &Service, bandwidth: f64, demand: Demand) -> Result<Served> {
    let layout = layout(4);
    let cut = Cut::new(service, &layout, 4)?;
    let efficiency = efficiency(bandwidth);
    let runs = Runs {
        efficiency: &efficiency,
        pace: pace(bandwidth),
        prices: &Flat,
        unpriced: 1,
    };
    serve(&cut, &runs, demand)
}

fn many(requests: f64) -> Demand {
    Demand::Concurrency { requests, of: None }
}

const ENGINES: [Engine; 3] = [Engine::Neuron, Engine::Continuous, Engine::Ideal];

#[test]
fn tokens_never_come_sooner_with_more_requests_or_longer_contexts() {
    for engine in ENGINES {
        let mut before = 0.0;
        for requests in [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 32.0, 64.0, 100.0] {
            let served = run(&service(engine), 2e12, many(requests)).unwrap();
            assert!(
                served.tpot >= before * (1.0 - 1e-9),
                "{engine:?} {requests}"
            );
            before = served.tpot;
        }
        let mut before = 0.0;
        for input in [128.0, 500.0, 1024.0, 1500.0, 3000.0] {
            let longer = Service {
                input,
                most_tokens: input + 256.0,
                ..service(engine)
            };
            let served = run(&longer, 2e12, many(8.0)).unwrap();
            assert!(served.tpot >= before, "{engine:?} {input}");
            before = served.tpot;
        }
    }
}

#[test]
fn a_step_takes_at_least_what_its_weights_take_to_read() {
    for engine in ENGINES {
        let served = run(&service(engine), 2e12, many(1.0)).unwrap();
        let read = 32.0 * (41.9e6 + 176.2e6) * 2.0 / 4.0 / 2e12;
        assert!(served.tpot >= read);
    }
}

#[test]
fn more_bandwidth_never_hurts() {
    for engine in ENGINES {
        let slow = run(&service(engine), 1e12, many(16.0)).unwrap();
        let fast = run(&service(engine), 2e12, many(16.0)).unwrap();
        assert!(fast.tpot <= slow.tpot && fast.ttft <= slow.ttft && fast.rate >= slow.rate);
    }
}

#[test]
fn requests_in_a_closed_loop_are_where_they_can_be() {
    // Little: those before their first token, and those that decode, are all there are.
    for engine in ENGINES {
        let served = run(&service(engine), 2e12, many(32.0)).unwrap();
        let decoding = served.rate * 255.0 * served.tpot;
        let first = served.rate * served.ttft;
        assert!(
            (decoding + first - 32.0).abs() < 0.1,
            "{engine:?} {}",
            decoding + first
        );
    }
}

#[test]
fn an_open_loop_at_the_rate_of_a_closed_one_decodes_alike() {
    let closed = run(&service(Engine::Continuous), 2e12, many(32.0)).unwrap();
    let open = run(
        &service(Engine::Continuous),
        2e12,
        Demand::Rate(closed.rate),
    )
    .unwrap();
    assert!(
        (open.tpot / closed.tpot - 1.0).abs() < 0.05,
        "{} {}",
        open.tpot,
        closed.tpot
    );
    let refused = run(&service(Engine::Continuous), 2e12, Demand::Rate(1e9));
    assert!(refused.unwrap_err().to_string().contains("rate"));
}

#[test]
fn what_neuron_pads_is_paid() {
    let short = Service {
        input: 100.0,
        output: 28.0,
        ..service(Engine::Neuron)
    };
    let padded = run(&short, 2e12, many(5.0)).unwrap();
    assert_eq!(padded.shape, (8.0, 2048.0));
    assert_eq!(padded.prompt, 128.0);
    let bucketed = Service {
        contexts: vec![256.0, 512.0, 2048.0],
        ..short
    };
    let read = run(&bucketed, 2e12, many(5.0)).unwrap();
    assert_eq!(read.shape.1, 256.0);
    assert!(read.tpot < padded.tpot);
}

#[test]
fn memory_bounds_how_many_run() {
    let small = Service {
        bank: 6e9,
        ..service(Engine::Continuous)
    };
    let served = run(&small, 2e12, many(1000.0)).unwrap();
    let held = served.memory;
    assert!(held.fits() * held.request <= held.budget);
    assert!((held.weights + held.budget - 0.9 * 6e9).abs() < 1.0);
    assert!((served.running + served.waiting - 1000.0).abs() < 1e-9);
    let refused = run(&Service { bank: 3e9, ..small }, 2e12, many(1.0));
    assert!(refused.unwrap_err().to_string().contains("layout"));
}

#[test]
fn requests_one_by_one_agree_with_means() {
    for engine in ENGINES {
        for requests in [1_usize, 4, 16, 64] {
            let own = service(engine);
            let layout = layout(4);
            let cut = Cut::new(&own, &layout, 4).unwrap();
            let efficiency = efficiency(2e12);
            let runs = Runs {
                efficiency: &efficiency,
                pace: pace(2e12),
                prices: &Flat,
                unpriced: 1,
            };
            let total = 20 * requests;
            let load = Load::Closed {
                requests,
                total,
                spread: 0.5,
                seed: 1,
            };
            let moments = events(&cut, &runs, &load, &Control::default()).unwrap();
            let between = |one: &Moments| (one[2] - one[1]) / (one[3] - 1.0);
            let tpot = moments.iter().map(between).sum::<f64>() / total as f64;
            let of = Some(total as f64);
            let requests = requests as f64;
            let mean = serve(&cut, &runs, Demand::Concurrency { requests, of }).unwrap();
            assert!(
                (tpot / mean.tpot - 1.0).abs() < 0.2,
                "{engine:?} {requests}: {tpot} {}",
                mean.tpot
            );
        }
    }
}
