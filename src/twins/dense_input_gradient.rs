//! Twin of `dense_input_gradient.wgsl`: the gradient of a dense layer in its input.

use super::conv_input_gradient::conv_input_gradient;
use super::dense_forward::dense_geometry;

/// weightᵀ · output_gradient for each sample, times `input_derivative` (act′ of the layer before) if given.
///
/// `output_gradient` is (sample, out), `weight` (out, in); the result and `input_derivative` are (sample, in).
pub fn dense_input_gradient(
    in_features: usize,
    out_features: usize,
    samples: usize,
    output_gradient: &[f64],
    weight: &[f64],
    input_derivative: Option<&[f64]>,
) -> Vec<f64> {
    let geometry = dense_geometry(in_features, out_features);
    conv_input_gradient(
        &geometry,
        samples,
        output_gradient,
        weight,
        input_derivative,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_transposed_product_by_hand() {
        let weight = [1.0, 0.0, -1.0, 0.5, 10.0, 2.0];
        let output_gradient = [1.0, 2.0, 0.0, -1.0];
        let plain = dense_input_gradient(3, 2, 2, &output_gradient, &weight, None);
        assert_eq!(plain, [2.0, 20.0, 3.0, -0.5, -10.0, -2.0]);
        let derivative = [1.0, 0.5, 0.0, 2.0, 1.0, 1.0];
        let scaled = dense_input_gradient(3, 2, 2, &output_gradient, &weight, Some(&derivative));
        assert_eq!(scaled, [2.0, 10.0, 0.0, -1.0, -10.0, -2.0]);
    }
}
