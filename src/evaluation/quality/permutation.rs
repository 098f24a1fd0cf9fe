//! Whether two sets come from one distribution, by a permutation test.

use super::error::QualityError;
use super::nearest::median;
use super::pairs::{pairwise, squared_distance};
use super::points::Points;
use crate::random::{Philox, Stream};
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use serde::Serialize;

/// The Philox step of the divisions.
const PERMUTATIONS: u32 = 2001;

/// What a permutation test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PermutationTest {
    /// The unbiased squared maximum mean discrepancy of the two sets.
    pub discrepancy: f64,
    /// The probability of such a value or a higher one if both came from one distribution; at least 1/(permutations + 1).
    pub p_value: f64,
    /// Permutations that were drawn.
    pub permutations: usize,
}

/// Tests whether two sets come from one distribution: their squared maximum mean discrepancy under a Gaussian kernel,
/// whose variance is the median squared distance between any two points, against that of random divisions of all
/// points into sets of the same sizes (A. Gretton et al., *A kernel two-sample test*, 2012). The p-value counts the
/// division at hand among them, so that it is valid for any number of permutations (B. Phipson, G. Smyth, *Permutation
/// p-values should never be zero*, 2010).
///
/// Valid for independent points: of chains, one state each.
///
/// # Errors
/// When points are of other dimensions or all equal, a set has fewer than two, or no permutations are asked for.
pub fn permutation_test(
    left: &Points,
    right: &Points,
    permutations: usize,
    seed: u64,
) -> Result<PermutationTest, QualityError> {
    if permutations == 0 {
        return Err(QualityError::OutOfRange {
            what: "the number of permutations",
            given: 0,
            least: 1,
        });
    }
    for points in [left, right] {
        points.check_count("a permutation test", 2)?;
    }
    let kernel = gaussian(&left.followed_by(right)?)?;
    let (count, n) = (kernel.nrows(), left.count());
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = Philox::new(seed, Stream::Resampling, PERMUTATIONS);
    // A column a division: 1 for the points on the left. The first is that at hand.
    let mut divisions = DMatrix::zeros(count, permutations + 1);
    for mut division in divisions.column_iter_mut() {
        for &index in &order[..n] {
            division[index] = 1.0;
        }
        order.shuffle(&mut random);
    }
    let sums = &kernel * &divisions;
    let total = kernel.sum();
    let (n, m) = (n as f64, (count - n) as f64);
    // The kernel is 1 of a point and itself.
    let discrepancies: Vec<f64> = (0..=permutations)
        .map(|index| {
            let (division, sums) = (divisions.column(index), sums.column(index));
            let of_left = division.dot(&sums);
            let across = sums.sum() - of_left;
            let of_right = total - of_left - 2.0 * across;
            (of_left - n) / (n * (n - 1.0)) + (of_right - m) / (m * (m - 1.0))
                - 2.0 * across / (n * m)
        })
        .collect();
    let discrepancy = discrepancies[0];
    // Divisions into the same sets must count as equal whatever the order of their sums.
    let rounding = 1e-12;
    let as_high = discrepancies
        .iter()
        .filter(|found| **found >= discrepancy - rounding)
        .count();
    Ok(PermutationTest {
        discrepancy,
        p_value: as_high as f64 / (permutations + 1) as f64,
        permutations,
    })
}

/// exp(−|x − y|² / 2σ²) with σ² the median squared distance between two different points of `points`.
fn gaussian(points: &Points) -> Result<DMatrix<f64>, QualityError> {
    let squared = pairwise(points, squared_distance);
    let scale = 2.0 * median_of_pairs(&squared);
    if scale == 0.0 {
        return Err(QualityError::NoScale);
    }
    Ok(squared.map(|squared| (-squared / scale).exp()))
}

/// The median of a symmetric matrix of at least two rows over all pairs of different points.
pub(super) fn median_of_pairs(matrix: &DMatrix<f64>) -> f64 {
    let column = |j: usize| (0..j).map(move |i| matrix[(i, j)]);
    median((0..matrix.ncols()).flat_map(column).collect())
}
