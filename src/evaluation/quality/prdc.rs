//! Precision, recall, density and coverage: how far two sets lie in each other's neighbourhoods.

use super::error::QualityError;
use super::pairs::{pairwise, squared_distance};
use super::points::{Points, check_count};
use nalgebra::DMatrix;
use serde::Serialize;

/// Shares of points, and the density, of generated points against real ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prdc {
    /// The share of generated points that lie nearer to some real point than its k-th neighbour among the real ones.
    pub precision: f64,
    /// The same with the sets exchanged.
    pub recall: f64,
    /// The mean number of real points in whose neighbourhood a generated point lies, over k: may exceed 1.
    pub density: f64,
    /// The share of real points with a generated point in their neighbourhood.
    pub coverage: f64,
}

/// Precision and recall (T. Kynkäänniemi et al., *Improved precision and recall metric for assessing generative models*,
/// 2019) and density and coverage (M. Naeem et al., *Reliable fidelity and diversity metrics for generative models*,
/// 2020), with neighbourhoods that reach to the `neighbours`-th neighbour and Euclidean distances. As in the latter's code
/// a point on the border is outside.
///
/// # Errors
/// When points are of other dimensions, `neighbours` is 0, or a set has no more points than that.
pub fn prdc(real: &Points, generated: &Points, neighbours: usize) -> Result<Prdc, QualityError> {
    let distances = pairwise(&real.followed_by(generated)?, squared_distance);
    let indices: Vec<usize> = (0..distances.nrows()).collect();
    let (real, generated) = indices.split_at(real.count());
    prdc_of(&distances, real, generated, neighbours)
}

/// The same from a matrix of squared distances.
pub(super) fn prdc_of(
    squared: &DMatrix<f64>,
    real: &[usize],
    generated: &[usize],
    neighbours: usize,
) -> Result<Prdc, QualityError> {
    if neighbours == 0 {
        return Err(QualityError::OutOfRange {
            what: "the number of neighbours",
            given: 0,
            least: 1,
        });
    }
    let what = "neighbourhoods";
    check_count(what, real.len().min(generated.len()), neighbours + 1)?;
    let real_radii = radii(squared, real, neighbours);
    let generated_radii = radii(squared, generated, neighbours);
    let (mut inside_any, mut inside, mut recalled) = (0, 0, vec![false; real.len()]);
    let mut covered = vec![false; real.len()];
    for (&j, &generated_radius) in generated.iter().zip(&generated_radii) {
        let mut holders = 0;
        for (place, (&i, &radius)) in real.iter().zip(&real_radii).enumerate() {
            let distance = squared[(i, j)];
            if distance < radius {
                holders += 1;
                covered[place] = true;
            }
            recalled[place] |= distance < generated_radius;
        }
        inside += holders;
        inside_any += usize::from(holders > 0);
    }
    let share = |of: usize, all: usize| of as f64 / all as f64;
    let true_of = |marks: &[bool]| marks.iter().filter(|mark| **mark).count();
    Ok(Prdc {
        precision: share(inside_any, generated.len()),
        recall: share(true_of(&recalled), real.len()),
        density: share(inside, neighbours * generated.len()),
        coverage: share(true_of(&covered), real.len()),
    })
}

/// The squared distance of each of the points to its `neighbours`-th neighbour among the others.
fn radii(squared: &DMatrix<f64>, points: &[usize], neighbours: usize) -> Vec<f64> {
    let radius = |&j: &usize| {
        let others = points.iter().filter(|&&i| i != j);
        let mut distances: Vec<f64> = others.map(|&i| squared[(i, j)]).collect();
        *distances
            .select_nth_unstable_by(neighbours - 1, f64::total_cmp)
            .1
    };
    points.iter().map(radius).collect()
}
