//! Operators on one chip: laws of their times, and what is refused.

use rainier_core::Error;
use rainier_core::workload::{Attention, Efficiency, Matmul, Memory, Scores};

const MATMUL: Matmul = Matmul {
    rate: 5e14,
    bandwidth: 2e12,
    launch: 2e-6,
    area: 1e5,
    depth: 64.0,
    conversion: 4.0,
    bytes_in: 1.0,
    bytes_out: 2.0,
};

const ATTENTION: Attention = Attention {
    rate: 4e14,
    backward: 0.8,
    bandwidth: 2e12,
    launch: 5e-6,
    few: 1e4,
    score: 100.0,
    row: 1e5,
    bytes: 2.0,
};

const MEMORY: Memory = Memory {
    bandwidth: 2e12,
    launch: 2e-6,
};

fn known() -> Efficiency {
    Efficiency::new(MATMUL, ATTENTION, MEMORY).unwrap()
}

#[test]
fn time_never_falls_with_a_size() {
    let known = known();
    let sizes = [1.0, 2.0, 3.0, 64.0, 127.0, 1000.0, 4096.0, 65_536.0, 1e7];
    for &m in &sizes {
        for &k in &sizes {
            for &n in &sizes {
                let time = known.matmul(m, k, n);
                for larger in [
                    known.matmul(m + 1.0, k, n),
                    known.matmul(m, k + 1.0, n),
                    known.matmul(m, k, n + 1.0),
                ] {
                    assert!(larger > time, "{m} {k} {n}");
                }
                assert!(time > 2.0 * m * k * n / MATMUL.rate);
            }
        }
    }
}

#[test]
fn a_mask_sees_what_it_says() {
    for queries in 1..9_u32 {
        for keys in queries..12 {
            for window in 1..14_u32 {
                let sum: u32 = (1..=queries)
                    .map(|query| (keys - queries + query).min(window))
                    .sum();
                let mean = f64::from(sum) / f64::from(queries);
                let seen = Scores::seen(
                    f64::from(queries),
                    f64::from(keys),
                    true,
                    Some(f64::from(window)),
                );
                assert!((seen - mean).abs() < 1e-12, "{queries} {keys} {window}");
            }
        }
    }
    assert!((Scores::seen(5.0, 9.0, false, None) - 9.0).abs() < 1e-12);
}

#[test]
fn the_backward_pass_has_five_products_for_two() {
    let scores = Scores {
        rows: 4096.0,
        kv_rows: 1024.0,
        keys: 512.0,
        key: 128.0,
        value: 128.0,
    };
    assert!((scores.flops(true) / scores.flops(false) - 2.5).abs() < 1e-12);
    let known = known();
    assert!(known.attention(&scores, true) > known.attention(&scores, false));
    assert!(known.memory(1e9) > known.memory(1e8));
}

#[test]
fn numbers_that_are_none_are_refused_by_name() {
    let refused = |matmul: Matmul, attention: Attention, memory: Memory, name: &str| {
        let error = Efficiency::new(matmul, attention, memory).unwrap_err();
        assert!(matches!(error, Error::Invalid { argument, .. } if argument == name));
    };
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let matmul = Matmul {
            rate: bad,
            ..MATMUL
        };
        refused(matmul, ATTENTION, MEMORY, "matmul rate");
        let attention = Attention {
            backward: bad,
            ..ATTENTION
        };
        refused(MATMUL, attention, MEMORY, "attention backward");
        let memory = Memory {
            bandwidth: bad,
            ..MEMORY
        };
        refused(MATMUL, ATTENTION, memory, "memory bandwidth");
    }
    let matmul = Matmul {
        area: -1.0,
        ..MATMUL
    };
    refused(matmul, ATTENTION, MEMORY, "matmul area");
}
