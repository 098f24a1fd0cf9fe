//! The layer kernels in the shape that suits lavapipe (`shaders/texel/`).

mod cells;
mod conv_cell_gradient;
mod conv_forward;
mod conv_input_gradient;
mod conv_sample_gradient;
mod conv_weight_gradient;
mod dense_forward;
mod dense_input_gradient;
mod dense_weight_gradient;
mod layer;
mod load_maps;
mod maps;
mod pack_weights;
mod plane;
mod pool_forward;
mod pool_input_gradient;
mod stack;
mod tile;
mod unload_maps;
mod variant;
mod winograd;
mod winograd_forward;
mod winograd_input_gradient;
mod winograd_product;
mod winograd_weights;

pub use super::algorithm::Algorithm;
pub use super::border::Border;
pub use conv_weight_gradient::conv_weight_gradient;
pub use layer::Layer;
pub use maps::Maps;
pub use plane::Plane;
pub(crate) use stack::{Back, Stack};

pub use tile::{Tile, Tile as Choice};
pub use variant::Texel;

pub use winograd::{Winograd, WinogradScratch, algorithm};
pub use winograd_forward::winograd_forward;
pub use winograd_input_gradient::winograd_input_gradient;
pub use winograd_weights::winograd_weights;
