//! The energy network: what it is made of, how its parameters lie in memory, and how it is evaluated.

mod architecture;
mod initialise;
mod passes;
mod self_test;
mod tuning;

pub use crate::kernels::Variant;
pub use architecture::{Architecture, LayerSpec, NetworkError, ParameterTensor};
pub use initialise::{Initialisation, initial_parameters};
pub use passes::Network;
pub use self_test::{computes_right, trusted_variant};
pub use tuning::{
    Kernels, Tuning, TuningOptions, TuningReport, allow_tuning, tuned_kernels, tuning_report,
};
