//! Twin of `ranking_head.wgsl`: −ln\[ω(x₀) / Σⱼ ω(xⱼ)\] with ω = exp(E_φ − E_θ), the mean over the data, x₀ a datum and
//! the others its own noise samples (Ma & Collins, EMNLP 2018; Singh, Tu & Sindhwani 2023).

use super::ratio_head::{RatioInput, RatioOutput, without_loss};

/// Computes the objective of a batch. Datum i has the N = ⌊noise/data⌋ negatives i·N to i·N + N − 1; `input.c` cancels.
/// The accuracy is the share of pairs (datum, negative) in the right order, ties counting half.
pub fn ranking_head(input: &RatioInput) -> RatioOutput {
    let mut output = without_loss(input);
    let data = input.data_count;
    let negatives = input.noise_count / data;
    for i in 0..data {
        let first = data + i * negatives;
        let set: Vec<usize> = std::iter::once(i).chain(first..first + negatives).collect();
        let u = |j: usize| output.log_ratio[j];
        let largest = set.iter().map(|&j| u(j)).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = set.iter().map(|&j| (u(j) - largest).exp()).sum();
        let pairs = (data * negatives) as f64;
        let right = set[1..].iter().map(|&j| 0.5 + 0.5 * sign(u(i) - u(j)));
        output.accuracy += right.sum::<f64>() / pairs.max(1.0);
        output.loss += (largest + sum.ln() - u(i)) / data as f64;
        for &j in &set {
            let others = set.iter().filter(|&&k| k != i);
            let share = if j == i {
                // Summed over the others, since 1 − share loses digits.
                -others.map(|&k| (u(k) - largest).exp()).sum::<f64>() / sum
            } else {
                (u(j) - largest).exp() / sum
            };
            output.factor[j] -= share / data as f64;
        }
    }
    output
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, batch, central_differences, random};

    fn input<'a>(live: &'a [f64], snapshot: &'a [f64], counts: (usize, usize)) -> RatioInput<'a> {
        RatioInput {
            energy_l2: 0.1,
            ..batch(live, snapshot, counts)
        }
    }

    #[test]
    fn factor_agrees_with_finite_differences_and_c_cancels() {
        for counts in [(1, 1), (3, 3), (2, 8), (3, 7), (3, 2)] {
            let count = counts.0 + counts.1;
            let (live, snapshot) = (random(count, 1), random(count, 2));
            let output = ranking_head(&input(&live, &snapshot, counts));
            let slopes = central_differences(&live, |live| {
                let moved = ranking_head(&input(live, &snapshot, counts));
                moved.loss + moved.l2
            });
            assert_close(&output.factor, &slopes, 1e-8);
            let shifted = RatioInput {
                c: 3.0,
                ..input(&live, &snapshot, counts)
            };
            let shifted = ranking_head(&shifted);
            assert_close(&shifted.factor, &output.factor, 1e-14);
            assert_close(&[shifted.loss], &[output.loss], 1e-14);
            assert_eq!(output.c_gradient, 0.0);
        }
    }

    #[test]
    fn a_fresh_snapshot_gives_the_contrastive_divergence_gradient() {
        for (data, negatives) in [(1, 1), (3, 1), (2, 5)] {
            let noise = data * negatives;
            let energies = random(data + noise, 1);
            let output = ranking_head(&batch(&energies, &energies, (data, noise)));
            let share = negatives as f64 / (negatives + 1) as f64;
            let mut want = vec![share / data as f64; data];
            want.resize(data + noise, -share / noise as f64);
            assert_close(&output.factor, &want, 1e-15);
            assert_eq!(output.accuracy, 0.5);
        }
    }
}
