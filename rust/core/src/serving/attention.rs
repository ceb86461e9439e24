//! Matrices of attention on one rank.

use crate::workload::Model;

/// Inner and outer sizes of the products of attention on one rank.
pub(super) fn attention_matrices(model: &Model, tp: f64) -> Vec<(f64, f64)> {
    let hidden = f64::from(model.hidden);
    let heads = f64::from(model.heads) / tp;
    let (key, value) = model.head_sizes();
    let mut sizes = Vec::with_capacity(5);
    match &model.latent {
        None => {
            let shared = (f64::from(model.kv_heads) / tp).max(1.0);
            sizes.push((hidden, (heads + 2.0 * shared) * key));
        }
        Some(latent) => {
            let (rank, rope) = (f64::from(latent.kv_rank), f64::from(latent.rope));
            let down = rank + rope;
            match latent.q_rank.map(f64::from) {
                Some(short) => {
                    sizes.push((hidden, short + down));
                    sizes.push((short, heads * key));
                }
                None => sizes.push((hidden, heads * key + down)),
            }
            sizes.push((rank, heads * (f64::from(latent.nope) + value)));
        }
    }
    sizes.push((heads * value, hidden));
    sizes
}
