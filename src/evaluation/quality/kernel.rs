//! The kernel distance: the maximum mean discrepancy of two sets, without bias.

use super::error::QualityError;
use super::pairs::{dot, pairwise};
use super::points::{Points, check_count};
use nalgebra::DMatrix;

/// (x·y / d + 1)³ of points of d values, the kernel of KID (M. Bińkowski et al., *Demystifying MMD GANs*, 2018).
pub(super) fn polynomial(left: &[f64], right: &[f64]) -> f64 {
    (dot(left, right) / left.len() as f64 + 1.0).powi(3)
}

/// The squared maximum mean discrepancy of two sets under the kernel of KID, by the unbiased estimate (A. Gretton et al.,
/// *A kernel two-sample test*, 2012, eq. 3), from all points at once. Around 0 for equal distributions, hence at times
/// below; in no units.
///
/// # Errors
/// When points are of other dimensions, or there are fewer than two of a set.
pub fn kernel_distance(left: &Points, right: &Points) -> Result<f64, QualityError> {
    let kernel = pairwise(&left.followed_by(right)?, polynomial);
    let indices: Vec<usize> = (0..kernel.nrows()).collect();
    let (left, right) = indices.split_at(left.count());
    mmd(&kernel, left, right)
}

/// The unbiased squared discrepancy of the points `left` and `right` of a kernel matrix.
pub(super) fn mmd(
    kernel: &DMatrix<f64>,
    left: &[usize],
    right: &[usize],
) -> Result<f64, QualityError> {
    let what = "a kernel distance";
    check_count(what, left.len().min(right.len()), 2)?;
    let within = |indices: &[usize]| {
        let pairs = indices.len() * (indices.len() - 1);
        2.0 * pairs_within(kernel, indices) / pairs as f64
    };
    let across: f64 = right
        .iter()
        .map(|&j| left.iter().map(|&i| kernel[(i, j)]).sum::<f64>())
        .sum();
    let across = across / (left.len() * right.len()) as f64;
    Ok(within(left) + within(right) - 2.0 * across)
}

/// The sum of a symmetric matrix over all pairs of different `indices`, each once.
pub(super) fn pairs_within(matrix: &DMatrix<f64>, indices: &[usize]) -> f64 {
    let column = |(place, &j): (usize, &usize)| -> f64 {
        indices[..place].iter().map(|&i| matrix[(i, j)]).sum()
    };
    indices.iter().enumerate().map(column).sum()
}
