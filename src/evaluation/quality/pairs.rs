//! What is computed of every two points of a set.

use super::points::Points;
use nalgebra::DMatrix;

/// The symmetric matrix of `of` every two points.
pub(super) fn pairwise(points: &Points, of: impl Fn(&[f64], &[f64]) -> f64) -> DMatrix<f64> {
    let count = points.count();
    let mut matrix = DMatrix::zeros(count, count);
    for (i, left) in points.iter().enumerate() {
        for (j, right) in points.iter().enumerate().take(i + 1) {
            let value = of(left, right);
            matrix[(i, j)] = value;
            matrix[(j, i)] = value;
        }
    }
    matrix
}

pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    sum(left, right, |a, b| a * b)
}

pub(super) fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    sum(left, right, |a, b| (a - b) * (a - b))
}

/// Σ of(a, b), in eight sums side by side: a compiler may not change the order of a sum, and one after the other each
/// addition waits for the one before.
fn sum(left: &[f64], right: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    let (left_eights, left_rest) = left.as_chunks::<8>();
    let (right_eights, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (left, right) in left_eights.iter().zip(right_eights) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += of(a, b);
        }
    }
    let rest: f64 = left_rest
        .iter()
        .zip(right_rest)
        .map(|(&a, &b)| of(a, b))
        .sum();
    sums.iter().sum::<f64>() + rest
}
