//! Twin of `conv_forward.wgsl`: convolution, bias and activation.

use super::check_len;
use super::taps::for_each_tap;
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;

/// A layer's output and the activation's derivative there, both (sample, channel, row, column).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConvForward {
    /// act(z).
    pub output: Vec<f64>,
    /// act′(z), which the backward pass multiplies by.
    pub derivative: Vec<f64>,
}

impl ConvForward {
    /// Of the linear part `z`.
    pub(super) fn activated(z: &[f64], activation: Activation) -> Self {
        ConvForward {
            output: z.iter().map(|&z| activation.value(z)).collect(),
            derivative: z.iter().map(|&z| activation.derivative(z)).collect(),
        }
    }
}

/// Convolves (cross-correlates, as PyTorch does) each sample with `weight`, adds `bias` (one value per
/// output channel) and applies `activation`.
pub fn conv_forward(
    geometry: &ConvGeometry,
    activation: Activation,
    samples: usize,
    input: &[f64],
    weight: &[f64],
    bias: &[f64],
) -> ConvForward {
    let (in_len, out_len) = (geometry.in_len(), geometry.out_len());
    check_len("input", input, samples * in_len);
    check_len("weight", weight, geometry.weight_len());
    check_len("bias", bias, geometry.out_channels);

    let plane = geometry.out_height() * geometry.out_width();
    let mut z: Vec<f64> = (0..samples * out_len)
        .map(|i| bias[i % out_len / plane])
        .collect();
    for n in 0..samples {
        for_each_tap(geometry, |tap| {
            z[n * out_len + tap.output] += weight[tap.weight] * input[n * in_len + tap.input];
        });
    }
    ConvForward::activated(&z, activation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{
        activations, assert_close, awkward_geometries, dot, linear, random,
    };

    /// A 3×3 image under a 2×2 kernel, stride 2, padding 1, two output channels, worked out on paper.
    #[test]
    fn a_tiny_convolution_by_hand() {
        let geometry = ConvGeometry::new([1, 3, 3], 2, [2, 2], 2, 1);
        let input = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        // The padded image's 2×2 blocks are [0 0; 0 1], [0 0; 2 3], [0 4; 0 7] and [5 6; 8 9].
        let weight = [1.0, 10.0, 100.0, 1000.0, 1.0, 1.0, 1.0, 1.0];
        let (identity, bias) = (Activation::IDENTITY, [0.5, -1.0]);
        let result = conv_forward(&geometry, identity, 1, &input, &weight, &bias);
        assert_eq!(
            result.output,
            [1000.5, 3200.5, 7040.5, 9865.5, 0.0, 4.0, 10.0, 27.0]
        );
        assert_eq!(result.derivative, [1.0; 8]);
    }

    /// A kernel as large as the image meets it once, value by value in memory order.
    #[test]
    fn a_kernel_over_the_whole_image_is_a_dot_product() {
        let geometry = ConvGeometry::new([3, 2, 5], 2, [2, 5], 1, 0);
        let input = random(30, 1);
        let weight = random(60, 2);
        let output = linear(&geometry, 1, &input, &weight, &[0.5, -2.0]);
        let expected = [
            0.5 + dot(&weight[..30], &input),
            -2.0 + dot(&weight[30..], &input),
        ];
        assert_close(&output, &expected, 1e-12);
    }

    #[test]
    fn a_batch_is_its_samples_side_by_side() {
        for geometry in awkward_geometries() {
            let input = random(3 * geometry.in_len(), 1);
            let weight = random(geometry.weight_len(), 2);
            let bias = random(geometry.out_channels, 3);
            let run = |samples, input: &[f64]| {
                conv_forward(&geometry, Activation::SILU, samples, input, &weight, &bias).output
            };
            let one_by_one: Vec<f64> = input
                .chunks(geometry.in_len())
                .flat_map(|sample| run(1, sample))
                .collect();
            assert_eq!(run(3, &input), one_by_one);
        }
    }

    #[test]
    fn output_and_derivative_are_the_activation_of_the_linear_part() {
        let geometry = awkward_geometries()[0];
        let input = random(2 * geometry.in_len(), 1);
        let weight = random(geometry.weight_len(), 2);
        let bias = random(geometry.out_channels, 3);
        let run = |activation| conv_forward(&geometry, activation, 2, &input, &weight, &bias);
        let z = run(Activation::IDENTITY).output;
        for activation in activations() {
            let result = run(activation);
            let step = 1e-6;
            for (i, &z) in z.iter().enumerate() {
                assert_eq!(result.output[i], activation.value(z));
                let slope =
                    (activation.value(z + step) - activation.value(z - step)) / (2.0 * step);
                assert_close(&[result.derivative[i]], &[slope], 1e-7);
            }
        }
    }
}
