//! The Gaussian that a model must beat to have earned its network.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use std::f64::consts::PI;

/// The most dimensions, since a fit takes operations in their square for every sample.
const MOST_DIMENSIONS: usize = 1024;
/// More samples than so many times the dimensions: a covariance of n samples has n − 1 dimensions at most, and one of few more
/// is of their noise.
const FEWEST_SAMPLES: usize = 2;
/// Samples that are taken into the covariance, or scored, at a time.
const BATCH: usize = 512;

/// A normal law on D dimensions.
pub struct FittedGaussian {
    mean: DVector<f64>,
    factor: Cholesky<f64, Dyn>,
}

impl FittedGaussian {
    /// The one with the mean and the covariance, over n, of `samples` of `length` values to which noise of standard deviation
    /// `noise` was added: of all such laws the likeliest, the average over the noise taken.
    ///
    /// # Errors
    /// Why there is none: too many dimensions, too few samples, or values that depend on others.
    pub fn fit(samples: &[f32], length: usize, noise: f32) -> Result<Self, String> {
        if length > MOST_DIMENSIONS {
            return Err(format!(
                "a covariance of {length} dimensions is too large to fit: {MOST_DIMENSIONS} at most"
            ));
        }
        let count = samples.len() / length;
        if count <= FEWEST_SAMPLES * length {
            return Err(format!(
                "a Gaussian fitted to {count} samples of {length} dimensions fits their noise: it takes more than {}",
                FEWEST_SAMPLES * length
            ));
        }
        let mut mean = DVector::zeros(length);
        for sample in samples.chunks_exact(length) {
            for (sum, value) in mean.iter_mut().zip(sample) {
                *sum += f64::from(*value);
            }
        }
        mean /= count as f64;
        let mut covariance = DMatrix::zeros(length, length);
        for batch in samples.chunks(BATCH * length) {
            let centred = centred(batch, &mean);
            covariance.gemm(1.0 / count as f64, &centred, &centred.transpose(), 1.0);
        }
        for place in 0..length {
            covariance[(place, place)] += f64::from(noise).powi(2);
        }
        let least = least_pivots(samples, &covariance);
        let factor = covariance.cholesky().filter(|factor| {
            let pivots = factor.l_dirty().diagonal();
            pivots
                .iter()
                .zip(&least)
                .all(|(pivot, least)| pivot.powi(2) > *least)
        });
        let factor = factor.ok_or(
            "the covariance of the data is singular, as far as 32-bit values tell: some of them do not vary or depend on others",
        )?;
        Ok(FittedGaussian { mean, factor })
    }

    /// ln of its density at each of `points`.
    pub fn log_densities(&self, points: &[f32]) -> Vec<f64> {
        let length = self.mean.len();
        let constant = length as f64 * (2.0 * PI).ln() + self.factor.ln_determinant();
        let mut densities = Vec::with_capacity(points.len() / length);
        for batch in points.chunks(BATCH * length) {
            let mut centred = centred(batch, &self.mean);
            // The factor has a diagonal above 0, so that this always solves.
            self.factor
                .l_dirty()
                .solve_lower_triangular_mut(&mut centred);
            let squares = centred.column_iter().map(|column| column.norm_squared());
            densities.extend(squares.map(|square| -0.5 * (constant + square)));
        }
        densities
    }

    /// The mean of ln of its density over the samples that it was fitted to and all noise: −(D·ln 2π + ln det Σ + D)/2.
    pub(super) fn mean_log_density_of_fitted(&self) -> f64 {
        let dimensions = self.mean.len() as f64;
        -0.5 * (dimensions * ((2.0 * PI).ln() + 1.0) + self.factor.ln_determinant())
    }
}

/// What the square of each of the pivots of `covariance`, the variance of a value given those before it, could be by rounding
/// alone.
///
/// A sum over n products has a relative error of up to n·ε, and a factor of D columns one of about D·ε (Higham 2002, §3.1 and
/// theorem 10.3), entry by entry relative to the roots of both variances; a matrix of D columns turns that into D·n·ε of the
/// variance. And values themselves are rounded to 32 bits, by up to 2⁻²⁴ of them: of a sum of D of them the squares add up.
fn least_pivots(samples: &[f32], covariance: &DMatrix<f64>) -> Vec<f64> {
    let length = covariance.ncols();
    let mut greatest = vec![0.0_f64; length];
    for sample in samples.chunks_exact(length) {
        for (greatest, value) in greatest.iter_mut().zip(sample) {
            *greatest = greatest.max(f64::from(value.abs()));
        }
    }
    let (dimensions, count) = (length as f64, (samples.len() / length) as f64);
    let rounding = f64::from(f32::EPSILON) / 2.0;
    let variances = covariance.diagonal();
    let least = greatest.iter().zip(variances.iter());
    least
        .map(|(greatest, variance)| {
            dimensions * (count * f64::EPSILON * variance + (rounding * greatest).powi(2))
        })
        .collect()
}

/// Samples as columns, less `mean`.
fn centred(samples: &[f32], mean: &DVector<f64>) -> DMatrix<f64> {
    let length = mean.len();
    let values = samples.iter().map(|value| f64::from(*value));
    let mut columns = DMatrix::from_iterator(length, samples.len() / length, values);
    for mut column in columns.column_iter_mut() {
        column -= mean;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Philox, Stream};

    /// Of (x, x + y) with x = ±1 and y = ±2 the covariance is ((1, 1), (1, 5)).
    #[test]
    fn it_has_the_mean_and_the_covariance_of_its_samples() {
        let samples = [4.0, 3.0, 4.0, 7.0, 2.0, 1.0, 2.0, 5.0].repeat(2);
        for (noise, determinant) in [(0.0, 4.0_f64), (2.0, 5.0 * 9.0 - 1.0)] {
            let found = FittedGaussian::fit(&samples, 2, noise).unwrap();
            let constant = -(2.0 * PI).ln() - 0.5 * determinant.ln();
            let mean = found.mean_log_density_of_fitted();
            assert!((mean - (constant - 1.0)).abs() < 1e-12, "{mean}");
            // At the mean, and a step of (1, 0) from it, whose square is Σ₂₂ / det Σ.
            let inverse = (5.0 + f64::from(noise).powi(2)) / determinant;
            let wanted = [constant, constant - 0.5 * inverse];
            let densities = found.log_densities(&[3.0, 4.0, 4.0, 4.0]);
            for (density, wanted) in densities.iter().zip(wanted) {
                assert!((density - wanted).abs() < 1e-12, "{density}, not {wanted}");
            }
        }
        let refused = |samples: &[f32]| FittedGaussian::fit(samples, 2, 0.0).err().unwrap();
        assert!(refused(&[1.0, 2.0, 3.0, 2.0].repeat(4)).contains("singular"));
        assert!(refused(&samples[..8]).contains("4 samples of 2"));
    }

    /// By rounding alone a sum has a variance given its parts, and a constant one at all.
    #[test]
    fn values_that_depend_on_others_up_to_rounding_are_refused() {
        // Offsets of some hundred deviations are data that nobody has centred.
        for (offset, more, is_singular) in [
            (0.0, 0.0, true),
            (100.0, 0.0, true),
            (0.0, 1e-3, false),
            (100.0, 1e-3, false),
        ] {
            let mut random = Philox::new(3, Stream::Data, 0);
            let mut draw = || random.normal();
            let samples: Vec<f32> = (0..300)
                .flat_map(|_| {
                    let (x, y, z) = (offset + draw(), draw(), draw());
                    [x, y, x + y + more * z]
                })
                .collect();
            let found = FittedGaussian::fit(&samples, 3, 0.0);
            assert_eq!(found.is_err(), is_singular, "{offset} {more}");
            // With noise none of them does.
            assert!(FittedGaussian::fit(&samples, 3, 0.1).is_ok());
        }
        let constant: Vec<f32> = (0..300).flat_map(|place| [place as f32, 0.1]).collect();
        let refused = FittedGaussian::fit(&constant, 2, 0.0).err().unwrap();
        assert!(refused.contains("do not vary"), "{refused}");
    }
}
