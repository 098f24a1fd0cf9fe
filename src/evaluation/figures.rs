//! What an evaluation says, in the names of its JSON.

use crate::config::SamplerConfig;
use crate::model::Weights;
use serde::Serialize;

/// A model against the density of its data. Everything is in nats except where it says otherwise; p is the data
/// density, with the noise that training added, and q = exp(−E)/Z the model's.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The planar set.
    pub source: String,
    /// Standard deviation of the noise in p (`data.noise`).
    pub data_noise: f32,
    /// Which weights the model computes with.
    pub weights: Weights,
    /// Optimiser steps they have seen.
    pub step: u64,
    /// ln Z.
    pub log_z: f64,
    /// Negative log-likelihood: −E_p ln q.
    pub nll: f64,
    /// −E_p ln p, the least that `nll` can be.
    pub data_entropy: f64,
    /// −E_q ln q.
    pub model_entropy: f64,
    /// E_p ln p/q = `nll` − `data_entropy`.
    pub kl_data_model: f64,
    /// E_q ln q/p; null where it is infinite.
    pub kl_model_data: Option<f64>,
    /// Why `kl_model_data` is null; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kl_model_data_is: Option<&'static str>,
    /// ½ ∫ |p − q|, from 0 (equal) to 1.
    pub total_variation: f64,
    /// The share of q where p is 0: outside the squares of a checkerboard without noise.
    pub mass_off_data: f64,
    /// How the integrals were computed.
    pub grid: GridFigures,
    /// −ln q of data drawn afresh.
    pub data_sample: ScoreFigures,
    /// Samples by the model's own sampler; null if none were drawn.
    pub samples: Option<SampleFigures>,
    /// The share of modes to which q gives at least [`COVERED`] of their due weight.
    pub model_mode_coverage: f64,
    /// The modes of the data.
    pub modes: Vec<ModeFigures>,
}

/// A mode is covered from this share of its due weight on.
pub const COVERED: f64 = 0.25;

/// The grid of the integrals.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct GridFigures {
    /// The largest change that was allowed.
    pub tolerance: f64,
    /// The largest change, when the cells were last halved, of log Z, the NLL, the entropies, KL(p‖q) and
    /// `mass_off_data`: their estimated error.
    pub error: f64,
    /// The same of `kl_model_data`, for whose integrand's kinks refinement does not wait.
    pub kl_model_data_error: f64,
    /// The same of `total_variation`, likewise.
    pub total_variation_error: f64,
    /// The grid covers ±`half_width` in both coordinates.
    pub half_width: usize,
    /// The side of a cell.
    pub cell: f64,
    /// Cells of the finest grid.
    pub cells: usize,
}

/// −ln q of fresh samples.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ScoreFigures {
    /// How many.
    pub count: usize,
    /// Their mean, an estimate of `nll`.
    pub nll: f64,
    /// The standard error of that mean.
    pub standard_error: f64,
}

/// Samples that were drawn by the checkpoint's own sampler from fresh starts.
#[derive(Clone, Debug, Serialize)]
pub struct SampleFigures {
    /// How many.
    pub count: usize,
    /// How many of them are not finite: chains that ran away.
    pub lost: usize,
    /// The step size in the end: kinds with a Metropolis test begin with the one that training left, and adapt it.
    pub step_size: f32,
    /// Mean acceptance probability; null for kinds without a test.
    pub acceptance: Option<f32>,
    /// Energy-gradient evaluations that they took.
    pub gradient_evaluations: u64,
    /// Steps of each chain (`run.sample_steps`).
    pub steps: usize,
    /// Seed of the chains, and of `data_sample`.
    pub seed: u64,
    /// The sampler's settings, as the checkpoint holds them.
    pub sampler: SamplerConfig,
    /// The share of modes in which there is at least [`COVERED`] of the due number of samples.
    pub mode_coverage: f64,
}

/// One mode. A point belongs to the mode that is nearest to it, see
/// [`PlanarDensity::assign`](crate::data::PlanarDensity::assign).
#[derive(Clone, Debug, Serialize)]
pub struct ModeFigures {
    /// What it is called.
    pub name: String,
    /// The share of p that is nearest to it: its due weight.
    pub data: f64,
    /// The same of q, by quadrature.
    pub model: f64,
    /// The same of the samples; null if none were drawn.
    pub samples: Option<f64>,
}
