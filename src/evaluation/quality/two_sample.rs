//! Whether a classifier tells two sets apart.

use super::error::QualityError;
use super::logistic::LogisticRegression;
use super::points::Points;
use nalgebra::DMatrix;
use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

/// The share of points that a classifier assigned to the right set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Accuracy {
    /// How many were right.
    pub right: usize,
    /// Of how many, which it had not learned from.
    pub count: usize,
    /// Their share: 0.5 where the sets cannot be told apart, 1 where they always can.
    pub accuracy: f64,
    /// The bounds of its 95 % interval.
    pub interval: [f64; 2],
}

/// The classifier two-sample test (D. Lopez-Paz, M. Oquab, *Revisiting classifier two-sample tests*, 2017): a logistic
/// regression learns from the first half of both sets to tell them apart, and is judged on the second halves. It sees
/// differences of means, in the features that the points are; every dimension is scaled to standard units of the first halves. The
/// points must be in random order. Sets are cut to equal counts.
///
/// # Errors
/// When points are of other dimensions, or a set has fewer than four.
pub fn two_sample(left: &Points, right: &Points) -> Result<Accuracy, QualityError> {
    let count = left.count().min(right.count());
    for points in [left, right] {
        points.check_count("a classifier two-sample test", 4)?;
    }
    let half = count / 2;
    let (first, second): (Vec<usize>, Vec<usize>) = (0..count).partition(|index| *index < half);
    let learned_from = left.select(&first).followed_by(&right.select(&first))?;
    let units = Units::of(&learned_from);
    let scaled = |points: &Points, indices: &[usize]| units.scaled(&points.select(indices));
    let model = LogisticRegression::fit(&scaled(left, &first)?, &scaled(right, &first)?)?;
    let false_right = model.count_second(&scaled(left, &second)?);
    let true_right = model.count_second(&scaled(right, &second)?);
    let right = second.len() - false_right + true_right;
    let count = 2 * second.len();
    Ok(Accuracy {
        right,
        count,
        accuracy: right as f64 / count as f64,
        interval: binomial_interval(right, count)?,
    })
}

/// The 95 % interval of a probability of which `successes` of `count` trials are known, which holds it at least as often as
/// that (C. Clopper, E. Pearson, 1934).
///
/// # Errors
/// When there are no trials, or more successes than trials.
pub fn binomial_interval(successes: usize, count: usize) -> Result<[f64; 2], QualityError> {
    if count == 0 || successes > count {
        return Err(QualityError::TooFew {
            what: "a binomial interval",
            given: count,
            least: successes.max(1),
        });
    }
    let quantile = |a: usize, b: usize, at: f64| {
        // Both are at least 1, so that there is such a distribution.
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(at))
    };
    let failures = count - successes;
    let low = match successes {
        0 => 0.0,
        _ => quantile(successes, failures + 1, 0.025),
    };
    let high = match failures {
        0 => 1.0,
        _ => quantile(successes + 1, failures, 0.975),
    };
    Ok([low, high])
}

/// The mean and the standard deviation of every dimension.
struct Units {
    mean: Vec<f64>,
    /// 1 where all values are equal.
    deviation: Vec<f64>,
}

impl Units {
    fn of(points: &Points) -> Self {
        let matrix = points.matrix();
        let mean = matrix.column_mean();
        let of_dimension = |(row, mean): (usize, &f64)| {
            let row = matrix.row(row);
            // Not by a variance of 0: rounding may make it more, or less, of which there is no root.
            if row.iter().all(|value| *value == row[0]) {
                return 1.0;
            }
            let squares: f64 = row.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / row.len() as f64).sqrt()
        };
        Units {
            deviation: mean.iter().enumerate().map(of_dimension).collect(),
            mean: mean.as_slice().to_vec(),
        }
    }

    fn scaled(&self, points: &Points) -> Result<Points, QualityError> {
        let matrix = points.matrix();
        let scaled = DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
            (matrix[(row, column)] - self.mean[row]) / self.deviation[row]
        });
        Points::new(scaled.as_slice().to_vec(), points.dimensions())
    }
}
