use super::cells::Cells;
use super::conv_cell_gradient::conv_cell_gradient;
use super::pack_weights::PackedWeights;
use super::plane::{IN, OUT, Plane, by_derivative, describe_derivative, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/conv_input_gradient",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatRead("OUT_FORMAT"),
    Access::Read
);

/// The border that the input gradient by `tile` reads around the output gradient.
pub(crate) fn conv_input_gradient_border(geometry: &ConvGeometry, tile: Tile) -> Border {
    Cells::new(geometry).border(geometry, tile.pixels)
}

/// `input_gradient` = Wᵀ ∗ `output_gradient` × `input_derivative`, from weights packed by
/// [`PackedWeights::conv_input_gradient`].
pub(crate) fn conv_input_gradient(
    recording: &mut Recording,
    lanes: usize,
    output_gradient: &Plane,
    weights: &PackedWeights,
    input_derivative: Option<&Plane>,
    input_gradient: &Plane,
) {
    let PackedWeights {
        geometry: g, tile, ..
    } = weights;
    if g.stride > 1 {
        return conv_cell_gradient(
            recording,
            lanes,
            output_gradient,
            weights,
            input_derivative,
            input_gradient,
        );
    }
    let Tile { pixels, block } = *tile;
    let samples = output_gradient.samples;
    let program = Program::new(for_derivative(&KERNELS, input_derivative))
        .u32("SAMPLES", samples)
        .u32("KERNEL_HEIGHT", g.kernel_height)
        .u32("KERNEL_WIDTH", g.kernel_width)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("CHANNELS", g.out_channels.min(4))
        .u32("ROW_TEXELS", pixels - 1 + g.kernel_width)
        .u32("LOADS", (g.kernel_width * block * 4).div_ceil(lanes))
        .u32("OUT_MAP_WIDTH", g.in_width)
        .u32("OUT_MAP_HEIGHT", g.in_height);
    let program = describe_lanes(program.u32("PADDING", g.padding), lanes);
    let program = output_gradient.describe(program, &IN, 0);
    let program = input_gradient.describe(program, &OUT, 0);
    let tiles = samples * g.in_height * g.in_width.div_ceil(pixels);
    let blocks = tile.blocks(input_gradient.groups());
    describe_derivative(program, input_derivative, 3)
        .bind([output_gradient.image, weights.image, input_gradient.image])
        .bind(input_derivative.map(Plane::resource))
        .launch(
            recording,
            [tiles.div_ceil(WIDTH) as u32, blocks as u32, 1],
            g.flops() * samples as u64,
        );
}
