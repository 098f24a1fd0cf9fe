use super::pack_weights::PackedWeights;
use super::plane::{IN, OUT, Plane, by_derivative, describe_kept, for_derivative};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Access, Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

static KERNELS: [Kernel; 3] = by_derivative!(
    "texel/conv_forward",
    0,
    [
        Access::FormatRead("IN_FORMAT"),
        Access::ImageRead,
        Access::FormatWrite("OUT_FORMAT")
    ],
    Access::FormatWrite("OUT_FORMAT"),
    Access::ReadWrite
);

/// The border that a pass by tiles of `pixels` output pixels reads around its input.
pub(crate) fn conv_forward_border(geometry: &ConvGeometry, pixels: usize) -> Border {
    let g = geometry;
    let tiles = g.out_width().div_ceil(pixels) * pixels;
    Border {
        top: g.padding,
        left: g.padding,
        bottom: ((g.out_height() - 1) * g.stride + g.kernel_height)
            .saturating_sub(g.padding + g.in_height),
        right: ((tiles - 1) * g.stride + g.kernel_width).saturating_sub(g.padding + g.in_width),
    }
}

/// `output` = act(W ∗ `input` + b) and, if asked for, `derivative`, laid out like `output`, = act′, from weights packed by
/// [`PackedWeights::forward`].
pub(crate) fn conv_forward(
    recording: &mut Recording,
    activation: Activation,
    lanes: usize,
    input: &Plane,
    weights: &PackedWeights,
    output: &Plane,
    derivative: Option<&Plane>,
) {
    let PackedWeights {
        geometry: g, tile, ..
    } = weights;
    let Tile { pixels, block } = *tile;
    let block_count = tile.blocks(output.groups());
    debug_assert!(derivative.is_none_or(|plane| plane.has_layout_of(output)));
    let program = g
        .describe_kernel(Program::new(for_derivative(&KERNELS, derivative)))
        .u32("SAMPLES", input.samples)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("BLOCKS", block_count)
        .u32("CHANNELS", g.in_channels.min(4))
        .u32("ROW_TEXELS", (pixels - 1) * g.stride + g.kernel_width)
        .u32("LOADS", (g.kernel_width * block * 4).div_ceil(lanes))
        .u32("OUT_MAP_WIDTH", g.out_width())
        .u32("OUT_MAP_HEIGHT", g.out_height());
    let program = describe_lanes(
        activation.describe(describe_kept(program, derivative)),
        lanes,
    );
    let tiles = input.samples * g.out_height() * g.out_width().div_ceil(pixels);
    output
        .describe(input.describe(program, &IN, g.padding), &OUT, 0)
        .bind([input.image, weights.image, output.image])
        .bind(derivative.map(Plane::resource))
        .launch(
            recording,
            [tiles.div_ceil(WIDTH) as u32, block_count as u32, 1],
            g.flops() * input.samples as u64,
        );
}
