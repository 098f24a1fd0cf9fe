//! The layer kernels in the shape that suits GPUs (`shaders/tiled/`): flat (sample, channel, row, column) buffers, and
//! convolutions as matrix products in tiles of workgroup memory (`shaders/shared/tile.wgsl`).

mod conv_forward;
mod conv_input_gradient;
mod conv_weight_gradient;
mod layer;
mod maps;
mod pool_forward;
mod pool_input_gradient;
mod tile;
mod variant;

pub use conv_forward::conv_forward;
pub use conv_input_gradient::conv_input_gradient;
pub use conv_weight_gradient::{conv_weight_gradient, weight_gradient_chunks};
pub use layer::Layer;
pub use maps::Maps;
pub use tile::{Tile, Tile as Choice};
pub use variant::Tiled;
