use super::divergence::Divergence;
use crate::data::DataError;
use crate::files::FileError;
use crate::gpu::GpuError;
use crate::model::ModelError;
use crate::network::{NetworkError, VariantError, advised};
use crate::report::ReportError;
use std::path::PathBuf;

/// What can end a training run early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    #[error("{}", advised(.0))]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Variant(#[from] VariantError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(
        "the summary cannot be written ({0}): choose a folder whose name is valid text with --out"
    )]
    Summary(serde_json::Error),
    #[error(
        "the run needs {needed} of GPU memory with {slice} samples at a time, but run.memory allows {allowed} MiB: {advice}"
    )]
    Memory {
        needed: String,
        slice: usize,
        allowed: u64,
        advice: &'static str,
    },
    #[error(
        "chains jump to Gaussians fitted to samples of at most {most} values, and the data's have {values}: set sampler.jumps = 0"
    )]
    MixtureTooLarge { values: usize, most: usize },
    #[error(
        "no mixture of {components} Gaussians can be fitted to the data for chains to jump to: it takes two samples for each, finite and \
         not all alike; lower sampler.gaussians, or set sampler.jumps = 0"
    )]
    NoMixture { components: usize },
    #[error(
        "samples have {values} values, but a Gaussian with a full covariance is for at most {most}: set snapshot.kind = \
         \"uniform\", or a snapshot"
    )]
    GaussianTooLarge { values: usize, most: usize },
    #[error(
        "{outside} of {of} data samples lie outside the box of the uniform noise, from {low} to {high}, which could teach \
         nothing of them: set data.low and data.high to hold the data"
    )]
    OutsideBox {
        outside: usize,
        of: usize,
        low: f32,
        high: f32,
    },
    #[error(
        "no Gaussian can be fitted to this data, whose values do not vary or are not finite: set data.noise, or another \
         snapshot.kind"
    )]
    NoFit,
    /// A state that does not fit the plan of the steps.
    #[error(
        "the training state is one of another plan of steps ({0}): continue it with the settings that it was taken with, and on an \
         adapter that cuts batches alike"
    )]
    State(String),
    #[error("{} holds no run: name the folder of one", path.display())]
    NoRun { path: PathBuf },
    #[error(
        "the run in {} has no training state to go on from, since run.checkpoint_seconds is 0 or it ended too soon: train it anew with \
         --force --out",
        path.display()
    )]
    NoState { path: PathBuf },
    #[error("no training state of the run in {} can be used: train it anew with --force --out. {notes}", path.display())]
    NoWholeState { path: PathBuf, notes: String },
    #[error(
        "the training state {} has version {version} of the format, and this program reads versions 1 to 3: go on with the program that \
         took it, or train anew",
        path.display()
    )]
    StateVersion { path: PathBuf, version: u32 },
    #[error(
        "the run in {} is finished, with all of its {steps} steps: raise run.steps with --set to train it for longer",
        path.display()
    )]
    Finished { path: PathBuf, steps: u64 },
    #[error(
        "a run that goes on keeps its settings, and {keys} would change: leave that out, or train anew; {changeable} may change"
    )]
    Fixed { keys: String, changeable: String },
    #[error("{done} steps are done already: set run.steps to {done} or more, and not to {steps}")]
    StepsDone { done: u64, steps: u64 },
    #[error(
        "the data `{name}` are not those that the run began with: put them back, or train anew"
    )]
    OtherData { name: String },
    #[error("{0}")]
    Resume(String),
    #[error("the run diverged at step {step}, counted from 0: {what}; {advice}")]
    Diverged {
        step: u64,
        what: Divergence,
        /// Which settings to change.
        advice: String,
    },
}
