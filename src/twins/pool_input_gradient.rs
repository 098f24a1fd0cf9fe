//! Twin of `pool_input_gradient.wgsl`: the gradient in the input of a pooling.

use super::check_len;
use super::pool_forward::window_of;
use crate::kernels::Pooling;

/// (factor · the gradient in the output of each input's window + `added`) × `input_derivative`.
pub fn pool_input_gradient(
    pooling: &Pooling,
    samples: usize,
    output_gradient: &[f64],
    added: Option<&[f64]>,
    input_derivative: Option<&[f64]>,
) -> Vec<f64> {
    let (in_len, out_len) = (pooling.input.len(), pooling.output_shape().len());
    check_len("output_gradient", output_gradient, samples * out_len);
    (0..samples * in_len)
        .map(|i| {
            let pooled = window_of(pooling, i % in_len).map_or(0.0, |window| {
                f64::from(pooling.factor) * output_gradient[i / in_len * out_len + window]
            });
            let sum = pooled + added.map_or(0.0, |added| added[i]);
            sum * input_derivative.map_or(1.0, |derivative| derivative[i])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::shape::Shape;
    use crate::twins::pool_forward;
    use crate::twins::testing::{assert_close, dot, random};

    /// ⟨g, Px⟩ = ⟨Pᵀg, x⟩ for every g and x defines the transpose.
    #[test]
    fn is_the_transpose_of_the_forward_pass() {
        let shape = Shape::new(3, 5, 7);
        for pooling in [Pooling::average(shape, 2), Pooling::global_sum(shape)] {
            let (x, added) = (random(2 * shape.len(), 1), random(2 * shape.len(), 2));
            let g = random(2 * pooling.output_shape().len(), 3);
            let pooled = pool_forward(&pooling, Activation::IDENTITY, 2, &x, None).output;
            let back = pool_input_gradient(&pooling, 2, &g, Some(&added), Some(&added));
            let derivative: Vec<f64> = x.iter().zip(&added).map(|(x, a)| x / a).collect();
            let want = dot(&g, &pooled) + dot(&added, &x);
            assert_close(&[dot(&back, &derivative)], &[want], 1e-11);
        }
    }
}
