//! Failures of the engine as exceptions.

use afterimage::config::ConfigError;
use afterimage::data::DataError;
use afterimage::gpu::GpuError;
use afterimage::model::{ModelError, VariantError};
use afterimage::train::{FileError as Unwritten, OpenError, TrainError};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use std::fmt::Display;

create_exception!(
    afterimage,
    Error,
    PyException,
    "What afterimage could not do, but for wrong arguments and settings, which are ValueErrors. One line says what is wrong and what to do."
);
create_exception!(
    afterimage,
    FileError,
    Error,
    "A file cannot be read or written, or is not what it should be."
);
create_exception!(
    afterimage,
    DeviceError,
    Error,
    "There is no such adapter, it computes wrong results, it has too little memory, or it failed."
);
create_exception!(
    afterimage,
    DivergedError,
    Error,
    "Training diverged, or what was computed is not finite."
);

/// Which exception a failure becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What the caller gave, settings and the data that they name among it, cannot be used.
    Value,
    File,
    Device,
    /// As a device that is not there, but there is nothing to be opened anew.
    Forked,
    Diverged,
    /// The engine broke off before, and nothing is known of the state of a device.
    Broken,
    /// The device computes for the same thread.
    Interrupting,
}

/// Why a call fails: one line that says what is wrong and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub kind: Kind,
    message: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Display) -> Self {
        Failure {
            kind,
            message: message.to_string(),
        }
    }

    /// Something is wrong with what the caller gave.
    pub(crate) fn value(message: impl Display) -> Self {
        Self::new(Kind::Value, message)
    }

    /// A call on the same device panicked.
    pub(crate) fn broken() -> Self {
        let message = "an earlier call on this device ended by a mistake in afterimage, and nothing is known of its state since: \
                       load the model again";
        Self::new(Kind::Broken, message)
    }

    /// A thread asks for a device in the middle of a call on it.
    pub(crate) fn interrupting() -> Self {
        let message = "the model is in use by this thread, which was interrupted while it computed: let a signal handler note what it \
                       wants, and do that after the call";
        Self::new(Kind::Interrupting, message)
    }

    /// What is wrong with a file, where nothing else was given.
    pub(crate) fn of_file(error: impl Into<Failure>) -> Self {
        let mut failure = error.into();
        if failure.kind == Kind::Value {
            failure.kind = Kind::File;
        }
        failure
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        let message = failure.message;
        match failure.kind {
            Kind::Value => PyValueError::new_err(message),
            Kind::File => FileError::new_err(message),
            Kind::Device | Kind::Forked => DeviceError::new_err(message),
            Kind::Diverged => DivergedError::new_err(message),
            Kind::Broken | Kind::Interrupting => Error::new_err(message),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::value(error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::value(error)
    }
}

impl From<Unwritten> for Failure {
    fn from(error: Unwritten) -> Self {
        Self::new(Kind::File, error)
    }
}

impl From<GpuError> for Failure {
    fn from(error: GpuError) -> Self {
        // Said with what to do about it.
        ModelError::from(error).into()
    }
}

impl From<VariantError> for Failure {
    fn from(error: VariantError) -> Self {
        Self::new(Kind::Device, error)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let kind = match &error {
            ModelError::Gpu(_) | ModelError::Variant(_) => Kind::Device,
            ModelError::Config(_)
            | ModelError::Network(_)
            | ModelError::WrongLength { .. }
            | ModelError::BufferTooSmall { .. }
            | ModelError::OutOfRange { .. } => Kind::Value,
            // All others are of checkpoints, and of files beside them.
            _ => Kind::File,
        };
        Self::new(kind, error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Model(error) => error.into(),
            OpenError::Config(error) => error.into(),
            OpenError::Data(error) => error.into(),
            other => Self::new(Kind::File, other),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let kind = match error {
            TrainError::Model(error) => return error.into(),
            TrainError::Gpu(_) | TrainError::Variant(_) => Kind::Device,
            TrainError::Diverged { .. } => Kind::Diverged,
            TrainError::File(_)
            | TrainError::Report(_)
            | TrainError::Summary(_)
            | TrainError::NoRun { .. }
            | TrainError::NoState { .. }
            | TrainError::NoWholeState { .. }
            | TrainError::StateVersion { .. } => Kind::File,
            // All others say which settings do not go together with the data, or with the memory that they allow.
            _ => Kind::Value,
        };
        Self::new(kind, error)
    }
}
