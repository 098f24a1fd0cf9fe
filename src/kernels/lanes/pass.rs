use super::pack_weights::PackedWeights;
use super::tile::{Tile, tiles, turn};
use crate::kernels::layer_kind::LayerKind;
use crate::kernels::layer_pass::LayerPass;

/// How a pass is computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) tile: Tile,
    /// Channels or values of a turn of the loop.
    pub(super) turn: usize,
    pub(super) weights: PackedWeights,
}

impl Pass {
    pub(super) fn new(kind: LayerKind, pass: LayerPass, tile: Option<Tile>) -> Self {
        let tile = tile.unwrap_or_else(|| tiles(kind, pass)[0]);
        let turn = turn(kind, pass, tile);
        let g = kind.flattened();
        let weights = match pass {
            LayerPass::Forward => PackedWeights::forward(&g, tile.block, turn),
            LayerPass::InputGradient => PackedWeights::input_gradient(&g, tile.block, turn),
        };
        Pass {
            tile,
            turn,
            weights,
        }
    }
}
