use super::phase::phases;
use super::tile::Tile;
use crate::gpu::{Image, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::parameters::LayerParameters;
use crate::purpose::PACKED_WEIGHTS;

/// Texels in a row of a weight image: WEIGHT_ROW in the shaders.
const WEIGHT_ROW: usize = 1024;
/// A subgroup may read up to this many texels past the last one it uses.
const SLACK: usize = 64;

pub(super) static KERNEL: Kernel = kernel!("texel/pack_weights", 8, [Read, ImageWrite]);

/// A layer's weights in the order in which one texel kernel reads them.
#[derive(Clone, Debug)]
pub(crate) struct PackedWeights {
    pub(super) image: Image,
    /// A dense layer is a convolution whose kernel covers its input map.
    pub(super) geometry: ConvGeometry,
    /// The tile of the kernel that reads them.
    pub(super) tile: Tile,
    /// One part, or one a phase of a strided input gradient.
    pub(super) parts: Vec<Part>,
}

/// Texels of an image of packed weights, as `shaders/texel/pack_weights.wgsl` makes them.
#[derive(Clone, Debug)]
pub(super) struct Part {
    mode: usize,
    /// Groups of the channels that are summed over.
    groups: usize,
    pub(super) first_texel: usize,
    texels: usize,
    /// Those before the bias.
    weight_texels: usize,
    /// Number of taps and the first of them, vertically and horizontally.
    taps: [usize; 2],
    first: [usize; 2],
}

impl Part {
    /// All taps of a kernel, or as much as stands for them, and no bias.
    fn whole(mode: usize, groups: usize, taps: [usize; 2], texels: usize) -> Self {
        Part {
            mode,
            groups,
            first_texel: 0,
            texels,
            weight_texels: texels,
            taps,
            first: [0, 0],
        }
    }
}

impl PackedWeights {
    fn new(label: &'static str, g: &ConvGeometry, tile: Tile, mut parts: Vec<Part>) -> Self {
        let mut end = 0;
        for part in &mut parts {
            part.first_texel = end;
            end += part.texels;
        }
        let rows = (end + SLACK).div_ceil(WEIGHT_ROW);
        PackedWeights {
            image: Image::new(label, WEIGHT_ROW as u32, rows as u32).of(PACKED_WEIGHTS),
            geometry: *g,
            tile,
            parts,
        }
    }

    /// Weights and bias for [`super::conv_forward`] or `dense_forward`.
    pub(crate) fn forward(g: &ConvGeometry, tile: Tile) -> Self {
        let (groups, blocks) = (
            g.in_channels.div_ceil(4),
            tile.blocks(g.out_channels.div_ceil(4)),
        );
        let taps = [g.kernel_height, g.kernel_width];
        let weight_texels = blocks * groups * taps[0] * taps[1] * tile.block * 4;
        let part = Part {
            texels: weight_texels + blocks * tile.block,
            ..Part::whole(0, groups, taps, weight_texels)
        };
        Self::new("packed weights, forward", g, tile, vec![part])
    }

    /// For [`super::conv_input_gradient`].
    pub(crate) fn conv_input_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let channels = tile.blocks(g.in_channels.div_ceil(4)) * tile.block * 4;
        Self::by_phases("packed weights, input gradient", g, tile, 1, channels)
    }

    /// For `conv_sample_gradient`.
    pub(crate) fn conv_sample_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let channels = g.in_channels;
        Self::by_phases("packed weights, sample gradient", g, tile, 3, channels)
    }

    /// For `dense_input_gradient`.
    pub(crate) fn dense_input_gradient(g: &ConvGeometry, tile: Tile) -> Self {
        let map_texels = g.in_channels.div_ceil(4) * g.kernel_height * g.kernel_width;
        let groups = g.out_channels.div_ceil(4);
        let texels = tile.blocks(map_texels) * groups * tile.block * 4;
        let part = Part::whole(2, groups, [1, 1], texels);
        Self::new("packed weights, input gradient", g, tile, vec![part])
    }

    /// One part a phase, with a texel for each of `channels` input channels at every tap of every group. A phase that has
    /// no tap has one of zeros.
    fn by_phases(
        label: &'static str,
        g: &ConvGeometry,
        tile: Tile,
        mode: usize,
        channels: usize,
    ) -> Self {
        let groups = g.out_channels.div_ceil(4);
        let parts = phases(g).into_iter().map(|(y, x)| {
            let texels = groups * y.taps.max(1) * x.taps.max(1) * channels;
            Part {
                first: [y.first, x.first],
                ..Part::whole(mode, groups, [y.taps, x.taps], texels)
            }
        });
        Self::new(label, g, tile, parts.collect())
    }

    /// Packs the weights of a layer.
    pub(crate) fn pack(&self, recording: &mut Recording, parameters: LayerParameters) {
        let g = &self.geometry;
        // The one tap of a phase that has none lies outside the kernel and must be packed as zero: its image, which starts
        // as zeros, is left alone.
        for part in self.parts.iter().filter(|part| !part.taps.contains(&0)) {
            let places = [
                parameters.offset,
                part.first_texel,
                part.texels,
                part.weight_texels,
                part.taps[0],
                part.taps[1],
                part.first[0],
                part.first[1],
            ];
            // A part of a strided input gradient has some of the taps; that of a dense layer covers its map.
            let taps = match part.mode {
                2 => g.kernel_height * g.kernel_width,
                _ => part.taps[0] * part.taps[1],
            };
            g.describe_channels(g.describe_kernel(Program::new(&KERNEL)))
                .u32("MODE", part.mode)
                .u32("BLOCK", self.tile.block)
                .u32("GROUPS", part.groups)
                .bind([parameters.buffer])
                .bind([self.image])
                .immediates(places.map(|place| place as u32))
                .moving(16 * part.texels + 4 * g.in_channels * g.out_channels * taps)
                .over(recording, part.texels);
        }
    }
}
