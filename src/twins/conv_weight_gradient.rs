//! Twin of `conv_weight_gradient.wgsl`: the gradient of a convolution in its weight and bias.

use super::check_len;
use super::taps::for_each_tap;
use crate::kernels::geometry::ConvGeometry;

/// The gradient in one layer's parameters, summed over the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightGradient {
    /// Laid out like the weight: (out, in, height, width).
    pub weight: Vec<f64>,
    /// One value per output channel.
    pub bias: Vec<f64>,
}

/// Σₙ factor\[n\] · ∂Eₙ/∂(weight, bias), with `output_gradient` the ∂Eₙ/∂z of this layer.
///
/// `factor` holds one value per sample: it is where the objective's weights of data and noise enter.
pub fn conv_weight_gradient(
    geometry: &ConvGeometry,
    samples: usize,
    input: &[f64],
    output_gradient: &[f64],
    factor: &[f64],
) -> WeightGradient {
    let (in_len, out_len) = (geometry.in_len(), geometry.out_len());
    check_len("input", input, samples * in_len);
    check_len("output_gradient", output_gradient, samples * out_len);
    check_len("factor", factor, samples);

    let plane = geometry.out_height() * geometry.out_width();
    let mut gradient = WeightGradient {
        weight: vec![0.0; geometry.weight_len()],
        bias: vec![0.0; geometry.out_channels],
    };
    for n in 0..samples {
        for output in 0..out_len {
            gradient.bias[output / plane] += factor[n] * output_gradient[n * out_len + output];
        }
        for_each_tap(geometry, |tap| {
            gradient.weight[tap.weight] += factor[n]
                * output_gradient[n * out_len + tap.output]
                * input[n * in_len + tap.input];
        });
    }
    gradient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{
        assert_close, awkward_geometries, central_differences, dot, linear, random,
    };

    #[test]
    fn agrees_with_finite_differences() {
        for geometry in awkward_geometries() {
            let samples = 3;
            let input = random(samples * geometry.in_len(), 1);
            let weight = random(geometry.weight_len(), 2);
            let bias = random(geometry.out_channels, 3);
            let output_gradient = random(samples * geometry.out_len(), 4);
            let factor = random(samples, 5);
            let weighted_sum = |weight: &[f64], bias: &[f64]| -> f64 {
                let z = linear(&geometry, samples, &input, weight, bias);
                let gradients = output_gradient.chunks(geometry.out_len());
                z.chunks(geometry.out_len())
                    .zip(gradients)
                    .zip(&factor)
                    .map(|((z, g), factor)| factor * dot(z, g))
                    .sum()
            };
            let gradient =
                conv_weight_gradient(&geometry, samples, &input, &output_gradient, &factor);
            let in_weight = central_differences(&weight, |weight| weighted_sum(weight, &bias));
            let in_bias = central_differences(&bias, |bias| weighted_sum(&weight, bias));
            assert_close(&gradient.weight, &in_weight, 1e-8);
            assert_close(&gradient.bias, &in_bias, 1e-8);
        }
    }
}
