//! How fast chips run operators: conversions only.

use crate::enter::quick;
use crate::error::{raise, to_py};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use rainier_core::workload::{Attention, Efficiency, Matmul, Memory, Scores};

/// Rate, bandwidth, launch, area, depth, conversion, bytes of an operand's number and of an output's.
pub(crate) type MatmulRow = (f64, f64, f64, f64, f64, f64, f64, f64);
/// Rate, share of it backward, bandwidth, launch, few, score, row, bytes of a number.
pub(crate) type AttentionRow = (f64, f64, f64, f64, f64, f64, f64, f64);
/// Bandwidth, launch.
pub(crate) type MemoryRow = (f64, f64);
pub(crate) type EfficiencyRow = (MatmulRow, AttentionRow, MemoryRow);

pub(crate) fn efficiency(py: Python<'_>, row: EfficiencyRow) -> PyResult<Efficiency> {
    let (products, attention, memory) = row;
    let (rate, bandwidth, launch, area, depth, conversion, bytes_in, bytes_out) = products;
    let matmul = Matmul {
        rate,
        bandwidth,
        launch,
        area,
        depth,
        conversion,
        bytes_in,
        bytes_out,
    };
    let (rate, backward, bandwidth, launch, few, score, row, bytes) = attention;
    let attention = Attention {
        rate,
        backward,
        bandwidth,
        launch,
        few,
        score,
        row,
        bytes,
    };
    let (bandwidth, launch) = memory;
    let memory = Memory { bandwidth, launch };
    Efficiency::new(matmul, attention, memory).map_err(|error| to_py(py, &error))
}

/// Seconds of the product of each line: M, K, N.
#[pyfunction]
pub(crate) fn matmul_times<'py>(
    py: Python<'py>,
    row: EfficiencyRow,
    shapes: PyReadonlyArray2<'py, f64>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let known = efficiency(py, row)?;
    let lines = lines::<3>(py, &shapes)?;
    let times = quick(py, || {
        Ok(lines
            .iter()
            .map(|&[m, k, n]| known.matmul(m, k, n))
            .collect::<Vec<_>>())
    })?;
    Ok(times.into_pyarray(py))
}

/// Seconds of the attention of each line: rows, rows of keys, keys that a row sees, numbers of a key and of a value.
#[pyfunction]
pub(crate) fn attention_times<'py>(
    py: Python<'py>,
    row: EfficiencyRow,
    shapes: PyReadonlyArray2<'py, f64>,
    backward: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let known = efficiency(py, row)?;
    let lines = lines::<5>(py, &shapes)?;
    let times = quick(py, || {
        let time = |&[rows, kv_rows, keys, key, value]: &[f64; 5]| {
            let scores = Scores {
                rows,
                kv_rows,
                keys,
                key,
                value,
            };
            known.attention(&scores, backward)
        };
        Ok(lines.iter().map(time).collect::<Vec<_>>())
    })?;
    Ok(times.into_pyarray(py))
}

/// Seconds of an operator that moves so many bytes.
#[pyfunction]
pub(crate) fn memory_time(py: Python<'_>, row: EfficiencyRow, bytes: f64) -> PyResult<f64> {
    Ok(efficiency(py, row)?.memory(bytes))
}

/// Keys that a query sees in the mean.
#[pyfunction]
pub(crate) fn keys_seen(queries: f64, keys: f64, causal: bool, window: Option<f64>) -> f64 {
    Scores::seen(queries, keys, causal, window)
}

fn lines<const N: usize>(
    py: Python<'_>,
    shapes: &PyReadonlyArray2<'_, f64>,
) -> PyResult<Vec<[f64; N]>> {
    if shapes.as_array().ncols() != N {
        let message = format!("shapes: must have {N} columns");
        return Err(raise(py, "InvalidArgument", &message));
    }
    let lines = shapes.as_slice()?.chunks_exact(N);
    Ok(lines.map_while(|line| line.try_into().ok()).collect())
}
