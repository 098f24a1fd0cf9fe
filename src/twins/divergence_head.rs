//! Twin of `divergence_head.wgsl`: mean E_θ over the data minus mean E_θ over the noise (Hinton, *Training products of
//! experts by minimizing contrastive divergence*, 2002).

use super::ratio_head::{RatioInput, RatioOutput, without_loss};

/// Computes the objective of a batch. The kernel is given no other than the live energies: `input.snapshot` equals
/// `input.live` for it.
pub fn divergence_head(input: &RatioInput) -> RatioOutput {
    let mut output = without_loss(input);
    output.loss = output.mean_energy_data - output.mean_energy_noise;
    output.accuracy = 0.5;
    for (i, factor) in output.factor.iter_mut().enumerate() {
        *factor += if i < input.data_count {
            1.0 / input.data_count as f64
        } else {
            -1.0 / input.noise_count as f64
        };
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, batch, central_differences, random};

    #[test]
    fn factor_agrees_with_finite_differences() {
        for (data_count, noise_count) in [(1, 1), (3, 6), (5, 2)] {
            let live = random(data_count + noise_count, 1);
            let head = |live: &[f64]| {
                divergence_head(&RatioInput {
                    energy_l2: 0.1,
                    ..batch(live, live, (data_count, noise_count))
                })
            };
            let output = head(&live);
            let slopes = central_differences(&live, |live| head(live).loss + head(live).l2);
            assert_close(&output.factor, &slopes, 1e-8);
            assert_close(&[output.ess, output.spread], &[1.0, 0.0], 1e-15);
        }
    }
}
