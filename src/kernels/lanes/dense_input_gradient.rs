use super::dense_forward::{describe_product, product_workgroups};
use super::maps::{DERIVATIVE, Maps, OUT};
use super::pack_weights::PackedWeights;
use crate::gpu::{Kernel, Program, Recording};
use crate::kernels::launch::with_optional_last;

static KERNELS: [Kernel; 2] = with_optional_last(kernel!(
    "lanes/dense_input_gradient",
    0,
    [Read, Read, ReadWrite, Read]
));

/// `input_gradient` = Wᵀ `output_gradient` (× `input_derivative`), by [`PackedWeights::input_gradient`]'s block, `turn`
/// outputs a turn.
pub(super) fn dense_input_gradient(
    recording: &mut Recording,
    turn: usize,
    output_gradient: &Maps,
    weights: &PackedWeights,
    input_derivative: Option<&Maps>,
    input_gradient: &Maps,
) {
    let (samples, shape) = (output_gradient.samples, input_gradient.shape);
    let program = Program::new(&KERNELS[usize::from(input_derivative.is_some())]);
    let program = describe_product(program, output_gradient, weights, turn)
        .u32("OUTPUTS", shape.len())
        .u32("OUT_CHANNELS", shape.channels)
        .u32("OUT_MAP_HEIGHT", shape.height)
        .u32("OUT_MAP_WIDTH", shape.width)
        .flag("DERIVATIVE", input_derivative.is_some());
    let program = input_derivative
        .into_iter()
        .fold(program, |program, maps| maps.describe(program, &DERIVATIVE));
    let products = output_gradient.shape.len() * shape.len() * samples;
    input_gradient
        .describe(program, &OUT)
        .bind([
            weights.buffer,
            output_gradient.buffer,
            input_gradient.buffer,
        ])
        .bind(input_derivative.map(|maps| maps.buffer))
        .launch(
            recording,
            product_workgroups(output_gradient, weights),
            2 * products as u64,
        );
}
