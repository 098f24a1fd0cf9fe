use super::activations::Activation;
use super::maps::Maps;
use super::pooling::Pooling;
use super::{texel, tiled};
use crate::gpu::Recording;

/// `output` = act(factor · Σ over each window of `input` (+ `skip`)) and, if asked for, `derivative` = act′, laid out like
/// `output`. `input` and `skip` are of the pooling's input shape; all maps are of one variant.
#[allow(clippy::too_many_arguments)]
pub fn pool_forward(
    recording: &mut Recording,
    pooling: &Pooling,
    activation: Activation,
    samples: usize,
    input: &Maps,
    skip: Option<&Maps>,
    output: &Maps,
    derivative: Option<&Maps>,
) {
    match input {
        Maps::Flat(input) => tiled::pool_forward(
            recording,
            pooling,
            activation,
            samples,
            *input,
            skip.map(Maps::flat),
            output.flat(),
            derivative.map(Maps::flat),
        ),
        Maps::Plane(input) => texel::pool_forward(
            recording,
            pooling,
            activation,
            input,
            skip.map(Maps::plane),
            output.plane(),
            derivative.map(Maps::plane),
        ),
    }
}

/// `input_gradient` = (factor · the `output_gradient` of each value's window (+ `added`)) (× `input_derivative`, the
/// activation derivative of the layer before): the gradient of the energy in what [`pool_forward`] reads. `added` and
/// `input_derivative` are of the pooling's input shape, and none of the two may be `input_gradient` itself.
#[allow(clippy::too_many_arguments)]
pub fn pool_input_gradient(
    recording: &mut Recording,
    pooling: &Pooling,
    samples: usize,
    output_gradient: &Maps,
    added: Option<&Maps>,
    input_derivative: Option<&Maps>,
    input_gradient: &Maps,
) {
    match output_gradient {
        Maps::Flat(output_gradient) => tiled::pool_input_gradient(
            recording,
            pooling,
            samples,
            *output_gradient,
            added.map(Maps::flat),
            input_derivative.map(Maps::flat),
            input_gradient.flat(),
        ),
        Maps::Plane(output_gradient) => texel::pool_input_gradient(
            recording,
            pooling,
            output_gradient,
            added.map(Maps::plane),
            input_derivative.map(Maps::plane),
            input_gradient.plane(),
        ),
    }
}
