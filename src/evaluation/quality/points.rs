use super::error::QualityError;
use crate::random::{Philox, Stream};
use nalgebra::{DMatrix, DMatrixView};
use rand::seq::SliceRandom;

/// Points of one set: samples, or what a network makes of them. At least one value each, all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// One point a column.
    matrix: DMatrix<f64>,
}

impl Points {
    /// From `values`, one point of `dimensions` values after the other.
    ///
    /// # Errors
    /// When they are not whole points, or one is not finite.
    pub fn new(values: Vec<f64>, dimensions: usize) -> Result<Self, QualityError> {
        let given = values.len();
        if dimensions == 0 || !given.is_multiple_of(dimensions) {
            return Err(QualityError::WrongLength { given, dimensions });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(QualityError::NotFinite {
                point: index / dimensions,
                value: index % dimensions,
            });
        }
        let matrix = DMatrix::from_vec(dimensions, given / dimensions, values);
        Ok(Points { matrix })
    }

    /// From samples as models give them.
    ///
    /// # Errors
    /// Those of [`Points::new`].
    pub fn of_samples(values: &[f32], dimensions: usize) -> Result<Self, QualityError> {
        Self::new(
            values.iter().map(|&value| value.into()).collect(),
            dimensions,
        )
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.matrix.ncols()
    }

    /// Values of each.
    pub fn dimensions(&self) -> usize {
        self.matrix.nrows()
    }

    /// The values of point `index`.
    pub fn point(&self, index: usize) -> &[f64] {
        let dimensions = self.dimensions();
        &self.matrix.as_slice()[index * dimensions..(index + 1) * dimensions]
    }

    /// All points, one after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> + Clone {
        self.matrix.as_slice().chunks_exact(self.dimensions())
    }

    /// Whether no two of them differ.
    pub(super) fn all_equal(&self) -> bool {
        self.iter().all(|point| point == self.point(0))
    }

    /// The points at `indices`, in that order.
    pub(super) fn select(&self, indices: &[usize]) -> Points {
        Points {
            matrix: self.matrix.select_columns(indices),
        }
    }

    /// These points, then those of `other`.
    pub(super) fn followed_by(&self, other: &Points) -> Result<Points, QualityError> {
        self.check_like(other)?;
        let both = [self.matrix.as_slice(), other.matrix.as_slice()].concat();
        Ok(Points {
            matrix: DMatrix::from_vec(self.dimensions(), self.count() + other.count(), both),
        })
    }

    /// One point a column.
    pub(super) fn matrix(&self) -> DMatrixView<'_, f64> {
        self.matrix.as_view()
    }

    pub(super) fn check_like(&self, other: &Points) -> Result<(), QualityError> {
        let (left, right) = (self.dimensions(), other.dimensions());
        if left == right {
            Ok(())
        } else {
            Err(QualityError::Dimensions { left, right })
        }
    }

    pub(super) fn check_count(&self, what: &'static str, least: usize) -> Result<(), QualityError> {
        check_count(what, self.count(), least)
    }
}

pub(super) fn check_count(
    what: &'static str,
    given: usize,
    least: usize,
) -> Result<(), QualityError> {
    if given < least {
        return Err(QualityError::TooFew { what, given, least });
    }
    Ok(())
}

/// The numbers below `count` in the random order number `which`.
pub(super) fn shuffled(count: usize, seed: u64, which: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut Philox::new(seed, Stream::Resampling, which));
    order
}
