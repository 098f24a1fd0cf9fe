//! Whether samples are copies: their nearest neighbours among the training samples.

use super::auroc::{Auroc, auroc};
use super::error::QualityError;
use super::pairs::squared_distance;
use super::points::{Points, check_count};
use serde::Serialize;

/// A neighbour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which of the training samples.
    pub index: usize,
    /// How far it is.
    pub distance: f64,
}

/// The nearest of `training` to each of `points`, by Euclidean distance; the first of equally near ones.
///
/// # Errors
/// When points are of other dimensions, or nothing was trained on.
pub fn nearest(points: &Points, training: &Points) -> Result<Vec<Neighbour>, QualityError> {
    points.check_like(training)?;
    training.check_count("nearest training samples", 1)?;
    let of = |point: &[f64]| {
        let distances = training.iter().map(|other| squared_distance(point, other));
        let (index, squared) = distances
            .enumerate()
            .fold((0, f64::INFINITY), |best, next| {
                if next.1 < best.1 { next } else { best }
            });
        Neighbour {
            index,
            distance: squared.sqrt(),
        }
    };
    Ok(points.iter().map(of).collect())
}

/// Distances to the nearest training sample, of samples and of data that were held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NearestFigures {
    /// Samples.
    pub samples: usize,
    /// Training samples.
    pub training: usize,
    /// Held-out data.
    pub held_out: usize,
    /// The median distance of the samples.
    pub median: f64,
    /// The same of held-out data: what `median` would be if samples were fresh data.
    pub floor: f64,
    /// The probability that a sample is nearer to its nearest training sample than a held-out one to its own: 0.5 for
    /// fresh data, 1 for copies.
    pub copying: Auroc,
}

/// Compares how near samples and held-out data come to the training data, by the rank statistic of C. Meehan,
/// K. Chaudhuri and S. Dasgupta, *A non-parametric test to detect data-copying in generative models*, 2020 (theirs is the
/// same in standard units and within cells). `of_samples` are the samples' neighbours among `training`. Samples far off
/// the data hide copies: see the picture, too.
///
/// # Errors
/// When points are of other dimensions, or a set is empty.
pub fn nearest_figures(
    of_samples: &[Neighbour],
    training: &Points,
    held_out: &Points,
) -> Result<NearestFigures, QualityError> {
    let what = "distances to the nearest training sample";
    check_count(what, of_samples.len().min(held_out.count()), 1)?;
    let distances = |found: &[Neighbour]| found.iter().map(|found| found.distance).collect();
    let of_samples: Vec<f64> = distances(of_samples);
    let of_held_out: Vec<f64> = distances(&nearest(held_out, training)?);
    Ok(NearestFigures {
        samples: of_samples.len(),
        training: training.count(),
        held_out: held_out.count(),
        copying: auroc(&of_samples, &of_held_out)?,
        median: median(of_samples),
        floor: median(of_held_out),
    })
}

/// The median of at least one value: the mean of the middle two of an even number.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        0 => (values[half - 1] + values[half]) / 2.0,
        _ => values[half],
    }
}
