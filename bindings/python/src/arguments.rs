//! Arrays of samples, checked.

use crate::failure::Failure;
use afterimage::data::DataError;
use afterimage::model::ModelError;
use afterimage::shape::Shape;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Samples as they lie in memory, and the axes before those of a sample.
pub(crate) struct Samples<'a> {
    pub values: &'a [f32],
    pub axes: Vec<usize>,
}

/// The samples of `shape` in `x`: finite, and of whole samples.
pub(crate) fn samples<'a>(
    py: Python<'_>,
    x: &'a PyReadonlyArrayDyn<'_, f32>,
    shape: Shape,
) -> Result<Samples<'a>, Failure> {
    let axes = axes(x.shape(), shape)?;
    let values = row_by_row(x).ok_or_else(|| Failure::value(format!("x {NOT_ROW_BY_ROW}")))?;
    // In the words of the command line, which reads its samples from files.
    let wrong = py.detach(|| values.iter().position(|value| !value.is_finite()));
    match wrong {
        None => Ok(Samples { values, axes }),
        Some(place) => Err(Failure::value(DataError::NonFinite {
            path: "x".into(),
            sample: place / shape.len(),
        })),
    }
}

/// What is wrong with an array of which [`row_by_row`] gives nothing.
pub(crate) const NOT_ROW_BY_ROW: &str = "does not lie in memory row by row, and aligned: copy it";

/// The values of an array as they lie in memory, if that is in the order of its axes. The one of Fortran is as contiguous.
pub(crate) fn row_by_row<'a>(array: &'a PyReadonlyArrayDyn<'_, f32>) -> Option<&'a [f32]> {
    let values = array.as_slice().ok()?;
    array.is_c_contiguous().then_some(values)
}

/// The axes of an array of `sides` before those of a sample: channels, rows and columns, all values in one axis, or of one channel
/// rows and columns.
fn axes(sides: &[usize], shape: Shape) -> Result<Vec<usize>, Failure> {
    let whole = [shape.channels, shape.height, shape.width];
    let flat = [shape.len()];
    let plane = [shape.height, shape.width];
    let forms: [Option<&[usize]>; 3] = [
        Some(&whole[..]),
        Some(&flat[..]),
        (shape.channels == 1).then_some(&plane[..]),
    ];
    let before = forms
        .into_iter()
        .flatten()
        .find_map(|form| sides.strip_suffix(form));
    if let Some(before) = before {
        return Ok(before.into());
    }
    let wanted = shape;
    Err(match *sides {
        [.., _, channels, height, width] => {
            let found = Shape::new(channels, height, width);
            DataError::OtherShape { found, wanted }.into()
        }
        [_, height, width] => {
            let found = Shape::new(1, height, width);
            DataError::OtherShape { found, wanted }.into()
        }
        [_, values] => {
            let found = Shape::new(values, 1, 1);
            DataError::OtherShape { found, wanted }.into()
        }
        [] | [_] => {
            let given = sides.iter().product();
            ModelError::WrongLength { given, shape }.into()
        }
    })
}
