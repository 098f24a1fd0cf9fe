//! A 2-D model beside the exact density of its data.

use image::RgbImage;

use super::ReportError;
use super::canvas::paint;
use super::landscape::{
    PITCH, SAMPLE_COLOUR, check_extent, check_grids, count_note, draw_panel, draw_points, fill,
    finite, panel_height,
};

/// Energies this many nats above the lowest are as dark as the highest.
const ENERGY_RANGE: f32 = 10.0;

/// What [`evaluation`] draws, all on the square [−`extent`, `extent`]². Grids have `side` × `side` cells in rows, the top
/// row first, as in [`landscape`](super::landscape()).
#[derive(Clone, Copy, Debug)]
pub struct EvaluationPanels<'a> {
    /// The data density.
    pub data: &'a [f32],
    /// The model's density.
    pub model: &'a [f32],
    /// Its energy.
    pub energies: &'a [f32],
    /// Cells on a side.
    pub side: usize,
    /// Half the side of the square.
    pub extent: f32,
    /// Samples of the model, as (x, y).
    pub samples: &'a [[f32; 2]],
}

/// Draws four squares: the densities of data and model in one scale of colours, from 0 to the larger of their highest
/// values, the energy up to 10 nats above its lowest, and the samples. Values that are not finite are magenta and counted
/// below.
///
/// # Errors
/// [`ReportError`] if `side` is 0, if a grid does not have `side` × `side` values, or if `extent` is not in 1e-6 ..= 1e6.
pub fn evaluation(panels: &EvaluationPanels<'_>) -> Result<RgbImage, ReportError> {
    let EvaluationPanels {
        data,
        model,
        energies,
        side,
        extent,
        samples,
    } = *panels;
    check_grids("cells", &[data, model, energies], side)?;
    check_extent(extent)?;
    let densest = [finite(data), finite(model)].concat();
    let densest = densest.into_iter().fold(f32::MIN_POSITIVE, f32::max);
    let lowest = finite(energies).into_iter().fold(f32::INFINITY, f32::min);
    let energy_title = format!("energy, to {ENERGY_RANGE} above its lowest");
    let grids = [
        ("data density", data),
        ("model density", model),
        (energy_title.as_str(), energies),
    ];

    let mut image = paint(4 * PITCH, panel_height(), |canvas| {
        for (panel, (title, grid)) in (0..).zip(grids) {
            let lost = grid.len() - finite(grid).len();
            let note = count_note(&[(lost, "not finite")]);
            draw_panel(canvas, panel, extent, title, &note)?;
        }
        draw_points(canvas, 3, extent, "model samples", samples, SAMPLE_COLOUR)
    })?;
    for (panel, (_, grid)) in (0..).zip(grids) {
        fill(&mut image, panel, side, grid, |value| match panel {
            2 => 1.0 - (value - lowest) / ENERGY_RANGE,
            _ => value / densest,
        });
    }
    Ok(image)
}
