//! Twin of `dense_weight_gradient.wgsl`: the gradient of a dense layer in its weight and bias.

use super::conv_weight_gradient::{WeightGradient, conv_weight_gradient};
use super::dense_forward::dense_geometry;

/// Σₙ factor\[n\] · output_gradient\[n\] ⊗ input\[n\] for the weight (out, in), and without the input for the
/// bias (out). `input` is (sample, in), `output_gradient` (sample, out), `factor` one value per sample.
pub fn dense_weight_gradient(
    in_features: usize,
    out_features: usize,
    samples: usize,
    input: &[f64],
    output_gradient: &[f64],
    factor: &[f64],
) -> WeightGradient {
    let geometry = dense_geometry(in_features, out_features);
    conv_weight_gradient(&geometry, samples, input, output_gradient, factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_weighted_sum_of_outer_products_by_hand() {
        let input = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
        let output_gradient = [1.0, 2.0, 4.0, -1.0];
        let gradient = dense_weight_gradient(3, 2, 2, &input, &output_gradient, &[1.0, -0.5]);
        // Sample 1 adds [1 2 3; 2 4 6]; sample 2 adds −½ · [−4 0 4; 1 0 −1].
        assert_eq!(gradient.weight, [3.0, 2.0, 1.0, 1.5, 4.0, 6.5]);
        assert_eq!(gradient.bias, [-1.0, 2.5]);
    }
}
