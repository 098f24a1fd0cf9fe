use crate::gpu::Program;
use crate::kernels::geometry::Activation;

/// Invocations in a workgroup of the texel kernels.
pub(super) const WIDTH: usize = 64;

/// How many neighbouring pixels of a row an invocation computes: wide tiles share weights, but a tile that reaches
/// over the end of the row wastes work. `OVERHEAD` is the cost of a tile beside its pixels, in pixels, by which
/// a width of 4 wins over 2 on wide rows as measured (docs/kernels.md).
pub(super) fn pixels(row: usize) -> usize {
    const OVERHEAD: usize = 2;
    let cost = |&pixels: &usize| row.div_ceil(pixels) * (pixels + OVERHEAD);
    [4, 2, 1].into_iter().min_by_key(cost).unwrap_or(1)
}

/// How many groups of four channels an invocation computes (at most four), and how many such blocks there are.
pub(super) fn blocks(groups: usize) -> (usize, usize) {
    let blocks = groups.div_ceil(4);
    (groups.div_ceil(blocks), blocks)
}

/// Adds the subgroup constants.
pub(super) fn describe_lanes(program: Program, lanes: usize) -> Program {
    program.u32("LANES", lanes).flag("SPREAD", lanes > 1)
}

/// Adds the activation constants.
pub(super) fn describe_activation(program: Program, activation: Activation) -> Program {
    program
        .u32("ACTIVATION", activation.code())
        .f32("SLOPE", activation.slope())
}

/// How many shares to split the samples of a weight gradient into: enough for both a few cores and bounded memory.
pub(super) fn shares(samples: usize, workgroups: usize, parameters: usize) -> usize {
    const WORKGROUPS: usize = 64;
    const WORDS: usize = 1 << 24;
    WORKGROUPS
        .div_ceil(workgroups)
        .min(WORDS / parameters.max(1))
        .clamp(1, samples)
}
