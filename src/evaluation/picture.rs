//! The densities and the energy on the grid of a picture.

use super::error::EvaluationError;
use super::quadrature::{Energies, Progress, cell_centres};
use crate::data::PlanarDensity;
use crate::report::{EvaluationPanels, evaluation};
use image::RgbImage;

/// The picture shows ±4, where the planar sets lie.
const HALF_WIDTH: usize = 4;
/// Cells of the picture on a unit of length.
const FINENESS: usize = 22;

/// What a picture shows, before the samples are known.
pub(super) struct Panels {
    data: Vec<f32>,
    model: Vec<f32>,
    energies: Vec<f32>,
    side: usize,
}

impl Panels {
    pub(super) fn new(
        energies: &mut Energies<'_>,
        density: &PlanarDensity,
        log_z: f64,
        progress: Progress<'_>,
    ) -> Result<Self, EvaluationError> {
        // Pictures have their top row first.
        let places = cell_centres(HALF_WIDTH, FINENESS);
        let side = places.len();
        let energies = top_first(energies.on_grid(&places, progress)?, side);
        let model = energies
            .iter()
            .map(|e| (-f64::from(*e) - log_z).exp() as f32);
        let data = top_first(density.log_density_on_grid(&places), side);
        Ok(Panels {
            data: data.into_iter().map(|log| log.exp() as f32).collect(),
            model: model.collect(),
            energies,
            side,
        })
    }

    pub(super) fn draw(&self, samples: &[[f32; 2]]) -> Result<RgbImage, EvaluationError> {
        Ok(evaluation(&EvaluationPanels {
            data: &self.data,
            model: &self.model,
            energies: &self.energies,
            side: self.side,
            extent: HALF_WIDTH as f32,
            samples,
        })?)
    }
}

/// The rows of a grid in reverse.
fn top_first<T: Copy>(values: Vec<T>, side: usize) -> Vec<T> {
    values.chunks(side).rev().flatten().copied().collect()
}
