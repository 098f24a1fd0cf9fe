use crate::method::RatioMetrics;
use serde::{Deserialize, Serialize};

/// One line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsRow {
    /// Optimiser step, counted from 0.
    pub step: u64,
    /// Steps since the snapshot, or the newest of a mixture, was taken: 0 right after a refresh. Fixed noise is as old as
    /// the run; a moving average never older than 0.
    pub snapshot_age: u64,
    pub loss: f32,
    pub energy_l2: f32,
    pub energy_data: f32,
    pub energy_noise: f32,
    /// Share of samples that the log-ratio puts on their side; ties count half.
    pub nce_accuracy: f32,
    /// Standard deviation of the log-ratio E_φ − E_θ + c.
    pub log_ratio_spread: f32,
    /// c.
    pub normaliser: f32,
    /// Samples whose log-ratio was clamped; 0 for bounded generators.
    pub clamped: u32,
    /// Effective sample size of the weights exp(E_φ − E_θ) over the noise, as a share of their number.
    pub ess: f32,
    /// Before clipping.
    pub gradient_norm: f32,
    pub learning_rate: f32,
    /// Energy-gradient evaluations spent on sampling so far.
    pub gradient_evaluations: u64,
    /// The sampler's step size, adapted or not.
    pub step_size: f32,
    /// Mean Metropolis acceptance of the step's chains at that step size; 1 for samplers without a test.
    pub acceptance: f32,
    /// Data samples a second, over the last few steps; 0 until it is known.
    pub samples_per_second: f32,
}

impl MetricsRow {
    /// The name of the first value that shows the run has diverged.
    pub fn not_finite(&self, lost: f32) -> Option<&'static str> {
        if lost > 0.0 || !self.energy_data.is_finite() || !self.energy_noise.is_finite() {
            return Some("an energy");
        }
        if !self.loss.is_finite() {
            return Some("the loss");
        }
        (!self.gradient_norm.is_finite()).then_some("the gradient")
    }

    pub(super) fn new(metrics: &RatioMetrics, step: u64) -> Self {
        MetricsRow {
            step,
            snapshot_age: metrics.age as u64,
            loss: metrics.loss,
            energy_l2: metrics.l2,
            energy_data: metrics.energy_data,
            energy_noise: metrics.energy_noise,
            nce_accuracy: metrics.accuracy,
            log_ratio_spread: metrics.spread,
            normaliser: metrics.normaliser,
            clamped: metrics.clamped as u32,
            ess: metrics.ess,
            gradient_norm: metrics.gradient_norm,
            learning_rate: 0.0,
            gradient_evaluations: 0,
            step_size: 0.0,
            acceptance: 1.0,
            samples_per_second: 0.0,
        }
    }
}
