use super::maps::{GROUP, IN, Maps, OUT};
use super::tile::{Shares, describe_reduction};
use crate::gpu::{Buffer, Kernel, Program, Recording};

static KERNEL: Kernel = kernel!(
    "lanes/dense_weight_gradient",
    0,
    [Read, Read, Read, ReadWrite]
);

/// Outputs and input values that a workgroup sums.
const BLOCK: usize = 16;
const COLUMNS: usize = 16;

/// How the work is shared out.
pub(super) fn dense_weight_gradient_shares(
    inputs: usize,
    outputs: usize,
    samples: usize,
) -> Shares {
    let workgroups = outputs.div_ceil(BLOCK) * inputs.div_ceil(COLUMNS);
    Shares::new(samples, 1, workgroups, outputs * (inputs + 1))
}

/// Share k of `partials` = Σ over its groups of samples of `factor`ₙ · ∂Eₙ/∂(weight, bias).
pub(super) fn dense_weight_gradient(
    recording: &mut Recording,
    input: &Maps,
    output_gradient: &Maps,
    factor: Buffer,
    partials: Buffer,
) {
    let (inputs, outputs) = (input.shape.len(), output_gradient.shape.channels);
    let (block, columns) = (BLOCK.min(outputs), COLUMNS.min(inputs));
    let shares = dense_weight_gradient_shares(inputs, outputs, input.samples);
    let (program, turns) = describe_reduction(Program::new(&KERNEL), block * (columns + 1));
    let program = program
        .turns(turns + shares.groups)
        .u32("GROUP", GROUP)
        .u32("SAMPLES", input.samples)
        .u32("GROUPS", input.groups())
        .u32("SHARE", shares.groups)
        .u32("BLOCK", block)
        .u32("COLUMNS", columns)
        .u32("INPUTS", inputs)
        .u32("IN_CHANNELS", input.shape.channels)
        .u32("IN_MAP_HEIGHT", input.shape.height)
        .u32("IN_MAP_WIDTH", input.shape.width)
        .u32("OUTPUTS", outputs);
    let workgroups = [
        outputs.div_ceil(block),
        inputs.div_ceil(columns),
        shares.count,
    ];
    output_gradient
        .describe(input.describe(program, &IN), &OUT)
        .bind([input.buffer, output_gradient.buffer, factor, partials])
        .launch(
            recording,
            workgroups.map(|count| count as u32),
            (2 * inputs * outputs * input.samples) as u64,
        );
}
