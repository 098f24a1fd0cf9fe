//! The sliced Wasserstein distance: transport between the shadows of two sets on many lines.

use super::error::QualityError;
use super::points::Points;
use crate::random::{Philox, Stream, box_muller};

/// Random directions in `dimensions` dimensions, each of length 1: normal numbers of the stream [`Stream::Directions`],
/// scaled.
///
/// # Errors
/// When there are no dimensions.
pub fn directions(count: usize, dimensions: usize, seed: u64) -> Result<Points, QualityError> {
    let mut random = Philox::new(seed, Stream::Directions, 0);
    let mut values = Vec::with_capacity(count * dimensions);
    for _ in 0..count {
        let mut direction: Vec<f64> = (0..dimensions)
            .map(|_| box_muller(random.uniform().into(), random.uniform().into())[0])
            .collect();
        let length = direction
            .iter()
            .map(|value| value * value)
            .sum::<f64>()
            .sqrt();
        direction.iter_mut().for_each(|value| *value /= length);
        values.extend(direction);
    }
    Points::new(values, dimensions)
}

/// The sliced Wasserstein-2 distance: the root of the mean, over `directions`, of the squared Wasserstein-2 distance
/// between the points' components along each (N. Bonneel et al., *Sliced and Radon Wasserstein barycenters of measures*,
/// 2015). On a line that distance is exact for any counts: ∫ (F⁻¹(u) − G⁻¹(u))² du of the two sets' quantiles. In units of the
/// points.
///
/// # Errors
/// When points or directions are of other dimensions, or there are none.
pub fn sliced_wasserstein(
    left: &Points,
    right: &Points,
    directions: &Points,
) -> Result<f64, QualityError> {
    left.check_like(right)?;
    left.check_like(directions)?;
    for (points, what) in [
        (left, "a sliced distance"),
        (right, "a sliced distance"),
        (directions, "the directions of a sliced distance"),
    ] {
        points.check_count(what, 1)?;
    }
    let shadows = |points: &Points| points.matrix().transpose() * directions.matrix();
    let (mut left, mut right) = (shadows(left), shadows(right));
    let columns = left.column_iter_mut().zip(right.column_iter_mut());
    let squares: f64 = columns
        .map(|(mut left, mut right)| {
            let (left, right) = (left.as_mut_slice(), right.as_mut_slice());
            left.sort_unstable_by(f64::total_cmp);
            right.sort_unstable_by(f64::total_cmp);
            squared_transport(left, right)
        })
        .sum();
    Ok((squares / directions.count() as f64).sqrt())
}

/// ∫ (F⁻¹ − G⁻¹)² of two sorted sets. The quantiles are steps that end at multiples of 1/n and 1/m; in units of 1/nm all
/// ends are whole numbers.
fn squared_transport(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len(), right.len());
    let (mut i, mut j, mut from, mut sum) = (0, 0, 0, 0.0);
    while i < n && j < m {
        let (left_end, right_end) = ((i + 1) * m, (j + 1) * n);
        let end = left_end.min(right_end);
        sum += (end - from) as f64 * (left[i] - right[j]).powi(2);
        i += usize::from(left_end == end);
        j += usize::from(right_end == end);
        from = end;
    }
    sum / (n * m) as f64
}
