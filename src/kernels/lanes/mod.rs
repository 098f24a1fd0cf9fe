//! The layer kernels with lanes over samples (`shaders/lanes/`): weights, bounds and places are the same in all lanes, and what
//! differs lies side by side. For drivers that are quick at both, as lavapipe of Mesa 26.2 (docs/kernels.md).

mod conv_forward;
mod conv_input_gradient;
mod conv_weight_gradient;
mod dense_forward;
mod dense_input_gradient;
mod dense_weight_gradient;
mod layer;
mod load_maps;
mod maps;
mod pack_weights;
mod pass;
mod pool_forward;
mod pool_input_gradient;
mod tile;
mod unload_maps;
mod variant;
mod winograd;
mod winograd_passes;

pub use super::algorithm::Algorithm;
pub use layer::Layer;
pub use maps::Maps;
pub use tile::{Tile, Tile as Choice};
pub use variant::Lanes;
