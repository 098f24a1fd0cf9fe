//! Twin of `pool_forward.wgsl`: pooling over windows, and the end of a residual block.

use super::check_len;
use super::conv_forward::ConvForward;
use crate::kernels::Pooling;
use crate::kernels::activations::Activation;

/// The output that a value of the input is pooled into, both as places in a sample; none where it fills no window.
pub(super) fn window_of(pooling: &Pooling, input: usize) -> Option<usize> {
    let (shape, output) = (pooling.input, pooling.output_shape());
    let y = input / shape.width % shape.height / pooling.window_height;
    let x = input % shape.width / pooling.window_width;
    let channel = input / (shape.width * shape.height);
    (y < output.height && x < output.width)
        .then_some((channel * output.height + y) * output.width + x)
}

/// act(factor · Σ over each window of `input` + `skip`) and act′ there; `skip`, if given, is shaped like `input`.
pub fn pool_forward(
    pooling: &Pooling,
    activation: Activation,
    samples: usize,
    input: &[f64],
    skip: Option<&[f64]>,
) -> ConvForward {
    let (in_len, out_len) = (pooling.input.len(), pooling.output_shape().len());
    check_len("input", input, samples * in_len);
    let mut z = vec![0.0; samples * out_len];
    for (i, value) in input.iter().enumerate() {
        if let Some(window) = window_of(pooling, i % in_len) {
            let skipped = skip.map_or(0.0, |skip| skip[i]);
            z[i / in_len * out_len + window] += f64::from(pooling.factor) * (value + skipped);
        }
    }
    ConvForward::activated(&z, activation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    /// 2×2 windows over 3×5 leave out a row and a column.
    #[test]
    fn a_tiny_pooling_by_hand() {
        let input: Vec<f64> = (1..=30).map(f64::from).collect();
        let average = Pooling::average(Shape::new(2, 3, 5), 2);
        assert_eq!(average.output_shape(), Shape::new(2, 1, 2));
        let means = pool_forward(&average, Activation::IDENTITY, 1, &input, None).output;
        assert_eq!(means, [4.0, 6.0, 19.0, 21.0]);
        let skip = vec![1.0; 30];
        let halved = Activation::leaky_relu(0.5);
        let below = input.iter().map(|value| -value).collect::<Vec<_>>();
        let joined = pool_forward(&average, halved, 1, &below, Some(&skip));
        assert_eq!(joined.output, [-1.5, -2.5, -9.0, -10.0]);
        assert_eq!(joined.derivative, [0.5; 4]);

        let sum = Pooling::global_sum(Shape::new(2, 3, 5));
        let sums = pool_forward(&sum, Activation::IDENTITY, 1, &input, None).output;
        assert_eq!(sums, [120.0, 345.0]);
    }
}
