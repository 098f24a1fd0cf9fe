use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::gpu::GpuError;
use crate::network::{NetworkError, VariantError, advised};
use std::path::PathBuf;

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
        "the checkpoint lacks '{key}' in its metadata: it was not written by afterimage, or by another version; name \
         the run's config.toml, or a checkpoint of the same network, with --config"
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
    #[error("it is of another network than the model")]
    OtherNetwork,
    #[error(
        "the checkpoint holds no live weights and has no file NAME.live.safetensors beside it: copy both, or use the \
         averaged ones"
    )]
    NoLiveWeights,
    #[error(
        "the file holds live weights only: name the checkpoint beside it, or say --weights live"
    )]
    NoAveragedWeights,
    #[error(
        "`{}` does not hold the live weights of step {step}: copy the file that belongs to the checkpoint, or use the \
         averaged ones", .path.display()
    )]
    OtherLiveWeights { path: PathBuf, step: u64 },
    #[error(
        "`{}` does not hold chains of these weights: copy the file that belongs to the checkpoint", .path.display()
    )]
    OtherChains { path: PathBuf },
    #[error(
        "`{}` holds no chains: all had run away when it was written, which a lower sampler.step_size may prevent, or it is \
         no file of chains", .path.display()
    )]
    NoChains { path: PathBuf },
    #[error(
        "`{}` holds chains of shape {found:?}, and those of this model are n × {wanted:?}: copy the file that belongs to the \
         checkpoint", .path.display()
    )]
    ChainsShape {
        path: PathBuf,
        found: Vec<usize>,
        wanted: [usize; 3],
    },
    #[error("{what} of {given} is out of range: {advice}")]
    OutOfRange {
        what: &'static str,
        given: u64,
        advice: &'static str,
    },
}
