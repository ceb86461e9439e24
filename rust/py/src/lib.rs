//! `rainier_fast._core`: conversions between Python and `rainier-core`, and nothing else.

mod astra_sim;
mod chakra;
mod classes;
mod collective;
mod columns;
mod convert;
mod efficiency;
mod enter;
mod error;
mod faults;
mod formats;
mod kineto;
mod machine;
mod mapping;
mod monte_carlo;
mod pipeline;
mod placing;
mod prepared;
mod recovery;
mod rerouting;
mod schedule;
mod serving;
mod shortage;
mod together;
mod workload;
mod workload_search;

use pyo3::prelude::*;

// Free-threaded interpreters are not supported: no test has run on one, so one that imports this turns its lock on again
// and warns (README.md, "Two commands").
#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use super::astra_sim::astra_sim;
    #[pymodule_export]
    use super::chakra::{read_chakra, write_chakra};
    #[pymodule_export]
    use super::classes::Tables;
    #[pymodule_export]
    use super::classes::{Groups, Machine, Outcome, Schedule};
    #[pymodule_export]
    use super::collective::kept;
    #[pymodule_export]
    use super::efficiency::{attention_times, keys_seen, matmul_times, memory_time};
    #[pymodule_export]
    use super::faults::{
        Faults, faults, healthy, links_named, num_live_chips, overlay_bytes, repaired, with_faults,
    };
    #[pymodule_export]
    use super::formats::{read_hlo, read_stablehlo};
    #[pymodule_export]
    use super::kineto::kineto_events;
    #[pymodule_export]
    use super::mapping::{Order, best_mapping, mapping_dimensions};
    #[pymodule_export]
    use super::monte_carlo::{monte_carlo, sample_faults};
    #[pymodule_export]
    use super::pipeline::{pipeline_events, pipeline_forms, simulate_pipeline};
    #[pymodule_export]
    use super::placing::{FreePlanes, replace_damaged};
    #[pymodule_export]
    use super::prepared::Prepared;
    #[pymodule_export]
    use super::recovery::{damaged_ultraservers, dead_ultraservers, in_mode};
    #[pymodule_export]
    use super::rerouting::{routing_reports, unreachable};
    #[pymodule_export]
    use super::serving::{serve, serve_events};
    #[pymodule_export]
    use super::together::{Written, share_links, share_messages, write_out};
    #[pymodule_export]
    use super::workload::training_step;
    #[pymodule_export]
    use super::workload_search::{best_layouts, layout_space, weigh_layouts};

    use numpy::PyArray1;
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;
    use rainier_core::collective::{self as core, Model, Operation};
    use rainier_core::machine::TpuPart;
    use rainier_core::pipeline::Schedule as Pipelining;
    use std::collections::BTreeMap;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Loads numpy's C API now: done lazily, a signal that arrives meanwhile would surface as a panic.
        drop(PyArray1::<f64>::zeros(module.py(), 0, false));
        let names = |names: &[&str]| PyTuple::new(module.py(), names);
        module.add("TPU_PARTS", names(&TpuPart::ALL.map(|row| row.1))?)?;
        module.add("OPERATIONS", names(&Operation::ALL.map(Operation::name))?)?;
        let schedules = Pipelining::ALL.map(Pipelining::name);
        module.add("PIPELINE_SCHEDULES", names(&schedules)?)?;
        module.add("MODELS", names(&Model::ALL.map(Model::name))?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// What the extension was built as; benchmarks refuse a debug build.
    ///
    /// Examples
    /// --------
    /// >>> import rainier_fast as rf
    /// >>> rf.build_info()["profile"] in ("debug", "release")
    /// True
    #[pyfunction]
    fn build_info() -> BTreeMap<&'static str, &'static str> {
        let profile = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        BTreeMap::from([
            ("profile", profile),
            ("version", env!("CARGO_PKG_VERSION")),
            ("target", std::env::consts::ARCH),
        ])
    }

    /// Bytes that one call may take.
    #[pyfunction]
    fn memory_limit() -> u64 {
        rainier_core::memory::limit()
    }

    /// Sets the bytes that one call may take, and by how many, resident and of address space, the process may grow
    /// while it runs.
    #[pyfunction]
    fn set_memory_limit(limit: u64, resident: u64, addresses: u64) {
        rainier_core::memory::set_limit(limit);
        super::shortage::set_most(resident, addresses);
    }

    /// (name, one line, operations) of each algorithm; of one operation, or of all.
    #[pyfunction]
    fn algorithms(
        py: Python<'_>,
        operation: Option<&str>,
    ) -> PyResult<Vec<(&'static str, &'static str, Vec<&'static str>)>> {
        let wanted = operation
            .map(Operation::from_name)
            .transpose()
            .map_err(|error| super::error::to_py(py, &error))?;
        let wanted = wanted.map(Operation::as_run);
        Ok(core::algorithms()
            .filter(|row| wanted.is_none_or(|wanted| row.2.contains(&wanted)))
            .map(|(name, summary, operations)| {
                let operations = operations.iter().map(|operation| operation.name());
                (name, summary, operations.collect())
            })
            .collect())
    }
}
