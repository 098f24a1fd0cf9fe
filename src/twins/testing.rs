//! What the twins' own tests share: reproducible data, shapes, comparison, finite differences.

use super::conv_forward::conv_forward;
use super::philox_normal::normal;
use super::ratio_head::RatioInput;
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
    vec![
        ConvGeometry::new([1, 5, 7], 2, [3, 3], 2, 1),
        ConvGeometry::new([3, 6, 5], 2, [2, 3], 3, 0),
        ConvGeometry::new([3, 9, 4], 1, [1, 1], 4, 0),
        ConvGeometry::new([2, 4, 4], 3, [4, 4], 1, 0),
        ConvGeometry::new([1, 3, 2], 3, [5, 4], 1, 2),
        ConvGeometry::new([1, 1, 1], 1, [1, 1], 1, 0),
    ]
}

/// The output of a convolution without activation.
pub(super) fn linear(
    geometry: &ConvGeometry,
    samples: usize,
    input: &[f64],
    weight: &[f64],
    bias: &[f64],
) -> Vec<f64> {
    let identity = Activation::IDENTITY;
    conv_forward(geometry, identity, samples, input, weight, bias).output
}

/// The energies of so many data and noise samples, with neither a normaliser nor a penalty.
pub(super) fn batch<'a>(
    live: &'a [f64],
    snapshot: &'a [f64],
    (data_count, noise_count): (usize, usize),
) -> RatioInput<'a> {
    RatioInput {
        live,
        snapshot,
        data_count,
        noise_count,
        c: 0.0,
        energy_l2: 0.0,
    }
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
