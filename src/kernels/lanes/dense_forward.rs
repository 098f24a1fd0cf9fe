use super::maps::{GROUP, IN, Maps, OUT};
use super::pack_weights::PackedWeights;
use super::tile::TOGETHER;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::activations::Activation;
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/dense_forward",
    0,
    [Read, Read, ReadWrite, ReadWrite]
));

/// How many of so many groups of samples a workgroup computes: as many as leave a few cores something to do.
pub(super) fn together(groups: usize, blocks: usize) -> usize {
    const WORKGROUPS: usize = 8;
    let leaves_enough = |together: &usize| blocks * groups.div_ceil(*together) >= WORKGROUPS;
    [TOGETHER, TOGETHER / 2]
        .into_iter()
        .find(leaves_enough)
        .unwrap_or(1)
}

/// The workgroups of such a product.
pub(super) fn product_workgroups(input: &Maps, weights: &PackedWeights) -> [u32; 3] {
    let groups = input.groups();
    let rows = groups.div_ceil(together(groups, weights.blocks));
    [weights.blocks as u32, rows as u32, 1]
}

/// Adds what `shaders/shared/lanes_product.wgsl` asks for: a product with the values of `input`, `turn` of them a turn.
pub(super) fn describe_product(
    program: Program,
    input: &Maps,
    weights: &PackedWeights,
    turn: usize,
) -> Program {
    let inner = input.shape.len();
    let together = together(input.groups(), weights.blocks);
    let program = program
        .u32("GROUP", GROUP)
        .u32("BLOCK", weights.block)
        .u32("TOGETHER", together)
        .u32("SUMS", together * weights.block)
        .u32("GROUPS", input.groups())
        .u32("TURN", turn)
        .u32("INNER", inner)
        .u32("TURNS", inner.div_ceil(turn))
        .turns(inner.div_ceil(turn))
        .u32("IN_CHANNELS", input.shape.channels)
        .u32("IN_MAP_HEIGHT", input.shape.height)
        .u32("IN_MAP_WIDTH", input.shape.width);
    input.describe(program, &IN)
}

/// `output` = act(W `input` + b) and, if asked for, `derivative`, laid out like `output`, = act′, by
/// [`PackedWeights::forward`]'s block, `turn` values a turn.
pub(super) fn dense_forward(
    recording: &mut Recording,
    activation: Activation,
    turn: usize,
    input: &Maps,
    weights: &PackedWeights,
    output: &Maps,
    derivative: Option<&Maps>,
) {
    debug_assert!(derivative.is_none_or(|maps| maps.border == output.border));
    let program = Program::new(&KERNELS[usize::from(derivative.is_some())]);
    let program = describe_product(activation.describe(program), input, weights, turn)
        .u32("OUTPUTS", output.shape.channels)
        .u32("BIAS", weights.weight_words())
        .flag("STORE_DERIVATIVE", derivative.is_some());
    let products = input.shape.len() * output.shape.len() * input.samples;
    output
        .describe(program, &OUT)
        .bind([weights.buffer, input.buffer, output.buffer])
        .bind(derivative.map(|maps| maps.buffer))
        .launch(
            recording,
            product_workgroups(input, weights),
            2 * products as u64,
        );
}
