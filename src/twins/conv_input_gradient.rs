//! Twin of `conv_input_gradient.wgsl`: the gradient of a convolution in its input.

use super::check_len;
use super::taps::for_each_tap;
use crate::kernels::geometry::ConvGeometry;

/// Carries `output_gradient`, ∂E/∂z of this layer, back to the layer's input.
///
/// `input_derivative` is act′ of the layer before, of the input's shape; with it the result is ∂E/∂z of
/// that layer, without it ∂E/∂input. The result has the input's shape, (sample, channel, row, column).
pub fn conv_input_gradient(
    geometry: &ConvGeometry,
    samples: usize,
    output_gradient: &[f64],
    weight: &[f64],
    input_derivative: Option<&[f64]>,
) -> Vec<f64> {
    let (in_len, out_len) = (geometry.in_len(), geometry.out_len());
    check_len("output_gradient", output_gradient, samples * out_len);
    check_len("weight", weight, geometry.weight_len());

    let mut gradient = vec![0.0; samples * in_len];
    for n in 0..samples {
        for_each_tap(geometry, |tap| {
            gradient[n * in_len + tap.input] +=
                weight[tap.weight] * output_gradient[n * out_len + tap.output];
        });
    }
    if let Some(derivative) = input_derivative {
        check_len("input_derivative", derivative, samples * in_len);
        for (gradient, derivative) in gradient.iter_mut().zip(derivative) {
            *gradient *= derivative;
        }
    }
    gradient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activations::Activation;
    use crate::twins::testing::{
        assert_close, awkward_geometries, central_differences, dot, linear, random,
    };

    #[test]
    fn agrees_with_finite_differences() {
        for geometry in awkward_geometries() {
            let samples = 2;
            let input = random(samples * geometry.in_len(), 1);
            let weight = random(geometry.weight_len(), 2);
            let bias = random(geometry.out_channels, 3);
            let output_gradient = random(samples * geometry.out_len(), 4);
            let numeric = central_differences(&input, |input| {
                let z = linear(&geometry, samples, input, &weight, &bias);
                dot(&z, &output_gradient)
            });
            let gradient = conv_input_gradient(&geometry, samples, &output_gradient, &weight, None);
            assert_close(&gradient, &numeric, 1e-8);
        }
    }

    /// The input is act(y); the gradient in y must carry the factor act′(y).
    #[test]
    fn the_previous_activation_is_differentiated_too() {
        for geometry in awkward_geometries() {
            let activation = Activation::TANH;
            let samples = 2;
            let y = random(samples * geometry.in_len(), 1);
            let weight = random(geometry.weight_len(), 2);
            let bias = random(geometry.out_channels, 3);
            let output_gradient = random(samples * geometry.out_len(), 4);
            let numeric = central_differences(&y, |y| {
                let input: Vec<f64> = y.iter().map(|&y| activation.value(y)).collect();
                let z = linear(&geometry, samples, &input, &weight, &bias);
                dot(&z, &output_gradient)
            });
            let derivative: Vec<f64> = y.iter().map(|&y| activation.derivative(y)).collect();
            let derivative = Some(&derivative[..]);
            let gradient =
                conv_input_gradient(&geometry, samples, &output_gradient, &weight, derivative);
            assert_close(&gradient, &numeric, 1e-8);
        }
    }
}
