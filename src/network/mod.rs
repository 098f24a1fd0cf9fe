//! The energy network: what it is made of, how its parameters lie in memory, and how it is evaluated.

mod architecture;
mod initialise;
mod passes;
mod self_test;
mod tuning;
mod twin;
mod walk;

pub use crate::kernels::{Precision, Variant};
pub use architecture::{Architecture, LayerSpec, NetworkError, ParameterTensor};
pub use initialise::{Initialisation, initial_parameters};
pub use passes::Network;
pub use self_test::{computes_right, trusted_variant, trusted_variant_in};
pub use tuning::{
    Kernels, Tuning, TuningOptions, TuningReport, allow_tuning, tuned_kernels, tuning_report,
};
pub use twin::twin;
pub use walk::{walk_plan, walks_right};
