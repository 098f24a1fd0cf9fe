//! The command line, which the package contains.

use afterimage::cli;
use pyo3::prelude::*;
use std::ffi::OsString;

/// What the environment should say before a driver is loaded, where the user has not said otherwise. Whoever asks sets all of it.
#[pyfunction]
pub(crate) fn environment() -> Vec<(&'static str, OsString)> {
    cli::environment()
}

/// Does what `afterimage` does with these arguments, in an interpreter that the words `by` start with them; the exit status.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, by: Vec<OsString>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| cli::main_within(by, arguments))
}
