//! The kernels: typed arguments in, commands out. No module here touches a device.
//!
//! Every shader in `shaders/` has a Rust file here and, unless it only moves data, an f64 twin in [`crate::twins`]. The layers of
//! a network come in families behind one interface, [`Layer`]: `tiled` for GPUs, `texel` and `lanes` for software drivers.
//! Beside them, [`walk_chains`] runs whole Langevin chains of a small network in one launch on GPUs, and the stack of `texel` computes
//! a network of dense layers, forward and back, in one on software drivers.

#[macro_use]
mod shaders;

pub mod activations;
mod algorithm;
pub mod bench;
mod border;
mod families;
pub mod generators;
pub mod geometry;
pub mod lanes;
mod layer;
mod layer_kind;
mod layer_pass;
mod map_reader;
mod maps;
pub mod noise;
mod parameters;
mod pooling;
mod precision;
pub mod texel;
pub mod tiled;
mod variant;
mod walk;

mod adam;
mod add_noise;
mod divergence_head;
mod energy_head;
mod gradient_norm;
mod launch;
mod metrics;
mod move_chains;
mod philox_words;
mod quadratic_base;
mod ranking_head;
mod ratio_head;
mod samplers;
mod spectral;
mod start_chains;
mod sum_partials;
mod zero_words;

pub use activations::{ACTIVATIONS, Activation, ActivationKind};
pub use adam::{AdamArguments, AdamSettings, adam};
pub use add_noise::add_noise;
pub use divergence_head::divergence_head;
pub use energy_head::energy_head;
pub use families::{Choice, KernelFamily, Layer, Maps, Variant};
pub use generators::{Bregman, GENERATORS, Generator};
pub use geometry::ConvGeometry;
pub use gradient_norm::{NORM_PARTS, gradient_norm};
pub use layer::Choices;
pub use layer_kind::LayerKind;
pub use layer_pass::LayerPass;
pub(crate) use map_reader::MapReader;
pub use maps::{load, pool_forward, pool_input_gradient, unload};
pub(crate) use metrics::metrics;
pub use metrics::{METRIC_WORDS, RatioMetrics};
pub use move_chains::ReplayTurn;
pub use parameters::LayerParameters;
pub use philox_words::philox_words;
pub use pooling::Pooling;
pub use precision::Precision;
pub use quadratic_base::{QuadraticBase, quadratic_base_gradient};
pub use ranking_head::ranking_head;
pub use ratio_head::{HeadArguments, Normaliser, RatioSettings, ratio_head};
pub use samplers::{
    ADAPTATION_GAIN, ADAPTATION_HALF, ADAPTATION_LEAST, Bounds, ChainBatch, ChainSteps, Dynamics,
    GaussianMixture, HMC, HMC_JITTER, INTEGRATORS, Integrator, JumpLaw, Jumps, LANGEVIN, LEAPFROG,
    LangevinSettings, MOST_MIXTURE_VALUES, MixtureComponent, MixtureJumps, MixtureLaw, MixtureSize,
    Moment, SAMPLERS, SamplerKind, TRACE_VALUES, jump_chains, langevin, trace_chains,
};
pub(crate) use samplers::{MIXTURE_DIRECTIONS, MIXTURE_LAW, SAMPLER_CONTROL};
pub use spectral::{SpectralWeight, spectral_gradient, spectral_turn, spectral_weights};
pub use start_chains::{ChainStart, start_chains};
pub use sum_partials::sum_partials;
pub(crate) use texel::{Back, Stack};
pub use walk::{WalkArguments, WalkPlan, pack_walk_weights, walk_chains};
pub use zero_words::zero_words;
