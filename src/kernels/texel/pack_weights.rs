use super::tile::Tile;
use crate::gpu::{Image, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::parameters::LayerParameters;
use crate::purpose::PACKED_WEIGHTS;

/// Texels in a row of a weight image: WEIGHT_ROW in the shaders.
const WEIGHT_ROW: usize = 1024;
/// A subgroup may read up to this many texels past the last one it uses.
const SLACK: usize = 64;

pub(super) static KERNEL: Kernel = kernel!("texel/pack_weights", 3, [Read, ImageWrite]);

/// In which order weights are packed: MODE in the shader.
#[derive(Clone, Copy, Debug)]
enum Order {
    Forward,
    ConvInputGradient,
    DenseInputGradient,
    ConvSampleGradient,
}

/// A layer's weights in the order in which one texel kernel reads them.
#[derive(Clone, Debug)]
pub(crate) struct PackedWeights {
    pub(super) image: Image,
    /// A dense layer is a convolution whose kernel covers its input map.
    pub(super) geometry: ConvGeometry,
    /// The tile of the kernel that reads them.
    pub(super) tile: Tile,
    order: Order,
    /// Groups of the channels that are summed over.
    groups: usize,
    texels: usize,
    /// Those before the bias.
    weight_texels: usize,
}

impl PackedWeights {
    /// Of so many texels, none of which holds a bias.
    fn new(
        label: &'static str,
        g: &ConvGeometry,
        tile: Tile,
        order: Order,
        groups: usize,
        texels: usize,
    ) -> Self {
        let rows = (texels + SLACK).div_ceil(WEIGHT_ROW);
        PackedWeights {
            image: Image::new(label, WEIGHT_ROW as u32, rows as u32).of(PACKED_WEIGHTS),
            geometry: *g,
            tile,
            order,
            groups,
            texels,
            weight_texels: texels,
        }
    }

    /// Weights and bias for [`super::conv_forward`] or `dense_forward`.
    pub(crate) fn forward(g: &ConvGeometry, tile: Tile) -> Self {
        let (groups, blocks) = (
            g.in_channels.div_ceil(4),
            tile.blocks(g.out_channels.div_ceil(4)),
        );
        let weight_texels = blocks * groups * g.taps() * tile.block * 4;
        let texels = weight_texels + blocks * tile.block;
        let label = "packed weights, forward";
        PackedWeights {
            weight_texels,
            ..Self::new(label, g, tile, Order::Forward, groups, texels)
        }
    }

    /// For `conv_input_gradient` and `conv_cell_gradient`.
    pub(crate) fn conv_input_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let groups = g.out_channels.div_ceil(4);
        let channels = tile.blocks(g.in_channels.div_ceil(4)) * tile.block * 4;
        let texels = groups * g.taps() * channels;
        let label = "packed weights, input gradient";
        Self::new(label, g, tile, Order::ConvInputGradient, groups, texels)
    }

    /// For `conv_sample_gradient`.
    pub(crate) fn conv_sample_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let groups = g.out_channels.div_ceil(4);
        let texels = groups * g.taps() * g.in_channels;
        let label = "packed weights, sample gradient";
        Self::new(label, g, tile, Order::ConvSampleGradient, groups, texels)
    }

    /// For `dense_input_gradient`.
    pub(crate) fn dense_input_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let map_texels = g.in_channels.div_ceil(4) * g.taps();
        let groups = g.out_channels.div_ceil(4);
        let texels = tile.blocks(map_texels) * groups * tile.block * 4;
        let label = "packed weights, input gradient";
        Self::new(label, g, tile, Order::DenseInputGradient, groups, texels)
    }

    /// Packs the weights of a layer.
    pub(crate) fn pack(&self, recording: &mut Recording, parameters: LayerParameters) {
        let g = &self.geometry;
        let places = [parameters.offset, self.texels, self.weight_texels];
        g.describe_channels(Program::new(&KERNEL))
            .u32("KERNEL_HEIGHT", g.kernel_height)
            .u32("KERNEL_WIDTH", g.kernel_width)
            .u32("MODE", self.order as usize)
            .u32("BLOCK", self.tile.block)
            .u32("GROUPS", self.groups)
            .bind([parameters.buffer])
            .bind([self.image])
            .immediates(places.map(|place| place as u32))
            .moving(16 * self.texels + 4 * g.weight_len())
            .over(recording, self.texels);
    }
}
