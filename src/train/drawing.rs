//! What pictures of samples show, and what drawing them takes.

use crate::config::Config;
use crate::model;
use crate::shape::Shape;

/// Points in a scatter plot, at least.
pub(super) const SCATTER_POINTS: usize = 1500;

/// Whether there is a picture for the samples: points in the plane, and images in grey or colour.
pub(super) fn can_be_shown(shape: Shape) -> bool {
    shape.is_planar() || matches!(shape.channels, 1 | 3)
}

/// How many samples the last picture shows.
pub(super) fn samples_drawn(config: &Config, shape: Shape) -> usize {
    if shape.is_planar() {
        SCATTER_POINTS.max(config.run.samples)
    } else {
        config.run.samples
    }
}

/// What drawing pictures takes beside the workspace of `slice` samples that it borrows: the averaged parameters, and
/// states, gradients and energies of the chains, or the points of a landscape and their energies.
pub(super) fn drawing_bytes(config: &Config, shape: Shape, parameters: usize, slice: usize) -> u64 {
    if !can_be_shown(shape) {
        return 0;
    }
    let chains = model::batch_size(samples_drawn(config, shape), shape.len()).min(slice);
    let points = if shape.is_planar() { slice } else { 0 };
    let chains =
        4 * (chains * (2 * shape.len() + 1)) as u64 + config.dynamics().bytes(chains, shape.len());
    let points = 4 * (points * (shape.len() + 1)) as u64;
    4 * parameters as u64 + chains.max(points)
}
