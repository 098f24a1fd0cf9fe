use super::pack_weights::PackedWeights;
use super::phase::phases;
use super::plane::{IN, Plane};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Buffer, Kernel, Program, Recording};

pub(super) static KERNEL: Kernel = kernel!(
    "texel/conv_sample_gradient",
    5,
    [FormatRead("IN_FORMAT"), ImageRead, ReadWrite]
);

/// `gradient` = Wᵀ ∗ `output_gradient` as (sample, channel, row, column), for convolutions of fewer than four input
/// channels, from weights packed by [`PackedWeights::conv_sample_gradient`].
pub(crate) fn conv_sample_gradient(
    recording: &mut Recording,
    lanes: usize,
    output_gradient: &Plane,
    weights: &PackedWeights,
    gradient: Buffer,
) {
    let g = &weights.geometry;
    let Tile { pixels, .. } = weights.tile;
    for ((y, x), part) in phases(g).iter().zip(&weights.parts) {
        // A phase that meets no tap still writes its zeros: one tap of zero weights (see `PackedWeights`).
        let (taps_y, taps_x) = (y.taps.max(1), x.taps.max(1));
        let program = Program::new(&KERNEL)
            .u32("SAMPLES", output_gradient.samples)
            .u32("TAPS_Y", taps_y)
            .u32("TAPS_X", taps_x)
            .u32("STRIDE", g.stride)
            .u32("PIXELS", pixels)
            .u32("CHANNELS", g.in_channels)
            .u32("ROW_TEXELS", pixels - 1 + taps_x)
            .u32("LOADS", (taps_x * g.in_channels).div_ceil(lanes))
            .u32("MAP_WIDTH", g.in_width)
            .u32("MAP_HEIGHT", g.in_height);
        let places = [x.offset, y.offset, x.reach, y.reach, part.first_texel];
        let tiles = output_gradient.samples * y.pixels * x.pixels.div_ceil(pixels);
        let pairs = g.in_channels * g.out_channels;
        let multiply_adds = output_gradient.samples * y.pixels * x.pixels * y.taps * x.taps * pairs;
        output_gradient
            .describe(describe_lanes(program, lanes), &IN, 0)
            .bind([output_gradient.image, weights.image])
            .bind([gradient])
            .immediates(places.map(|place| place as u32))
            .launch(
                recording,
                [tiles.div_ceil(WIDTH) as u32, 1, 1],
                2 * multiply_adds as u64,
            );
    }
}
