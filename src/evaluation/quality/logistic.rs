//! Logistic regression, for telling two sets apart.

use super::error::QualityError;
use super::pairs::dot;
use super::points::Points;
use nalgebra::{DMatrix, DVector};

/// Newton steps. From zero weights a handful suffice.
const MOST_STEPS: usize = 100;
/// Halvings of a step that does not decrease the loss.
const MOST_HALVINGS: usize = 40;

/// A linear classifier: a point is of the second class where w·x + b > 0.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    /// w, one value a dimension.
    pub weights: Vec<f64>,
    /// b.
    pub intercept: f64,
}

impl LogisticRegression {
    /// The weights that minimise ½|w|² + Σ ln(1 + exp(∓(w·x + b))) over the points of the `first` and `second` class, as in
    /// scikit-learn with C = 1: found by Newton's method, whose steps are halved until the loss decreases.
    ///
    /// # Errors
    /// When points are of other dimensions, or a class has none.
    pub fn fit(first: &Points, second: &Points) -> Result<Self, QualityError> {
        for points in [first, second] {
            points.check_count("a classifier", 1)?;
        }
        let points = first.followed_by(second)?;
        let (count, dimensions) = (points.count(), points.dimensions());
        // A row a point, with a last column of ones for the intercept.
        let rows = points.matrix().transpose().insert_column(dimensions, 1.0);
        let classes = DVector::from_fn(count, |index, _| f64::from(index >= first.count()));
        let penalised = |theta: &DVector<f64>| {
            let mut penalised = theta.clone();
            penalised[dimensions] = 0.0;
            penalised
        };
        let loss = |theta: &DVector<f64>| {
            let scores = &rows * theta;
            let of_points = scores
                .zip_map(&classes, |z, class| softplus(z) - class * z)
                .sum();
            of_points + 0.5 * penalised(theta).norm_squared()
        };
        let mut theta = DVector::zeros(dimensions + 1);
        let mut least = loss(&theta);
        for _ in 0..MOST_STEPS {
            let chances = (&rows * &theta).map(|z| 1.0 / (1.0 + (-z).exp()));
            let gradient = rows.tr_mul(&(&chances - &classes)) + penalised(&theta);
            let mut weighted = rows.clone();
            for (mut row, chance) in weighted.row_iter_mut().zip(chances.iter()) {
                row *= chance * (1.0 - chance);
            }
            let mut curvature =
                rows.tr_mul(&weighted) + DMatrix::identity(dimensions + 1, dimensions + 1);
            // The intercept is not penalised; next to nothing keeps the matrix invertible where every chance is 0 or 1.
            curvature[(dimensions, dimensions)] -= 1.0 - 1e-12;
            let Some(factors) = curvature.cholesky() else {
                break;
            };
            let mut step = factors.solve(&gradient);
            let mut halvings = 0;
            let (next, reached) = loop {
                let next = &theta - &step;
                let reached = loss(&next);
                if reached <= least || halvings == MOST_HALVINGS {
                    break (next, reached);
                }
                step /= 2.0;
                halvings += 1;
            };
            if reached >= least {
                break;
            }
            (theta, least) = (next, reached);
        }
        Ok(LogisticRegression {
            intercept: theta[dimensions],
            weights: theta.as_slice()[..dimensions].to_vec(),
        })
    }

    /// How many of `points` are taken for the second class.
    pub(super) fn count_second(&self, points: &Points) -> usize {
        let score = |point: &&[f64]| dot(point, &self.weights) + self.intercept > 0.0;
        points.iter().filter(score).count()
    }
}

/// ln(1 + eᶻ).
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}
