//! Twin of `energy_head.wgsl`: from the last layer's outputs to one energy per sample.

use super::check_len;

/// The energy |x − mean|² / (2 std²) of an isotropic Gaussian, added to what the network computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuadraticBase {
    /// The Gaussian's mean, the same for every value of x.
    pub mean: f64,
    /// Its standard deviation, above zero.
    pub std: f64,
}

/// The energy of each sample: the sum of its outputs, plus the base's energy if there is one.
///
/// `head` is (sample, `outputs_per_sample`), `x` the network's input, (sample, `sample_len`).
pub fn energy_head(
    samples: usize,
    outputs_per_sample: usize,
    head: &[f64],
    base: Option<QuadraticBase>,
    sample_len: usize,
    x: &[f64],
) -> Vec<f64> {
    check_len("head", head, samples * outputs_per_sample);
    check_len("x", x, samples * sample_len);
    (0..samples)
        .map(|n| {
            let outputs = &head[n * outputs_per_sample..(n + 1) * outputs_per_sample];
            let sample = &x[n * sample_len..(n + 1) * sample_len];
            let base_energy = base.map_or(0.0, |base| {
                let squares: f64 = sample.iter().map(|x| (x - base.mean).powi(2)).sum();
                squares / (2.0 * base.std.powi(2))
            });
            outputs.iter().sum::<f64>() + base_energy
        })
        .collect()
}

/// Adds the base's gradient, (x − mean) / std², to `gradient`, value by value.
pub fn quadratic_base_gradient(base: QuadraticBase, x: &[f64], gradient: &mut [f64]) {
    check_len("gradient", gradient, x.len());
    for (gradient, x) in gradient.iter_mut().zip(x) {
        *gradient += (x - base.mean) / base.std.powi(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, central_differences, random};

    #[test]
    fn by_hand_with_and_without_base() {
        let head = [1.0, 2.0, 3.0, -1.0, -2.0, 0.5];
        let x = [1.0, 3.0, -1.0, 1.0];
        assert_eq!(energy_head(2, 3, &head, None, 2, &x), [6.0, -2.5]);
        let base = QuadraticBase {
            mean: 1.0,
            std: 2.0,
        };
        // |x − 1|² is 4 for both samples, and 2 · 2² is 8.
        assert_eq!(energy_head(2, 3, &head, Some(base), 2, &x), [6.5, -2.0]);
    }

    #[test]
    fn the_base_gradient_is_added_and_agrees_with_finite_differences() {
        let base = QuadraticBase {
            mean: 0.3,
            std: 0.7,
        };
        let x = random(5, 1);
        let numeric = central_differences(&x, |x| energy_head(1, 0, &[], Some(base), 5, x)[0]);
        let mut gradient = vec![10.0; 5];
        quadratic_base_gradient(base, &x, &mut gradient);
        let added: Vec<f64> = gradient.iter().map(|g| g - 10.0).collect();
        assert_close(&added, &numeric, 1e-8);
    }
}
