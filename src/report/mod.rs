//! Pictures: sample grids, 2-D energy landscapes, evaluations, training curves, animations, the growth of
//! cost, and what sweeps compare.
//!
//! Everything is drawn in memory with an embedded font, so that a picture depends neither on the
//! fonts installed nor on a display.

mod animation;
mod axes;
mod canvas;
mod colour;
mod curves;
mod dots;
mod energies;
mod error;
mod evaluation;
mod grid;
mod growth;
mod labelled;
mod landscape;
mod paths;
mod title;
mod training;

pub use animation::gif;
pub(crate) use animation::held_gif;
pub(crate) use axes::Axis;
pub use curves::{Panel, Series, curves};
pub use dots::{CostGroup, CostPanel, DotGroup, DotPanel, costs, dots};
pub(crate) use energies::{EnergiesAt, binned, energy_histograms, energy_range};
pub use error::ReportError;
pub use evaluation::{EvaluationPanels, evaluation};
pub use grid::sample_grid;
pub use growth::{GrowthPanel, growth_curves};
pub(crate) use labelled::{Words, in_few_digits, labelled_grid};
pub use landscape::landscape;
pub(crate) use landscape::{PLANE, PLANE_CELLS, cell_centres, scatter};
pub(crate) use paths::paths_over_landscape;
pub(crate) use title::titled;
pub(crate) use training::{evenly, landscape_with_data, on_one_size};

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

/// Encodes `image` as a PNG file.
///
/// # Errors
/// [`ReportError::Encoding`] if the image has no pixels.
pub fn png_bytes(image: &RgbImage) -> Result<Vec<u8>, ReportError> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
