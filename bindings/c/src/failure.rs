use crate::status::afterimage_status::{self, *};
use afterimage::config::ConfigError;
use afterimage::data::DataError;
use afterimage::gpu::GpuError;
use afterimage::model::ModelError;
use afterimage::train::{FileError, TrainError};
use std::fmt::Display;

/// Why a call fails: its status, and one line that says what is wrong and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub status: afterimage_status,
    pub message: String,
}

impl Failure {
    pub(crate) fn new(status: afterimage_status, message: impl Display) -> Self {
        Failure {
            status,
            message: message.to_string(),
        }
    }

    /// Something is wrong with what the caller gave.
    pub(crate) fn argument(message: impl Display) -> Self {
        Self::new(AFTERIMAGE_INVALID_ARGUMENT, message)
    }

    /// The library broke off, by its own mistake.
    pub(crate) fn internal(said: &str) -> Self {
        let message = format!(
            "a mistake in afterimage ended the call ({said}): free the device with its models, and please report it"
        );
        Self::new(AFTERIMAGE_INTERNAL_ERROR, message)
    }

    /// The library broke off before, with the device in an unknown state.
    pub(crate) fn poisoned() -> Self {
        let message = "an earlier call on this device ended by a mistake in afterimage, and nothing is known of its state since: \
                       free it with its models, and open another";
        Self::new(AFTERIMAGE_POISONED, message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(AFTERIMAGE_INVALID_SETTING, error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::new(AFTERIMAGE_INVALID_SETTING, error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(AFTERIMAGE_FILE_ERROR, error)
    }
}

impl From<GpuError> for Failure {
    fn from(error: GpuError) -> Self {
        // Said with what to do about it.
        ModelError::from(error).into()
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let status = match &error {
            ModelError::Gpu(_) | ModelError::Variant(_) => AFTERIMAGE_DEVICE_ERROR,
            ModelError::Config(_) | ModelError::Network(_) => AFTERIMAGE_INVALID_SETTING,
            ModelError::WrongLength { .. }
            | ModelError::BufferTooSmall { .. }
            | ModelError::OutOfRange { .. } => AFTERIMAGE_INVALID_ARGUMENT,
            // All others are of checkpoints, and of files beside them.
            _ => AFTERIMAGE_FILE_ERROR,
        };
        Self::new(status, error)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let status = match error {
            TrainError::Model(error) => return error.into(),
            TrainError::Gpu(_) | TrainError::Variant(_) => AFTERIMAGE_DEVICE_ERROR,
            TrainError::Diverged { .. } => AFTERIMAGE_DIVERGED,
            TrainError::File(_) | TrainError::Report(_) | TrainError::Summary(_) => {
                AFTERIMAGE_FILE_ERROR
            }
            // All others say which settings do not go together with the data, or with the memory that they allow.
            _ => AFTERIMAGE_INVALID_SETTING,
        };
        Self::new(status, error)
    }
}
