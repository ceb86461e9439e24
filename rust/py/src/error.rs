//! From the core's errors to the exceptions of `rainier_fast.errors`.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rainier_core::Error;

static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// The exception for `error`.
pub(crate) fn to_py(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Invalid { .. } => "InvalidArgument",
        Error::OutOfRange { .. } => "OutOfRange",
        Error::Unknown { .. } => "UnknownName",
        Error::Unsupported { .. } | Error::Memory { .. } => "Unsupported",
        Error::Unreachable { .. } => "Unreachable",
        Error::Schedule { .. } => "InvalidSchedule",
        // Only a caller that saw a signal or a failing callback cancels, and it raises that instead.
        Error::Cancelled => return PyKeyboardInterrupt::new_err(()),
        _ => "RainierError",
    };
    raise(py, class, &error.to_string())
}

/// An exception of `rainier_fast.errors` by name; a failure to make it is itself the error.
pub(crate) fn raise(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let made = MODULE
        .get_or_try_init(py, || py.import("rainier_fast.errors").map(Bound::unbind))
        .and_then(|module| module.bind(py).getattr(class)?.call1((message,)));
    match made {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}
