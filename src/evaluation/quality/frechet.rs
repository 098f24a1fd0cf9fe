//! The Fréchet distance between the normal distributions that have the means and covariances of two sets.

use super::error::QualityError;
use super::points::Points;
use nalgebra::linalg::SymmetricEigen;
use nalgebra::{DMatrix, DVector};

/// Sweeps of the eigenvalue iteration, for each value. It takes about two.
const MOST_SWEEPS: usize = 60;

/// Mean and unbiased covariance (divided by the count less one) of a set.
struct Moments {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Moments {
    fn of(points: &Points) -> Result<Self, QualityError> {
        points.check_count("a Fréchet distance", 2)?;
        let matrix = points.matrix();
        let mean = matrix.column_mean();
        let mut centred = matrix.clone_owned();
        for mut column in centred.column_iter_mut() {
            column -= &mean;
        }
        let covariance = &centred * centred.transpose() / (points.count() - 1) as f64;
        Ok(Moments { mean, covariance })
    }
}

/// The eigenvalues and vectors of a symmetric matrix.
fn eigen(matrix: DMatrix<f64>) -> Result<SymmetricEigen<f64, nalgebra::Dyn>, QualityError> {
    let most = MOST_SWEEPS * matrix.nrows();
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(QualityError::NoEigenvalues);
    }
    SymmetricEigen::try_new(matrix, f64::EPSILON, most).ok_or(QualityError::NoEigenvalues)
}

/// |m − n|² + tr S + tr T − 2 tr (S T)^½, with the means m, n and the covariances S, T of the two sets (D. Dowson,
/// B. Landau, *The Fréchet distance between multivariate normal distributions*, 1982; M. Heusel et al., *GANs trained by
/// a two time-scale update rule*, 2017). In squared units of the points.
///
/// S T has the eigenvalues of the symmetric R T R with R = S^½, whose roots are summed; those that rounding leaves below
/// 0 count as 0. So nothing is complex where a covariance has no full rank, which fewer points than dimensions give:
/// then the distance exists, but the directions that no point has taken are those in which it sees no spread.
///
/// The estimate is too large by about a number over the count, more in more dimensions: compare at equal counts only.
///
/// # Errors
/// When points are of other dimensions, there are fewer than two of a set, or values are so large that squares overflow.
pub fn frechet_distance(left: &Points, right: &Points) -> Result<f64, QualityError> {
    left.check_like(right)?;
    let (left, right) = (Moments::of(left)?, Moments::of(right)?);
    let of_left = eigen(left.covariance.clone())?;
    let mut scaled = of_left.eigenvectors.clone();
    for (mut column, value) in scaled.column_iter_mut().zip(of_left.eigenvalues.iter()) {
        column *= value.max(0.0).sqrt();
    }
    let root = scaled * of_left.eigenvectors.transpose();
    let product = &root * &right.covariance * &root;
    // Symmetric but for rounding.
    let symmetric = (&product + product.transpose()) / 2.0;
    let roots = eigen(symmetric)?
        .eigenvalues
        .map(|value| value.max(0.0).sqrt());
    let means = (left.mean - right.mean).norm_squared();
    Ok(means + left.covariance.trace() + right.covariance.trace() - 2.0 * roots.sum())
}
