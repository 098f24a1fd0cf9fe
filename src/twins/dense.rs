//! Twin of the `dense_*.wgsl`: a dense layer, seen as a 1×1 convolution of a 1×1 image by the twins of those.

use crate::kernels::geometry::ConvGeometry;

/// The convolution that a dense layer is: its features are the channels of a 1×1 image.
pub fn dense_geometry(in_features: usize, out_features: usize) -> ConvGeometry {
    ConvGeometry::new([in_features, 1, 1], out_features, [1, 1], 1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::twins::{conv_forward, conv_input_gradient, conv_weight_gradient};

    const INPUT: [f64; 6] = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
    const WEIGHT: [f64; 6] = [1.0, 0.0, -1.0, 0.5, 10.0, 2.0];

    #[test]
    fn is_a_matrix_product_by_hand() {
        let (dense, activation) = (dense_geometry(3, 2), Activation::leaky_relu(0.5));
        let result = conv_forward(&dense, activation, 2, &INPUT, &WEIGHT, &[0.0, 1.0]);
        // z: [1 − 3, 0.5 + 20 + 6 + 1] and [−1 − 1, −0.5 + 2 + 1].
        assert_eq!(result.output, [-1.0, 27.5, -1.0, 2.5]);
        assert_eq!(result.derivative, [0.5, 1.0, 0.5, 1.0]);
    }

    #[test]
    fn its_input_gradient_is_the_transposed_product_by_hand() {
        let dense = dense_geometry(3, 2);
        let output_gradient = [1.0, 2.0, 0.0, -1.0];
        let back =
            |derivative| conv_input_gradient(&dense, 2, &output_gradient, &WEIGHT, derivative);
        assert_eq!(back(None), [2.0, 20.0, 3.0, -0.5, -10.0, -2.0]);
        let derivative = [1.0, 0.5, 0.0, 2.0, 1.0, 1.0];
        assert_eq!(back(Some(&derivative)), [2.0, 10.0, 0.0, -1.0, -10.0, -2.0]);
    }

    #[test]
    fn its_weight_gradient_is_a_weighted_sum_of_outer_products_by_hand() {
        let output_gradient = [1.0, 2.0, 4.0, -1.0];
        let dense = dense_geometry(3, 2);
        let gradient = conv_weight_gradient(&dense, 2, &INPUT, &output_gradient, &[1.0, -0.5]);
        // Sample 1 adds [1 2 3; 2 4 6]; sample 2 adds −½ · [−4 0 4; 1 0 −1].
        assert_eq!(gradient.weight, [3.0, 2.0, 1.0, 1.5, 4.0, 6.5]);
        assert_eq!(gradient.bias, [-1.0, 2.5]);
    }
}
