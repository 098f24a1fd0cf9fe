//! The configuration of a run: one struct serves the command line, the file and the saved run.
//!
//! A program takes a preset or a file with [`load`], a text with [`parse`], or changes the fields of a [`Config`] and asks
//! [`Config::validate`]. [`resolve`] also says which values were derived from others.
//!
//! A field's doc comment is also its comment in the TOML that [`to_toml`] writes, so it reads well in both places.

mod amend;
mod assign;
mod check;
mod differences;
mod draft;
mod error;
mod keys;
mod load;
mod paths;
mod presets;
mod standstill;
mod validate;
mod warnings;
mod words;

pub(crate) use amend::amended;
pub use amend::with_data;
pub use assign::set;
pub(crate) use differences::{Difference, differences};
pub use draft::{Derived, Resolved};
pub use error::{ConfigError, Violation};
pub(crate) use load::parse_stored;
pub use load::{load, parse, resolve, resolve_text, to_toml};
pub use presets::{Preset, preset, presets};
pub use words::{
    BaseKind, BoundsKind, ChainKind, JumpKind, NormaliserKind, SnapshotKind, StartKind,
};

// What the fields hold, and how it is found by its name.
pub use crate::kernels::{ActivationKind, Integrator, KernelFamily, Precision, SamplerKind};
pub use crate::method::{Criterion, Schedule};
pub use crate::network::{InitialWeights, LayerSpec};
pub use crate::words::Word;

use crate::data::{Channels, Colour, DataOptions, Layout, RawRange, Source};
use crate::kernels::{
    Activation, Bounds, Dynamics, Generator, JumpLaw, Jumps, LANGEVIN, LEAPFROG, LangevinSettings,
};
use keys::{ADAPTIVE, documented};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// digits, 8gaussians, 2spirals, checkerboard, rings, moons, pinwheel, idx, cifar10, images, npy or csv.
    #[serde(with = "crate::words")]
    pub source: Source = Source::DIGITS,
    /// File or folder, for idx, cifar10, images, npy and csv. A relative one starts in the folder of the file that names it, behind
    /// --set in the current one; ~ is the home. Runs keep it absolute.
    pub path: String = String::new(),
    /// Which raw values stand for low and high: two numbers such as [0, 255] (the numbers of low and high themselves take
    /// values as they are), or auto: the full scale of digits, pictures, and bytes with one above 127; floats within low
    /// and high, and tables, as they are; all else is refused. docs/data.md has the whole rule, also for trained models.
    pub range: RawRange = RawRange::Auto,
    /// The order of the axes of arrays of pictures: nchw (channels first), nhwc (channels last), or auto (last where the last
    /// axis is 1, 3 or 4 and the others are larger; refused where that leaves it open).
    pub layout: Layout = Layout::Auto,
    /// How many channels pictures are read with: 1 (colours become brightness), 3 (grey is red = green = blue), or auto (1
    /// where all pictures are grey; for a trained model as many as it has).
    pub channels: Channels = Channels::Auto,
    /// The colour that transparent pictures are seen over, as #rrggbb.
    pub background: Colour = Colour([0; 3]),
    /// The model value that the lowest raw value maps to.
    pub low: f32 = -1.0,
    /// The model value that the highest raw value maps to.
    pub high: f32 = 1.0,
    /// Standard deviation of the Gaussian noise added to every data sample, in scaled units.
    pub noise: f32 = 0.0,
    /// Standard deviation of that noise in the first update, from which it falls geometrically to `noise`: wide noise lets chains cross
    /// between modes while the model learns how much each of them weighs. What is judged and denoised along the way goes by `noise`
    /// all the same. 0: it is the same throughout.
    pub noise_start: f32 = 0.0,
    /// With noise_start: the share of the updates in which the noise falls.
    pub noise_fall: f32 = 0.7,
    /// Use only the first so many samples; 0 for all.
    pub limit: usize = 0,
    /// The share of the samples that training never sees, so that `evaluate` can score by them; 0 keeps nothing back. Which they
    /// are depends on nothing but the number of samples. Sets of fewer than 10 samples keep nothing back; generated ones have
    /// fresh draws instead, beyond `limit`, and do not read it.
    pub held_out: f32 = 0.1,
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
    pub layers: Vec<LayerSpec> = vec![LayerSpec::Dense { features: 1 }],
    /// silu, leaky_relu, softplus, tanh or identity; after every layer but poolings and the last with weights.
    #[serde(with = "crate::words")]
    pub activation: &'static ActivationKind = Activation::SILU.kind,
    /// leaky_relu: its slope below zero. Other activations do not read it.
    pub slope: f32 = 0.2,
    /// Divide every weight by its largest singular value, estimated by one iteration of the power method an optimiser step
    /// (after 30 at the start): spectral normalisation.
    pub spectral_norm: bool = false,
    /// none, or gaussian: adds |x − base_mean|² / (2 base_std²) to the energy.
    pub base: BaseKind = BaseKind::None,
    /// gaussian base: its mean, in every coordinate.
    pub base_mean: f32 = 0.0,
    /// gaussian base: its standard deviation. Not read with base = none.
    pub base_std: f32 = 1.0,
    /// The law of initial weights: default (uniform on ±1/√inputs, as PyTorch's layers start), he, xavier or orthogonal.
    /// Biases are uniform on ±1/√inputs in all of them.
    pub initialisation: InitialWeights = InitialWeights::Default,
    /// Start with the last layer with weights at zero, so that the first energy is the base alone. Not for a residual block,
    /// nor with spectral_norm.
    pub zero_head: bool = false,
    /// Factor on the initial weights of the first layer that has some. 1 for a residual block and with spectral_norm.
    pub first_weight_scale: f32 = 1.0,
    /// Factor on the initial biases of that layer. 1 for a residual block.
    pub first_bias_scale: f32 = 1.0,
}
}

documented! {
/// The noise-contrastive objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// What tells data and noise apart. A convex function that picks a Bregman divergence: logistic (noise-contrastive
    /// estimation), kl (importance-sampled maximum likelihood), least-squares, power, exponential or itakura-saito. Or
    /// ranking (every datum among its own noise samples), or contrastive-divergence (mean energies; no ratio to the
    /// snapshot, so that it needs snapshot.interval = 1).
    #[serde(with = "crate::words")]
    pub generator: Criterion = Criterion::Bregman(Generator::LOGISTIC),
    /// The exponent a of power, whose weights are (1 + a)·rᵃ and (1 + a)·r¹⁺ᵃ: towards 0 it becomes kl, at 1 it is twice
    /// least-squares. Between 0.01 and 5.
    pub power: f32 = 0.5,
    /// Where the log-ratio is clamped, on both sides, in the weights of every generator but logistic, which grow without
    /// bound; the loss goes on along its tangent. Clamped samples are counted in the metrics. Ranking and
    /// contrastive-divergence clamp nothing. At most 60 divided by the steepest power of the ratio in the weights: 30 for
    /// least-squares, for instance.
    pub clamp: f32 = 10.0,
    /// Noise samples per data sample.
    pub noise_ratio: usize = 1,
    /// The log-normaliser difference between snapshot and live parameters: zero; learned (by its gradient, from 0 at
    /// every refresh); profiled (the best value for every batch); or importance (by importance sampling from the noise,
    /// averaged since the refresh). With copy at snapshot.interval = 1, where every step is a refresh, all are 0. A mixture,
    /// a moving average and fixed noise never go back to 0. Ranking and contrastive-divergence have none. Derived: zero for
    /// these two, profiled where a mixture or fixed noise needs one.
    pub normaliser: NormaliserKind = NormaliserKind::Zero,
    /// learned: the normaliser's learning rate.
    pub normaliser_rate: f32 = 0.01,
    /// importance: decay of the average behind the normaliser. It takes in about 1 / (1 − decay) batches, which lowers its
    /// noise and bias, and lags behind the parameters by as many. 0 uses every batch alone.
    pub normaliser_decay: f32 = 0.5,
    /// Divide the parameter gradient by its global norm, before optimiser.gradient_clip. Proposed for exponential, whose
    /// gradients differ widely in size; changes only the length of the gradient, so that any generator may use it. The
    /// clip then does nothing at 1 or above.
    pub normalise_gradient: bool = false,
    /// Weight of the mean squared energies of data and noise.
    pub energy_l2: f32 = 0.0,
}
}

documented! {
/// The noise distribution: what is frozen, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotConfig {
    /// copy (the weights as they were at the last refresh), ema (their moving average), mixture (the last few copies,
    /// evenly), or noise that is no snapshot, for comparison: gaussian (with mean and covariance of the first 20,000 data samples) or
    /// uniform (on the box from data.low to data.high, widened by six times data.noise on every side).
    pub kind: SnapshotKind = SnapshotKind::Copy,
    /// Noise update interval K: optimiser steps between two refreshes, for copy and mixture; ema, gaussian and uniform do
    /// not read it. 1 is maximum likelihood. Or "adaptive", for copy: a refresh after the step that undercuts
    /// ess_threshold, the last one on a pool of noise.
    pub interval: Interval = Interval::Every(1),
    /// With an adaptive interval: the least effective sample size of exp(E_φ − E_θ) over the noise of a step, as a share
    /// of its size.
    pub ess_threshold: f32 = 0.5,
    /// With an adaptive interval: the most optimiser steps between two refreshes.
    pub max_interval: u64 = 100,
    /// ema: decay of the moving average, per optimiser step.
    pub decay: f32 = 0.99,
    /// mixture: how many snapshots it has.
    pub components: usize = 4,
}
}

/// The noise update interval K.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
pub enum Interval {
    /// So many optimiser steps.
    Every(u64),
    /// As long as the noise is good enough.
    Adaptive,
}

/// As in a configuration, which is how messages show it.
impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&toml::Value::from(*self), f)
    }
}

impl TryFrom<toml::Value> for Interval {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::Integer(steps) => u64::try_from(steps)
                .map(Interval::Every)
                .map_err(|_| "an interval below 0"),
            toml::Value::String(word) if word == ADAPTIVE => Ok(Interval::Adaptive),
            _ => Err("an interval that is neither a number nor adaptive"),
        }
    }
}

impl From<Interval> for toml::Value {
    fn from(interval: Interval) -> Self {
        match interval {
            Interval::Every(steps) => toml::Value::Integer(steps.cast_signed()),
            Interval::Adaptive => toml::Value::String(ADAPTIVE.into()),
        }
    }
}

documented! {
/// The sampler that draws noise from the snapshot, and samples from the trained model. Fixed noise (gaussian or uniform)
/// needs no chains: only `sample`, `evaluate` and the last picture read this section then, and nothing reads chains, buffer,
/// restart, diagnose, probe and traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplerConfig {
    /// langevin (plain Langevin steps, biased by their size); mala (Metropolis-adjusted Langevin) or hmc (Hamiltonian Monte
    /// Carlo), which are exact; or underdamped (kinetic Langevin steps, biased by the square of their size).
    #[serde(with = "crate::words")]
    pub kind: &'static SamplerKind = &LANGEVIN,
    /// persistent (chains live in the replay buffer), short_run (every chain starts from `start`) or data (every chain
    /// starts from a data sample).
    pub chains: ChainKind = ChainKind::Persistent,
    /// Steps of a pass: one for every `reuse` optimiser steps.
    pub steps: usize = 20,
    /// Factor on the energy gradient in one step. That of hmc and underdamped, which move in time steps ε, is ε²/2.
    pub step_size: f32 = 0.01,
    /// T: chains sample exp(−E/T). Only 1 fits a density to the data.
    pub temperature: f32 = 1.0,
    /// Temperature of the first step of a pass, from which it falls geometrically to `temperature` at the last; absent: it
    /// is the same throughout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anneal: Option<f32> = None,
    /// hmc: energy gradients of a proposal, leapfrog steps by that integrator. Derived: raised to a multiple of the integrator's.
    pub leapfrog: usize = 5,
    /// hmc: leapfrog, or two_stage or three_stage (Blanes, Casas & Sanz-Serna 2014), which take longer steps at the same
    /// acceptance; `leapfrog` must be a multiple of their 2 or 3 gradients.
    #[serde(with = "crate::words")]
    pub integrator: &'static Integrator = &LEAPFROG,
    /// underdamped: friction γ; the velocity is forgotten over a time of about 1/γ.
    pub friction: f32 = 1.0,
    /// mala and hmc: adapt the step size to `target_acceptance` in the first half of every pass, from `step_size` or where
    /// the last pass left it; absent: true. In the second half it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapt: Option<bool> = None,
    /// mala and hmc: the mean acceptance to adapt to; absent: 0.574 for mala, 0.8 for hmc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_acceptance: Option<f32> = None,
    /// langevin: standard deviation of the noise of one step; absent: √(2·step_size·temperature).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f32> = None,
    /// langevin: clamp every component of the energy gradient to ±clip; 0 for none.
    pub clip: f32 = 0.0,
    /// langevin: none, clamp or reflect: what happens at the borders of the box from data.low to data.high.
    pub bounds: BoundsKind = BoundsKind::None,
    /// gaussian (mean 0, standard deviation start_std), uniform (from data.low to data.high), data (a data sample of the
    /// step) or mixture (a share `data_share` from data, the others gaussian): where fresh chains start, but for those of
    /// chains = data. `sample`, which has no data, starts gaussian where it says data or mixture.
    pub start: StartKind = StartKind::Gaussian,
    /// start = mixture: share of the fresh chains that start from data.
    pub data_share: f32 = 0.5,
    /// Standard deviation of a Gaussian start; start = uniform does not read it.
    pub start_std: f32 = 1.0,
    /// persistent: chains in the replay buffer, rounded down to a multiple of a step's noise samples. short_run and data
    /// have no buffer.
    pub buffer: usize = 4096,
    /// persistent: share of the chains of a step that start afresh. Of short_run and data all do.
    pub restart: f32 = 0.05,
    /// Chances of every chain to jump to an independent draw from `jump_to`, by a Metropolis test that keeps its law, before
    /// the first step and every `steps` steps. Lets chains cross between far modes where samples have few values;
    /// with many, hardly a jump is ever accepted.
    pub jumps: usize = 0,
    /// start (where fresh chains start, gaussian or uniform) or gaussians (a mixture of them fitted to the data, with the
    /// noise of training; samples of at most 128 values): where jumps go. Checkpoints hold the mixture.
    pub jump_to: JumpKind = JumpKind::Start,
    /// jump_to = gaussians: how many.
    pub gaussians: usize = 20,
    /// Optimiser steps that share one pool of noise: only the first of them moves the chains, and the log-ratio accounts
    /// for the drift since. For copy and mixture, whose interval it divides, or the max_interval of an adaptive one; ema and
    /// fixed noise, which is another in every step, do not read it. Derived: the most of it that divides the interval.
    /// Or "adaptive", for copy: as long as the effective sample size on it stays above reuse_threshold, at most max_reuse steps.
    pub reuse: Interval = Interval::Every(1),
    /// With an adaptive re-use: the least effective sample size of exp(E_φ − E_θ) over the noise of a step, as a share of its size.
    pub reuse_threshold: f32 = 0.5,
    /// With an adaptive re-use: the most optimiser steps on the same noise.
    pub max_reuse: u64 = 10,
    /// copy: passes that a step's noise is drawn from, the last ones since the refresh. All of these chains are samples of the
    /// snapshot; 1 takes the last pass alone.
    pub pool: usize = 1,
    /// Optimiser steps between two rows of diagnostics.jsonl, which say whether the chains of a pass agree; 0 for none.
    /// The last pass has one, too. A pass of fewer than 4 steps is too short for it.
    pub diagnose: u64 = 100,
    /// Steps that the chains go on after the last optimiser step, for the figure by which the run says whether they were
    /// samples of the snapshot; below 4, a pass of the last optimiser step has to do.
    pub probe: usize = 1000,
    /// Write traces.npy: what the last of these looks at the chains was told from, f32 by chain, draw and quantity (energy,
    /// three projections), so that others can check R-hat and effective sample size.
    pub traces: bool = false,
}
}

documented! {
/// Adam, its schedule and the moving average of the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimiserConfig {
    /// Learning rate at its highest.
    pub rate: f32 = 1e-3,
    /// After the warm-up: constant, cosine (down to final_rate) or exponential (to final_rate at the last step).
    pub schedule: Schedule = Schedule::Cosine,
    /// The learning rate at the last step, as a share of `rate`; constant does not read it.
    pub final_rate: f32 = 0.02,
    /// Optimiser steps over which the rate rises linearly from 0, at most all of them; at the last one it is `rate`, from
    /// where the schedule starts.
    pub warmup: u64 = 0,
    /// Decay of Adam's moving average of the gradient.
    pub beta1: f32 = 0.9,
    /// Decay of Adam's moving average of the squared gradient.
    pub beta2: f32 = 0.999,
    /// Added to the root of the squared gradient's average, against division by 0.
    pub epsilon: f32 = 1e-8,
    /// Decoupled weight decay (AdamW).
    pub weight_decay: f32 = 0.0,
    /// Largest global norm of the gradient; 0 for no limit.
    pub gradient_clip: f32 = 1.0,
    /// Decay of the moving average of the weights, which is what samples are drawn from; 0 for none.
    pub average: f32 = 0.995,
}
}

documented! {
/// Length, batch, randomness and output of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Optimiser steps.
    pub steps: u64 = 1000,
    /// Data samples per optimiser step.
    pub batch: usize = 128,
    /// The most samples, data or noise, that pass through the network at a time; more are taken in slices one after
    /// another, which changes the parameter gradient by rounding only. Absent: as many as memory and the adapter allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<usize> = None,
    /// GPU memory that the run may use, in MiB, for adapters do not tell how much they have; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64> = None,
    /// How the maps between layers are stored: `full` as f32, or `mixed` as f16, which takes half the memory. Arithmetic,
    /// samples, energies, parameters and optimiser are f32 either way. Mixed is for software adapters so far; `sample`
    /// and `energy` compute in full.
    pub precision: Precision = Precision::Full,
    /// The layer kernels that compute it: tiled (for GPUs), or texel or lanes (for software adapters); absent: those that suit the
    /// adapter. Others change results by rounding, so a run on a software adapter writes down here which computed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernels: Option<KernelFamily> = None,
    /// Decides every random number: the same seed on the same adapter gives the same bits.
    pub seed: u64 = 1,
    /// Optimiser steps between two pictures of samples; 0 for only the last. There are pictures of points in the plane and
    /// of images.
    pub sample_every: u64 = 100,
    /// Samples in a picture, of points in the plane at least 1500, and what `afterimage sample` draws by default.
    pub samples: usize = 64,
    /// Sampler steps from fresh chains for the final picture, and what `afterimage sample` takes by default.
    pub sample_steps: usize = 500,
    /// Optimiser steps between two checkpoints of the model, with a training state each; 0 for only the last.
    pub checkpoint_every: u64 = 0,
    /// Seconds between two training states, by which `train --resume` goes on where a run was interrupted; a fraction is allowed. The
    /// first are taken before the first step and after 5 seconds. Written while the run goes on, they change no bit of it; 0 for
    /// none but those of checkpoint_every and of a run that is stopped by a signal.
    pub checkpoint_seconds: f32 = 60.0,
    /// Training states that are kept, the newest ones; a run that has come to its end keeps its last.
    pub keep_checkpoints: usize = 3,
    /// How often a run that has diverged goes back to a training state from before, and on from there at half the learning rate with
    /// other random numbers, before it ends; 0 for never. It needs training states (checkpoint_seconds).
    pub rollbacks: usize = 2,
    /// noise that is a snapshot: optimiser steps between two figures of how far its chains are from data, their energy distance
    /// (`data_distance` in metrics.jsonl); the weights of the least so far are kept as best.safetensors. 0 for none.
    pub figure_every: u64 = 100,
    /// Whether `tensorboard --logdir RUN` has something to show: metrics, settings and, every sample_every steps, pictures and histograms
    /// of energies and log-ratios, in the run's folder `tensorboard`.
    pub tensorboard: bool = false,
    /// gaussian base, and noise that is a snapshot: how many of the snapshots are kept in the run's folder, the first and the
    /// others at steps whose roots are evenly spaced; 0 for none. `evaluate` estimates log Z along them.
    pub keep_snapshots: usize = 24,
}
}

impl Config {
    /// Optimiser steps that share one pool of noise; 1 where the GPU decides, after each.
    pub fn pool(&self) -> u64 {
        match self.sampler.reuse {
            Interval::Every(steps) if self.snapshot.kind.is_refreshed() => steps.max(1),
            Interval::Every(_) | Interval::Adaptive => 1,
        }
    }

    /// The most optimiser steps on the same noise.
    pub(crate) fn longest_use(&self) -> u64 {
        let most = match self.sampler.reuse {
            Interval::Every(steps) => steps,
            Interval::Adaptive => self.sampler.max_reuse,
        };
        match self.snapshot.kind.is_refreshed() {
            true => most.max(1),
            false => 1,
        }
    }

    /// Whether steps draw their noise from a pool that the GPU keeps count of.
    pub(crate) fn is_pooled(&self) -> bool {
        let sampler = &self.sampler;
        let is_asked = sampler.reuse == Interval::Adaptive || sampler.pool > 1;
        is_asked && self.snapshot.kind == SnapshotKind::Copy
    }
}

impl Config {
    /// How chains move.
    pub fn dynamics(&self) -> Dynamics {
        let (data, sampler) = (&self.data, &self.sampler);
        let (low, high) = (data.low, data.high);
        let langevin = LangevinSettings {
            step_size: sampler.step_size,
            noise: sampler
                .noise
                .unwrap_or((2.0 * sampler.step_size * sampler.temperature).sqrt()),
            clip: sampler.clip,
            bounds: match sampler.bounds {
                BoundsKind::None => Bounds::None,
                BoundsKind::Clamp => Bounds::Clamp { low, high },
                BoundsKind::Reflect => Bounds::Reflect { low, high },
            },
        };
        Dynamics {
            kind: sampler.kind,
            langevin,
            temperature: sampler.temperature,
            leapfrog: sampler.leapfrog,
            integrator: sampler.integrator,
            friction: sampler.friction,
            target_acceptance: sampler
                .kind
                .target_acceptance
                .filter(|_| sampler.adapt.unwrap_or(true))
                .map(|target| sampler.target_acceptance.unwrap_or(target)),
            jumps: Jumps {
                count: sampler.jumps,
                every: sampler.steps,
                law: match sampler.jump_to {
                    JumpKind::Start => JumpLaw::Start,
                    JumpKind::Gaussians => JumpLaw::Mixture {
                        components: sampler.gaussians,
                    },
                },
            },
        }
    }
}

impl DataConfig {
    /// What [`crate::data::open`] needs of it.
    pub fn options(&self) -> DataOptions {
        DataOptions {
            source: self.source.name.into(),
            path: self.path.clone(),
            range: self.range,
            layout: self.layout,
            channels: self.channels,
            background: self.background,
            low: self.low,
            high: self.high,
            limit: self.limit,
            held_out: self.held_out,
            scored_by: None,
            trained: None,
        }
    }
}
