use super::pack_weights::PackedWeights;
use super::plane::{Border, IN, OUT, Plane};
use super::tile::{Tile, WIDTH, describe_lanes};
use crate::gpu::{Kernel, Program, Recording, Resource};
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::{launch, with_optional_last};

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "texel/conv_forward",
    0,
    [
        FormatRead("IN_FORMAT"),
        ImageRead,
        FormatWrite("OUT_FORMAT"),
        FormatWrite("OUT_FORMAT")
    ]
));

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
/// `pack_forward`.
#[allow(clippy::too_many_arguments)]
pub fn conv_forward(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    activation: Activation,
    lanes: usize,
    input: &Plane,
    weights: &PackedWeights,
    output: &Plane,
    derivative: Option<&Plane>,
) {
    let g = geometry;
    let tile = weights.tile;
    let Tile { pixels, block } = tile;
    let block_count = tile.blocks(output.groups());
    debug_assert!(derivative.is_none_or(|plane| plane.has_layout_of(output)));
    let program = g
        .describe_kernel(Program::new(&KERNELS[usize::from(derivative.is_some())]))
        .u32("SAMPLES", input.samples)
        .u32("PIXELS", pixels)
        .u32("BLOCK", block)
        .u32("BLOCKS", block_count)
        .u32("CHANNELS", g.in_channels.min(4))
        .u32("ROW_TEXELS", (pixels - 1) * g.stride + g.kernel_width)
        .u32("LOADS", (g.kernel_width * block * 4).div_ceil(lanes))
        .u32("OUT_MAP_WIDTH", g.out_width())
        .u32("OUT_MAP_HEIGHT", g.out_height())
        .flag("STORE_DERIVATIVE", derivative.is_some());
    let program = describe_lanes(activation.describe(program), lanes);
    let program = output.describe(input.describe(program, &IN, g.padding), &OUT, 0);
    let mut resources = vec![
        input.image.into(),
        weights.image.into(),
        output.image.into(),
    ];
    resources.extend(derivative.map(|plane| Resource::Image(plane.image)));
    let tiles = input.samples * g.out_height() * g.out_width().div_ceil(pixels);
    let workgroups = [tiles.div_ceil(WIDTH) as u32, block_count as u32, 1];
    launch(
        recording,
        program,
        resources,
        vec![],
        workgroups,
        g.flops() * input.samples as u64,
    );
}
