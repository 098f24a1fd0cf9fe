//! The method: noise-contrastive estimation against a snapshot of the model itself.
//!
//! - [`Snapshot`]: when the live parameters are copied to the snapshot's, which are the noise distribution;
//!   [`Mixture`]: several such copies; [`FixedNoise`]: a distribution that never changes, for comparison.
//! - [`Sampler`]: draws noise from the snapshot by chains that live in a replay buffer.
//! - [`Diagnostics`]: whether those chains have reached a common law.
//! - [`Strategy`]: whether chains run layer by layer or each in a workgroup of its own.
//! - [`Objective`]: turns the energies under both into the factor of every sample in the gradient.
//! - [`Optimiser`]: Adam on the live parameters, its learning-rate schedule, and their moving average.

mod chains;
mod data_noise;
mod diagnostics;
mod fixed_noise;
mod mixture;
mod mixture_fit;
mod objective;
mod optimiser;
mod sampler;
mod snapshot;
mod strategy;

pub(crate) use crate::kernels::{Normaliser, RatioMetrics};
pub use chains::{ChainPass, ChainPreparation, Chains, PreparedChains, StepControl};
pub(crate) use data_noise::{DataNoise, Fall};
pub(crate) use diagnostics::Traces;
pub use diagnostics::{Diagnostics, Mixing};
pub(crate) use fixed_noise::MOST_GAUSSIAN_VALUES;
pub use fixed_noise::{FixedNoise, GaussianFit};
pub(crate) use mixture::Mixture;
pub(crate) use mixture_fit::fit_mixture;
pub use objective::{Criterion, Objective, ObjectiveSettings};
pub(crate) use optimiser::{AVERAGED_PARAMETERS, OptimiserSettings};
pub use optimiser::{Optimiser, Schedule};
pub(crate) use sampler::{
    Agreement, ChainMode, Diagnose, Draw, FEWEST_RECORDS, NOT_COMPARED, PoolSettings, Probe,
    SETTLED, Sampler, SamplerSettings,
};
pub(crate) use snapshot::{Fresh, LIVE_PARAMETERS, Refresh, Snapshot};
pub use strategy::Strategy;
