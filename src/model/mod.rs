//! A trained model: its network, its parameters, how its data is scaled and how it is sampled. What a checkpoint
//! holds, and what a host program embeds.
//!
//! [`Model::load`] reads a checkpoint; [`Model::evaluator`] computes energies and their gradients, of samples from the host or from
//! buffer to buffer; [`Model::sample`] draws samples.

mod error;
mod evaluator;
mod kept;
mod kept_chains;
mod resident;
mod run_on;
mod running;
mod sample;
mod settings;
mod stored;

pub use error::ModelError;
pub use evaluator::Evaluator;
pub(crate) use evaluator::first_energies;
pub use kept::{KeptSnapshots, kept_snapshots};
pub use kept_chains::KeptChains;
pub(crate) use kept_chains::{is_chains_path, most_kept};
pub use resident::ModelDevice;
pub use running::RunningChains;
pub(crate) use sample::first_draw;
pub use sample::{SampleOptions, Samples};
pub use stored::{Description, Model, Weights};
pub(crate) use stored::{best_config, is_live_path, live_path};

// Named in what the above offers.
pub use crate::checkpoint::CheckpointError;
pub use crate::network::{
    Architecture, ChosenBy, ChosenKernels, NetworkError, TuningOptions, TuningReport, VariantError,
    allow_tuning, chosen_kernels, test_kernels_async, tuning_report,
};

/// What only [`crate::low_level`] shows.
pub(crate) mod low_level {
    pub use crate::model::settings::{architecture, chain_start};
}
pub(crate) use low_level::*;
