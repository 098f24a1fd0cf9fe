//! The kernel Stein discrepancy: samples against the model itself, by the gradient of its energy and without its normaliser.

use super::error::QualityError;
use super::halves::standard_error;
use super::kernel::pairs_within;
use super::nearest::median;
use super::pairs::{dot, squared_distance};
use super::points::Points;
use crate::random::{Philox, Stream};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// The Philox step of the bootstrap's signs.
const SIGNS: u32 = 2000;

/// A kernel Stein discrepancy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SteinFigures {
    /// Points.
    pub samples: usize,
    /// The squared discrepancy, by the estimate without bias: around 0 where the points are the model's, hence at times
    /// below.
    pub squared: f64,
    /// Its standard error, by how much it differs between halves of the points.
    pub standard_error: f64,
    /// The probability of such a value or a higher one if the points are independent samples of the model.
    pub p_value: f64,
    /// Draws that the p-value was found by.
    pub bootstraps: usize,
    /// The length c of the kernel.
    pub length: f64,
}

/// The squared kernel Stein discrepancy of `points` from the model whose energy has these `gradients` at them, by its
/// U-statistic (Q. Liu, J. Lee, M. Jordan, *A kernelized Stein discrepancy for goodness-of-fit tests*, 2016), with the
/// inverse multiquadric kernel (c² + |x − y|²)^−½ (J. Gorham, L. Mackey, *Measuring sample quality with kernels*, 2017),
/// which does not lose sight of points far off as a Gaussian kernel does. Here c is `length`. It is blind to how weight is
/// shared out between modes that lie far apart.
///
/// The p-value is by a wild bootstrap: the statistic with random signs of the points (K. Chwialkowski, H. Strathmann,
/// A. Gretton, *A kernel test of goodness of fit*, 2016), valid for independent points.
///
/// # Errors
/// When points and gradients differ in number or dimensions, there are fewer than 20, `length` is not above 0, or no bootstraps are asked
/// for.
pub fn stein_discrepancy(
    points: &Points,
    gradients: &Points,
    length: f64,
    bootstraps: usize,
    seed: u64,
) -> Result<SteinFigures, QualityError> {
    points.check_count("a Stein discrepancy with its spread", 20)?;
    if bootstraps == 0 {
        return Err(QualityError::OutOfRange {
            what: "the number of bootstraps",
            given: 0,
            least: 1,
        });
    }
    let kernel = stein_kernel(points, gradients, length)?;
    let count = kernel.nrows();
    let statistic = |indices: &[usize]| {
        let pairs = indices.len() * (indices.len() - 1);
        [2.0 * pairs_within(&kernel, indices) / pairs as f64]
    };
    let all: Vec<usize> = (0..count).collect();
    let [squared] = statistic(&all);
    let [standard_error] = standard_error(count, seed, |kept| Ok(statistic(kept)))?;
    let diagonal = kernel.diagonal().sum();
    let pairs = (count * (count - 1)) as f64;
    let mut random = Philox::new(seed, Stream::Resampling, SIGNS);
    let mut as_high = 1;
    for _ in 0..bootstraps {
        let signs = DVector::from_fn(
            count,
            |_, _| if random.uniform() < 0.5 { -1.0 } else { 1.0 },
        );
        let drawn = ((&kernel * &signs).dot(&signs) - diagonal) / pairs;
        as_high += usize::from(drawn >= squared);
    }
    Ok(SteinFigures {
        samples: count,
        squared,
        standard_error,
        p_value: f64::from(as_high as u32) / (bootstraps + 1) as f64,
        bootstraps,
        length,
    })
}

/// The median distance between two points, of at most the first 500: a length for the kernel.
///
/// # Errors
/// When there are fewer than two points, or they are all equal.
pub fn median_distance(points: &Points) -> Result<f64, QualityError> {
    points.check_count("a median distance", 2)?;
    let some: Vec<&[f64]> = points.iter().take(500).collect();
    let pairs = some.iter().enumerate();
    let distances = pairs.flat_map(|(place, x)| {
        some[..place]
            .iter()
            .map(move |y| squared_distance(x, y).sqrt())
    });
    match median(distances.collect()) {
        0.0 => Err(QualityError::NoScale),
        length => Ok(length),
    }
}

/// The Stein kernel of every two points, with the score s = −∇E of the model:
/// s(x)·s(y) k + s(x)·∇_y k + s(y)·∇_x k + tr ∇_x∇_y k.
fn stein_kernel(
    points: &Points,
    gradients: &Points,
    length: f64,
) -> Result<DMatrix<f64>, QualityError> {
    points.check_like(gradients)?;
    if points.count() != gradients.count() {
        return Err(QualityError::TooFew {
            what: "energy gradients",
            given: gradients.count(),
            least: points.count(),
        });
    }
    if !(length > 0.0 && length.is_finite()) {
        return Err(QualityError::NoScale);
    }
    let (count, dimensions) = (points.count(), points.dimensions() as f64);
    let mut kernel = DMatrix::zeros(count, count);
    let both = || points.iter().zip(gradients.iter()).enumerate();
    for (i, (x, x_gradient)) in both() {
        for (j, (y, y_gradient)) in both().take(i + 1) {
            let squared = squared_distance(x, y);
            let base = length * length + squared;
            let value = base.powf(-0.5);
            // k = base^−½, so that ∇_y k = base^−³ᐟ² (x − y) = −∇_x k.
            let (first, second) = (-base.powf(-1.5), 3.0 * base.powf(-2.5));
            let along: f64 = x
                .iter()
                .zip(y)
                .zip(x_gradient.iter().zip(y_gradient))
                .map(|((x, y), (of_x, of_y))| (x - y) * (of_x - of_y))
                .sum();
            let stein = dot(x_gradient, y_gradient) * value + first * along
                - first * dimensions
                - second * squared;
            kernel[(i, j)] = stein;
            kernel[(j, i)] = stein;
        }
    }
    Ok(kernel)
}
