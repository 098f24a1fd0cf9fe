use super::conv_forward::conv_forward_border;
use super::maps::{GROUP, IN, Maps, OUT};
use super::tile::{Shares, describe_reduction};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

static KERNEL: Kernel = kernel!(
    "lanes/conv_weight_gradient",
    0,
    [Read, Read, Read, ReadWrite]
);

/// The most sums of an invocation, without those of the biases: one more an output channel. Twice as many make D's second layer a
/// sixth faster, and take three times as long to compile.
const SUMS: usize = 288;
/// The most output channels of a workgroup.
const BLOCK: usize = 16;

/// What a workgroup sums, and how the work is shared out.
pub(super) struct Plan {
    pixels: usize,
    block: usize,
    in_block: usize,
    tap_rows: usize,
    pub(super) shares: Shares,
}

impl Plan {
    pub(super) fn new(g: &ConvGeometry, samples: usize) -> Self {
        let pixels = pixels(g);
        let block = (SUMS / g.kernel_width).clamp(1, BLOCK).min(g.out_channels);
        let most_rows = (SUMS / (block * g.kernel_width)).max(1);
        let divisors = (1..=g.kernel_height).filter(|rows| g.kernel_height.is_multiple_of(*rows));
        let tap_rows = divisors
            .filter(|&rows| rows <= most_rows)
            .max()
            .unwrap_or(1);
        // Further input channels once all taps of one are there.
        let in_block = match tap_rows == g.kernel_height {
            true => (SUMS / (block * tap_rows * g.kernel_width)).clamp(1, g.in_channels),
            false => 1,
        };
        let workgroups = g.out_channels.div_ceil(block)
            * (g.kernel_height / tap_rows)
            * g.in_channels.div_ceil(in_block);
        let turns = g.out_height() * g.out_width().div_ceil(pixels);
        let parameters = g.weight_len() + g.out_channels;
        Plan {
            pixels,
            block,
            in_block,
            tap_rows,
            shares: Shares::new(samples, turns, workgroups, parameters),
        }
    }
}

/// Output pixels a turn: those that leave the fewest idle, and of these the most.
fn pixels(g: &ConvGeometry) -> usize {
    let row = g.out_width();
    let most = 4.min(row);
    let idle = |&pixels: &usize| row.next_multiple_of(pixels) * 8 + 8 / pixels;
    (1..=most).min_by_key(idle).unwrap_or(1)
}

/// The borders that the weight gradient reads around the layer's input and around the output gradient.
pub(super) fn conv_weight_gradient_borders(g: &ConvGeometry) -> [Border; 2] {
    let pixels = pixels(g);
    let gradient = Border {
        right: g.out_width().next_multiple_of(pixels) - g.out_width(),
        ..Border::default()
    };
    [conv_forward_border(g, [1, pixels]), gradient]
}

/// Share k of `partials` = Σ over its groups of samples of `factor`ₙ · ∂Eₙ/∂(weight, bias).
pub(super) fn conv_weight_gradient(
    recording: &mut Recording,
    g: &ConvGeometry,
    input: &Maps,
    output_gradient: &Maps,
    factor: Buffer,
    partials: Buffer,
) {
    let Plan {
        pixels,
        block,
        in_block,
        tap_rows,
        shares,
    } = Plan::new(g, input.samples);
    let blocks = g.out_channels.div_ceil(block);
    let tiles = g.out_width().div_ceil(pixels);
    let program = g.describe_channels(g.describe_kernel(Program::new(&KERNEL)));
    let (program, turns) =
        describe_reduction(program, block * (in_block * tap_rows * g.kernel_width + 1));
    let program = program
        .turns(turns + shares.groups * g.out_height() * tiles)
        .u32("GROUP", GROUP)
        .u32("SAMPLES", input.samples)
        .u32("GROUPS", input.groups())
        .u32("SHARE", shares.groups)
        .u32("PIXELS", pixels)
        .u32("TILES_X", tiles)
        .u32("BLOCK", block)
        .u32("BLOCKS", blocks)
        .u32("IN_BLOCK", in_block)
        .u32("TAP_ROWS", tap_rows)
        .u32("ROWS", in_block * tap_rows)
        .u32("ROW", (pixels - 1) * g.stride + g.kernel_width)
        .u32("OUT_MAP_HEIGHT", g.out_height());
    let Border { top, left, .. } = input.border;
    let program = input.describe_from(program, &IN, [top - g.padding, left - g.padding]);
    let workgroups = [
        blocks * (g.kernel_height / tap_rows),
        g.in_channels.div_ceil(in_block),
        shares.count,
    ];
    output_gradient
        .describe(program, &OUT)
        .bind([input.buffer, output_gradient.buffer, factor, partials])
        .launch(
            recording,
            workgroups.map(|count| count as u32),
            g.flops() * input.samples as u64,
        );
}
