//! What memory on the GPU is for. What is named without a purpose is scratch.

use crate::gpu::Purpose;

/// The live parameters.
pub(crate) const PARAMETERS: Purpose = Purpose("parameters");
/// Gradient, Adam's moments and the moving average.
pub(crate) const OPTIMISER: Purpose = Purpose("optimiser");
/// Maps between the layers and at both ends of a network, and what its passes keep beside them.
pub(crate) const MAPS: Purpose = Purpose("maps");
/// Copies of the weights in the order the kernels want, and normalised ones.
pub(crate) const PACKED_WEIGHTS: Purpose = Purpose("packed weights");
/// Snapshots of the parameters, and what decides when they are taken.
pub(crate) const SNAPSHOT: Purpose = Purpose("snapshot");
/// The noise samples of a step, and chains between their turns.
pub(crate) const CHAINS: Purpose = Purpose("chains");
