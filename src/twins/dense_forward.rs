//! Twin of `dense_forward.wgsl`: a fully connected layer, seen as a 1×1 convolution of a 1×1 image.

use super::conv_forward::{ConvForward, conv_forward};
use crate::kernels::activations::Activation;
use crate::kernels::geometry::ConvGeometry;

/// The convolution that a dense layer is: its features are the channels of a 1×1 image.
pub fn dense_geometry(in_features: usize, out_features: usize) -> ConvGeometry {
    ConvGeometry {
        in_channels: in_features,
        in_height: 1,
        in_width: 1,
        out_channels: out_features,
        kernel_height: 1,
        kernel_width: 1,
        stride: 1,
        padding: 0,
    }
}

/// act(weight · input + bias) for each sample; `input` is (sample, in), `weight` (out, in), `bias` (out).
pub fn dense_forward(
    in_features: usize,
    out_features: usize,
    activation: Activation,
    samples: usize,
    input: &[f64],
    weight: &[f64],
    bias: &[f64],
) -> ConvForward {
    let geometry = dense_geometry(in_features, out_features);
    conv_forward(&geometry, activation, samples, input, weight, bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_matrix_product_by_hand() {
        let input = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
        let weight = [1.0, 0.0, -1.0, 0.5, 10.0, 2.0];
        let result = dense_forward(
            3,
            2,
            Activation::leaky_relu(0.5),
            2,
            &input,
            &weight,
            &[0.0, 1.0],
        );
        // z: [1 − 3, 0.5 + 20 + 6 + 1] and [−1 − 1, −0.5 + 2 + 1].
        assert_eq!(result.output, [-1.0, 27.5, -1.0, 2.5]);
        assert_eq!(result.derivative, [0.5, 1.0, 0.5, 1.0]);
    }
}
