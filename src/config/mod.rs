//! The configuration of a run: one struct serves the command line, the file and the saved run.
//!
//! A field's doc comment is also its comment in the TOML that [`to_toml`] writes, so it reads well in both places.

mod check;
mod error;
mod keys;
mod load;
mod presets;
mod validate;

pub use error::ConfigError;
pub use load::{load, parse, set, to_toml};
pub use presets::{Preset, preset, presets};
pub use validate::{
    ACTIVATIONS, BASES, BOUNDS, CHAINS, GENERATORS, INITIALISATIONS, NORMALISERS, PRECISIONS,
    SCHEDULES, STARTS,
};

use keys::documented;
use serde::{Deserialize, Serialize};

/// Everything that decides what a run computes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the data comes from and how it is scaled.
    pub data: DataConfig,
    /// The energy network.
    pub network: NetworkConfig,
    /// What the network is trained to tell apart, and how.
    pub objective: ObjectiveConfig,
    /// When the noise snapshot is taken.
    pub snapshot: SnapshotConfig,
    /// How noise is drawn from the snapshot.
    pub sampler: SamplerConfig,
    /// How the parameters move.
    pub optimiser: OptimiserConfig,
    /// Length, batch, randomness and output of the run.
    pub run: RunConfig,
}

documented! {
/// Where the data comes from and how it is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// digits, 8gaussians, 2spirals, checkerboard, rings, moons, pinwheel, idx, cifar10, images or npy.
    pub source: String,
    /// File or folder, for idx, cifar10, images and npy.
    pub path: String,
    /// The value that the darkest raw value maps to. Raw values of images lie in 0 to 255, of digits in 0 to 16;
    /// the planar sets and npy are taken as they are, and low and high only bound their box.
    pub low: f32,
    /// The value that the brightest raw value maps to.
    pub high: f32,
    /// Standard deviation of the Gaussian noise added to every data sample, in scaled units.
    pub noise: f32,
    /// Use only the first so many samples; 0 for all.
    pub limit: usize,
}
}

documented! {
/// The energy network: low energy means likely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// Layers from the input to the energy. The outputs of the last one are summed to the energy.
    /// { conv = channels, kernel = size, stride = 1, padding = 0 }, { dense = outputs },
    /// { residual = channels, kernel = 3, pool = 1 }: two convolutions beside a skip, then means over pool × pool pixels,
    /// { pool = size }: means over size × size pixels, or { global_sum = true }: the sum over all pixels of a channel.
    pub layers: Vec<LayerConfig>,
    /// silu, leaky_relu, softplus, tanh or identity; after every layer but poolings and the last with weights.
    pub activation: String,
    /// Slope of leaky_relu below zero.
    pub slope: f32,
    /// Divide every weight by its largest singular value, estimated by one iteration of the power method an optimiser step
    /// (after 30 at the start): spectral normalisation.
    pub spectral_norm: bool,
    /// none, or gaussian: adds |x − base_mean|² / (2 base_std²) to the energy.
    pub base: String,
    /// Mean of the Gaussian base, in every coordinate.
    pub base_mean: f32,
    /// Standard deviation of the Gaussian base.
    pub base_std: f32,
    /// The law of initial weights: default (uniform on ±1/√inputs, as PyTorch's layers start), he, xavier or orthogonal.
    /// Biases are uniform on ±1/√inputs in all of them.
    pub initialisation: String,
    /// Start with the last layer at zero, so that the first energy is the base alone.
    pub zero_head: bool,
    /// Factor on the first layer's initial weights.
    pub first_weight_scale: f32,
    /// Factor on the first layer's initial biases.
    pub first_bias_scale: f32,
}
}

/// One layer, such as `{ conv = 32, kernel = 3, stride = 1, padding = 1 }` or `{ dense = 64 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum LayerConfig {
    /// A convolution with a square kernel.
    Conv {
        /// Output channels.
        conv: usize,
        /// Side of the kernel in pixels.
        kernel: usize,
        /// Pixels between two places of the kernel; 1 where it is left out.
        #[serde(default = "one")]
        stride: usize,
        /// Pixels of zeros around the image; 0 where it is left out.
        #[serde(default)]
        padding: usize,
    },
    /// A fully connected layer over the flattened input.
    Dense {
        /// Outputs.
        dense: usize,
    },
    /// A residual block: two convolutions that keep the size of the map, added to their input (to a 1×1 convolution of
    /// it where the channels change), then average pooling, then the activation.
    Residual {
        /// Output channels.
        residual: usize,
        /// Side of both kernels in pixels, an odd number; 3 where it is left out.
        #[serde(default = "three")]
        kernel: usize,
        /// Side of the windows of the pooling; 1, which is none, where it is left out.
        #[serde(default = "one")]
        pool: usize,
    },
    /// Average pooling; rows and columns that fill no window are left out.
    Pool {
        /// Side of the windows, and pixels between two of them.
        pool: usize,
    },
    /// The sum over all pixels of a channel.
    GlobalSum {
        /// True.
        global_sum: bool,
    },
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

documented! {
/// The noise-contrastive objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// The convex function that picks the Bregman divergence: logistic.
    pub generator: String,
    /// Noise samples per data sample.
    pub noise_ratio: usize,
    /// The log-normaliser difference between snapshot and live parameters: zero, or learned (reset to 0 at every
    /// refresh).
    pub normaliser: String,
    /// Learning rate of a learned normaliser.
    pub normaliser_rate: f32,
    /// Weight of the mean squared energies of data and noise.
    pub energy_l2: f32,
}
}

documented! {
/// When the noise snapshot is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotConfig {
    /// Noise update interval K: optimiser steps between two refreshes. 1 is maximum likelihood.
    pub interval: u64,
}
}

documented! {
/// The Langevin sampler that draws noise from the snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplerConfig {
    /// persistent (chains live in the replay buffer), short_run (every chain starts from `start`) or data (every chain
    /// starts from a data sample).
    pub chains: String,
    /// Langevin steps per optimiser step.
    pub steps: usize,
    /// Factor on the energy gradient.
    pub step_size: f32,
    /// Standard deviation of the noise of one step; absent: √(2·step_size), Langevin dynamics at temperature 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f32>,
    /// Clamp every component of the energy gradient to ±clip; 0 for none.
    pub clip: f32,
    /// none, clamp or reflect: what happens at the borders of the box from data.low to data.high.
    pub bounds: String,
    /// gaussian (mean 0, standard deviation start_std) or uniform (from data.low to data.high): where fresh chains
    /// start.
    pub start: String,
    /// Standard deviation of a Gaussian start.
    pub start_std: f32,
    /// Chains in the replay buffer.
    pub buffer: usize,
    /// Share of the chains of a step that start afresh.
    pub restart: f32,
}
}

documented! {
/// Adam, its schedule and the moving average of the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimiserConfig {
    /// Learning rate at its highest.
    pub rate: f32,
    /// constant, cosine (down to final_rate) or exponential (to final_rate at the last step).
    pub schedule: String,
    /// The learning rate at the last step, as a share of `rate`.
    pub final_rate: f32,
    /// Optimiser steps over which the rate rises linearly from 0.
    pub warmup: u64,
    /// Decay of Adam's moving average of the gradient.
    pub beta1: f32,
    /// Decay of Adam's moving average of the squared gradient.
    pub beta2: f32,
    /// Added to the root of the squared gradient's average, against division by 0.
    pub epsilon: f32,
    /// Decoupled weight decay (AdamW).
    pub weight_decay: f32,
    /// Largest global norm of the gradient; 0 for no limit.
    pub gradient_clip: f32,
    /// Decay of the moving average of the weights, which is what samples are drawn from; 0 for none.
    pub average: f32,
}
}

documented! {
/// Length, batch, randomness and output of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Data samples per optimiser step.
    pub batch: usize,
    /// The most samples, data or noise, that pass through the network at a time; more are taken in slices one after
    /// another, which changes the parameter gradient by rounding only. Absent: as many as memory and the adapter allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<usize>,
    /// GPU memory that the run may use, in MiB, for adapters do not tell how much they have; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// How the maps between layers are stored: `full` as f32, or `mixed` as f16, which takes half the memory. Arithmetic,
    /// samples, energies, parameters and optimiser are f32 either way. Mixed is for software adapters so far; `sample`
    /// and `energy` compute in full.
    pub precision: String,
    /// Decides every random number: the same seed on the same adapter gives the same bits.
    pub seed: u64,
    /// Optimiser steps between two pictures of samples; 0 for only the last.
    pub sample_every: u64,
    /// Samples in a picture.
    pub samples: usize,
    /// Langevin steps from fresh chains for the final picture, and what `afterimage sample` takes by default.
    pub sample_steps: usize,
    /// Optimiser steps between two checkpoints; 0 for only the last.
    pub checkpoint_every: u64,
}
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig {
            source: "digits".into(),
            path: String::new(),
            low: -1.0,
            high: 1.0,
            noise: 0.0,
            limit: 0,
        }
    }
}

impl Default for NetworkConfig {
    fn default() -> Self {
        NetworkConfig {
            layers: vec![LayerConfig::Dense { dense: 1 }],
            activation: "silu".into(),
            slope: 0.2,
            spectral_norm: false,
            base: "none".into(),
            base_mean: 0.0,
            base_std: 1.0,
            initialisation: "default".into(),
            zero_head: false,
            first_weight_scale: 1.0,
            first_bias_scale: 1.0,
        }
    }
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        ObjectiveConfig {
            generator: "logistic".into(),
            noise_ratio: 1,
            normaliser: "zero".into(),
            normaliser_rate: 0.01,
            energy_l2: 0.0,
        }
    }
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        SnapshotConfig { interval: 1 }
    }
}

impl Default for SamplerConfig {
    fn default() -> Self {
        SamplerConfig {
            chains: "persistent".into(),
            steps: 20,
            step_size: 0.01,
            noise: None,
            clip: 0.0,
            bounds: "none".into(),
            start: "gaussian".into(),
            start_std: 1.0,
            buffer: 4096,
            restart: 0.05,
        }
    }
}

impl Default for OptimiserConfig {
    fn default() -> Self {
        OptimiserConfig {
            rate: 1e-3,
            schedule: "cosine".into(),
            final_rate: 0.02,
            warmup: 0,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            gradient_clip: 1.0,
            average: 0.995,
        }
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            steps: 1000,
            batch: 128,
            slice: None,
            memory: None,
            precision: "full".into(),
            seed: 1,
            sample_every: 100,
            samples: 64,
            sample_steps: 500,
            checkpoint_every: 0,
        }
    }
}
