//! What the twins' own tests share: reproducible data, shapes, comparison, finite differences.

use super::philox_normal::normal;
use crate::kernels::activations::{ACTIVATIONS, Activation};
use crate::kernels::geometry::ConvGeometry;
use crate::random::Stream;

/// Every activation function.
pub(super) fn activations() -> [Activation; ACTIVATIONS.len()] {
    ACTIVATIONS.map(|kind| Activation::new(kind, 0.05))
}

/// `len` standard normals; different seeds give independent ones.
pub(crate) fn random(len: usize, seed: u64) -> Vec<f64> {
    (0..len as u32)
        .map(|element| normal(seed, Stream::Data, 0, element))
        .collect()
}

/// Shapes that expose indexing mistakes: odd and unequal sizes, 1 and 3 channels, strides that leave
/// input rows unread, strides larger than the kernel, kernels larger than the input or as large as it.
pub(crate) fn awkward_geometries() -> Vec<ConvGeometry> {
    // (channels, height, width) in, channels out, (height, width) of the kernel, stride, padding.
    let shape = |(in_channels, in_height, in_width),
                 out_channels,
                 kernel: (usize, usize),
                 stride,
                 padding| {
        ConvGeometry {
            in_channels,
            in_height,
            in_width,
            out_channels,
            kernel_height: kernel.0,
            kernel_width: kernel.1,
            stride,
            padding,
        }
    };
    vec![
        shape((1, 5, 7), 2, (3, 3), 2, 1),
        shape((3, 6, 5), 2, (2, 3), 3, 0),
        shape((3, 9, 4), 1, (1, 1), 4, 0),
        shape((2, 4, 4), 3, (4, 4), 1, 0),
        shape((1, 3, 2), 3, (5, 4), 1, 2),
        shape((1, 1, 1), 1, (1, 1), 1, 0),
    ]
}

/// Panics unless every pair agrees to `tolerance`, relative for values above 1 and absolute below.
#[track_caller]
pub(crate) fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let error = (a - e).abs() / e.abs().max(1.0);
        // Written so that a NaN fails.
        assert!(error <= tolerance, "element {i}: {a} instead of {e}");
    }
}

/// The gradient of `function` at `x` by central differences.
pub(crate) fn central_differences(x: &[f64], function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    // Balances the truncation error, of order step², against the rounding error, of order 1e-16 / step.
    let step = 1e-5;
    let mut point = x.to_vec();
    (0..x.len())
        .map(|i| {
            point[i] = x[i] + step;
            let above = function(&point);
            point[i] = x[i] - step;
            let below = function(&point);
            point[i] = x[i];
            (above - below) / (2.0 * step)
        })
        .collect()
}

/// Σᵢ aᵢ bᵢ: turns a vector-valued function into a scalar one whose gradient can be differenced.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
