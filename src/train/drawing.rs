//! What pictures of samples show, and what drawing them records.

use crate::config::Config;
use crate::gpu::Recording;
use crate::model;
use crate::network::Network;
use crate::shape::Shape;

/// Points in a scatter plot, at least.
pub(super) const SCATTER_POINTS: usize = 1500;

/// Whether there is a picture for the samples: points in the plane, and images in grey or colour.
pub(crate) fn can_be_shown(shape: Shape) -> bool {
    // A row of a table is no picture of one pixel.
    let is_image = shape.height * shape.width > 1;
    shape.is_planar() || is_image && matches!(shape.channels, 1 | 3)
}

/// How many samples the last picture shows.
pub(super) fn samples_drawn(config: &Config, shape: Shape) -> usize {
    if shape.is_planar() {
        SCATTER_POINTS.max(config.run.samples)
    } else {
        config.run.samples
    }
}

/// What drawing pictures records in the workspace of `network`: energies, of a landscape and of the last samples; the first steps
/// of fresh chains where samples can be shown; and what comparing `compared` chains of a kind does.
pub(super) fn drawings(config: &Config, network: &Network, compared: usize) -> Vec<Recording> {
    let shape = network.architecture().input();
    let mut drawings = vec![model::first_energies(network)];
    if compared > 0 {
        drawings.push(model::first_draw(config, network, compared));
    }
    if can_be_shown(shape) {
        let count = samples_drawn(config, shape);
        drawings.push(model::first_draw(config, network, count));
    }
    drawings
}
