//! One rank for all against every rank for itself, over random questions; their closed forms.

use super::*;
use crate::load::SplitMix64;

fn pick<T: Copy>(random: &mut SplitMix64, from: &[T]) -> T {
    from[random.below(from.len() as u32) as usize]
}

fn collective(id: u64, com: Com, bytes: u64) -> Node {
    Node {
        id,
        waits: Vec::new(),
        micros: 0,
        host: false,
        kind: Kind::Collective(Collective {
            com,
            bytes,
            involved: None,
            group: None,
            priority: 0,
        }),
    }
}

fn question(random: &mut SplitMix64) -> Question {
    let mut network = Vec::new();
    let mut npus = 1;
    for _ in 0..1 + random.below(3) {
        let size = pick(random, &[2, 3, 4, 5, 8]);
        npus *= size;
        network.push(Dimension {
            shape: pick(random, &[Shape::Ring, Shape::Switch, Shape::FullyConnected]),
            size,
            bandwidth: pick(random, &[50.0, 12.5, 0.7]),
            latency: pick(random, &[500.0, 936.25, 0.0]),
        });
    }
    let named = |random: &mut SplitMix64, halving: bool| {
        let ways = network.iter().map(|row| Implementation {
            way: match random.below(4) {
                0 if halving && row.size.is_power_of_two() => Way::Halving,
                1 => Way::Direct(None),
                2 => Way::Direct(Some(2)),
                _ => Way::Ring,
            },
            one: false,
        });
        ways.collect::<Vec<_>>()
    };
    let implementations = [
        named(random, true),
        named(random, true),
        named(random, true),
        named(random, false),
    ];
    let coms = [
        Com::AllReduce,
        Com::AllGather,
        Com::ReduceScatter,
        Com::AllToAll,
    ];
    let nodes = (0..1 + u64::from(random.below(3)))
        .map(|id| collective(id, pick(random, &coms), pick(random, &[1 << 20, 1_000_003])));
    Question {
        traces: vec![nodes.collect()],
        trace_of: vec![0; npus as usize],
        memory: Memory::None,
        groups: Vec::new(),
        system: System {
            policy: pick(random, &[Policy::Lifo, Policy::Fifo]),
            endpoint_delay: pick(random, &[1, 10]),
            active_chunks: pick(random, &[1, 2, 4]),
            splits: pick(random, &[1, 3, 4, 8]),
            baseline: random.below(4) == 0,
            memory_bandwidth: Some(1.6e12),
            roofline: None,
            replay: false,
            implementations,
            queues: pick(random, &[1, 1, 2]),
            rendezvous: false,
            aware: false,
        },
        network,
    }
}

#[test]
fn one_rank_stands_for_all() {
    let mut random = SplitMix64::new(1);
    let mut stood = 0;
    for _ in 0..60 {
        let question = question(&mut random);
        let control = Control::default();
        let one = run(&question, &control).expect("the peer answers");
        let all = run_each(&question, &control).expect("the peer answers");
        assert_eq!(one.finished, all.finished, "{question:?}");
        stood += u32::from(one.alike);
    }
    assert!(stood > 20, "{stood}");
}

#[test]
fn a_ring_takes_what_its_form_says() {
    let mut random = SplitMix64::new(2);
    let mut question = question(&mut random);
    let (n, bytes) = (16u64, 1 << 24);
    question.network = vec![Dimension {
        shape: Shape::Ring,
        size: n as u32,
        bandwidth: 50.0,
        latency: 500.0,
    }];
    question.trace_of = vec![0; n as usize];
    question.traces = vec![vec![collective(0, Com::AllReduce, bytes)]];
    question.system.splits = 1;
    question.system.queues = 1;
    question.system.baseline = false;
    question.system.endpoint_delay = 10;
    let ring = Implementation {
        way: Way::Ring,
        one: false,
    };
    question.system.implementations = [vec![ring], vec![ring], vec![ring], vec![ring]];
    let part = (bytes / n) as f64;
    let wire = (500.0 + part / (50.0 * 1_073_741_824.0 / 1e9)) as u64;
    let memory = 3 * (part / 1.6e12 * 1e9) as u64;
    let form = 2 * (n - 1) * wire + (2 * n - 1) * 10 + (n - 1) * memory;
    let answer = run(&question, &Control::default()).expect("the peer answers");
    assert_eq!(answer.finished, vec![Some(form); n as usize]);
}
