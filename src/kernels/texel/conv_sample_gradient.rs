use super::cells::Cells;
use super::pack_weights::PackedWeights;
use super::plane::{IN, Plane};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(super) static KERNEL: Kernel = kernel!(
    "texel/conv_sample_gradient",
    0,
    [FormatRead("IN_FORMAT"), ImageRead, ReadWrite]
);

/// `gradient` = Wᵀ ∗ `output_gradient` as (sample, channel, row, column), for convolutions of fewer than four input
/// channels, from weights packed by [`PackedWeights::conv_sample_gradient`]. A pixel of the tile is a cell.
pub(crate) fn conv_sample_gradient(
    recording: &mut Recording,
    lanes: usize,
    output_gradient: &Plane,
    weights: &PackedWeights,
    gradient: Buffer,
) {
    let g = &weights.geometry;
    let Tile { pixels, .. } = weights.tile;
    let cells = Cells::new(g);
    let samples = output_gradient.samples;
    let program = g
        .describe_kernel(Program::new(&KERNEL))
        .u32("PADDING", g.padding)
        .u32("SAMPLES", samples)
        .u32("PIXELS", pixels)
        .u32("CHANNELS", g.in_channels)
        .u32("LOADS", (g.taps() * g.in_channels).div_ceil(lanes))
        .u32("MAP_WIDTH", g.in_width)
        .u32("MAP_HEIGHT", g.in_height);
    let program = describe_lanes(cells.describe(program, pixels), lanes);
    let tiles = samples * cells.tiles(pixels);
    output_gradient
        .describe(program, &IN, 0)
        .bind([output_gradient.image, weights.image])
        .bind([gradient])
        .launch(
            recording,
            [tiles.div_ceil(WIDTH) as u32, 1, 1],
            g.flops() * samples as u64,
        );
}
