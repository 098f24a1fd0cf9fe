//! The layer kernels in the shape that suits GPUs (`shaders/tiled/`): flat (sample, channel, row, column) buffers, and
//! convolutions as matrix products in tiles of workgroup memory (`shaders/shared/tile.wgsl`).

mod conv_forward;
mod conv_input_gradient;
mod conv_weight_gradient;
mod family;
mod layer;
mod maps;
mod pool_forward;
mod pool_input_gradient;
mod tile;

pub use conv_forward::{conv_forward, forward_tiles};
pub use conv_input_gradient::{conv_input_gradient, input_gradient_tiles};
pub use conv_weight_gradient::{conv_weight_gradient, weight_gradient_chunks};
pub use family::Tiled;
pub use layer::Layer;
pub use maps::Maps;
pub use pool_forward::pool_forward;
pub use pool_input_gradient::pool_input_gradient;
pub use tile::{Tile, Tile as Choice};
