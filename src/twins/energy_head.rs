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

#[cfg(test)]
mod tests {
    use super::*;

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
}
