//! Whether two sets come from one distribution, by a permutation test.

use super::error::QualityError;
use super::nearest::median;
use super::pairs::{pairwise, squared_distance};
use super::points::Points;
use crate::random::{Philox, Stream};
use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use serde::Serialize;

/// The Philox step of the divisions.
const PERMUTATIONS: u32 = 2001;

/// Standard deviations of the Gaussian kernels, in median distances between any two points: differences in detail within modes
/// that lie far apart show by narrow ones, and of modes and means by wide ones.
const BANDWIDTHS: [f64; 4] = [1.0 / 16.0, 0.25, 1.0, 4.0];
/// Which of them is the one whose discrepancy is told.
const MEDIAN: usize = 2;

/// What a permutation test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PermutationTest {
    /// The unbiased squared maximum mean discrepancy of the two sets, under the kernel of the median distance.
    pub discrepancy: f64,
    /// How much higher the mean energy of the left set is than that of the right; none where no energies were given.
    pub energy_difference: Option<f64>,
    /// The probability of a difference as large or larger, in whichever statistic shows it most, if both came from one
    /// distribution; at least 1/(permutations + 1).
    pub p_value: f64,
    /// Permutations that were drawn.
    pub permutations: usize,
}

/// Tests whether two sets come from one distribution, by how they differ against how random divisions of all points into sets of
/// the same sizes do. The statistics are squared maximum mean discrepancies under Gaussian kernels whose standard deviations
/// are 1/16, 1/4, 1 and 4 times the median distance between any two points (A. Gretton et al., *A kernel two-sample test*,
/// 2012), and where `energies` of the left and the right points are given, the squared difference of their means. They are joined
/// as aggregated tests are (A. Schrab et al., *MMD aggregated two-sample test*, 2023), here by the largest of them once each
/// is taken less its mean over all divisions and divided by its standard deviation there. That treats the division at hand as
/// any other, so that its rank among them is as exact as that of one statistic. The p-value counts it among them and is so valid
/// for any number of permutations (B. Phipson, G. Smyth, *Permutation p-values should never be zero*, 2010).
///
/// Valid for independent points: of chains, one state each.
///
/// # Errors
/// When points are of other dimensions or all equal, a set has fewer than two, energies are not as many or not finite, or no
/// permutations are asked for.
pub fn permutation_test(
    left: &Points,
    right: &Points,
    energies: Option<[&[f64]; 2]>,
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
    let (n, m) = (left.count(), right.count());
    if let Some([of_left, of_right]) = energies {
        check_energies("of the left set", of_left, n)?;
        check_energies("of the right set", of_right, m)?;
    }
    let squared = pairwise(&left.followed_by(right)?, squared_distance);
    let median = median_of_pairs(&squared);
    if median == 0.0 {
        return Err(QualityError::NoScale);
    }
    let mut order: Vec<usize> = (0..n + m).collect();
    let mut random = Philox::new(seed, Stream::Resampling, PERMUTATIONS);
    // A column a division: 1 for the points on the left. The first is that at hand.
    let mut divisions = DMatrix::zeros(n + m, permutations + 1);
    for mut division in divisions.column_iter_mut() {
        for &index in &order[..n] {
            division[index] = 1.0;
        }
        order.shuffle(&mut random);
    }

    let mut statistics: Vec<Vec<f64>> = BANDWIDTHS
        .iter()
        .map(|width| discrepancies(&squared, width * width * median, &divisions, n))
        .collect();
    let discrepancy = statistics[MEDIAN][0];
    let energy_difference = energies.map(|[of_left, of_right]| mean(of_left) - mean(of_right));
    if let Some(energies) = energies {
        statistics.push(energy_differences(&energies.concat(), &divisions, n));
    }
    let mut largest = vec![f64::NEG_INFINITY; permutations + 1];
    for statistic in &statistics {
        for (largest, found) in largest.iter_mut().zip(studentised(statistic)) {
            *largest = largest.max(found);
        }
    }
    let as_high = largest
        .iter()
        .filter(|found| **found >= largest[0] - TIE)
        .count();
    Ok(PermutationTest {
        discrepancy,
        energy_difference,
        p_value: as_high as f64 / (permutations + 1) as f64,
        permutations,
    })
}

/// Divisions into the same sets must count as equal whatever the order of their sums, whose rounding is below 1e-14: at most 1e-5
/// of the least deviation that counts.
const TIE: f64 = 1e-5;
const LEAST_DEVIATION: f64 = 1e-9;

/// `statistic` less its mean and over its standard deviation; below any other where it has none but rounding.
fn studentised(statistic: &[f64]) -> Vec<f64> {
    let centre = mean(statistic);
    let squares: f64 = statistic.iter().map(|value| (value - centre).powi(2)).sum();
    let deviation = (squares / statistic.len() as f64).sqrt();
    let of = |value: &f64| match deviation > LEAST_DEVIATION {
        true => (value - centre) / deviation,
        false => f64::NEG_INFINITY,
    };
    statistic.iter().map(of).collect()
}

/// The unbiased squared discrepancy of each of `divisions`, with `n` points on the left, under the kernel
/// exp(−|x − y|² / 2 `variance`).
fn discrepancies(
    squared: &DMatrix<f64>,
    variance: f64,
    divisions: &DMatrix<f64>,
    n: usize,
) -> Vec<f64> {
    let mut kernel = squared.map(|squared| (-squared / (2.0 * variance)).exp());
    // No pair of a point and itself counts.
    kernel.fill_diagonal(0.0);
    let sums = &kernel * divisions;
    let total = kernel.sum();
    let (n, m) = (n as f64, (kernel.nrows() - n) as f64);
    let of = |index| {
        let (division, sums) = (divisions.column(index), sums.column(index));
        let of_left = division.dot(&sums);
        let across = sums.sum() - of_left;
        let of_right = total - of_left - 2.0 * across;
        of_left / (n * (n - 1.0)) + of_right / (m * (m - 1.0)) - 2.0 * across / (n * m)
    };
    (0..divisions.ncols()).map(of).collect()
}

/// The squared difference between the mean energies of both sides of each of `divisions`, in standard deviations of all
/// `energies`.
fn energy_differences(energies: &[f64], divisions: &DMatrix<f64>, n: usize) -> Vec<f64> {
    let centre = mean(energies);
    let squares: f64 = energies
        .iter()
        .map(|energy| (energy - centre).powi(2))
        .sum();
    let deviation = (squares / energies.len() as f64).sqrt();
    // Energies that are equal but for rounding tell nothing apart.
    if deviation <= 1e-12 * centre.abs() {
        return vec![0.0; divisions.ncols()];
    }
    let standard = DVector::from_iterator(
        energies.len(),
        energies.iter().map(|energy| (energy - centre) / deviation),
    );
    let (n, m) = (n as f64, (energies.len() - n) as f64);
    // All add up to 0, so that the right side has what the left lacks.
    let of_left = divisions.tr_mul(&standard);
    let difference = |sum: &f64| (sum / n + sum / m).powi(2);
    of_left.iter().map(difference).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn check_energies(which: &'static str, energies: &[f64], count: usize) -> Result<(), QualityError> {
    if energies.len() != count {
        return Err(QualityError::Energies {
            given: energies.len(),
            count,
        });
    }
    match energies.iter().position(|energy| !energy.is_finite()) {
        Some(index) => Err(QualityError::EnergyNotFinite { which, index }),
        None => Ok(()),
    }
}

/// The median of a symmetric matrix of at least two rows over all pairs of different points.
pub(super) fn median_of_pairs(matrix: &DMatrix<f64>) -> f64 {
    let column = |j: usize| (0..j).map(move |i| matrix[(i, j)]);
    median((0..matrix.ncols()).flat_map(column).collect())
}
