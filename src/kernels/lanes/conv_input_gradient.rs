use super::maps::{DERIVATIVE, GROUP, IN, Maps, OUT};
use super::pass::Pass;
use super::tile::Cells;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/conv_input_gradient",
    0,
    [Read, Read, ReadWrite, Read]
));

/// The border that a pass by tiles of rows of cells reads around the output gradient.
pub(super) fn conv_input_gradient_border(g: &ConvGeometry, tile: [usize; 2]) -> Border {
    let (rows, columns) = (Cells::rows(g), Cells::columns(g));
    let after = |cells: usize, along: Cells, kernel: usize, outputs: usize| {
        (cells + along.least_reach + along.steps - 1).saturating_sub(kernel + outputs)
    };
    let covered_rows = rows.count.next_multiple_of(tile[0]);
    let covered = columns.count.next_multiple_of(tile[1]);
    Border {
        top: g.kernel_height.saturating_sub(rows.least_reach),
        left: g.kernel_width.saturating_sub(columns.least_reach),
        bottom: after(covered_rows, rows, g.kernel_height, g.out_height()),
        right: after(covered, columns, g.kernel_width, g.out_width()),
    }
}

/// `input_gradient` = Wᵀ ∗ `output_gradient` (× `input_derivative`), as `pass` says, whose pixels are
/// cells.
pub(super) fn conv_input_gradient(
    recording: &mut Recording,
    g: &ConvGeometry,
    pass: &Pass,
    output_gradient: &Maps,
    input_derivative: Option<&Maps>,
    input_gradient: &Maps,
) {
    let (rows, columns) = (Cells::rows(g), Cells::columns(g));
    let Pass {
        tile,
        turn,
        weights,
    } = *pass;
    let (tile_rows, cells) = (tile.rows, tile.pixels);
    let channel_rows = tile_rows + rows.steps - 1;
    let covers = rows.count.is_multiple_of(tile_rows)
        && columns.count.is_multiple_of(cells)
        && g.in_height.is_multiple_of(g.stride)
        && g.in_width.is_multiple_of(g.stride)
        && g.in_channels.is_multiple_of(weights.block);
    let program = Program::new(&KERNELS[usize::from(input_derivative.is_some())]);
    let program = g
        .describe_kernel(program)
        .u32("GROUP", GROUP)
        .u32("TILE_ROWS", tile_rows)
        .u32("CELLS", cells)
        .u32("TILE", tile_rows * cells)
        .u32("PIXELS", tile_rows * cells * g.stride * g.stride)
        .u32("TILE_WIDTH", cells * g.stride)
        .u32("BLOCK", weights.block)
        .u32("BLOCKS", weights.blocks)
        .u32("PADDING", g.padding)
        .u32("LEAST_Y", rows.least_reach)
        .u32("LEAST_X", columns.least_reach)
        .u32("TURN", turn)
        .u32("CHANNEL_ROWS", channel_rows)
        .u32("ROWS", turn * channel_rows)
        .u32("ROW", cells + columns.steps - 1)
        .u32("IN_CHANNELS", g.out_channels)
        .u32("OUT_CHANNELS", g.in_channels)
        .u32("OUT_MAP_HEIGHT", g.in_height)
        .u32("OUT_MAP_WIDTH", g.in_width)
        .flag("RAGGED", !covers)
        .flag("DERIVATIVE", input_derivative.is_some())
        .turns(g.out_channels / turn);
    let program = input_derivative
        .into_iter()
        .fold(program, |program, maps| maps.describe(program, &DERIVATIVE));
    let Border { top, left, .. } = output_gradient.border;
    let first = [
        top + rows.least_reach - g.kernel_height,
        left + columns.least_reach - g.kernel_width,
    ];
    let program = output_gradient.describe_from(program, &IN, first);
    let tiles = columns.count.div_ceil(cells) * weights.blocks;
    let workgroups = [
        tiles,
        rows.count.div_ceil(tile_rows),
        output_gradient.groups(),
    ];
    input_gradient
        .describe(program, &OUT)
        .bind([
            output_gradient.buffer,
            weights.buffer,
            input_gradient.buffer,
        ])
        .bind(input_derivative.map(|maps| maps.buffer))
        .launch(
            recording,
            workgroups.map(|count| count as u32),
            g.flops() * output_gradient.samples as u64,
        );
}
