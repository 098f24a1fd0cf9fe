//! The Fréchet distance between the normal distributions that have the means and covariances of two sets.

use super::error::QualityError;
use super::points::Points;
use nalgebra::linalg::{SVD, SymmetricEigen};
use nalgebra::{DMatrix, DVector, Dyn};

/// Sweeps of the eigenvalue iteration, for each value. It takes about two.
const MOST_SWEEPS: usize = 60;

/// |m − n|² + tr S + tr T − 2 tr (S T)^½, with the means m, n and the unbiased covariances S, T of the two sets (D. Dowson,
/// B. Landau, *The Fréchet distance between multivariate normal distributions*, 1982; M. Heusel et al., *GANs trained by
/// a two time-scale update rule*, 2017). In squared units of the points.
///
/// S T has the eigenvalues of the symmetric R T R with R = S^½, whose roots are summed; those that rounding leaves below
/// 0 count as 0. So nothing is complex where a covariance has no full rank. Where there are no more points of a set than
/// dimensions none has: then with the centred points A and B as columns, S = A Aᵀ/(n − 1), the roots are the singular
/// values of the smaller Aᵀ B/√((n − 1)(m − 1)), and directions that no point has taken are those in which the distance sees no spread.
///
/// The estimate is too large by about a number over the count, more in more dimensions: compare at equal counts only.
///
/// # Errors
/// When points are of other dimensions, there are fewer than two of a set, or values are so large that squares overflow.
pub fn frechet_distance(left: &Points, right: &Points) -> Result<f64, QualityError> {
    left.check_like(right)?;
    let fewest = left.count().min(right.count());
    let (left, right) = (Centred::of(left)?, Centred::of(right)?);
    let roots = match fewest <= left.mean.len() {
        true => singular_values(left.points.tr_mul(&right.points))?,
        false => roots_of_product(left.covariance(), &right.covariance())?,
    };
    let means = (&left.mean - &right.mean).norm_squared();
    let spreads = left.points.norm_squared() + right.points.norm_squared();
    let distance = means + spreads - 2.0 * roots.sum();
    // Of equal sets rounding may leave less than nothing. Not by `max`, which would make a number of NaN.
    Ok(if distance < 0.0 { 0.0 } else { distance })
}

/// The mean of a set, and its points less that mean over √(count − 1).
struct Centred {
    mean: DVector<f64>,
    /// A column a point.
    points: DMatrix<f64>,
}

impl Centred {
    fn of(points: &Points) -> Result<Self, QualityError> {
        points.check_count("a Fréchet distance", 2)?;
        let mean = points.matrix().column_mean();
        let scale = ((points.count() - 1) as f64).sqrt();
        let mut centred = points.matrix().clone_owned();
        for mut column in centred.column_iter_mut() {
            column -= &mean;
            column /= scale;
        }
        Ok(Centred {
            mean,
            points: centred,
        })
    }

    fn covariance(&self) -> DMatrix<f64> {
        &self.points * self.points.transpose()
    }
}

/// The roots of the eigenvalues of the product of two covariances.
fn roots_of_product(
    left: DMatrix<f64>,
    right: &DMatrix<f64>,
) -> Result<DVector<f64>, QualityError> {
    let of_left = eigen(left)?;
    let mut scaled = of_left.eigenvectors.clone();
    for (mut column, value) in scaled.column_iter_mut().zip(of_left.eigenvalues.iter()) {
        column *= value.max(0.0).sqrt();
    }
    let root = scaled * of_left.eigenvectors.transpose();
    let product = &root * right * &root;
    // Symmetric but for rounding.
    let symmetric = (&product + product.transpose()) / 2.0;
    let values = eigen(symmetric)?.eigenvalues;
    Ok(values.map(|value| value.max(0.0).sqrt()))
}

/// The eigenvalues and vectors of a symmetric matrix.
fn eigen(matrix: DMatrix<f64>) -> Result<SymmetricEigen<f64, Dyn>, QualityError> {
    let most = sweeps(&matrix)?;
    SymmetricEigen::try_new(matrix, f64::EPSILON, most).ok_or(QualityError::NoEigenvalues)
}

fn singular_values(matrix: DMatrix<f64>) -> Result<DVector<f64>, QualityError> {
    let most = sweeps(&matrix)?;
    let found = SVD::try_new(matrix, false, false, f64::EPSILON, most);
    Ok(found.ok_or(QualityError::NoEigenvalues)?.singular_values)
}

/// How long an iteration for the values of `matrix` may take, which must be finite.
fn sweeps(matrix: &DMatrix<f64>) -> Result<usize, QualityError> {
    match matrix.iter().all(|value| value.is_finite()) {
        true => Ok(MOST_SWEEPS * matrix.nrows().max(matrix.ncols())),
        false => Err(QualityError::NoEigenvalues),
    }
}
