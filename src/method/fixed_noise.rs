use crate::gpu::{Buffer, Recording};
use crate::kernels::noise::{box_energy, gaussian_energy, gaussian_noise};
use crate::kernels::{ChainStart, start_chains};
use crate::random::Stream;

/// The most values a sample may have for a Gaussian with a full covariance.
pub(crate) const MOST_GAUSSIAN_VALUES: usize = 1024;

/// Added to every variance, as a share of their mean, so that values that never change (the corners of pictures) leave
/// the covariance invertible.
const RIDGE: f64 = 1e-3;

/// Noise that stays as it is, with a density known exactly: what noise-contrastive estimation was first done with
/// (Gutmann & Hyvärinen 2010).
#[derive(Clone, Debug)]
pub struct FixedNoise {
    kind: FixedDensity,
    /// Draws of a step; standard normal before they become those of a Gaussian.
    draws: Buffer,
    length: usize,
    seed: u64,
}

/// A run has one of these, so its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum FixedDensity {
    Gaussian {
        mean: Buffer,
        factor: Buffer,
        whitener: Buffer,
        fit: Option<GaussianFit>,
    },
    Uniform {
        low: f32,
        high: f32,
    },
}

impl FixedNoise {
    /// A Gaussian that [`Self::set_fit`] gives its moments: `count` draws of `length` values a step.
    pub fn gaussian(count: usize, length: usize, seed: u64) -> Self {
        let kind = FixedDensity::Gaussian {
            mean: Buffer::new("noise mean", length),
            factor: Buffer::new("noise factor", length * length),
            whitener: Buffer::new("noise whitener", length * length),
            fit: None,
        };
        Self::of(kind, count, length, seed)
    }

    /// Uniform on [`low`, `high`] in every value.
    pub fn uniform(low: f32, high: f32, count: usize, length: usize, seed: u64) -> Self {
        Self::of(FixedDensity::Uniform { low, high }, count, length, seed)
    }

    fn of(kind: FixedDensity, count: usize, length: usize, seed: u64) -> Self {
        FixedNoise {
            kind,
            draws: Buffer::new("fixed noise", count * length),
            length,
            seed,
        }
    }

    /// Whether it needs moments.
    pub(crate) fn is_gaussian(&self) -> bool {
        matches!(self.kind, FixedDensity::Gaussian { .. })
    }

    /// Lower and upper end of its box, if it has one.
    pub(crate) fn bounds(&self) -> Option<(f32, f32)> {
        match self.kind {
            FixedDensity::Uniform { low, high } => Some((low, high)),
            FixedDensity::Gaussian { .. } => None,
        }
    }

    /// Gives it these moments, if it takes any.
    pub fn set_fit(&mut self, moments: GaussianFit) {
        if let FixedDensity::Gaussian { fit, .. } = &mut self.kind {
            *fit = Some(moments);
        }
    }

    /// Must be recorded once before anything else.
    pub fn setup(&self, recording: &mut Recording) {
        if let FixedDensity::Gaussian {
            mean,
            factor,
            whitener,
            fit: Some(fit),
        } = &self.kind
        {
            let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
            recording.upload_f32(*mean, 0, &narrow(&fit.mean));
            recording.upload_f32(*factor, 0, &narrow(&fit.factor));
            recording.upload_f32(*whitener, 0, &narrow(&fit.whitener));
        }
    }

    /// Draws the noise of optimiser step `step` into `samples` from word `first` on.
    pub fn draw(&self, recording: &mut Recording, step: u64, samples: Buffer, first: usize) {
        let count = self.draws.words();
        let mut fill = |start| {
            let (stream, step) = (Stream::FixedNoise, step as u32);
            start_chains(
                recording, start, stream, self.seed, step, 0, count, self.draws,
            );
        };
        match &self.kind {
            FixedDensity::Gaussian { mean, factor, .. } => {
                fill(ChainStart::Gaussian {
                    mean: 0.0,
                    std: 1.0,
                });
                gaussian_noise(recording, *mean, *factor, self.draws, samples, first);
            }
            &FixedDensity::Uniform { low, high } => {
                fill(ChainStart::Uniform { low, high });
                recording.copy_range(self.draws, 0, samples, first, count);
            }
        }
    }

    /// `energies[n]` = −ln q(xₙ), with the exact normaliser.
    pub fn energies(&self, recording: &mut Recording, samples: Buffer, energies: Buffer) {
        match &self.kind {
            FixedDensity::Gaussian {
                mean,
                whitener,
                fit,
                ..
            } => {
                let constant = fit.as_ref().map_or(0.0, GaussianFit::constant) as f32;
                gaussian_energy(recording, *mean, *whitener, constant, samples, energies);
            }
            &FixedDensity::Uniform { low, high } => {
                box_energy(recording, self.length, low, high, samples, energies);
            }
        }
    }
}

/// Mean and covariance of data, factorised.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianFit {
    mean: Vec<f64>,
    /// The lower triangular L with L Lᵀ = covariance, (row, column).
    factor: Vec<f64>,
    /// L⁻¹.
    whitener: Vec<f64>,
}

impl GaussianFit {
    /// The Gaussian with the mean and covariance of `samples`, (sample, value) with `length` values each, to which
    /// noise of standard deviation `noise` is added. A ridge of 10⁻³ times the mean variance keeps the covariance
    /// invertible. None where `samples` are none, not finite, or all the same.
    pub fn new(samples: &[f32], length: usize, noise: f32) -> Option<Self> {
        let count = samples.len().checked_div(length)?;
        if count == 0 {
            return None;
        }
        let mut mean = vec![0.0; length];
        for sample in samples.chunks_exact(length) {
            for (sum, &value) in mean.iter_mut().zip(sample) {
                *sum += f64::from(value) / count as f64;
            }
        }
        let mut covariance = vec![0.0; length * length];
        let mut centred = vec![0.0; length];
        for sample in samples.chunks_exact(length) {
            for ((to, &value), mean) in centred.iter_mut().zip(sample).zip(&mean) {
                *to = f64::from(value) - mean;
            }
            for (row, &a) in centred.iter().enumerate() {
                let columns = covariance[row * length..].iter_mut().zip(&centred[..=row]);
                columns.for_each(|(sum, b)| *sum += a * b / count as f64);
            }
        }
        let trace: f64 = (0..length).map(|i| covariance[i * length + i]).sum();
        let added = f64::from(noise).powi(2) + RIDGE * trace / length as f64;
        (0..length).for_each(|i| covariance[i * length + i] += added);
        let factor = cholesky(covariance, length)?;
        let whitener = inverse(&factor, length);
        Some(GaussianFit {
            mean,
            factor,
            whitener,
        })
    }

    /// ln det(2π covariance) / 2: the energy −ln q at the mean.
    pub fn constant(&self) -> f64 {
        let length = self.mean.len();
        let half = 0.5 * std::f64::consts::TAU.ln();
        (0..length)
            .map(|i| half + self.factor[i * length + i].ln())
            .sum()
    }

    /// The mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The lower triangular L with L Lᵀ = covariance, (row, column).
    pub fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// L⁻¹, (row, column).
    pub fn whitener(&self) -> &[f64] {
        &self.whitener
    }
}

/// The lower triangular L with L Lᵀ = the symmetric matrix of which `matrix` holds the lower half; none where it is not
/// positive definite (Golub & Van Loan, *Matrix Computations*, algorithm 4.2.2).
fn cholesky(mut matrix: Vec<f64>, length: usize) -> Option<Vec<f64>> {
    for row in 0..length {
        for column in 0..=row {
            let (above, here) = (column * length, row * length);
            let known: f64 = (0..column)
                .map(|k| matrix[here + k] * matrix[above + k])
                .sum();
            let rest = matrix[here + column] - known;
            matrix[here + column] = if row == column {
                // Also refuses what is no number.
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / matrix[above + column]
            };
        }
        matrix[row * length + row + 1..(row + 1) * length].fill(0.0);
    }
    Some(matrix)
}

/// The inverse of the lower triangular `factor`, by forward substitution.
fn inverse(factor: &[f64], length: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; length * length];
    for row in 0..length {
        let diagonal = factor[row * length + row];
        inverse[row * length + row] = 1.0 / diagonal;
        for k in 0..row {
            let scale = factor[row * length + k] / diagonal;
            let (above, below) = inverse.split_at_mut(row * length);
            let columns = below.iter_mut().zip(&above[k * length..=k * length + k]);
            columns.for_each(|(to, from)| *to -= scale * from);
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Philox;
    use crate::twins::noise::{gaussian_energy, gaussian_noise};

    /// Correlated points around (1, −2, 3), the last value constant.
    fn points() -> Vec<f32> {
        let mut random = Philox::new(1, Stream::Data, 0);
        (0..500)
            .flat_map(|_| {
                let [a, b] = [random.normal(), random.normal()];
                [1.0 + a, -2.0 + 0.5 * a + 0.1 * b, 3.0]
            })
            .collect()
    }

    #[test]
    fn moments_are_those_of_the_data() {
        let points = points();
        let fit = GaussianFit::new(&points, 3, 0.2).unwrap();
        let mean: f64 = points.iter().step_by(3).map(|&v| f64::from(v)).sum::<f64>() / 500.0;
        assert!((fit.mean[0] - mean).abs() < 1e-12);
        let product = |i: usize, j: usize| -> f64 {
            (0..3)
                .map(|k| fit.factor[3 * i + k] * fit.factor[3 * j + k])
                .sum()
        };
        let moment = |i: usize, j: usize| -> f64 {
            let centred = |p: &[f32], i: usize| f64::from(p[i]) - fit.mean[i];
            points
                .chunks(3)
                .map(|p| centred(p, i) * centred(p, j))
                .sum::<f64>()
                / 500.0
        };
        let ridge = RIDGE * (moment(0, 0) + moment(1, 1) + moment(2, 2)) / 3.0;
        for (i, j) in [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)] {
            let added = if i == j { 0.04 + ridge } else { 0.0 };
            assert!(
                (product(i, j) - moment(i, j) - added).abs() < 1e-6,
                "{i} {j}"
            );
        }
    }

    #[test]
    fn a_draw_has_the_energy_of_its_normals() {
        let fit = GaussianFit::new(&points(), 3, 0.0).unwrap();
        let xi = [0.3, -1.2, 2.0];
        let wanted = fit.constant() + 0.5 * xi.iter().map(|v| v * v).sum::<f64>();
        let x = gaussian_noise(&fit.mean, &fit.factor, &xi);
        let energy = gaussian_energy(&fit.mean, &fit.whitener, fit.constant(), &x)[0];
        assert!((energy - wanted).abs() < 1e-9);
        // ln det(2πΣ) / 2 from the determinant of L Lᵀ itself.
        let sigma = |i: usize, j: usize| -> f64 {
            (0..3)
                .map(|k| fit.factor[3 * i + k] * fit.factor[3 * j + k])
                .sum()
        };
        let minor = |a: usize, b: usize| sigma(1, a) * sigma(2, b) - sigma(1, b) * sigma(2, a);
        let determinant =
            sigma(0, 0) * minor(1, 2) - sigma(0, 1) * minor(0, 2) + sigma(0, 2) * minor(0, 1);
        let wanted = 0.5 * (std::f64::consts::TAU.powi(3) * determinant).ln();
        assert!((fit.constant() - wanted).abs() < 1e-6);
    }

    #[test]
    fn data_without_a_covariance_has_no_fit() {
        assert!(GaussianFit::new(&[], 2, 0.1).is_none());
        assert!(GaussianFit::new(&[1.0, 2.0, 1.0, 2.0], 2, 0.0).is_none());
        assert!(GaussianFit::new(&[1.0, f32::NAN], 2, 0.1).is_none());
        assert!(GaussianFit::new(&[1.0, 2.0, 1.0, 2.0], 2, 0.1).is_some());
    }
}
