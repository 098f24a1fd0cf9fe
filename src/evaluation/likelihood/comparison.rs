//! Other densities on equal terms: fitted to what the model was trained on, scored by what it is scored by.

use super::figures::{ComparisonFigures, IntervalFigures};
use super::gaussian::FittedGaussian;
use super::kernel_density::KernelDensity;
use crate::random::{Philox, Stream};

/// The Philox step of the noise that finds a bandwidth, which no run gets to.
const BANDWIDTH_STEP: u32 = u32::MAX - 24;

/// What both models and other densities are scored by.
pub(super) struct Scores<'a> {
    /// Noisy samples.
    pub(super) points: &'a [f32],
    /// Which samples of their data these are.
    pub(super) rows: &'a [usize],
    /// −E of each of them.
    pub(super) negative_energies: &'a [f64],
    /// ln Z, where it is valid.
    pub(super) log_z: Option<IntervalFigures>,
    /// Standard deviation of the noise.
    pub(super) noise: f32,
    /// Values of a sample.
    pub(super) length: usize,
    pub(super) seed: u64,
}

/// A Gaussian and a kernel density, both fitted to the clean samples `training`. `bits` makes bits per dimension of a
/// log-likelihood.
pub(super) fn compare(
    training: &[f32],
    scores: &Scores<'_>,
    bits: &dyn Fn(IntervalFigures) -> IntervalFigures,
) -> Vec<ComparisonFigures> {
    let count = training.len() / scores.length;
    let gaussian = FittedGaussian::fit(training, scores.length, scores.noise);
    let gaussian = gaussian.map(|fitted| (count, None, fitted.log_densities(scores.points)));
    let mut random = Philox::new(scores.seed, Stream::DataNoise, BANDWIDTH_STEP);
    let mut normal = || random.normal();
    let kernels = KernelDensity::fit(training, scores.length, scores.noise, &mut normal);
    let kernels = kernels.map(|fitted| {
        let densities = fitted.log_densities(scores.points);
        (fitted.count(), Some(fitted.bandwidth()), densities)
    });
    [("gaussian", gaussian), ("kernel density", kernels)]
        .into_iter()
        .map(|(name, found)| {
            let found = found.and_then(|(training, bandwidth, densities)| {
                let log_likelihood =
                    IntervalFigures::of_mean(&densities, "its log-density", scores.rows)?;
                Ok((training, bandwidth, densities, log_likelihood))
            });
            (name, found)
        })
        .map(|(name, found)| match found {
            Ok((training, bandwidth, densities, log_likelihood)) => ComparisonFigures {
                name,
                training,
                bandwidth,
                log_likelihood: Some(log_likelihood),
                bits_per_dimension: Some(bits(log_likelihood)),
                difference: scores.difference(&densities),
                not_valid: None,
            },
            Err(reason) => ComparisonFigures {
                name,
                training: count,
                bandwidth: None,
                log_likelihood: None,
                bits_per_dimension: None,
                difference: None,
                not_valid: Some(reason),
            },
        })
        .collect()
}

impl Scores<'_> {
    /// The mean of −E − ln Z less `densities`, sample by sample: what both say alike of easy and of hard samples is no error of
    /// the difference.
    fn difference(&self, densities: &[f64]) -> Option<IntervalFigures> {
        let pairs = self.negative_energies.iter().zip(densities);
        let differences: Vec<f64> = pairs.map(|(model, other)| model - other).collect();
        let found = IntervalFigures::of_mean(&differences, "the difference", self.rows).ok()?;
        Some(found.minus(self.log_z?))
    }
}
