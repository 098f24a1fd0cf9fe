use super::pack_weights::PackedWeights;
use super::phase::phases;
use super::plane::{IN, OUT, Plane, by_derivative, describe_derivative, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/conv_input_gradient",
    5,
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
    let g = geometry;
    phases(g)
        .into_iter()
        .fold(Border::default(), |border, (y, x)| {
            border.max(Border {
                top: y.taps.saturating_sub(1 + y.reach),
                left: x.taps.saturating_sub(1 + x.reach),
                bottom: (y.pixels + y.reach).saturating_sub(g.out_height()),
                right: (tile.covered(x.pixels) + x.reach).saturating_sub(g.out_width()),
            })
        })
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
    let Tile { pixels, block } = *tile;
    let block_count = tile.blocks(input_gradient.groups());
    for ((y, x), part) in phases(g).iter().zip(&weights.parts) {
        // A phase that meets no tap still writes its zeros: one tap of zero weights (see `PackedWeights`).
        let (taps_y, taps_x) = (y.taps.max(1), x.taps.max(1));
        let program = Program::new(for_derivative(&KERNELS, input_derivative))
            .u32("SAMPLES", output_gradient.samples)
            .u32("TAPS_Y", taps_y)
            .u32("TAPS_X", taps_x)
            .u32("STRIDE", g.stride)
            .u32("PIXELS", pixels)
            .u32("BLOCK", block)
            .u32("CHANNELS", g.out_channels.min(4))
            .u32("ROW_TEXELS", pixels - 1 + taps_x)
            .u32("LOADS", (taps_x * block * 4).div_ceil(lanes))
            .u32("OUT_MAP_WIDTH", g.in_width)
            .u32("OUT_MAP_HEIGHT", g.in_height);
        let program = output_gradient.describe(describe_lanes(program, lanes), &IN, 0);
        let program = input_gradient.describe(program, &OUT, 0);
        let places = [x.offset, y.offset, x.reach, y.reach, part.first_texel];
        let tiles = output_gradient.samples * y.pixels * x.pixels.div_ceil(pixels);
        let pairs = g.in_channels * g.out_channels;
        let multiply_adds = output_gradient.samples * y.pixels * x.pixels * y.taps * x.taps * pairs;
        describe_derivative(program, input_derivative, 3)
            .bind([output_gradient.image, weights.image, input_gradient.image])
            .bind(input_derivative.map(Plane::resource))
            .immediates(places.map(|place| place as u32))
            .launch(
                recording,
                [tiles.div_ceil(WIDTH) as u32, block_count as u32, 1],
                2 * multiply_adds as u64,
            );
    }
}
