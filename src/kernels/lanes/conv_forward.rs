use super::maps::{GROUP, IN, Maps, OUT};
use super::pass::Pass;
use super::tile::Tile;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/conv_forward",
    0,
    [Read, Read, ReadWrite, ReadWrite]
));

/// The border that a pass by tiles of `rows` × `pixels` output pixels reads around its input.
pub(super) fn conv_forward_border(g: &ConvGeometry, [rows, pixels]: [usize; 2]) -> Border {
    let reach = |outputs: usize, kernel: usize, size: usize| {
        ((outputs - 1) * g.stride + kernel).saturating_sub(g.padding + size)
    };
    let covered_rows = g.out_height().next_multiple_of(rows);
    let covered = g.out_width().next_multiple_of(pixels);
    Border {
        top: g.padding,
        left: g.padding,
        bottom: reach(covered_rows, g.kernel_height, g.in_height),
        right: reach(covered, g.kernel_width, g.in_width),
    }
}

/// `output` = act(W ∗ `input` + b) and, if asked for, `derivative`, laid out like `output`, = act′, as `pass` says.
pub(super) fn conv_forward(
    recording: &mut Recording,
    g: &ConvGeometry,
    activation: Activation,
    pass: &Pass,
    input: &Maps,
    output: &Maps,
    derivative: Option<&Maps>,
) {
    debug_assert!(derivative.is_none_or(|maps| maps.border == output.border));
    let Pass {
        tile: Tile { rows, pixels, .. },
        turn,
        weights,
    } = *pass;
    let covers = g.out_height().is_multiple_of(rows)
        && g.out_width().is_multiple_of(pixels)
        && g.out_channels.is_multiple_of(weights.block);
    let channel_rows = (rows - 1) * g.stride + g.kernel_height;
    let program = Program::new(&KERNELS[usize::from(derivative.is_some())]);
    let program = g
        .describe_channels(g.describe_kernel(activation.describe(program)))
        .u32("GROUP", GROUP)
        .u32("TILE_ROWS", rows)
        .u32("PIXELS", pixels)
        .u32("TILE", rows * pixels)
        .u32("BLOCK", weights.block)
        .u32("BLOCKS", weights.blocks)
        .u32("TURN", turn)
        .u32("CHANNEL_ROWS", channel_rows)
        .u32("ROWS", turn * channel_rows)
        .u32("ROW", (pixels - 1) * g.stride + g.kernel_width)
        .u32("OUT_MAP_HEIGHT", g.out_height())
        .u32("OUT_MAP_WIDTH", g.out_width())
        .flag("RAGGED", !covers)
        .flag("STORE_DERIVATIVE", derivative.is_some())
        .turns(g.in_channels / turn);
    let Border { top, left, .. } = input.border;
    let program = input.describe_from(program, &IN, [top - g.padding, left - g.padding]);
    let tiles = g.out_width().div_ceil(pixels) * weights.blocks;
    let workgroups = [tiles, g.out_height().div_ceil(rows), input.groups()];
    output
        .describe(program, &OUT)
        .bind([input.buffer, weights.buffer, output.buffer])
        .bind(derivative.map(|maps| maps.buffer))
        .launch(
            recording,
            workgroups.map(|count| count as u32),
            g.flops() * input.samples as u64,
        );
}
