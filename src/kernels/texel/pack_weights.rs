use super::phase::phases;
use super::tile::Tile;
use crate::gpu::{Image, Kernel, Program, Recording};
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::over;
use crate::kernels::parameters::LayerParameters;
use crate::purpose::PACKED_WEIGHTS;

/// Texels in a row of a weight image: WEIGHT_ROW in the shaders.
const WEIGHT_ROW: usize = 1024;
/// A subgroup may read up to this many texels past the last one it uses.
const SLACK: usize = 64;

pub(super) static KERNEL: Kernel = kernel!("texel/pack_weights", 8, [Read, ImageWrite]);

/// A layer's weights in the order in which one texel kernel reads them.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    pub(super) image: Image,
    /// First texel of each part: one part, or one a phase of a strided input gradient.
    pub(super) parts: Vec<usize>,
    /// The tile of the kernel that reads them.
    pub(super) tile: Tile,
}

impl PackedWeights {
    fn new(label: &'static str, tile: Tile, part_texels: &[usize]) -> Self {
        let mut end = 0;
        let parts = part_texels
            .iter()
            .map(|texels| {
                end += texels;
                end - texels
            })
            .collect();
        let image = Image::new(
            label,
            WEIGHT_ROW as u32,
            (end + SLACK).div_ceil(WEIGHT_ROW) as u32,
        )
        .of(PACKED_WEIGHTS);
        PackedWeights { image, parts, tile }
    }

    /// For the forward pass of `geometry` (a dense layer is one whose kernel covers its input map).
    pub(crate) fn forward(geometry: &ConvGeometry, tile: Tile) -> Self {
        let (weights, bias) = forward_texels(geometry, tile);
        Self::new("packed weights, forward", tile, &[weights + bias])
    }

    /// For the input gradient of a convolution.
    pub(crate) fn conv_input_gradient(geometry: &ConvGeometry, tile: Tile) -> Self {
        let texels = phase_texels(geometry, tile);
        Self::new("packed weights, input gradient", tile, &texels)
    }

    /// For the gradient in the samples of a convolution with fewer than four input channels.
    pub(crate) fn conv_sample_gradient(geometry: &ConvGeometry, tile: Tile) -> Self {
        let texels = sample_phase_texels(geometry);
        Self::new("packed weights, sample gradient", tile, &texels)
    }

    /// For the input gradient of a dense layer.
    pub(crate) fn dense_input_gradient(geometry: &ConvGeometry, tile: Tile) -> Self {
        let texels = dense_texels(geometry, tile);
        Self::new("packed weights, input gradient", tile, &[texels])
    }

    /// The tile of the kernel that reads them.
    pub(crate) fn tile(&self) -> Tile {
        self.tile
    }
}

fn forward_texels(g: &ConvGeometry, tile: Tile) -> (usize, usize) {
    let (block, block_count) = (tile.block, tile.blocks(g.out_channels.div_ceil(4)));
    let weights =
        block_count * g.in_channels.div_ceil(4) * g.kernel_height * g.kernel_width * block * 4;
    (weights, block_count * block)
}

fn phase_texels(g: &ConvGeometry, tile: Tile) -> Vec<usize> {
    let (block, block_count) = (tile.block, tile.blocks(g.in_channels.div_ceil(4)));
    phases(g)
        .into_iter()
        .map(|(y, x)| {
            block_count * g.out_channels.div_ceil(4) * y.taps.max(1) * x.taps.max(1) * block * 4
        })
        .collect()
}

fn sample_phase_texels(g: &ConvGeometry) -> Vec<usize> {
    phases(g)
        .into_iter()
        .map(|(y, x)| g.out_channels.div_ceil(4) * y.taps.max(1) * x.taps.max(1) * g.in_channels)
        .collect()
}

fn dense_texels(g: &ConvGeometry, tile: Tile) -> usize {
    let map_texels = g.in_channels.div_ceil(4) * g.kernel_height * g.kernel_width;
    tile.blocks(map_texels) * g.out_channels.div_ceil(4) * tile.block * 4
}

struct Part {
    mode: usize,
    block: usize,
    groups: usize,
    first_texel: usize,
    texels: usize,
    weight_texels: usize,
    /// Number of taps and the first of them, vertically and horizontally.
    taps: [usize; 2],
    first: [usize; 2],
}

fn pack(
    recording: &mut Recording,
    g: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
    part: Part,
) {
    let program = g
        .describe_channels(g.describe_kernel(Program::new(&KERNEL)))
        .u32("MODE", part.mode)
        .u32("BLOCK", part.block)
        .u32("GROUPS", part.groups);
    let immediates = [
        parameters.offset,
        part.first_texel,
        part.texels,
        part.weight_texels,
        part.taps[0],
        part.taps[1],
        part.first[0],
        part.first[1],
    ];
    let immediates = immediates.map(|value| value as u32).to_vec();
    over(
        recording,
        program,
        vec![parameters.buffer.into(), packed.image.into()],
        immediates,
        part.texels,
    );
    // A part of a strided input gradient has some of the taps; that of a dense layer covers its map.
    let taps = match part.mode {
        2 => g.kernel_height * g.kernel_width,
        _ => part.taps[0] * part.taps[1],
    };
    recording.moves(16 * part.texels + 4 * g.in_channels * g.out_channels * taps);
}

/// Packs weights and bias for [`super::conv_forward`] or `dense_forward`.
pub(crate) fn pack_forward(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
) {
    let (weight_texels, bias_texels) = forward_texels(geometry, packed.tile);
    let part = Part {
        mode: 0,
        block: packed.tile.block,
        groups: geometry.in_channels.div_ceil(4),
        first_texel: 0,
        texels: weight_texels + bias_texels,
        weight_texels,
        taps: [geometry.kernel_height, geometry.kernel_width],
        first: [0, 0],
    };
    pack(recording, geometry, parameters, packed, part);
}

/// Packs weights for [`super::conv_input_gradient`].
pub(crate) fn pack_conv_input_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
) {
    let texels = phase_texels(geometry, packed.tile);
    pack_phases(recording, geometry, parameters, packed, 1, &texels);
}

/// Packs weights for `conv_sample_gradient`.
pub(crate) fn pack_conv_sample_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
) {
    let texels = sample_phase_texels(geometry);
    pack_phases(recording, geometry, parameters, packed, 3, &texels);
}

/// The one tap of a phase that has none lies outside the kernel and must be packed as zero: its image, which starts as
/// zeros, is left alone.
fn pack_phases(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
    mode: usize,
    texels: &[usize],
) {
    for (index, (y, x)) in phases(geometry).into_iter().enumerate() {
        if y.taps == 0 || x.taps == 0 {
            continue;
        }
        let part = Part {
            mode,
            block: packed.tile.block,
            groups: geometry.out_channels.div_ceil(4),
            first_texel: packed.parts[index],
            texels: texels[index],
            weight_texels: texels[index],
            taps: [y.taps, x.taps],
            first: [y.first, x.first],
        };
        pack(recording, geometry, parameters, packed, part);
    }
}

/// Packs weights for `dense_input_gradient`.
pub(crate) fn pack_dense_input_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    parameters: LayerParameters,
    packed: &PackedWeights,
) {
    let texels = dense_texels(geometry, packed.tile);
    let part = Part {
        mode: 2,
        block: packed.tile.block,
        groups: geometry.out_channels.div_ceil(4),
        first_texel: 0,
        texels,
        weight_texels: texels,
        taps: [1, 1],
        first: [0, 0],
    };
    pack(recording, geometry, parameters, packed, part);
}
