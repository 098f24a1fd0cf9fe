//! Afterimage for programs in Python: what `python/afterimage/` is built on.
//!
//! What is convenient is written in Python, what computes here. Every call that may take long lets other Python threads run
//! meanwhile, and no lock is waited for before that. A device is shared by its models, and locked for as long as a call computes on
//! it.

mod arguments;
mod command;
mod device;
mod failure;
mod model;
mod settings;
mod train;

use pyo3::prelude::*;

/// What computes.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::command::{environment, main};
    #[pymodule_export]
    use crate::failure::{DeviceError, DivergedError, Error, FileError};
    #[pymodule_export]
    use crate::model::{Model, load, read};
    #[pymodule_export]
    use crate::settings::{config, presets};
    #[pymodule_export]
    use crate::train::{fit, resume, train};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
