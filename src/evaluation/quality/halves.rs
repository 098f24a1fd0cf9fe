//! The spread of a figure over what it was computed from.

use super::error::QualityError;
use super::points::shuffled;

/// Divisions into halves.
const DIVISIONS: u32 = 10;

/// The standard error of the figures `of` some of `count` points of every set: √(mean (θ₁ − θ₂)²/4) over random divisions
/// of all sets into halves, which have the figures θ₁ and θ₂. Those are independent and of half as many points, so that
/// the variance of their difference is four times that of the figure (P. McCarthy, *Pseudo-replication: half samples*,
/// 1969). It is too large, up to √2 times for a squared distance whose true value is 0; a jackknife there states more than
/// twice too much, and in a bootstrap points are their own neighbours.
pub(super) fn standard_error<const N: usize>(
    count: usize,
    seed: u64,
    mut of: impl FnMut(&[usize]) -> Result<[f64; N], QualityError>,
) -> Result<[f64; N], QualityError> {
    let mut squares = [0.0; N];
    for division in 0..DIVISIONS {
        let order = shuffled(count, seed, division);
        let (first, rest) = order.split_at(count / 2);
        let (first, second) = (of(first)?, of(&rest[..count / 2])?);
        for (sum, (a, b)) in squares.iter_mut().zip(first.iter().zip(&second)) {
            *sum += (a - b).powi(2);
        }
    }
    Ok(squares.map(|sum| (sum / f64::from(DIVISIONS) / 4.0).sqrt()))
}
