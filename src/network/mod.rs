//! The energy network: what it is made of, how its parameters lie in memory, and how it is evaluated.

mod architecture;
mod block;
mod device_error;
mod error;
mod families;
mod identity;
mod initialise;
mod known;
mod layer_spec;
mod passage;
mod passes;
mod residual;
mod self_test;
mod specimen;
mod spectral;
mod test_kernels;
mod tuning;
mod twin;
mod walk;

pub(crate) use crate::kernels::{Precision, Variant};
pub use architecture::{Architecture, ParameterTensor};
pub use block::{Block, BlockKind, ResidualBlock};
pub use device_error::VariantError;
pub(crate) use device_error::advised;
pub use error::NetworkError;
pub use families::{
    ChosenBy, ChosenKernels, Trial, TrialOutcome, chosen_kernels, decide, foreseen_kernels,
    is_faster_by_8_lanes, keep_trials, kept_trials, known_driver, measure_families, require_family,
    settle_kernels, trusted_variant, trusted_variant_in, try_families,
};
pub use initialise::{InitialWeights, Initialisation, initial_parameters};
pub(crate) use layer_spec::LAYER_FORMS;
pub use layer_spec::{LayerFlaw, LayerSpec};
pub(crate) use passes::Preparation;
pub use passes::{Network, Prepared};
pub use self_test::computes_right;
pub use test_kernels::test_kernels_async;
pub use tuning::{
    Kernels, Tuning, TuningOptions, TuningReport, allow_tuning, tuned_kernels, tuning_report,
};
pub use twin::twin;
pub use walk::{walk_plan, walks_right};
