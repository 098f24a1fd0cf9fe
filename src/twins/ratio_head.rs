//! Twin of `ratio_head.wgsl`: from both energies to the objective and its gradient in each live energy.
//!
//! Source of the formulas: the Bregman loss of the ratio r = p_θ/p_φ for a convex generator f,
//! L_f = E_φ\[f′(r) r − f(r)\] − E_data\[f′(r)\], whose gradient is, with w(r) = r f″(r),
//! ∂L/∂θ = E_data\[w ∂E_θ\] − E_φ\[r·w ∂E_θ\] (Gutmann & Hirayama, *Bregman divergence as general framework
//! to estimate unnormalized statistical models*, UAI 2011).

use super::check_len;
use crate::kernels::geometry::{Activation, sigmoid};

/// The convex function f that picks the Bregman divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// f(t) = t ln t − (ν + t) ln(ν + t): noise-contrastive estimation.
    Logistic,
}

impl Generator {
    /// (w, r·w) at the log-ratio `u` with noise ratio `nu`: the weights of a data and of a noise sample.
    pub fn weights(self, u: f64, nu: f64) -> (f64, f64) {
        match self {
            Generator::Logistic => {
                let h = u - nu.ln();
                (sigmoid(-h), nu * sigmoid(h))
            }
        }
    }

    /// (−f′(r), f′(r) r − f(r)) at the log-ratio `u`, up to constants: the loss of a data and of a noise sample.
    pub fn loss_terms(self, u: f64, nu: f64) -> (f64, f64) {
        match self {
            Generator::Logistic => {
                let h = u - nu.ln();
                let softplus = |z| Activation::Softplus.value(z);
                (softplus(-h), nu * softplus(h))
            }
        }
    }
}

/// The energies of one batch under both parameter sets.
#[derive(Clone, Copy, Debug)]
pub struct RatioInput<'a> {
    /// E_θ of each sample, data first, then noise.
    pub live: &'a [f64],
    /// E_φ of the same samples in the same order.
    pub snapshot: &'a [f64],
    /// Number of data samples, at least 1.
    pub data_count: usize,
    /// Number of noise samples, at least 1. The noise ratio ν is `noise_count / data_count`.
    pub noise_count: usize,
    /// The log-normaliser difference, an estimate of log Z_φ − log Z_θ.
    pub c: f64,
    /// Weight α of the squared live energies in the objective.
    pub energy_l2: f64,
}

/// The objective of one batch, its gradients, and what is worth watching.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioOutput {
    /// u = E_φ − E_θ + c of each sample.
    pub log_ratio: Vec<f64>,
    /// ∂(loss + l2)/∂E_θ of each sample: the factor of the weight gradient.
    pub factor: Vec<f64>,
    /// The generator's loss, without the penalty.
    pub loss: f64,
    /// Mean of E_θ over the data samples.
    pub mean_energy_data: f64,
    /// Mean of E_θ over the noise samples.
    pub mean_energy_noise: f64,
    /// Share of all samples on their own side of u = ln ν; a sample on the line counts half.
    pub accuracy: f64,
    /// Population standard deviation of u over all samples.
    pub spread: f64,
    /// ∂loss/∂c.
    pub c_gradient: f64,
    /// The penalty α (mean E_θ² over data + mean E_θ² over noise).
    pub l2: f64,
}

/// Computes the objective of a batch for `generator`.
pub fn ratio_head(generator: Generator, input: &RatioInput) -> RatioOutput {
    let &RatioInput {
        live,
        snapshot,
        data_count,
        noise_count,
        c,
        energy_l2,
    } = input;
    let samples = data_count + noise_count;
    check_len("live", live, samples);
    check_len("snapshot", snapshot, samples);

    let nu = noise_count as f64 / data_count as f64;
    let mut output = RatioOutput {
        log_ratio: live
            .iter()
            .zip(snapshot)
            .map(|(live, snapshot)| snapshot - live + c)
            .collect(),
        factor: Vec::with_capacity(samples),
        loss: 0.0,
        mean_energy_data: mean(&live[..data_count]),
        mean_energy_noise: mean(&live[data_count..]),
        accuracy: 0.0,
        spread: 0.0,
        c_gradient: 0.0,
        l2: 0.0,
    };
    for (i, (&energy, &u)) in live.iter().zip(&output.log_ratio).enumerate() {
        let is_data = i < data_count;
        let count = if is_data { data_count } else { noise_count } as f64;
        let (data_weight, noise_weight) = generator.weights(u, nu);
        let (data_loss, noise_loss) = generator.loss_terms(u, nu);
        // The loss falls with u on data and rises with u on noise; u falls with the live energy.
        let (loss, slope) = if is_data {
            (data_loss, -data_weight)
        } else {
            (noise_loss, noise_weight)
        };
        output.loss += loss / count;
        output.c_gradient += slope / count;
        output.l2 += energy_l2 * energy * energy / count;
        output
            .factor
            .push((-slope + 2.0 * energy_l2 * energy) / count);
        output.accuracy += correctness(u - nu.ln(), is_data) / samples as f64;
    }
    let mean_u = mean(&output.log_ratio);
    let squares: Vec<f64> = output
        .log_ratio
        .iter()
        .map(|u| (u - mean_u).powi(2))
        .collect();
    output.spread = mean(&squares).sqrt();
    output
}

/// 1 if the classifier's logit `h` puts the sample on its own side, ½ if on neither, else 0.
fn correctness(h: f64, is_data: bool) -> f64 {
    if h == 0.0 {
        0.5
    } else if (h > 0.0) == is_data {
        1.0
    } else {
        0.0
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::testing::{assert_close, central_differences, random};

    const GENERATORS: [Generator; 1] = [Generator::Logistic];

    /// The generators as the literature writes them.
    fn f(generator: Generator, nu: f64, t: f64) -> f64 {
        match generator {
            Generator::Logistic => t * t.ln() - (nu + t) * (nu + t).ln(),
        }
    }

    fn f_prime(generator: Generator, nu: f64, t: f64) -> f64 {
        let step = 1e-5 * t;
        (f(generator, nu, t + step) - f(generator, nu, t - step)) / (2.0 * step)
    }

    /// Log-ratios and noise ratios at which the generators are looked at.
    fn grid() -> impl Iterator<Item = (f64, f64)> {
        let log_ratios = [-3.0, -0.7, 0.0, 0.4, 2.5];
        [0.5, 1.0, 4.0]
            .into_iter()
            .flat_map(move |nu| log_ratios.map(|u| (u, nu)))
    }

    #[test]
    fn weights_are_r_times_the_second_derivative_of_f() {
        for generator in GENERATORS {
            for (u, nu) in grid() {
                let r = u.exp();
                let step = 1e-4 * r;
                let above = f(generator, nu, r + step);
                let below = f(generator, nu, r - step);
                let second = (above - 2.0 * f(generator, nu, r) + below) / (step * step);
                let (data, noise) = generator.weights(u, nu);
                assert_close(&[data, noise], &[r * second, r * r * second], 1e-5);
            }
        }
    }

    #[test]
    fn loss_terms_are_the_bregman_loss_up_to_a_constant() {
        for generator in GENERATORS {
            for (u, nu) in grid() {
                let bregman = |u: f64| {
                    let r = u.exp();
                    let slope = f_prime(generator, nu, r);
                    (-slope, slope * r - f(generator, nu, r))
                };
                let (terms, at_zero) = (generator.loss_terms(u, nu), generator.loss_terms(0.0, nu));
                let (expected, expected_at_zero) = (bregman(u), bregman(0.0));
                assert_close(
                    &[terms.0 - at_zero.0, terms.1 - at_zero.1],
                    &[
                        expected.0 - expected_at_zero.0,
                        expected.1 - expected_at_zero.1,
                    ],
                    1e-7,
                );
            }
        }
    }

    /// Counts of data and noise samples, so that ν is 1, above and below.
    const COUNTS: [(usize, usize); 4] = [(4, 4), (3, 6), (5, 2), (1, 1)];

    #[test]
    fn factor_and_c_gradient_agree_with_finite_differences() {
        for generator in GENERATORS {
            for (data_count, noise_count) in COUNTS {
                let live = random(data_count + noise_count, 1);
                let snapshot = random(data_count + noise_count, 2);
                let input = RatioInput {
                    live: &live,
                    snapshot: &snapshot,
                    data_count,
                    noise_count,
                    c: 0.3,
                    energy_l2: 0.1,
                };
                let output = ratio_head(generator, &input);
                let in_live = central_differences(&live, |live| {
                    let moved = ratio_head(generator, &RatioInput { live, ..input });
                    moved.loss + moved.l2
                });
                assert_close(&output.factor, &in_live, 1e-8);
                let in_c = central_differences(&[input.c], |c| {
                    ratio_head(generator, &RatioInput { c: c[0], ..input }).loss
                });
                assert_close(&[output.c_gradient], &in_c, 1e-8);
            }
        }
    }

    /// At r = 1 the gradient is f″(1) times the maximum-likelihood one, and c is at its best value.
    #[test]
    fn a_fresh_snapshot_gives_the_contrastive_divergence_gradient() {
        for (data_count, noise_count) in COUNTS {
            let energies = random(data_count + noise_count, 1);
            let output = ratio_head(
                Generator::Logistic,
                &RatioInput {
                    live: &energies,
                    snapshot: &energies,
                    data_count,
                    noise_count,
                    c: 0.0,
                    energy_l2: 0.0,
                },
            );
            let nu = noise_count as f64 / data_count as f64;
            let share = nu / (1.0 + nu);
            let mut expected = vec![share / data_count as f64; data_count];
            expected.resize(data_count + noise_count, -share / noise_count as f64);
            assert_close(&output.factor, &expected, 1e-15);
            assert_close(&[output.c_gradient, output.spread], &[0.0, 0.0], 1e-15);
        }
    }

    #[test]
    fn every_metric_by_hand() {
        // u = [1, 0 | −1, 2] and ν = 1, so h = u: data right, tie | noise right, noise wrong.
        let output = ratio_head(
            Generator::Logistic,
            &RatioInput {
                live: &[1.0, 3.0, 2.0, -2.0],
                snapshot: &[1.5, 2.5, 0.5, -0.5],
                data_count: 2,
                noise_count: 2,
                c: 0.5,
                energy_l2: 0.1,
            },
        );
        assert_eq!(output.log_ratio, [1.0, 0.0, -1.0, 2.0]);
        assert_eq!(
            [output.mean_energy_data, output.mean_energy_noise],
            [2.0, 0.0]
        );
        assert_close(&[output.accuracy], &[2.5 / 4.0], 1e-15);
        // Mean ½, squared deviations ¼, ¼, 9/4, 9/4.
        assert_close(&[output.spread], &[1.25f64.sqrt()], 1e-15);
        // 0.1 · ((1 + 9)/2 + (4 + 4)/2).
        assert_close(&[output.l2], &[0.9], 1e-15);
        // ½ [ln(1 + e⁻¹) + ln 2 + ln(1 + e⁻¹) + ln(1 + e²)].
        let e = std::f64::consts::E;
        let loss = 0.5 * (2.0 * (1.0 + 1.0 / e).ln() + 2f64.ln() + (1.0 + e * e).ln());
        assert_close(&[output.loss], &[loss], 1e-15);
    }

    /// With four noise samples per datum the line between the classes is at u = ln 4, not at 0.
    #[test]
    fn the_decision_line_moves_with_the_noise_ratio() {
        let output = ratio_head(
            Generator::Logistic,
            &RatioInput {
                live: &[0.0; 5],
                snapshot: &[1.0; 5],
                data_count: 1,
                noise_count: 4,
                c: 0.0,
                energy_l2: 0.0,
            },
        );
        assert_close(&[output.accuracy], &[0.8], 1e-15);
    }

    #[test]
    fn huge_log_ratios_stay_finite() {
        for u in [-1e4, 1e4] {
            let (data, noise) = Generator::Logistic.weights(u, 2.0);
            let (data_loss, noise_loss) = Generator::Logistic.loss_terms(u, 2.0);
            let r_is_large = u > 0.0;
            assert_eq!(
                (data, noise),
                if r_is_large { (0.0, 2.0) } else { (1.0, 0.0) }
            );
            assert_eq!(data_loss, if r_is_large { 0.0 } else { 1e4 + 2f64.ln() });
            assert_eq!(
                noise_loss,
                if r_is_large {
                    2.0 * (1e4 - 2f64.ln())
                } else {
                    0.0
                }
            );
        }
    }
}
