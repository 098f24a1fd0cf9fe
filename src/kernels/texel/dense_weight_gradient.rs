use super::plane::{IN, OUT, Plane};
use super::tile::{Shares, describe_lanes};
use crate::gpu::{Buffer, Kernel, Program, Recording};
use crate::shape::Shape;

/// Input texels whose weights one invocation keeps.
const TEXELS: usize = 8;

pub(super) static KERNEL: Kernel = kernel!(
    "texel/dense_weight_gradient",
    2,
    [
        FormatRead("IN_FORMAT"),
        FormatRead("OUT_FORMAT"),
        Read,
        ReadWrite
    ]
);

fn input_texels(input: Shape) -> usize {
    input.channels.div_ceil(4) * input.height * input.width
}

/// How the samples are split; `partials` holds as many times (weight, bias) as there are shares.
pub(crate) fn dense_weight_gradient_shares(
    input: Shape,
    out_features: usize,
    samples: usize,
    lanes: usize,
) -> Shares {
    let workgroups =
        out_features.div_ceil(4).div_ceil(lanes) * input_texels(input).div_ceil(TEXELS);
    Shares::new(samples, 1, workgroups, (input.len() + 1) * out_features)
}

/// Share k of `partials` = Σ over its samples of `factor`ₙ · ∂Eₙ/∂(weight, bias).
pub(crate) fn dense_weight_gradient(
    recording: &mut Recording,
    lanes: usize,
    input: &Plane,
    output_gradient: &Plane,
    factor: Buffer,
    partials: Buffer,
) {
    let out_features = output_gradient.shape.channels;
    let shares = dense_weight_gradient_shares(input.shape, out_features, input.samples, lanes);
    let program = Program::new(&KERNEL)
        .u32("SAMPLES", input.samples)
        .u32("SHARE", shares.turns)
        .turns(shares.turns)
        .u32("TEXELS", TEXELS)
        .u32("LOADS", TEXELS.div_ceil(lanes))
        .u32("IN_FEATURES", input.shape.len())
        .u32("OUT_FEATURES", out_features)
        .u32("IN_CHANNELS", input.shape.channels)
        .u32("IN_MAP_WIDTH", input.shape.width)
        .u32("IN_MAP_HEIGHT", input.shape.height);
    // Rows by immediates, so that layers that are alike have one program wherever their maps are.
    let rows = [input, output_gradient].map(|plane| plane.first_row as u32);
    let [from, to] = [input, output_gradient].map(|plane| Plane {
        first_row: 0,
        ..*plane
    });
    let program = from.describe(describe_lanes(program, lanes), &IN, 0);
    let workgroups = [
        output_gradient.groups().div_ceil(lanes),
        input_texels(input.shape).div_ceil(TEXELS),
        shares.count,
    ];
    let flops = 2 * input.samples * input.shape.len() * out_features;
    to.describe(program, &OUT, 0)
        .bind([input.image, output_gradient.image])
        .bind([factor, partials])
        .immediates(rows)
        .launch(recording, workgroups.map(|n| n as u32), flops as u64);
}
