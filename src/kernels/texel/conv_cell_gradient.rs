use super::cells::Cells;
use super::pack_weights::PackedWeights;
use super::plane::{IN, OUT, Plane, by_derivative, describe_derivative, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording};

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/conv_cell_gradient",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatRead("OUT_FORMAT"),
    Access::Read
);

/// What [`conv_input_gradient`](super::conv_input_gradient::conv_input_gradient) computes, for a convolution that strides. A pixel of the
/// tile is a cell.
pub(super) fn conv_cell_gradient(
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
    let Tile { pixels, block } = *tile;
    let cells = Cells::new(g);
    let samples = output_gradient.samples;
    let program = g
        .describe_kernel(Program::new(for_derivative(&KERNELS, input_derivative)))
        .u32("PADDING", g.padding)
        .u32("SAMPLES", samples)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("CHANNELS", g.out_channels.min(4))
        .u32("LOADS", (g.taps() * block * 4).div_ceil(lanes))
        .u32("OUT_MAP_WIDTH", g.in_width)
        .u32("OUT_MAP_HEIGHT", g.in_height);
    let program = describe_lanes(cells.describe(program, pixels), lanes);
    let program = output_gradient.describe(program, &IN, 0);
    let program = input_gradient.describe(program, &OUT, 0);
    let tiles = samples * cells.tiles(pixels);
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
