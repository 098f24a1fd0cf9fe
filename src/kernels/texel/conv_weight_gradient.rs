use super::conv_forward::conv_forward_border;
use super::plane::{IN, OUT, Plane};
use super::tile::{Shares, describe_lanes};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::kernels::border::Border;
use crate::kernels::geometry::ConvGeometry;

pub(super) static KERNEL: Kernel = kernel!(
    "texel/conv_weight_gradient",
    0,
    [
        FormatRead("IN_FORMAT"),
        FormatRead("OUT_FORMAT"),
        Read,
        ReadWrite
    ]
);

/// The borders that the weight gradient, by `pixels` at a time, reads around the layer's input and around the output
/// gradient.
pub(crate) fn conv_weight_gradient_borders(
    geometry: &ConvGeometry,
    pixels: usize,
) -> (Border, Border) {
    let row = geometry.out_width();
    let tiles = row.div_ceil(pixels) * pixels;
    let gradient = Border {
        right: tiles - row,
        ..Border::default()
    };
    (conv_forward_border(geometry, pixels), gradient)
}

/// How the tiles of `pixels` of all samples are split; `partials` holds as many times (weight, bias) as there are shares.
pub(crate) fn weight_gradient_shares(
    geometry: &ConvGeometry,
    samples: usize,
    lanes: usize,
    pixels: usize,
) -> Shares {
    let g = geometry;
    let workgroups =
        g.out_channels.div_ceil(4).div_ceil(lanes) * g.in_channels.div_ceil(4) * g.kernel_height;
    let tiles = g.out_width().div_ceil(pixels) * g.out_height();
    Shares::new(samples, tiles, workgroups, g.weight_len() + g.out_channels)
}

/// Share k of `partials` = Σ over its tiles of `factor`ₙ · ∂Eₙ/∂(weight, bias).
#[allow(clippy::too_many_arguments)]
pub fn conv_weight_gradient(
    recording: &mut Recording,
    geometry: &ConvGeometry,
    lanes: usize,
    pixels: usize,
    input: &Plane,
    output_gradient: &Plane,
    factor: Buffer,
    partials: Buffer,
) {
    let g = geometry;
    let shares = weight_gradient_shares(g, input.samples, lanes, pixels);
    let row = (pixels - 1) * g.stride + g.kernel_width;
    let program = g
        .describe_channels(g.describe_kernel(Program::new(&KERNEL)))
        .u32("SAMPLES", input.samples)
        .u32("SHARE", shares.turns)
        .turns(shares.turns)
        .u32("PIXELS", pixels)
        .u32("TILES_X", g.out_width().div_ceil(pixels))
        .u32("ROW_TEXELS", row)
        .u32("LOADS", row.div_ceil(lanes))
        .u32("CHANNELS", g.in_channels.min(4))
        .u32("OUT_MAP_WIDTH", g.out_width())
        .u32("OUT_MAP_HEIGHT", g.out_height());
    let program = input.describe(describe_lanes(program, lanes), &IN, g.padding);
    let workgroups = [
        output_gradient.groups().div_ceil(lanes),
        input.groups() * g.kernel_height,
        shares.count,
    ];
    let flops = g.flops() * input.samples as u64;
    output_gradient
        .describe(program, &OUT, 0)
        .bind([input.image, output_gradient.image])
        .bind([factor, partials])
        .launch(recording, workgroups.map(|n| n as u32), flops);
}
