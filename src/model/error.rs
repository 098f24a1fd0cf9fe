use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::gpu::GpuError;
use crate::network::{NetworkError, VariantError, advised};

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Variant(#[from] VariantError),
    #[error(
        "the checkpoint lacks '{key}' in its metadata: it was not written by afterimage, or by another version"
    )]
    MissingMetadata { key: &'static str },
    #[error(
        "the checkpoint's metadata '{key}' cannot be read ({cause}): it was changed, or written by another version"
    )]
    BadMetadata { key: &'static str, cause: String },
    #[error(
        "the checkpoint does not fit its own architecture: tensor '{name}' should have shape {wanted:?} but {found}; \
         use the checkpoint that belongs to this network"
    )]
    WrongTensor {
        name: String,
        wanted: Vec<usize>,
        found: String,
    },
    #[error("{given} values are not a whole number of samples of {shape}: check the data's shape")]
    WrongLength {
        given: usize,
        shape: crate::shape::Shape,
    },
    #[error(
        "buffer '{label}' holds {words} values, but a batch needs {wanted}: make it larger or the evaluator's batch smaller"
    )]
    BufferTooSmall {
        label: &'static str,
        words: usize,
        wanted: usize,
    },
    #[error(
        "the checkpoint holds no live weights: it was written by an earlier version; use the averaged ones, or train again"
    )]
    NoLiveWeights,
    #[error("{what} of {given} is out of range: {advice}")]
    OutOfRange {
        what: &'static str,
        given: u64,
        advice: &'static str,
    },
}
